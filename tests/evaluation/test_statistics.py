from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from luthier.evaluation.statistics import (
    Interval,
    bootstrap_mean,
    bootstrap_ratio,
    holm,
    mcnemar,
    paired,
    paired_proportions,
    permutation_test,
    sensitivity,
    smallest_difference,
    verdict,
    wilson,
)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (57, 200)])
def test_wilson_is_scipys(k, n):
    expected = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    ours = wilson(k, n)
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high))
    assert 0 <= ours.low < ours.high <= 1


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_bootstrap_is_scipys(method):
    values = np.random.default_rng(0).exponential(size=60)
    ours = bootstrap_mean(values, method=method, resamples=40_000, seed=1)
    expected = scipy.stats.bootstrap((values,), np.mean, n_resamples=40_000, method=method, rng=2).confidence_interval
    width = expected.high - expected.low
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=0.02 * width)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(b, c):
    expected = scipy.stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected)


def test_mcnemar_on_many_items():
    assert mcnemar(2000, 2000) == 1.0
    assert 0 <= mcnemar(1000, 4000) < 1e-300


def test_permutation_test_is_scipys():
    random = np.random.default_rng(3)
    for n in (9, 40):  # exact, sampled
        differences = random.normal(0.1, 1, n)
        expected = scipy.stats.permutation_test(
            (differences, np.zeros(n)), lambda x, y, axis: (x - y).mean(axis), permutation_type="samples",
            vectorized=True, n_resamples=20_000, rng=1,
        ).pvalue  # fmt: skip
        assert permutation_test(differences, resamples=20_000) == pytest.approx(expected, abs=0.01)


def test_a_sampled_p_value_is_never_zero():
    assert permutation_test(np.ones(100), resamples=500) == pytest.approx(1 / 501)


scores = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=25)


@settings(max_examples=40, deadline=None)
@given(pairs=scores, order=st.randoms(use_true_random=False))
def test_swapping_the_systems_mirrors_everything(pairs, order):
    a, b = map(list, zip(*pairs, strict=True))
    one, two = paired(a, b, resamples=400), paired(b, a, resamples=400)
    assert one.difference == pytest.approx(-two.difference, abs=1e-12)
    assert one.p_value == pytest.approx(two.p_value)
    if len(pairs) <= 14:  # exact: the order of the items cannot matter
        order.shuffle(pairs)
        c, d = map(list, zip(*pairs, strict=True))
        assert paired(c, d, resamples=400).p_value == pytest.approx(one.p_value)


@settings(max_examples=60, deadline=None)
@given(cells=st.tuples(*[st.integers(0, 30)] * 4).filter(lambda cells: sum(cells) > 0))
def test_paired_proportions_mirror_and_stay_in_bounds(cells):
    both, first, second, neither = cells
    interval, mirrored = paired_proportions(*cells), paired_proportions(both, second, first, neither)
    assert (interval.low, interval.high) == pytest.approx((-mirrored.high, -mirrored.low))
    difference = (second - first) / sum(cells)
    assert -1 - 1e-9 <= interval.low <= difference <= interval.high <= 1 + 1e-9
    assert interval.high > interval.low


def coverage(interval_of, truth, trials, seed=0):
    random = np.random.default_rng(seed)
    hits = 0
    for trial in range(trials):
        interval = interval_of(random, trial)
        hits += interval.low <= truth <= interval.high
    return hits / trials


def test_intervals_cover_what_they_promise():
    """95 % within Monte-Carlo error and the small-sample shortfall that each method is known for."""

    def skewed(random, trial):
        return bootstrap_mean(random.exponential(size=40), resamples=500, seed=trial)

    def grouped(random, trial):
        effects = random.normal(size=30)
        names = np.repeat(np.arange(30), 4)
        return bootstrap_mean(
            effects[names] + 0.3 * random.normal(size=120),
            groups=[str(name) for name in names],
            resamples=500,
            seed=trial,
        )

    def discordant(random, trial):
        cells = random.multinomial(60, [0.5, 0.08, 0.22, 0.2])
        return paired_proportions(*map(int, cells))

    assert 0.90 <= coverage(skewed, 1.0, 300) <= 0.98
    assert 0.90 <= coverage(grouped, 0.0, 300) <= 0.98
    assert 0.93 <= coverage(discordant, 0.14, 600) <= 0.99


