"""Bars with their intervals, and histograms."""

from __future__ import annotations

import math
from collections.abc import Callable

from luthier.reports.axes import Axes, at, colour, empty, figure, frame, grid
from luthier.reports.charts import Bar, Bars, Histogram
from luthier.reports.markup import Markup, join, tag, text
from luthier.reports.scale import Scale, number, percent, scale_over

GAP = 0.12
"""Share of a histogram's bin left empty between columns."""


def draw_bars(chart: Bars) -> Markup:
    """Returns the figure of a bar chart: one row per bar with its name, its bar and interval, and its value."""
    if not chart.bars:
        return empty(chart.title, chart.note)
    scale, write = _bar_scale(chart), percent if chart.share else number
    labels = list(dict.fromkeys(bar.label for bar in chart.bars))
    rows: list[Markup] = []
    for index, bar in enumerate(chart.bars):
        if bar.group and (index == 0 or chart.bars[index - 1].group != bar.group):
            rows.append(tag("div", {"class": "group"}, text(bar.group)))
        rows.append(_bar(bar, colour(labels.index(bar.label)), scale, write))
    ticks = [
        tag("text", {"x": at(scale.at(tick)), "y": 14, "class": "tick middle"}, text(write(tick).replace(".0 %", " %")))
        for tick in scale.ticks(4)
    ]
    rows.append(tag("svg", {"class": "bar-axis", "aria-hidden": "true"}, *ticks))
    return figure(chart.title, chart.note, tag("div", {"class": "bars"}, *rows))


def draw_histogram(chart: Histogram) -> Markup:
    """Returns the figure of a histogram."""
    if not sum(chart.counts):
        return empty(chart.title, chart.note)
    x, y = Scale(chart.edges[0], chart.edges[-1]), Scale(0.0, max(chart.counts) * 1.08)
    spans = list(zip(chart.edges, chart.edges[1:], chart.counts, strict=False))
    columns = [_column(x, y, *span) for span in spans if span[2]]
    marks = [_mark(x, i, *mark) for i, mark in enumerate(chart.marks) if x.low <= mark[1] <= x.high]
    stops = [
        [round(x.at((low + high) / 2), 4), f"{_span(low, high)} {chart.x_label}".strip(), f"{count:,} {chart.y_label}"]
        for low, high, count in spans
    ]
    axes = Axes(chart.title, x, {"linear": y}, chart.x_label, chart.y_label)
    inside = join([grid(y, "linear"), *columns, *marks])
    return figure(chart.title, chart.note, frame(axes, inside, {"kind": "stops", "stops": stops}), layer="linear")


def _bar_scale(chart: Bars) -> Scale:
    ends = [end for bar in chart.bars for end in (bar.value, bar.low, bar.high) if end is not None]
    scale = scale_over(ends, zero=True)
    return Scale(scale.low, 1.0) if chart.share and max(ends) > 0.5 else scale


def _bar(bar: Bar, shade: str, scale: Scale, write: Callable[[float], str]) -> Markup:
    zero = at(scale.at(0.0))
    parts = [tag("line", {"class": "zero", "x1": zero, "x2": zero, "y1": "0%", "y2": "100%"})]
    if math.isfinite(bar.value):
        left, right = sorted((scale.at(0.0), scale.at(bar.value)))
        parts += [tag("rect", {"class": shade, "x": at(left), "width": at(right - left), "y": "22%", "height": "56%"})]
    said = write(bar.value)
    if bar.low is not None and bar.high is not None and math.isfinite(bar.low) and math.isfinite(bar.high):
        low, high = scale.at(bar.low), scale.at(bar.high)
        parts += [
            _whisker(low, high, "50%", "50%"),
            _whisker(low, low, "32%", "68%"),
            _whisker(high, high, "32%", "68%"),
        ]
        said += f" [{write(bar.low)}, {write(bar.high)}]".replace(" %", "")
    drawing = tag("svg", {"role": "img", "aria-label": f"{bar.group} {bar.label}: {said}".strip()}, *parts)
    name, value = (
        tag("div", {"class": "name", "dir": "auto"}, text(bar.label)),
        tag("div", {"class": "value"}, text(said)),
    )
    return tag("div", {"class": "bar"}, name, drawing, value)


def _whisker(x1: float, x2: float, y1: str, y2: str) -> Markup:
    return tag("line", {"class": "whisker", "x1": at(x1), "x2": at(x2), "y1": y1, "y2": y2})


def _column(x: Scale, y: Scale, low: float, high: float, count: int) -> Markup:
    width = (x.at(high) - x.at(low)) * (1 - GAP)
    box = {"x": at(x.at(low)), "width": at(width), "y": at(1 - y.at(count)), "height": at(y.at(count))}
    return tag("rect", {"class": colour(0), **box})


def _mark(x: Scale, index: int, name: str, value: float) -> Markup:
    place, late = at(x.at(value)), x.at(value) > 0.6
    line = tag("line", {"class": "mark", "x1": place, "x2": place, "y1": "0%", "y2": "100%"})
    side = {"class": f"mark {'end' if late else ''}".strip(), "x": place, "dx": -5 if late else 5, "y": 12 + 15 * index}
    return join([line, tag("text", side, text(f"{name} {number(value)}"))])


def _span(low: float, high: float) -> str:
    if low == int(low) and high == int(high):
        return number(low) if high - low == 1 else f"{number(low)}–{number(high - 1)}"
    return f"{number(low)}–{number(high)}"
