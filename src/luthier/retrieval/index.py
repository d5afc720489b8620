"""The port of an index: passages with vectors and words, put and found. What is in it can always be made again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from luthier.records.documents import Passage
from luthier.retrieval.options import Similarity

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document's passages as an index holds them: of one `version` of it, with `vectors` (N, D), or None where the
    index has words alone."""

    document: str
    version: str
    passages: Sequence[Passage]
    vectors: Vector | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found: its `score` in the leg that found it (more is better), and its vector (D,)."""

    passage: Passage
    score: float
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Only:
    """Which documents may be found: those of `documents`, or all others where `but` is set."""

    documents: frozenset[str]
    but: bool = False

    def admits(self, document: str) -> bool:
        """Returns whether passages of `document` may be found."""
        return (document in self.documents) != self.but


@dataclass(frozen=True, slots=True)
class Shape:
    """What an index is made for: length of its vectors (0: words alone), how they are compared, and the language of its
    words ("" where none is stemmed)."""

    dimensions: int
    similarity: Similarity = "cosine"
    language: str = "en"


class Index(Protocol):
    """An index of one embedder, for several processes. What `put` and `delete` acknowledge outlives a power cut."""

    shape: Shape

    def put(self, entries: Sequence[Entry]) -> None:
        """Puts documents in the place of what there was of them, all of it in one step."""

    def delete(self, documents: Collection[str]) -> None:
        """Removes documents, in one step."""

    def documents(self) -> Mapping[str, str]:
        """Returns the version of every document that has a passage here."""

    def by_vector(self, vector: Vector, k: int, only: Only | None = None) -> list[Hit]:
        """Returns the `k` passages nearest to `vector` (D,), best first. Scores: the cosine, the inner product, or the
        distance with its sign turned."""

    def by_text(self, text: str, k: int, only: Only | None = None) -> list[Hit]:
        """Returns the `k` passages with the best BM25 for the words of `text`, best first."""

    def by_both(self, vector: Vector, text: str, k: int, only: Only | None = None) -> tuple[list[Hit], list[Hit]]:
        """Returns what `by_vector` and `by_text` do, asked at the same time."""

    def count(self) -> int:
        """Returns how many passages there are."""

    def optimise(self, *, build: bool = True) -> bool:
        """Brings what was put into few files and the indexes, and removes what nobody reads any more; False where
        another process is at it. Without `build` no vector index is made."""

    def size_bytes(self) -> int:
        """Returns the bytes on disk."""
