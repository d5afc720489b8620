"""Metrics of one ranking: pure functions of what stands at each rank, best first, and of how much there is to find."""

from __future__ import annotations

import math
from collections.abc import Sequence


def recall(relevant: Sequence[bool], total: int, k: int) -> float:
    """Returns the share of the `total` relevant ones that is among the first `k`; nan where there are none."""
    return sum(relevant[:k]) / total if total else math.nan


def precision(relevant: Sequence[bool], k: int) -> float:
    """Returns the share of `k` places that hold a relevant one; a ranking that ends before has nothing in the rest."""
    return sum(relevant[:k]) / k


def reciprocal_rank(relevant: Sequence[bool]) -> float:
    """Returns 1 / rank of the first relevant one; 0 where there is none. Its mean over questions is MRR."""
    return next((1 / rank for rank, hit in enumerate(relevant, 1) if hit), 0.0)


def average_precision(relevant: Sequence[bool], total: int) -> float:
    """Returns the mean, over the `total` relevant ones, of the precision at each one's rank; 0 for those not found. Its
    mean over questions is MAP (Manning et al. 2008, eq. 8.8). nan where there are none."""
    found, summed = 0, 0.0
    for rank, hit in enumerate(relevant, 1):
        found += hit
        summed += found / rank if hit else 0.0
    return summed / total if total else math.nan


def dcg(gains: Sequence[float], k: int) -> float:
    """Returns the discounted gain of the first `k`: the sum of gain / log2(1 + rank) (Järvelin & Kekäläinen 2002)."""
    return sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains[:k], 1))


def ndcg(gains: Sequence[float], ideal: Sequence[float], k: int) -> float:
    """Returns the discounted gain as a share of that of the best order of `ideal`, all the gains there are to have; nan
    where these are all 0."""
    best = dcg(sorted(ideal, reverse=True), k)
    return dcg(gains, k) / best if best else math.nan
