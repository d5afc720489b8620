from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from luthier.reports.scale import Scale, number, percent, scale_over, smooth, thin

FINITE = st.floats(-1e9, 1e9, allow_nan=False)
POSITIVE = st.floats(1e-290, 1e290)


@given(st.lists(FINITE, min_size=1))
def test_a_scale_holds_every_value_and_keeps_their_order(values: list[float]) -> None:
    scale = scale_over(values)
    places = [scale.at(value) for value in sorted(values)]
    assert all(0 <= place <= 1 for place in places)
    assert places == sorted(places)


@given(st.lists(POSITIVE, min_size=1))
def test_a_logarithmic_scale_holds_every_positive_value(values: list[float]) -> None:
    scale = scale_over([*values, 0.0, -1.0, math.nan], log=True)
    assert all(0 <= scale.at(value) <= 1 for value in values)


@given(st.lists(FINITE, min_size=2), st.integers(3, 8))
@example([0.0, 5e-324], 3)
def test_ticks_are_few_even_and_inside(values: list[float], count: int) -> None:
    scale = scale_over(values)
    ticks = scale.ticks(count)
    assert len(ticks) <= 2 * count + 1
    assert all(-1e-6 <= scale.at(tick) <= 1 + 1e-6 for tick in ticks)


@pytest.mark.parametrize(("low", "high"), [(1.0, 7.0), (0.9, 95.0), (1e-6, 1e6), (1e-30, 1e30), (1e-300, 1e308)])
def test_logarithmic_ticks_are_between_two_and_twice_the_count(low: float, high: float) -> None:
    ticks = Scale(low, high, log=True).ticks(6)
    assert 2 <= len(ticks) <= 12
    assert list(ticks) == sorted(ticks)


def test_a_scale_of_nothing_or_one_value_can_be_drawn() -> None:
    assert scale_over([]).at(0.5) == 0.5
    assert 0 < scale_over([3.0]).at(3.0) < 1
    assert 0 < scale_over([0.0], log=False).at(0.0) < 1
    assert scale_over([2.0, 4.0], pad=0) == Scale(2.0, 4.0)
    assert scale_over([2.0, 4.0], zero=True).low == 0.0
    assert scale_over([-2.0, -4.0], zero=True).high == 0.0


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"), (3, "3"), (-3, "−3"), (1234567, "1,234,567"), (1234.5, "1,234"), (2.34567, "2.346"), (0.5, "0.5"),
        (0.012345, "0.01235"), (0.00001234, "1.23e-05"), (math.nan, "–"), (math.inf, "∞"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_numbers_are_written_for_people(value: float, written: str) -> None:
    assert number(value) == written


def test_shares_are_percentages() -> None:
    assert (percent(0.125), percent(-0.5), percent(math.nan)) == ("12.5 %", "−50.0 %", "–")


@given(st.lists(st.floats(-100, 100) | st.just(math.nan) | st.just(math.inf), max_size=9000))
def test_thinning_keeps_ends_extremes_and_gaps(values: list[float]) -> None:
    kept = thin(values)
    assert len(kept) <= 2000
    assert kept == sorted(set(kept))
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        shown = [values[index] for index in kept if math.isfinite(values[index])]
        assert (min(shown), max(shown)) == (min(finite), max(finite))
        assert (shown[0], shown[-1]) == (finite[0], finite[-1])
    if len(finite) < len(values):
        assert any(not math.isfinite(values[index]) for index in kept)


def test_thinning_keeps_every_spike_and_gap_of_a_long_run() -> None:
    values = [1.0] * 200_000
    values[77_777], values[98_765], values[123_456] = 50.0, -50.0, math.nan
    kept = thin(values)
    assert len(kept) <= 2000
    assert {77_777, 98_765, 123_456} <= set(kept)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=300))
def test_a_running_mean_stays_within_its_values_and_reads_the_same_backwards(values: list[float]) -> None:
    means = smooth(values)
    assert all(min(values) - 1e-6 <= mean <= max(values) + 1e-6 for mean in means)
    assert means[::-1] == pytest.approx(smooth(values[::-1]), abs=1e-6)


def test_a_running_mean_keeps_gaps_and_does_not_spread_them() -> None:
    means = smooth([1.0, math.nan, 1.0, math.inf, 1.0])
    assert [math.isnan(mean) for mean in means] == [False, True, False, True, False]
    assert means[2] == pytest.approx(1.0)
