"""What the routes of one server share."""

from __future__ import annotations

from dataclasses import dataclass

from luthier.server.answering import Answering
from luthier.server.catalogue import Catalogue
from luthier.server.options import ServerOptions
from luthier.store.opened import Store


@dataclass(frozen=True, slots=True)
class Server:
    """The store, the models and the settings of one server."""

    options: ServerOptions
    store: Store
    catalogue: Catalogue
    answering: Answering
    started_at: int