def test_ignoring_groups_is_too_sure():
    """Four copies of the same 30 values hold no more than 30 values."""
    values = np.random.default_rng(5).normal(size=30)
    copies, names = np.tile(values, 4), [str(i) for i in range(30)] * 4
    once, grouped = bootstrap_mean(values, seed=1), bootstrap_mean(copies, groups=names, seed=1)
    assert grouped == once
    naive = bootstrap_mean(copies, seed=1)
    assert naive.high - naive.low < 0.6 * (grouped.high - grouped.low)
    assert permutation_test(copies + 0.3, groups=names) > permutation_test(copies + 0.3)


def test_a_ratio_weighs_long_rows_as_its_tokens_do():
    loss, tokens = np.array([1.0, 100.0]), np.array([1.0, 50.0])
    interval = bootstrap_ratio(loss, tokens, method="percentile")
    assert interval.low == pytest.approx(1.0)
    assert interval.high == pytest.approx(2.0)


def test_the_false_alarm_rate_is_the_promised_one():
    random = np.random.default_rng(7)
    alarms = 0
    for trial in range(300):
        a, b = random.random((2, 30))
        alarms += (
            verdict(*(lambda r: (r.interval, r.p_value))(paired(a, b, resamples=500, seed=trial))) != "cannot tell"
        )
    assert alarms / 300 < 0.08


@pytest.mark.parametrize("n", [250, 1000])
def test_the_smallest_difference_is_seen_as_often_as_promised(n):
    """Systems that differ by exactly that much, with 30 % discordant items, are told apart in about 80 % of runs."""
    delta = smallest_difference(n)
    random = np.random.default_rng(1)
    shares = [0.4, (0.3 - delta) / 2, (0.3 + delta) / 2, 0.3]
    seen = sum(mcnemar(int(b), int(c)) < 0.05 for _, b, c, _ in random.multinomial(n, shares, size=400)) / 400
    assert 0.70 <= seen <= 0.88


def test_smallest_difference_matches_the_published_rule_of_thumb():
    assert smallest_difference(250) == pytest.approx(0.10, abs=0.01)
    assert smallest_difference(1000) == pytest.approx(0.05, abs=0.005)
    assert smallest_difference(5) == math.inf
    assert smallest_difference(6) == 1.0
    assert sensitivity(5) == "too few rows that vary on their own to show any difference: 5, where 6 are the least"
    assert sensitivity(250) == "a right-or-wrong score would show a difference of 0.10 or more in 80 % of runs"


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_verdicts():
    assert verdict(Interval(0.1, 0.3), 0.001) == "better"
    assert verdict(Interval(0.1, 0.3), 0.001, higher_is_better=False) == "worse"
    assert verdict(Interval(-0.3, -0.1), 0.001) == "worse"
    assert verdict(Interval(0.1, 0.3), 0.2) == "cannot tell"
    assert verdict(Interval(-0.1, 0.3), 0.001) == "cannot tell"
    assert verdict(Interval(math.nan, math.nan), 0.0) == "cannot tell"


def test_the_same_seed_gives_the_same_interval_and_nothing_is_said_of_one_item():
    values = np.random.default_rng(0).random(20)
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values, seed=4)
    assert bootstrap_mean(values, seed=4) != bootstrap_mean(values, seed=5)
    assert math.isnan(bootstrap_mean([0.5]).low)
    assert wilson(0, 0).to_json() == {"low": None, "high": None, "level": 0.95}
    equal = bootstrap_mean([0.5] * 9)
    assert (equal.low, equal.high) == (0.5, 0.5)


def test_binary_items_use_the_exact_test():
    a, b = [0.0] * 10 + [1.0] * 10, [1.0] * 8 + [0.0] * 2 + [1.0] * 10
    result = paired(a, b, binary=True)
    assert (result.test, result.p_value) == ("McNemar exact", mcnemar(0, 8))
    assert result.difference == pytest.approx(0.4)
    same = paired(a, a, binary=True)
    assert same.p_value == 1.0
    assert same.interval.low < 0 < same.interval.high
    assert paired(a, b, binary=True, groups=["x"] * 10 + ["y"] * 10).test == "paired permutation"
