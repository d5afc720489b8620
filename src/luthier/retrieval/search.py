"""Search: both legs asked, joined, ordered anew where there is a reranker, and cut; each passage with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from luthier.errors import SpecError, StateError, StoreError
from luthier.records.documents import Passage
from luthier.retrieval.embedders import TextEmbedder, open_embedder
from luthier.retrieval.filters import Filter, compiled
from luthier.retrieval.fusion import convex, cosine, diverse, reciprocal
from luthier.retrieval.index import Hit, Index, Only, Vector
from luthier.retrieval.options import SearchOptions
from luthier.retrieval.stores import Configuration, NamedStore

MOST_CANDIDATES, FILTERS_KEPT = 5000, 32
WORDS_HALF = 10.0
"""The BM25 score that counts as a relevance of one half, where there are no vectors to tell."""
_FACTS = ("source", "title", "media_type", "language", "licence", "author", "modified_at")
Rerank = Callable[[Sequence[tuple[str, str]]], Sequence[float]]


@dataclass(frozen=True)
class Found:
    """A passage that was found. `score` (0 to 1) is what it is ordered by, within one search; `relevance` (0 to 1) can
    be compared between searches: the reranker's score where there is one, else the similarity of its vector."""

    passage: Passage
    score: float
    relevance: float
    source: str
    title: str
    attributes: Mapping[str, Any]
    file: str

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        own = {"score": self.score, "relevance": self.relevance, "source": self.source, "title": self.title}
        return {**own, "attributes": dict(self.attributes), **self.passage.to_json(), "pages": self.passage.pages}


@dataclass(frozen=True)
class Question:
    """What is searched for: `text`, the same in other words (`also`), and passages as one would answer it
    (`hypothetical`), whose vectors are averaged with the question's."""

    text: str
    also: tuple[str, ...] = ()
    hypothetical: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Opened:
    configuration: Configuration
    index: Index
    embedder: TextEmbedder | None


class Searcher:
    """Searches one store; what it opened and read it keeps until the store changes. Safe for one thread at a time."""

    def __init__(
        self,
        store: NamedStore,
        embedders: Callable[[Configuration], TextEmbedder | None] = lambda made: open_embedder(made.options()),
        healed: Callable[[str], None] = lambda said: None,
    ) -> None:
        self.store, self._embedders, self._healed = store, embedders, healed
        self._opened: _Opened | None = None
        self._revision = -1
        self._facts: dict[str, dict[str, Any]] = {}
        self._only: dict[str, Only] = {}

    def search(
        self,
        question: Question | str,
        options: SearchOptions,
        filter: Filter | None = None,
        rerank: Rerank | None = None,
    ) -> list[Found]:
        """Returns at most `options.k` passages, best first. `StateError` when there is no index, `SpecError` when
        vectors are asked for and it has none."""
        asked = Question(question) if isinstance(question, str) else question
        try:
            return self._search(asked, options, filter, rerank, self._open())
        except StoreError:
            if not self._switched():
                raise
            return self._search(asked, options, filter, rerank, self._open())

    def _open(self) -> _Opened:
        self.store.read()
        configuration, name = self.store.active, str(self.store.row.body.get("name"))
        if configuration is None or not (self.store.folder / configuration.folder).is_dir():
            raise StateError("has no index here", where=name, remedy=f"make it: luthier index --name {name}")
        if self._opened is None or self._opened.configuration != configuration:
            before = self._opened
            same = before is not None and before.configuration.identity == configuration.identity
            embedder = before.embedder if before is not None and same else self._embedders(configuration)
            if embedder is not None and embedder.identity != configuration.identity:
                raise StateError(
                    "its embedder has changed since",
                    where=configuration.embedder,
                    remedy=f"make the index again: luthier index --name {name} --embedder {configuration.embedder}",
                )
            self._opened = _Opened(configuration, self.store.open_index(configuration, self._healed), embedder)
        return self._opened

    def _switched(self) -> bool:
        """Returns whether another index has taken the place of the one that failed."""
        before, self._opened = self._opened, None
        self.store.read()
        return before is not None and before.configuration != self.store.active

    def _search(
        self, question: Question, options: SearchOptions, filter: Filter | None, rerank: Rerank | None, opened: _Opened
    ) -> list[Found]:
        only = None if filter is None else self._admitted(filter)
        legs = _Legs(question, options, opened)
        candidates = max(options.candidates, options.k, options.rerank_candidates if rerank else 0)
        while True:
            hits, more = legs.ask(candidates, only)
            rows = self._rows(hits)
            hits = [hit for hit in hits if rows.get(hit.passage.document, {}).get("indexed")]
            scores, relevance = legs.scores, legs.relevance
            if rerank is not None:
                hits = hits[: options.rerank_candidates]
                scores = dict(zip((hit.passage.id for hit in hits), rerank(_pairs(question, hits)), strict=True))
                relevance = scores
                hits.sort(key=lambda hit: -scores[hit.passage.id])
            if options.threshold is not None:
                hits = [hit for hit in hits if relevance[hit.passage.id] >= options.threshold]
            found = diverse(hits, scores, options.k, options.diversity, options.per_document)
            short = len(found) < options.k and (options.per_document is not None or options.threshold is None)
            if not short or not more or rerank is not None or candidates >= MOST_CANDIDATES:
                return [self._found(hit, scores, relevance, rows[hit.passage.document]) for hit in found]
            candidates *= 4

    def _found(
        self, hit: Hit, scores: Mapping[str, float], relevance: Mapping[str, float], row: Mapping[str, Any]
    ) -> Found:
        id = hit.passage.id
        where = (str(row["source"]), str(row["title"]), row["attributes"], str(row["row"]))
        return Found(hit.passage, float(scores[id]), float(relevance[id]), *where)

    def _rows(self, hits: Sequence[Hit]) -> dict[str, dict[str, Any]]:
        """Returns what the database says of the documents of `hits`; one that it does not have is not shown."""
        self._renew()
        missing = {hit.passage.document for hit in hits} - set(self._facts)
        if missing:
            found = self.store.documents.some(missing)
            self._facts |= {id: {**row.body, "row": row.id} for id, row in found.items()}
        return self._facts

    def _renew(self) -> None:
        revision = int(self.store.row.body.get("revision", 0))
        if revision != self._revision:
            self._revision, self._facts, self._only = revision, {}, {}

    def _admitted(self, filter: Filter) -> Only:
        """Returns the documents that pass `filter`: those, or the others where they are fewer."""
        self._renew()
        test, written = compiled(filter), json.dumps(filter, sort_keys=True)
        if written not in self._only:
            rows = self.store.documents.rows()
            self._facts = {id: {**row.body, "row": row.id} for id, row in rows.items()}
            passed = frozenset(id for id, row in self._facts.items() if test(attributes_of(row)))
            rest = frozenset(self._facts) - passed
            while len(self._only) >= FILTERS_KEPT:
                del self._only[next(iter(self._only))]
            self._only[written] = Only(passed) if len(passed) <= len(rest) else Only(rest, but=True)
        return self._only[written]


