"""Line charts: paths with gaps on a linear and a logarithmic axis, legend, hover values and a table of figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from luthier.report import Table
from luthier.reports.axes import Axes, at, colour, empty, figure, frame, grid, legend
from luthier.reports.charts import LineChart, Series
from luthier.reports.markup import NOTHING, Markup, join, tag, text
from luthier.reports.scale import TINY, Scale, number, scale_over, smooth, thin
from luthier.reports.tables import draw_table

GRID = 10_000
DOTS_UP_TO = 60
SMOOTH_FROM = 20
FIGURES_SHOWN = 25


def draw_lines(chart: LineChart) -> Markup:
    """Returns the figure of a line chart."""
    drawn = [_thinned(series) for series in chart.series]
    values = [value for series in drawn for value in series.y if math.isfinite(value)]
    if not values:
        return empty(chart.title, chart.note)
    layers = {"linear": scale_over(values)} | ({"log": scale_over(values, log=True)} if min(values) > TINY else {})
    x = scale_over((value for series in drawn for value in series.x), pad=0)
    axes = Axes(chart.title, x, layers, chart.x_label, chart.y_label)
    lines = join(_layer(drawn, axes.x, scale, name) for name, scale in layers.items())
    names = [f"{s.name} (bold: running mean)" if s.mean else s.name for s in drawn]
    controls = tag("div", {"class": "controls"}, legend(names), _switch() if "log" in layers else NOTHING)
    shown = "log" if chart.log and "log" in layers else "linear"
    return figure(
        chart.title, chart.note, controls, frame(axes, lines, _values(axes, drawn)), _figures(chart, drawn), layer=shown
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """The points of a series that are drawn; `mean` is the running mean of all its values there, or empty."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    mean: Sequence[float]


def _thinned(series: Series) -> Drawn:
    keep = thin(series.y)
    mean = smooth(series.y) if series.smooth and len(series.y) >= SMOOTH_FROM else []
    points = [series.x[i] for i in keep], [series.y[i] for i in keep]
    return Drawn(series.name, *points, [mean[i] for i in keep] if mean else [])


def _values(axes: Axes, drawn: Sequence[Drawn]) -> dict[str, object]:
    return {
        "kind": "lines",
        "label": axes.x_label,
        "x": [axes.x.low, axes.x.high],
        "y": {name: [scale.low, scale.high] for name, scale in axes.layers.items()},
        "series": [{"name": s.name, "x": _short(s.x), "y": _short(s.y)} for s in drawn],
    }


def _layer(drawn: Sequence[Drawn], x: Scale, y: Scale, layer: str) -> Markup:
    paths = [_paths(series, index, x, y) for index, series in enumerate(drawn)]
    stretched = {"viewBox": f"0 0 {GRID} {GRID}", "preserveAspectRatio": "none", "class": "lines"}
    dots = [_dots(series, index, x, y) for index, series in enumerate(drawn) if _is_dotted(series)]
    return join([grid(y, layer), tag("g", {"class": layer}, tag("svg", stretched, *paths), *dots)])


def _paths(series: Drawn, index: int, x: Scale, y: Scale) -> Markup:
    shade = f"{colour(index)} faint" if series.mean else colour(index)
    path = tag("path", {"class": shade, "d": _path(series.x, series.y, x, y)})
    if not series.mean:
        return path
    return join([path, tag("path", {"class": colour(index), "d": _path(series.x, series.mean, x, y)})])


def _is_dotted(series: Drawn) -> bool:
    return len(series.x) <= DOTS_UP_TO and not series.mean


def _path(xs: Sequence[float], ys: Sequence[float], x: Scale, y: Scale) -> str:
    """Returns SVG path commands; a point alone between gaps becomes a stroke of no length, which round ends show."""
    parts: list[str] = []
    for run in _runs(xs, ys):
        points = [f"{GRID * x.at(a):.0f} {GRID * (1 - y.at(b)):.0f}" for a, b in run]
        parts.append(f"M{points[0]}" + ("h0" if len(points) == 1 else "L" + "L".join(points[1:])))
    return "".join(parts)


def _runs(xs: Sequence[float], ys: Sequence[float]) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for pair in zip(xs, ys, strict=True):
        if math.isfinite(pair[1]):
            run.append(pair)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _dots(series: Drawn, index: int, x: Scale, y: Scale) -> Markup:
    points = [(a, b) for a, b in zip(series.x, series.y, strict=True) if math.isfinite(b)]
    return join(
        tag("circle", {"class": colour(index), "cx": at(x.at(a)), "cy": at(1 - y.at(b)), "r": 3}) for a, b in points
    )


def _switch() -> Markup:
    buttons = [
        tag("button", {"type": "button", "data-layer": name, "aria-pressed": "false"}, text(name))
        for name in ("linear", "log")
    ]
    return tag("div", {"class": "switch", "role": "group", "aria-label": "y axis"}, *buttons)


def _figures(chart: LineChart, drawn: Sequence[Drawn]) -> Markup:
    steps = sorted({value for series in drawn for value in series.x})
    every = max(math.ceil(len(steps) / FIGURES_SHOWN), 1)
    shown = sorted({*steps[::every], steps[-1]})
    known = [dict(zip(series.x, series.y, strict=True)) for series in drawn]
    rows = tuple((number(s), *(number(k[s]) if s in k else "" for k in known)) for s in shown)
    note = f"{len(shown)} of {len(steps)} points." if len(shown) < len(steps) else ""
    table = Table(chart.title, (chart.x_label, *(series.name for series in drawn)), rows, note)
    return tag("details", {"class": "figures"}, tag("summary", {}, text("Figures")), draw_table(table))


def _short(values: Sequence[float]) -> list[float | None]:
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]
