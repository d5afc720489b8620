"""Models in memory: each is loaded once, by the first who asks, and the last few stay."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

ModelT = TypeVar("ModelT")


class Kept(Generic[ModelT]):
    """The last `most` models that were asked for; `close` is what is done with one that has to go.

    One is loaded at a time, also beside those of another table that shares `loading`; what is loaded is handed out
    meanwhile.
    """

    def __init__(self, most: int, loading: threading.Lock, close: Callable[[ModelT], None]) -> None:
        self._most, self._loading, self._close = most, loading, close
        self._models: OrderedDict[str, ModelT] = OrderedDict()
        self._table = threading.Lock()

    def get(self, key: str, load: Callable[[], ModelT]) -> ModelT:
        """Returns the model of that key; what `load` raises where it has to be loaded first."""
        if (found := self._find(key)) is not None:
            return found
        with self._loading:
            return self._find(key) or self._add(key, load())

    def now(self) -> dict[str, ModelT]:
        """Returns what is loaded, by key."""
        with self._table:
            return dict(self._models)

    def _find(self, key: str) -> ModelT | None:
        with self._table:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def _add(self, key: str, model: ModelT) -> ModelT:
        with self._table:
            self._models[key] = model
            while len(self._models) > self._most:
                self._close(self._models.popitem(last=False)[1])
        return model
