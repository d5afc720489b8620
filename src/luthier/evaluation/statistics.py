"""Intervals and paired tests: whether a figure is sure, and whether two systems differ on the same items.

Items that come from one source (`groups`) are resampled and permuted together. Everything random is seeded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Groups = Sequence[str] | None
Verdict = Literal["better", "worse", "cannot tell"]

_CELLS_AT_ONCE = 2**22
_EXACT_FLIPS = 14
"""Up to this many items every pattern of signs is tried (2^14), beyond it a sample."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; nan where nothing can be said (no item, or one group)."""

    low: float
    high: float
    level: float = 0.95

    def to_json(self) -> dict[str, float | None]:
        return {"low": finite(self.low), "high": finite(self.high), "level": self.level}


@dataclass(frozen=True, slots=True)
class Paired:
    """What the same items say about two systems: `difference` is the second minus the first."""

    difference: float
    interval: Interval
    p_value: float
    test: str


def finite(value: float) -> float | None:
    """Returns `value`, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Returns the score interval of a proportion (Wilson 1927): inside [0, 1], never of width 0.

    For scores between 0 and 1, whose sum is `successes`, it is wider than need be: no score varies more than right or
    wrong does.
    """
    if n == 0:
        return Interval(math.nan, math.nan, level)
    z = _normal(0.5 + level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else centre - half
    return Interval(low, 1.0 if successes == n else centre + half, level)


def bootstrap_mean(
    values: Sequence[float] | Values,
    *,
    groups: Groups = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    method: Literal["bca", "percentile"] = "bca",
) -> Interval:
    """Returns a bootstrap interval of the mean of `values` (n,); see `bootstrap_ratio`."""
    ones = np.ones(len(values))
    return bootstrap_ratio(values, ones, groups=groups, resamples=resamples, seed=seed, level=level, method=method)


def bootstrap_ratio(
    numerators: Sequence[float] | Values,
    denominators: Sequence[float] | Values,
    *,
    groups: Groups = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    method: Literal["bca", "percentile"] = "bca",
) -> Interval:
    """Returns a bootstrap interval of sum(numerators) / sum(denominators), such as a loss per token.

    Whole groups are drawn with replacement (the cluster bootstrap). Percentile, or bias-corrected and accelerated
    (Efron 1987), whose acceleration comes from leaving out one group at a time.
    """
    tops, bottoms = _by_group(numerators, groups), _by_group(denominators, groups)
    if len(tops) < 2:
        return Interval(math.nan, math.nan, level)
    ratio = float(tops.sum() / bottoms.sum())
    drawn = np.concatenate(
        [tops[rows].sum(1) / bottoms[rows].sum(1) for rows in _resamples(len(tops), resamples, seed)]
    )
    tails = np.array([0.5 - level / 2, 0.5 + level / 2])
    if method == "bca":
        tails = _bca_tails(ratio, drawn, tops, bottoms, tails)
    low, high = np.quantile(drawn, tails)
    return Interval(float(low), float(high), level)


def permutation_test(
    differences: Sequence[float] | Values, *, groups: Groups = None, resamples: int = 10_000, seed: int = 0
) -> float:
    """Returns the two-sided p-value of paired `differences` (n,) having mean 0, by flipping their signs.

    Exact for few groups; else (hits + 1) / (resamples + 1) (Phipson and Smyth 2010), which is never 0. A group's
    differences flip together.
    """
    sums = _by_group(differences, groups)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    observed = abs(float(sums.sum()))
    near = observed - 1e-12 * float(np.abs(sums).sum())  # sums of the same numbers in another order
    if len(sums) <= _EXACT_FLIPS:
        codes = np.arange(2 ** len(sums))[:, None]
        signs = 1.0 - 2.0 * ((codes >> np.arange(len(sums))) & 1)  # (2^n, n)
        return float((np.abs(signs @ sums) >= near).mean())
    random = np.random.default_rng(seed)
    hits = 0
    for count in _chunks(resamples, len(sums)):
        signs = 1.0 - 2.0 * random.integers(0, 2, size=(count, len(sums)))
        hits += int((np.abs(signs @ sums) >= near).sum())
    return (hits + 1) / (resamples + 1)


def mcnemar(only_first: int, only_second: int) -> float:
    """Returns the exact two-sided p-value of McNemar's test (1947) from the items that one system alone has right."""
    discordant = only_first + only_second
    if discordant == 0:
        return 1.0
    tail = sum(math.comb(discordant, right) for right in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << discordant))


def paired_proportions(both: int, only_first: int, only_second: int, neither: int, level: float = 0.95) -> Interval:
    """Returns the interval of share(second) - share(first) on the same items (Newcombe 1998, method 10).

    Two Wilson intervals joined by the correlation of the pairs: not of width 0 when the systems agree everywhere.
    """
    n = both + only_first + only_second + neither
    if n == 0:
        return Interval(math.nan, math.nan, level)
    first, second = both + only_first, both + only_second
    ours, theirs = wilson(second, n, level), wilson(first, n, level)
    share, other = second / n, first / n
    margins = first * (n - first) * second * (n - second)
    product = both * neither - only_first * only_second
    correlation = (max(product - n / 2, 0) if product > 0 else product) / math.sqrt(margins) if margins else 0.0
    down = _joint(share - ours.low, theirs.high - other, correlation)
    up = _joint(ours.high - share, other - theirs.low, correlation)
    return Interval(share - other - down, share - other + up, level)


