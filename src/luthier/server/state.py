"""What the routes of one server share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

from luthier.access.gate import Gate
from luthier.server.answering import Answering
from luthier.server.catalogue import Catalogue
from luthier.server.options import ServerOptions
from luthier.server.pricing import Pricing
from luthier.server.searching import Searching
from luthier.store.opened import Store


@dataclass(frozen=True, slots=True)
class Server:
    """The store, the models, who may use them, and the settings of one server."""

    options: ServerOptions
    store: Store
    catalogue: Catalogue
    answering: Answering
    searching: Searching
    gate: Gate
    pricing: Pricing
    started_at: int

    @classmethod
    def of(cls, options: ServerOptions, store: Store, catalogue: Catalogue) -> Self:
        """Returns the server over a store; no model is loaded yet."""
        answering, pricing = Answering(store, catalogue, options), Pricing(store, catalogue)
        searching, gate = Searching(store, answering.turn), Gate(store.database)
        return cls(options, store, catalogue, answering, searching, gate, pricing, int(time.time()))