def attributes_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a filter sees of a document: its attributes, and its source, title, language and the like where no
    attribute has that name."""
    facts = {name: body[name] for name in _FACTS if body.get(name) not in (None, "")}
    return {**facts, "document": body.get("document"), **(body.get("attributes") or {})}


class _Legs:
    """The two ways to find passages, for one question."""

    def __init__(self, question: Question, options: SearchOptions, opened: _Opened) -> None:
        self._index, self._options, self._embedder = opened.index, options, opened.embedder
        self._similarity = opened.configuration.shape.similarity
        mode = options.mode
        if mode in ("vector", "hybrid") and self._embedder is None:
            raise SpecError("the index has words alone", where="mode", remedy="use mode text, or name an embedder")
        self._by_vector = self._embedder is not None and mode != "text"
        self._by_text = mode != "vector"
        self._texts = (question.text, *question.also)
        self._vectors = self._embedded(question) if self._by_vector else np.zeros((len(self._texts), 0), np.float32)
        self.scores: dict[str, float] = {}
        self.relevance: dict[str, float] = {}

    def ask(self, candidates: int, only: Only | None) -> tuple[list[Hit], bool]:
        """Returns what both find, best first, and whether there may be more."""
        hits, joined, more = dict[str, Hit](), list[dict[str, float]](), False
        for text, vector in zip(self._texts, self._vectors, strict=True):
            near, said = self._asked(vector, text, candidates, only)
            more = more or candidates in (len(near), len(said))
            hits |= {hit.passage.id: hit for hit in (*said, *near)}
            joined.append(self._joined(near, said, vector))
        self.scores = {id: sum(one.get(id, 0.0) for one in joined) / len(joined) for id in hits}
        order = sorted(hits.values(), key=lambda hit: (-self.scores[hit.passage.id], hit.passage.id))
        return order, more

    def _asked(self, vector: Vector, text: str, k: int, only: Only | None) -> tuple[list[Hit], list[Hit]]:
        if self._by_vector and self._by_text:
            return self._index.by_both(vector, text, k, only)
        if self._by_vector:
            return self._index.by_vector(vector, k, only), []
        return [], self._index.by_text(text, k, only)

    def _joined(self, near: Sequence[Hit], said: Sequence[Hit], vector: Vector) -> dict[str, float]:
        words = {hit.passage.id: hit.score for hit in said}
        vectors = {hit.passage.id: hit.score for hit in near}
        if self._by_vector:  # what only the words found has a vector too
            vectors |= {hit.passage.id: self._compare(vector, hit) for hit in said if hit.passage.id not in vectors}
            found = {id: self._absolute(score) for id, score in vectors.items()}
        else:
            found = {id: score / (score + WORDS_HALF) for id, score in words.items()}
        for id, relevance in found.items():
            self.relevance[id] = max(relevance, self.relevance.get(id, 0.0))
        weight = self._options.weight if self._by_vector and self._by_text else float(self._by_vector)
        if self._options.fusion == "rrf":
            return reciprocal(vectors, words, weight)
        return convex(vectors, words, weight, least=0.0 if self._similarity == "cosine" else None)

    def _embedded(self, question: Question) -> Vector:
        assert self._embedder is not None
        vectors = self._embedder.queries(list(self._texts))
        if question.hypothetical:
            made = self._embedder.passages(list(question.hypothetical))
            vectors[0] = np.concatenate([vectors[:1], made]).mean(0)
        return vectors

    def _compare(self, vector: Vector, hit: Hit) -> float:
        assert hit.vector is not None
        match self._similarity:
            case "cosine":
                return cosine(vector, hit.vector)
            case "inner-product":
                return float(vector @ hit.vector)
        return -float(np.linalg.norm(vector - hit.vector))

    def _absolute(self, score: float) -> float:
        """Returns a relevance from 0 to 1."""
        if self._similarity == "euclidean":
            return 1 / (1 - score)
        return min(max(score, 0.0), 1.0)


def _pairs(question: Question, hits: Sequence[Hit]) -> list[tuple[str, str]]:
    return [(question.text, hit.passage.text) for hit in hits]
