"""Numbers on a page: how they are written, where they fall on an axis, and how many of them are worth drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

BUCKETS = 400
PER_BUCKET = 5
TINY = 1e-300
"""A logarithmic axis needs values above this, and any axis and bin that much width."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values between `low` and `high` to fractions of an axis, evenly or by their logarithm."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """Returns the fraction of the axis at which `value` falls: 0 at `low`, 1 at `high`."""
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self, count: int = 6) -> tuple[float, ...]:
        """Returns round values within the scale, about `count` of them."""
        if self.log and self.high / self.low >= 10:
            return self._log_ticks(count)
        step = _round_step((self.high - self.low) / max(count, 1))
        first = math.ceil(self.low / step - 1e-9)
        return tuple(float(f"{index * step:.12g}") for index in range(first, math.floor(self.high / step + 1e-9) + 1))

    def _log_ticks(self, count: int) -> tuple[float, ...]:
        decades = range(math.floor(math.log10(self.low)), min(math.ceil(math.log10(self.high)), 307) + 1)
        size = math.log10(self.high) - math.log10(self.low)
        steps = (1, 2, 3, 5) if size < 1.5 else (1, 2, 5) if size < 2.5 else (1, 3) if size < count / 2 else (1,)
        every = max(math.ceil(size / count), 1)
        values = [step * 10.0**power for power in decades[::every] for step in steps]
        return tuple(value for value in values if self.low * 0.999 <= value <= self.high * 1.001)


def scale_over(values: Iterable[float], *, log: bool = False, zero: bool = False, pad: float = 0.04) -> Scale:
    """Returns a scale that holds every finite value (for `log`: every positive one), with a little room around.

    `zero` keeps 0 on the axis. Without any usable value the scale runs from 0 to 1 (1 to 10 for `log`).
    """
    usable = [value for value in values if math.isfinite(value) and (value > TINY or not log)]
    if not usable:
        return Scale(1.0, 10.0, log) if log else Scale(0.0, 1.0)
    low, high = min(usable), max(usable)
    if log:
        room = max(math.exp(pad * (math.log(high) - math.log(low))), 1.02)
        return Scale(low / room, high * room, log)
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    room = max((high - low) * pad if high > low else abs(high) * 0.1 or 1.0, TINY)
    at_zero = zero and low < high  # an axis that begins or ends at 0 stays there
    return Scale(low if at_zero and low == 0 else low - room, high if at_zero and high == 0 else high + room)


def number(value: float) -> str:
    """Returns `value` for people: four significant digits, thousands parted by commas, "–" when it is not a number."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value == int(value) and size < 1e15:
        written = f"{int(value):,}"
    elif size >= 1000:
        written = f"{value:,.0f}"
    elif size >= 1e-3:
        written = f"{value:.{max(3 - math.floor(math.log10(size)), 0)}f}".rstrip("0").rstrip(".")
    else:
        written = f"{value:.3g}"
    return written.replace("-", "−") if written.startswith("-") else written


def percent(value: float) -> str:
    """Returns a share as a percentage with one decimal: 0.125 is "12.5 %"."""
    return "–" if math.isnan(value) else f"{100 * value:.1f} %".replace("-", "−")


def thin(values: Sequence[float]) -> list[int]:
    """Returns the indices of the values to draw: all of up to 2,000, else first, last, least, greatest and one gap of
    each of 400 equal stretches, so that no spike and no gap (a value that is not finite) disappears."""
    if len(values) <= BUCKETS * PER_BUCKET:
        return list(range(len(values)))
    edges = [round(index * len(values) / BUCKETS) for index in range(BUCKETS + 1)]
    kept: list[int] = []
    for start, stop in pairwise(edges):
        kept.extend(sorted(set(_worth_drawing(values, start, stop))))
    return kept


def smooth(values: Sequence[float]) -> list[float]:
    """Returns a running mean for the eye: neighbours on both sides count, each step away less by the same share, so
    that the mean does not lag behind a falling loss. It reaches further the more values there are. A value that is not
    finite stays a gap."""
    share = 1 - 1 / (1 + len(values) / 80)
    before, back = _decayed(values, share), _decayed(values[::-1], share)[::-1]
    return [
        (sum_1 + sum_2 - value) / (mass_1 + mass_2 - 1) if math.isfinite(value) else math.nan
        for value, (sum_1, mass_1), (sum_2, mass_2) in zip(values, before, back, strict=True)
    ]


def _decayed(values: Sequence[float], share: float) -> list[tuple[float, float]]:
    """The decayed sum of the finite values so far, and of their weights."""
    total = mass = 0.0
    out = []
    for value in values:
        total, mass = share * total, share * mass
        if math.isfinite(value):
            total, mass = total + value, mass + 1
        out.append((total, mass))
    return out


def _worth_drawing(values: Sequence[float], start: int, stop: int) -> Iterator[int]:
    finite = [index for index in range(start, stop) if math.isfinite(values[index])]
    gap = next((index for index in range(start, stop) if not math.isfinite(values[index])), None)
    if gap is not None:
        yield gap
    if finite:
        yield from (finite[0], finite[-1], min(finite, key=values.__getitem__), max(finite, key=values.__getitem__))


def _round_step(rough: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(rough))
    return min((step * power for step in (1, 2, 2.5, 5, 10)), key=lambda step: abs(math.log(step / rough)))
