from __future__ import annotations

import html
import json
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from luthier.reports.charts import Bar, Bars, Histogram, LineChart, Series
from luthier.reports.columns import draw_bars, draw_histogram
from luthier.reports.lines import draw_lines
from luthier.reports.markup import Markup

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=80)


def chart_data(drawn: Markup) -> dict[str, object]:
    found = re.search(r'data-chart="([^"]*)"', drawn)
    assert found
    data: dict[str, object] = json.loads(html.unescape(found.group(1)))
    return data


def paths(drawn: Markup, layer: str = "linear") -> list[str]:
    inside = drawn.split(f'<g class="{layer}"><svg')[1].split("</svg>")[0]
    return re.findall(r' d="([^"]*)"', inside)


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_line_charts_of_any_values_are_finite_and_keep_every_value(columns: list[list[float]]) -> None:
    drawn = draw_lines(LineChart("loss", [Series(f"s{i}", range(len(c)), c) for i, c in enumerate(columns)]))
    for path in re.findall(r' d="([^"]*)"', drawn):
        assert re.fullmatch(r"(M-?\d+ -?\d+(h0|(L-?\d+ -?\d+)+))*", path)
    if any(math.isfinite(value) for column in columns for value in column):
        series = chart_data(drawn)["series"]
        assert isinstance(series, list)
        kept = [[math.nan if y is None else y for y in one["y"]] for one in series]
        assert kept == [pytest.approx(column, rel=1e-5, nan_ok=True) for column in columns]
    else:
        assert "No values were recorded" in drawn


def test_a_gap_parts_the_path_and_a_lonely_point_is_still_seen() -> None:
    drawn = draw_lines(LineChart("loss", [Series("train", range(5), [1.0, 2.0, math.nan, 3.0, math.inf])]))
    assert paths(drawn)[0].count("M") == 2
    assert paths(drawn)[0].endswith("h0")


def test_a_logarithmic_axis_is_offered_only_where_all_is_positive() -> None:
    both = draw_lines(LineChart("loss", [Series("a", [0, 1], [1.0, 100.0])], log=True))
    assert 'data-layer="log"' in both
    assert '<button type="button" data-layer="log"' in both
    linear = draw_lines(LineChart("loss", [Series("a", [0, 1], [0.0, 100.0])], log=True))
    assert 'data-layer="linear"' in linear
    assert "<button" not in linear


def test_many_points_are_thinned_and_the_table_says_how_many_are_shown() -> None:
    drawn = draw_lines(LineChart("loss", [Series("a", range(10_000), [float(i % 7) + 1 for i in range(10_000)])]))
    series = chart_data(drawn)["series"]
    assert isinstance(series, list)
    assert len(series[0]["x"]) <= 2000
    assert re.search(r"\d+ of \d+ points\.", drawn)


def test_a_smoothed_series_is_drawn_faint_with_its_mean_and_says_so() -> None:
    drawn = draw_lines(
        LineChart("loss", [Series("train", range(100), [float(i % 5) for i in range(100)], smooth=True)])
    )
    assert len(paths(drawn)) == 2
    assert "train (bold: running mean)" in drawn


def test_the_mean_of_many_points_is_that_of_all_of_them_not_of_the_extremes() -> None:
    values = [100.0 if i % 100 == 0 else 1.0 for i in range(20_000)]
    drawn = draw_lines(LineChart("loss", [Series("train", range(20_000), values, smooth=True)]))
    middle = [int(point.split()[1]) for point in re.split("[ML]", paths(drawn)[1])[900:1100]]
    bottom = 10_000 * (1 - 0.04 / 1.08)
    assert all(bottom * (1 - 0.03) < height <= bottom for height in middle)  # the mean is 2 on an axis of 1 to 100


def test_bars_show_value_interval_and_group() -> None:
    drawn = draw_bars(
        Bars("before and after", [Bar("base", 0.1, 0.05, 0.2, "F1"), Bar("tuned", 0.8, group="F1")], share=True)
    )
    assert "10.0 % [5.0, 20.0]" in drawn
    assert drawn.count('class="whisker"') == 3
    assert drawn.count('class="group"') == 1
    assert 'aria-label="F1 tuned: 80.0 %"' in drawn


def test_bars_of_nothing_but_zeros_are_drawn() -> None:
    assert 'width="0%"' in draw_bars(
        Bars("bars", [Bar("base", 0.0, 0.0, 0.0), Bar("tuned", 0.0, 0.0, 0.0)], share=True)
    )


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=10))
def test_bars_of_any_values_stay_on_the_axis(values: list[float]) -> None:
    drawn = draw_bars(Bars("bars", [Bar(f"b{i}", v, v - 1, v + 1) for i, v in enumerate(values)]))
    assert "nan" not in drawn
    for width in re.findall(r' (?:width|x|x1)="(-?[\d.]+)%"', drawn):
        assert -0.01 <= float(width) <= 100.01


@given(
    st.lists(st.integers(0, 10_000), max_size=200) | st.lists(st.floats(-1e6, 1e6), max_size=200), st.integers(1, 60)
)
@example([5e-324], 1)
def test_a_histogram_counts_every_value_once(values: list[float], bins: int) -> None:
    chart = Histogram.of("lengths", values, bins=bins)
    assert sum(chart.counts) == len(values)
    assert len(chart.counts) <= bins + 1
    assert len(chart.edges) == len(chart.counts) + 1
    assert list(chart.edges) == sorted(chart.edges)
    if values:
        assert chart.edges[0] <= min(values)
        assert draw_histogram(chart)


def test_a_histogram_says_the_span_of_each_column_and_its_marks() -> None:
    drawn = draw_histogram(
        Histogram.of("lengths", [1, 2, 2, 40], bins=10, x_label="tokens", marks=[("median", 2), ("far", 9e9)])
    )
    stops = chart_data(drawn)["stops"]
    assert isinstance(stops, list)
    assert [stop[1:] for stop in stops[:2]] == [["0–3 tokens", "3 rows"], ["4–7 tokens", "0 rows"]]
    assert "median 2" in drawn
    assert "far" not in drawn


def test_hostile_names_stay_text() -> None:
    name = '"><script>alert(1)</script>'
    for drawn in (
        draw_lines(LineChart(name, [Series(name, [0, 1], [1.0, 2.0])], x_label=name, y_label=name, note=name)),
        draw_bars(Bars(name, [Bar(name, 1.0, group=name)], note=name)),
        draw_histogram(Histogram.of(name, [1, 2], x_label=name, y_label=name, marks=[(name, 1)], note=name)),
    ):
        assert "<script" not in drawn
