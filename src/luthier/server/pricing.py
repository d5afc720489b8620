"""What models cost, and what their use is counted as."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from luthier.errors import NotFoundError, StoreError
from luthier.server.catalogue import Catalogue
from luthier.server.places import Places
from luthier.store.opened import Store

LOG = logging.getLogger("luthier.server")
Price = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Pricing:
    """The prices of every project's models: a tuned one costs what its base does, under its own name."""

    store: Store
    catalogue: Catalogue
    _known: dict[tuple[str, str], Price] = field(default_factory=dict)

    def of(self, project: str, model: str) -> Price:
        """Returns what a model is counted as, and the prices of a million tokens read and written."""
        entry = self.catalogue.find(model)
        if entry is not None:
            return entry.id, entry.input_price, entry.output_price
        if (project, model) not in self._known:
            try:
                base = Places(self.store, self.catalogue, project).base(model)
            except NotFoundError:  # the rules of moderation, or deleted meanwhile
                return model, 0.0, 0.0
            except StoreError as error:  # what has been answered is not taken back
                LOG.error("%s is counted without its price: %s", model, error)
                return model, 0.0, 0.0
            entry = self.catalogue.find(base)
            price = (0.0, 0.0) if entry is None else (entry.input_price, entry.output_price)
            self._known[project, model] = (model, *price)
        return self._known[project, model]
