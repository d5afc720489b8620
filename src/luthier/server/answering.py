"""The models that this process answers with: loaded when first asked for, a few at a time. No torch before that."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from luthier.errors import LuthierError, NotFoundError
from luthier.server.catalogue import Catalogue, Entry
from luthier.server.errors import ApiError, no_model
from luthier.server.places import Places
from luthier.store.opened import Store

if TYPE_CHECKING:
    from luthier.generation.service import ServedChat
    from luthier.server.options import ServerOptions

LOG = logging.getLogger("luthier.server")


class Answering:
    """Loads models by the names that requests say, and keeps the last `options.loaded_models` of them."""

    def __init__(self, store: Store, catalogue: Catalogue, options: ServerOptions) -> None:
        self._store, self._catalogue, self._options = store, catalogue, options
        self._loaded: OrderedDict[str, ServedChat] = OrderedDict()
        self._loading, self._turn = threading.Lock(), threading.Lock()

    def remote(self, name: str) -> Entry | None:
        """Returns the catalogue's entry of a model on another server; None for one of this machine."""
        entry = self._catalogue.find(name)
        return entry if entry is not None and entry.url is not None else None

    def chat(self, name: str, project: str) -> ServedChat:
        """Returns the chat with a model of this machine; the first time takes as long as loading does."""
        try:
            place = Places(self._store, self._catalogue, project).model(name)
        except NotFoundError:
            raise no_model(name) from None
        with self._loading:
            if place not in self._loaded:
                self._loaded[place] = self._load(place, name)
            self._loaded.move_to_end(place)
            while len(self._loaded) > self._options.loaded_models:
                self._loaded.popitem(last=False)[1].close()
            return self._loaded[place]

    def warm_up(self) -> None:
        """Loads the first model, so that the first request need not wait; what fails is said when it is asked for."""
        entry = self._catalogue.default
        if entry.url is None:
            try:
                self.chat(entry.id, "")
            except (ApiError, LuthierError) as error:
                LOG.warning("%s cannot be loaded: %s", entry.id, error)

    def _load(self, place: str, name: str) -> ServedChat:
        from luthier.generation.service import ServedChat
        from luthier.models.load import load_model

        return ServedChat(load_model(place, self._options), self._turn)
