"""The work of stores: passages with made-up words and vectors in clusters, and questions near them. Only numpy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

DIMENSIONS, BATCH, QUESTIONS, K = 384, 1000, 200, 10
PASSAGES_A_DOCUMENT, GROUPS, GROUP = 10, 100, 7
"""Of all documents those of one group in a hundred pass the filter."""
_CLUSTERS, _WORDS, _LENGTH, _SPREAD, _AT_ONCE = 2000, 20_000, 60, 0.8, 10_000


@dataclass(frozen=True)
class Batch:
    """Passages `first`, first + 1, ...: their texts and vectors (B, D), of length 1."""

    first: int
    texts: Sequence[str]
    vectors: Any


def group_of(passage: int) -> int:
    """Returns the group of the document that a passage is of."""
    return passage // PASSAGES_A_DOCUMENT % GROUPS


def batches(rows: int, size: int = BATCH) -> Iterator[Batch]:
    """Yields `rows` passages, the same ones each time."""
    centres = _centres()
    for first in range(0, rows, size):
        draw = np.random.default_rng(1_000_000 + first)
        count = min(size, rows - first)
        yield Batch(first, _texts(draw, count), _vectors(draw, centres, count))


def questions() -> Batch:
    """Returns questions: vectors from the same clusters, and a few words."""
    draw = np.random.default_rng(7)
    return Batch(
        0, [" ".join(text.split()[:8]) for text in _texts(draw, QUESTIONS)], _vectors(draw, _centres(), QUESTIONS)
    )


def nearest(rows: int, asked: Any, group: int | None = None) -> list[list[int]]:
    """Returns the passages nearest to each question, by comparing all of them."""
    best = [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in asked]
    for batch in batches(rows):
        ids = np.arange(batch.first, batch.first + len(batch.texts))
        kept = np.ones(len(ids), bool) if group is None else np.array([group_of(int(one)) == group for one in ids])
        scores = asked @ batch.vectors[kept].T
        for place, row in enumerate(scores):
            every = np.concatenate([best[place][0], ids[kept]]), np.concatenate([best[place][1], row])
            order = np.argsort(-every[1])[:K]
            best[place] = every[0][order], every[1][order]
    return [found.tolist() for found, _ in best]


def recall(found: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> float:
    """Returns the share of the right passages that were found."""
    hits = sum(len(set(a) & set(b)) for a, b in zip(found, right, strict=True))
    return hits / max(1, sum(map(len, right)))


def turns() -> Iterator[int]:
    """Yields numbers of questions, over and over."""
    return itertools.cycle(range(QUESTIONS))


def _centres() -> Any:
    return np.random.default_rng(0).standard_normal((_CLUSTERS, DIMENSIONS)).astype(np.float32)


def _vectors(draw: Any, centres: Any, count: int) -> Any:
    made = centres[draw.integers(0, _CLUSTERS, count)] + _SPREAD * draw.standard_normal((count, DIMENSIONS))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def _texts(draw: Any, count: int) -> list[str]:
    share = 1 / np.arange(1, _WORDS + 1)
    words = draw.choice(_WORDS, size=(count, _LENGTH), p=share / share.sum())
    return [" ".join(f"word{word}" for word in row) for row in words]
