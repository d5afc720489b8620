"""Searches in vector stores for every request: stores stay open, questions are embedded together whoever asks them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luthier.store.opened import Store

if TYPE_CHECKING:
    from luthier.retrieval.embedders import TextEmbedder
    from luthier.retrieval.filters import Filter
    from luthier.retrieval.options import SearchOptions
    from luthier.retrieval.search import Found, Searcher
    from luthier.retrieval.stores import Configuration, NamedStore

MOST_OPEN = 32


@dataclass(frozen=True)
class Hit:
    """A passage that was found: the id and name of its file, and a score from 0 to 1 that falls along the list."""

    file: str
    filename: str
    score: float
    found: Found


class Searching:
    """The stores that were searched lately; each is searched by one thread at a time. `turn` is held while a model
    computes."""

    def __init__(self, store: Store, turn: AbstractContextManager[Any]) -> None:
        self._store, self._turn = store, turn
        self._table, self._loading = threading.Lock(), threading.Lock()
        self._open: OrderedDict[str, tuple[Searcher, threading.Lock]] = OrderedDict()
        self._embedders: dict[str, TextEmbedder | None] = {}

    def search(
        self, project: str, id: str, queries: Sequence[str], options: SearchOptions, filter: Filter | None
    ) -> tuple[list[Hit], str, int]:
        """Returns what is found, best first, with the name of the embedder and the tokens that it read.

        `NotFoundError` when the store is gone; nothing is found in one without any file that has been read.
        """
        from luthier.retrieval.search import Question
        from luthier.retrieval.stores import NamedStore
        from luthier.store.passages import STORE

        named = NamedStore(self._store, self._store.resources.get(STORE, id, project))
        active = named.active
        if active is None or not (named.folder / active.folder).is_dir():
            return [], "", 0
        searcher, mine = self._searcher(named)
        with mine:
            found = searcher.search(Question(queries[0], tuple(queries[1:])), options, filter)
        embedder = self._embedders.get(active.identity)
        tokens = sum(embedder.lengths(queries)) if embedder else 0
        return self._hits(named, found), embedder.name if embedder else "", tokens

    def forget(self, id: str) -> None:
        """Lets a store go that has been deleted."""
        with self._table:
            self._open.pop(id, None)

    def _hits(self, named: NamedStore, found: Sequence[Found]) -> list[Hit]:
        """Returns what was found with the files it comes from. A score is the relevance, and never more than that of
        what stands above: the order is that of vectors and words together."""
        rows = named.documents.some({one.passage.document for one in found})
        hits, least = list[Hit](), 1.0
        for one in found:
            if (row := rows.get(one.passage.document)) is None:
                continue  # deleted this moment
            least = min(least, one.relevance)
            source = str(row.body.get("source") or "")
            name = row.body.get("filename") or source.rpartition("/")[2] or source
            hits.append(Hit(str(row.body.get("file") or row.id), str(name), least, one))
        return hits

    def _searcher(self, named: NamedStore) -> tuple[Searcher, threading.Lock]:
        from luthier.retrieval.search import Searcher

        with self._table:
            if named.row.id not in self._open:
                self._open[named.row.id] = (Searcher(named, self._embedder), threading.Lock())
            self._open.move_to_end(named.row.id)
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
            return self._open[named.row.id]

    def _embedder(self, made: Configuration) -> TextEmbedder | None:
        from luthier.retrieval.embedders import EncoderSource, open_embedder

        with self._loading:
            if made.identity not in self._embedders:
                found = open_embedder(made.options())
                if found is not None and isinstance(found.source, EncoderSource):
                    found = _together(found, self._turn)
                self._embedders[made.identity] = found
            return self._embedders[made.identity]


def _together(embedder: TextEmbedder, turn: AbstractContextManager[Any]) -> TextEmbedder:
    """Returns the embedder behind a service: the questions of many callers share a batch."""
    from dataclasses import replace

    from luthier.encoding.service import Service
    from luthier.retrieval.embedders import EncoderSource

    assert isinstance(embedder.source, EncoderSource)
    inner: EncoderSource = embedder.source
    service: Service[Any] = Service(inner.embedder, turn)

    class Shared:
        dimensions, max_tokens, around = inner.dimensions, inner.max_tokens, inner.around

        def embed(self, texts: Sequence[str]) -> Any:
            return service.ask(inner.rows(texts)).result().numpy()

        def lengths(self, texts: Sequence[str]) -> list[int]:
            return inner.lengths(texts)

    return replace(embedder, source=Shared())
