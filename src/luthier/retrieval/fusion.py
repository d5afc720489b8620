"""Two rankings made one, and a ranking made diverse. Scores are by passage id; more is better."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from luthier.retrieval.index import Hit, Vector

RANK_CONSTANT = 60
_WORD = re.compile(r"\w+")
Scores = Mapping[str, float]


def convex(vectors: Scores, words: Scores, weight: float, least: float | None = 0.0) -> dict[str, float]:
    """Returns weight * vectors + (1 - weight) * words, each brought to 0 to 1 between its least and its most (Bruch et
    al. 2023). BM25 is never less than 0; `least` is that of the vectors' scores, None where it is the least one found.
    What one of them did not find has 0 there."""
    first, second = _scaled(vectors, least), _scaled(words, 0.0)
    return {id: weight * first.get(id, 0.0) + (1 - weight) * second.get(id, 0.0) for id in first | second}


def reciprocal(vectors: Scores, words: Scores, weight: float) -> dict[str, float]:
    """Returns the weighted sum of 1 / (60 + rank) (Cormack et al. 2009), brought to at most 1."""
    first, second = _ranked(vectors), _ranked(words)
    return {id: weight * first.get(id, 0.0) + (1 - weight) * second.get(id, 0.0) for id in first | second}


def diverse(order: Sequence[Hit], scores: Scores, k: int, diversity: float, per_document: int | None) -> list[Hit]:
    """Returns at most `k` of `order`, best first: each time the one of the most (1 - diversity) * score - diversity *
    likeness to those before it (Carbonell & Goldstein 1998), and at most `per_document` of one document."""
    left, chosen, taken = list(order), list[Hit](), dict[str, int]()
    closest = np.zeros(len(left))
    while left and len(chosen) < k:
        gains = [(1 - diversity) * scores[hit.passage.id] - diversity * closest[at] for at, hit in enumerate(left)]
        best = int(np.argmax(gains)) if diversity else 0
        hit = left.pop(best)
        closest = np.delete(closest, best)
        document = hit.passage.document
        if per_document is not None and taken.get(document, 0) >= per_document:
            continue
        taken[document] = taken.get(document, 0) + 1
        chosen.append(hit)
        if diversity and left:
            closest = np.maximum(closest, [_likeness(hit, other) for other in left])
    return chosen


def cosine(first: Vector, second: Vector) -> float:
    """Returns the cosine of two vectors (D,); 0 where one is all zeros."""
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size else 0.0


def _likeness(first: Hit, second: Hit) -> float:
    if first.vector is not None and second.vector is not None:
        return cosine(first.vector, second.vector)
    mine, theirs = (set(_WORD.findall(hit.passage.text.lower())) for hit in (first, second))
    return len(mine & theirs) / max(len(mine | theirs), 1)


def _scaled(scores: Scores, least: float | None) -> dict[str, float]:
    if not scores:
        return {}
    low = min(scores.values()) if least is None else least
    most = max(scores.values())
    return {id: max(score - low, 0.0) / (most - low) if most > low else 1.0 for id, score in scores.items()}


def _ranked(scores: Scores) -> dict[str, float]:
    order = sorted(scores, key=lambda id: (-scores[id], id))
    return {id: (RANK_CONSTANT + 1) / (RANK_CONSTANT + rank) for rank, id in enumerate(order, 1)}
