"""Charts as data: lines with gaps, bars with intervals, histograms. `lines` and `columns` draw them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from luthier.reports.scale import TINY


@dataclass(frozen=True, slots=True)
class Series:
    """One line: `y` (n,) at ascending `x` (n,); a `y` that is not finite is a gap. `smooth` draws the running mean
    over the faint values themselves."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    smooth: bool = False


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over one x axis. `log` starts with a logarithmic y axis; the reader can switch where all is positive."""

    title: str
    series: Sequence[Series]
    x_label: str = "step"
    y_label: str = ""
    log: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value with its interval from `low` to `high` (None: no interval). Bars of one `group` stand together, and
    bars of one `label` share a colour."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars from zero with intervals. `share` writes values as percentages and lets the axis run to 100 %."""

    title: str
    bars: Sequence[Bar]
    share: bool = False
    note: str = "Whiskers are 95 % intervals."


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values fall between neighbouring `edges` (n+1,): `counts` (n,). `marks` name values on the axis."""

    title: str
    edges: Sequence[float]
    counts: Sequence[int]
    x_label: str = ""
    y_label: str = "rows"
    marks: Sequence[tuple[str, float]] = ()
    note: str = ""

    @classmethod
    def of(
        cls,
        title: str,
        values: Sequence[float],
        *,
        bins: int = 40,
        x_label: str = "",
        y_label: str = "rows",
        marks: Sequence[tuple[str, float]] = (),
        note: str = "",
    ) -> Histogram:
        """Returns the histogram of `values` in at most `bins` equal bins; whole numbers get bins of whole widths."""
        edges = _bin_edges(values, bins)
        counts = [0] * (len(edges) - 1)
        for value in values:
            counts[min(int((value - edges[0]) / (edges[1] - edges[0])), len(counts) - 1)] += 1
        return cls(title, edges, counts, x_label=x_label, y_label=y_label, marks=marks, note=note)


def _bin_edges(values: Sequence[float], bins: int) -> tuple[float, ...]:
    if not values:
        return (0.0, 1.0)
    low, high = min(values), max(values)
    if all(value == int(value) for value in values):
        width = float(math.ceil((high - low + 1) / bins))
        low = math.floor(low / width) * width
        count = int((high - low) // width) + 1
    else:
        width = max((high - low) / bins, 1e-9 * max(abs(low), abs(high)), TINY)
        count = min(math.ceil((high - low) / width) or 1, bins)
    return tuple(low + index * width for index in range(count + 1))
