"""What every chart stands on: the figure, the axes, the grid, and the values that `theme.js` shows under the pointer.

Every length along an axis is a percentage, so a chart fits a phone, a wide screen and paper with letters of one size.
Colours come from the page's theme by class (`c0`, `c1`, ...). Without scripts the drawing still stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luthier.reports.markup import NOTHING, Markup, join, tag, text
from luthier.reports.scale import Scale, number

COLOURS = 6


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of one chart. `layers` are y scales by name ("linear", "log"), of which the page shows one at a time."""

    title: str
    x: Scale
    layers: Mapping[str, Scale]
    x_label: str = ""
    y_label: str = ""


def figure(title: str, note: str, *parts: Markup, layer: str | None = None) -> Markup:
    """Returns a chart with its note below; the page writes the title above. `layer` is the y scale shown first."""
    caption = tag("figcaption", {"class": "note"}, text(note)) if note else NOTHING
    return tag("figure", {"class": "chart", "data-layer": layer, "aria-label": title}, *parts, caption)


def empty(title: str, note: str) -> Markup:
    """Returns the chart of nothing, which says so."""
    return figure(title, note, tag("p", {"class": "empty"}, text("No values were recorded.")))


def frame(axes: Axes, inside: Markup, values: Mapping[str, Any]) -> Markup:
    """Returns the plot with its axes; `values` is what the pointer and the arrow keys read out."""
    ticks_y = [_y_ticks(scale, name) for name, scale in axes.layers.items()]
    ticks_x = [
        tag("text", {"x": at(axes.x.at(tick)), "y": 16, "class": "tick middle"}, text(number(tick)))
        for tick in axes.x.ticks()
    ]
    plot = tag(
        "div",
        {"class": "plot", "tabindex": 0, "role": "slider", "aria-label": f"{axes.title}: values", "aria-valuemin": 0,
         "aria-valuemax": 0, "aria-valuenow": 0, "aria-valuetext": "use the arrow keys to read values",
         "data-chart": json.dumps(values, separators=(",", ":"))},
        tag("svg", {"aria-hidden": "true", "focusable": "false"}, inside),
        tag("div", {"class": "cross", "hidden": True}),
        tag("div", {"class": "tip", "hidden": True}),
    )  # fmt: skip
    return tag(
        "div",
        {"class": "frame"},
        tag("div", {"class": "y-label"}, text(axes.y_label)) if axes.y_label else NOTHING,
        tag("svg", {"class": "y-axis", "aria-hidden": "true"}, *ticks_y),
        plot,
        tag("svg", {"class": "x-axis", "aria-hidden": "true"}, *ticks_x),
        tag("div", {"class": "x-label"}, text(axes.x_label)),
    )


def grid(scale: Scale, layer: str) -> Markup:
    """Returns one thin line per tick of the y axis."""
    return tag("g", {"class": f"grid {layer}"}, *(_grid_line(scale.at(tick)) for tick in scale.ticks()))


def legend(names: Sequence[str]) -> Markup:
    """Returns the names of the lines beside a stroke in their colour."""
    return tag("ul", {"class": "legend"}, join(tag("li", {"class": colour(i)}, text(n)) for i, n in enumerate(names)))


def at(fraction: float) -> str:
    """Returns a fraction of an axis as the percentage SVG wants."""
    return f"{100 * fraction:.4g}%"


def colour(index: int) -> str:
    """Returns the theme's class of the colour number `index`; colours begin again after the last."""
    return f"c{index % COLOURS}"


def _y_ticks(scale: Scale, layer: str) -> Markup:
    ticks = [
        tag("text", {"x": "100%", "y": at(1 - scale.at(tick)), "dy": "0.32em", "class": "tick end"}, text(number(tick)))
        for tick in scale.ticks()
    ]
    return tag("g", {"class": layer}, *ticks)


def _grid_line(fraction: float) -> Markup:
    return tag("line", {"x1": "0%", "x2": "100%", "y1": at(1 - fraction), "y2": at(1 - fraction)})
