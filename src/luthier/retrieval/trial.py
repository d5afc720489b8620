"""A store for the occasion: documents cut and embedded in some way, searched, and removed after."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from luthier.records.documents import Document, Passage
from luthier.report import Report
from luthier.retrieval.embedders import TextEmbedder, word_lengths
from luthier.retrieval.index import Shape
from luthier.retrieval.indexing import build, settings, settle
from luthier.retrieval.options import EmbedderOptions, Similarity
from luthier.retrieval.search import Searcher
from luthier.retrieval.stores import Configuration, NamedStore
from luthier.retrieval.vectors import VectorCache
from luthier.sources.chunk import chunk
from luthier.store.opened import Store
from luthier.store.options import StoreOptions


@contextmanager
def trial(
    documents: Iterable[Document],
    embedder: TextEmbedder | None,
    vectors: Path,
    report: Report,
    *,
    passage_tokens: int,
    overlap_tokens: int = 0,
    similarity: Similarity = "cosine",
    language: str = "en",
) -> Iterator[Searcher]:
    """Yields a searcher of `documents`, each passage of at most `passage_tokens`. `vectors` is the file of vectors that
    were computed before; the new ones are added."""
    length = embedder.lengths if embedder else word_lengths

    def cut(document: Document) -> Iterable[Passage]:
        return chunk(document, length=length, max_tokens=passage_tokens, overlap_tokens=overlap_tokens)

    with tempfile.TemporaryDirectory(prefix="luthier-trial-") as folder:
        store = Store.open(StoreOptions(home=folder, database=f"sqlite:///{folder}/luthier.db"))
        try:
            named = NamedStore.make(store, "trial")
            settle(named, documents, cut, settings(embedder, passage_tokens, overlap_tokens), report)
            shape = Shape(embedder.dimensions if embedder else 0, similarity, language)
            options = EmbedderOptions(embedder=embedder.name if embedder else "none")
            with VectorCache(vectors) as cache:
                build(named, Configuration.of(embedder, options, shape), embedder, cache, report)
            yield Searcher(named, lambda configuration: embedder)
        finally:
            store.close()