def paired(
    first: Sequence[float] | Values,
    second: Sequence[float] | Values,
    *,
    groups: Groups = None,
    binary: bool = False,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Paired:
    """Returns the mean of `second` - `first` over the same items, its interval and p-value.

    Right-or-wrong items without groups: Newcombe's interval and McNemar's exact test. All else: BCa bootstrap and
    permutation of signs.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    difference = float((b - a).mean()) if len(a) else math.nan
    if binary and groups is None:
        both, only_first, only_second = ((a * b).sum(), (a * (1 - b)).sum(), ((1 - a) * b).sum())
        neither = len(a) - both - only_first - only_second
        interval = paired_proportions(int(both), int(only_first), int(only_second), int(neither), level)
        return Paired(difference, interval, mcnemar(int(only_first), int(only_second)), "McNemar exact")
    interval = bootstrap_mean(b - a, groups=groups, resamples=resamples, seed=seed, level=level)
    p_value = permutation_test(b - a, groups=groups, resamples=resamples, seed=seed)
    return Paired(difference, interval, p_value, "paired permutation")


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values adjusted for having run them all (Holm 1979), in their order."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted


def verdict(interval: Interval, p_value: float, *, higher_is_better: bool = True) -> Verdict:
    """Returns what may be said: "better" or "worse" only when interval and test agree that there is a difference."""
    if not (math.isfinite(interval.low) and p_value < 1 - interval.level and (interval.low > 0 or interval.high < 0)):
        return "cannot tell"
    return "better" if (interval.low > 0) == higher_is_better else "worse"


def smallest_difference(n: int, *, spread: float = math.sqrt(0.3), power: float = 0.8, level: float = 0.95) -> float:
    """Returns the smallest difference of means that `n` paired items would show with probability `power`.

    `spread` is the root mean square of an item's difference: before a run, 30 % of the items are taken to differ by 1.
    Normal approximation (Connor 1987), and never less than the 6 one-sided items that McNemar's test needs for
    p < 0.05. inf when n is so small that nothing could be seen; for scores between 0 and 1.
    """
    fewest = math.ceil(1 - math.log2(1 - level))  # 2 * 0.5^k < 1 - level
    if n < fewest:
        return math.inf
    z = _normal(0.5 + level / 2) + _normal(power)
    return max(z * spread / math.sqrt(n + z * z), fewest / n)


def sensitivity(n: int) -> str:
    """Returns in words what `smallest_difference` says of `n` paired items at its defaults."""
    smallest = smallest_difference(n)
    if math.isinf(smallest):
        return f"too few rows that vary on their own to show any difference: {n}, where 6 are the least"
    return f"a right-or-wrong score would show a difference of {smallest:.2f} or more in 80 % of runs"


def _normal(share: float) -> float:
    return NormalDist().inv_cdf(share)


def _joint(left: float, right: float, correlation: float) -> float:
    return math.sqrt(max(0.0, left * left - 2 * correlation * left * right + right * right))


def _by_group(values: Sequence[float] | Values, groups: Groups) -> Values:
    """Returns the sum of each group (G,); items of the group "" stand alone."""
    array: Values = np.asarray(values, dtype=np.float64)
    if groups is None:
        return array
    names = [name or index for index, name in enumerate(groups)]
    places: dict[Any, int] = {}
    index = np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)
    return np.bincount(index, weights=array, minlength=len(places)).astype(np.float64)


def _chunks(total: int, width: int) -> Iterator[int]:
    size = max(1, _CELLS_AT_ONCE // max(1, width))
    for start in range(0, total, size):
        yield min(size, total - start)


def _resamples(n: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    for count in _chunks(resamples, n):
        yield random.integers(0, n, size=(count, n))


def _bca_tails(ratio: float, drawn: Values, tops: Values, bottoms: Values, tails: Values) -> Values:
    """Returns the shares of the drawn values that bound the interval (Efron 1987, eq. 6.6 and 6.8)."""
    below = (float((drawn < ratio).sum()) + 0.5 * float((drawn == ratio).sum())) / len(drawn)
    edge = 1 / (len(drawn) + 1)
    bias = _normal(min(max(below, edge), 1 - edge))
    left_out = (tops.sum() - tops) / (bottoms.sum() - bottoms)  # (G,)
    away = left_out.mean() - left_out
    scale = float((away**2).sum()) ** 1.5
    acceleration = float((away**3).sum()) / (6 * scale) if scale > 0 else 0.0
    out = []
    for tail in tails:
        z = bias + _normal(float(tail))
        out.append(NormalDist().cdf(bias + z / (1 - acceleration * z)))
    return np.array(out)
