"""A named store with documents in it, for tests of what fills and searches one."""

from __future__ import annotations

from collections.abc import Iterable

from small_documents import by_paragraph, documents

from luthier.records.documents import Document
from luthier.report import ListReport
from luthier.retrieval.embedders import TextEmbedder
from luthier.retrieval.index import Index, Shape
from luthier.retrieval.indexing import Settled, build, settings, settle
from luthier.retrieval.options import EmbedderOptions, Similarity
from luthier.retrieval.stores import Configuration, NamedStore
from luthier.retrieval.vectors import VectorCache
from luthier.store.opened import Store


def put(named: NamedStore, some: Iterable[Document] | None = None, *, prune: bool = False) -> Settled:
    """Returns what became of documents in the database; all of the small ones where none are given."""
    given = documents() if some is None else some
    return settle(named, given, by_paragraph, settings(None, 220, 0), ListReport(), prune=prune)


def built(
    named: NamedStore,
    embedder: TextEmbedder | None,
    report: ListReport | None = None,
    *,
    similarity: Similarity = "cosine",
    rebuild: bool = False,
) -> tuple[int, Index]:
    """Returns how many passages were put into the store's index, and the index."""
    options = EmbedderOptions(embedder=embedder.name if embedder else "none")
    wanted = Configuration.of(embedder, options, Shape(embedder.dimensions if embedder else 0, similarity))
    with VectorCache(named.store.folder / "vectors.db") as cache:
        return build(named, wanted, embedder, cache, report or ListReport(), rebuild=rebuild)


def filled(store: Store, embedder: TextEmbedder | None, name: str = "small") -> NamedStore:
    """Returns a store of all the small documents, with its index."""
    named = NamedStore.make(store, name)
    put(named)
    built(named, embedder)
    return named
