"""Metrics of rankings: textbook values, and properties that hold for every ranking."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.evaluation.metrics.ranking import average_precision, dcg, ndcg, precision, recall, reciprocal_rank

HITS = [True, False, True, False, False, True, False, False, False, False]
rankings = st.lists(st.booleans(), max_size=30)


def test_a_ranking_of_the_textbooks() -> None:
    """Relevant at 1, 3 and 6 of 4: precisions 1, 2/3, 1/2 there (Manning et al. 2008, section 8.4)."""
    assert precision(HITS, 5) == pytest.approx(2 / 5)
    assert recall(HITS, 4, 5) == pytest.approx(2 / 4)
    assert average_precision(HITS, 4) == pytest.approx((1 + 2 / 3 + 1 / 2) / 4)
    assert reciprocal_rank([False, False, True]) == pytest.approx(1 / 3)
    assert reciprocal_rank([False]) == 0


def test_graded_gains_of_the_first_paper() -> None:
    """The gains 3, 2, 3, 0, 1, 2 and the ideal 3, 3, 3, 2, 2, 2: 6.861 of 8.740 (a much cited worked example)."""
    assert dcg([3, 2, 3, 0, 1, 2], 6) == pytest.approx(6.861, abs=1e-3)
    assert dcg([3, 3, 3, 2, 2, 2], 6) == pytest.approx(8.740, abs=1e-3)
    assert ndcg([3, 2, 3, 0, 1, 2], [2, 3, 2, 3, 2, 3], 6) == pytest.approx(0.785, abs=1e-3)


def test_nothing_to_find_is_no_number() -> None:
    assert math.isnan(recall([False], 0, 1))
    assert math.isnan(average_precision([], 0))
    assert math.isnan(ndcg([0.0], [], 10))


@given(rankings, st.integers(0, 10), st.integers(1, 30))
def test_bounds_and_the_best_order(hits: list[bool], missing: int, k: int) -> None:
    total = sum(hits) + missing
    if not total:
        return
    best = sorted(hits, reverse=True)
    gains, ideal = [float(hit) for hit in hits], [1.0] * total
    for ranking in (hits, best):
        values = (recall(ranking, total, k), average_precision(ranking, total), reciprocal_rank(ranking))
        assert all(0 <= value <= 1 for value in values)
    assert 0 <= ndcg(gains, ideal, k) <= ndcg(sorted(gains, reverse=True), ideal, k) <= 1 + 1e-12
    assert average_precision(hits, total) <= average_precision(best, total) + 1e-12
    if not missing and k >= len(hits):
        assert average_precision(best, total) == pytest.approx(1)
        assert ndcg(sorted(gains, reverse=True), ideal, k) == pytest.approx(1)


@given(rankings)
def test_with_one_relevant_they_agree(hits: list[bool]) -> None:
    if sum(hits) == 1:
        rank = hits.index(True) + 1
        assert average_precision(hits, 1) == reciprocal_rank(hits) == pytest.approx(1 / rank)
        assert ndcg([float(hit) for hit in hits], [1.0], 30) == pytest.approx(1 / math.log2(1 + rank))
