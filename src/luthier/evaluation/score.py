"""Scores of several systems on the same items, and whether they differ.

The first system is the one the others are compared with. A failed reply scores the worst value: nothing is dropped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from luthier.errors import SpecError
from luthier.evaluation.items import Answered, Item
from luthier.evaluation.metrics import load_metric
from luthier.evaluation.metrics.choose import choose_metric
from luthier.evaluation.metrics.metric import Answer, Metric
from luthier.evaluation.statistics import (
    Groups,
    Interval,
    Verdict,
    bootstrap_mean,
    finite,
    holm,
    paired,
    sensitivity,
    smallest_difference,
    verdict,
    wilson,
)
from luthier.report import Table


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """One item with what every system said: `values` is metric -> system -> value."""

    item: Item
    replies: Mapping[str, Answered]
    values: Mapping[str, Mapping[str, float]]

    def to_json(self) -> dict[str, Any]:
        return {
            "index": self.item.index,
            "origin": self.item.origin,
            "fingerprint": self.item.fingerprint,
            "group": self.item.group,
            "prompt": self.item.prompt.shown(),
            "messages": [message.to_json() for message in self.item.prompt.messages],
            "tools": [dict(tool) for tool in self.item.prompt.tools],
            "reference": self.item.reference.to_json(),
            "replies": {name: reply.to_json() for name, reply in self.replies.items()},
            "values": {name: dict(values) for name, values in self.values.items()},
        }


@dataclass(frozen=True, slots=True)
class SystemScore:
    """One system by one metric: the mean over all items, and its interval."""

    system: str
    metric: str
    mean: float
    interval: Interval

    def to_json(self) -> dict[str, Any]:
        interval = self.interval.to_json()
        return {"system": self.system, "metric": self.metric, "mean": finite(self.mean), "interval": interval}


@dataclass(frozen=True, slots=True)
class Replies:
    """How a system replied: failures, replies cut at the token limit, and mean length in tokens."""

    system: str
    n: int
    failed: int
    cut: int
    mean_tokens: float
    errors: tuple[tuple[str, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"system": self.system, "n": self.n, "failed": self.failed, "cut": self.cut}
        return out | {"mean_tokens": finite(self.mean_tokens), "errors": dict(self.errors)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the same items say about `system` against `baseline`: `p_value` is adjusted for all comparisons (Holm)."""

    baseline: str
    system: str
    metric: str
    difference: float
    interval: Interval
    p_value: float
    test: str
    verdict: Verdict
    better: int
    worse: int

    def to_json(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline,
            "system": self.system,
            "metric": self.metric,
            "difference": finite(self.difference),
            "interval": self.interval.to_json(),
            "p_value": self.p_value,
            "test": self.test,
            "verdict": self.verdict,
            "better": self.better,
            "worse": self.worse,
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """All that an evaluation found. `metrics[0]` decides; `independent` counts the rows, those of a group once."""

    metrics: tuple[str, ...]
    systems: tuple[str, ...]
    items: tuple[ScoredItem, ...]
    scores: tuple[SystemScore, ...]
    replies: tuple[Replies, ...]
    comparisons: tuple[Comparison, ...]
    independent: int

    def score(self, system: str, metric: str | None = None) -> SystemScore:
        """Returns the score of `system` by `metric`, the deciding one when none is named."""
        wanted = (system, metric or self.metrics[0])
        return next(score for score in self.scores if (score.system, score.metric) == wanted)

    @property
    def best(self) -> str:
        """The system with the best mean by the deciding metric; the earlier one where two are equal."""
        sign = 1 if load_metric(self.metrics[0]).higher_is_better else -1
        return max(self.systems, key=lambda system: sign * self.score(system).mean)

    def to_json(self) -> dict[str, Any]:
        """Returns everything but the items, which `ScoredItem.to_json` writes one by one."""
        return {
            "n": len(self.items),
            "metrics": list(self.metrics),
            "systems": list(self.systems),
            "smallest_detectable_difference": finite(smallest_difference(self.independent)),
            "scores": [score.to_json() for score in self.scores],
            "replies": [replies.to_json() for replies in self.replies],
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }

    def tables(self) -> list[Table]:
        """Returns the scores of each system, and each comparison with the first one."""
        return [_score_table(self)] + ([_comparison_table(self)] if self.comparisons else [])


def choose_metrics(items: Sequence[Item], named: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns the metrics to use: those `named` (checked), else the one that fits the references."""
    for name in named:
        load_metric(name)
    return tuple(dict.fromkeys(named)) or (choose_metric([item.answer() for item in items]),)


def score(
    items: Sequence[Item],
    answers: Mapping[str, Sequence[Answered]],
    *,
    metrics: Sequence[str] = (),
    resamples: int = 10_000,
    seed: int = 0,
) -> Scores:
    """Returns the scores of the systems in `answers` (name -> one reply per item); the first is the baseline.

    Items that share a group are resampled together. `SpecError` when there is no item.
    """
    if not items:
        raise SpecError("holds no row to score", where="data", remedy="give rows with a reference answer")
    names = choose_metrics(items, metrics)
    scored = _score_items(items, answers, [load_metric(name) for name in names])
    groups = [item.group for item in items] if any(item.group for item in items) else None
    scores: list[SystemScore] = []
    comparisons: list[Comparison] = []
    for name in names:
        values = {system: [one.values[name][system] for one in scored] for system in answers}
        metric = load_metric(name)
        scores += [_system_score(system, metric, column, groups, resamples, seed) for system, column in values.items()]
        comparisons += _compare(metric, values, groups, resamples, seed)
    return Scores(
        metrics=names,
        systems=tuple(answers),
        items=tuple(scored),
        scores=tuple(scores),
        replies=tuple(_replies(system, given) for system, given in answers.items()),
        comparisons=tuple(comparisons),
        independent=_independent(groups, len(items)),
    )


def _score_items(
    items: Sequence[Item], answers: Mapping[str, Sequence[Answered]], metrics: Sequence[Metric]
) -> list[ScoredItem]:
    out = []
    for place, item in enumerate(items):
        replies = {system: given[place] for system, given in answers.items()}
        reference = item.answer()
        values = {
            metric.name: {system: _value(metric, reply, reference) for system, reply in replies.items()}
            for metric in metrics
        }
        out.append(ScoredItem(item, replies, values))
    return out


def _value(metric: Metric, reply: Answered, reference: Answer) -> float:
    return metric.worst if reply.error else metric(Answer(reply.text, reply.tool_calls), reference)


def _system_score(
    system: str, metric: Metric, values: Sequence[float], groups: Groups, resamples: int, seed: int
) -> SystemScore:
    constant = len(set(values)) == 1  # a bootstrap of equal values would claim to be certain
    if (metric.low, metric.high) == (0.0, 1.0) and (constant or (metric.binary and groups is None)):
        n = _independent(groups, len(values))
        interval = wilson(fmean(values) * n, n)
    else:
        interval = bootstrap_mean(values, groups=groups, resamples=resamples, seed=seed)
    return SystemScore(system, metric.name, fmean(values), interval)


def _independent(groups: Groups, n: int) -> int:
    """Returns how many of `n` items vary on their own: a group counts once, items of the group "" each."""
    return n if groups is None else len(set(groups) - {""}) + list(groups).count("")


def _compare(
    metric: Metric, values: Mapping[str, Sequence[float]], groups: Groups, resamples: int, seed: int
) -> list[Comparison]:
    baseline, *others = values
    binary = metric.binary and (metric.low, metric.high) == (0.0, 1.0)
    found = [
        paired(values[baseline], values[other], groups=groups, binary=binary, resamples=resamples, seed=seed)
        for other in others
    ]
    sign = 1 if metric.higher_is_better else -1
    out = []
    for other, pair, p_value in zip(others, found, holm([pair.p_value for pair in found]), strict=True):
        changes = [sign * (b - a) for a, b in zip(values[baseline], values[other], strict=True)]
        out.append(
            Comparison(
                baseline=baseline,
                system=other,
                metric=metric.name,
                difference=pair.difference,
                interval=pair.interval,
                p_value=p_value,
                test=pair.test,
                verdict=verdict(pair.interval, p_value, higher_is_better=metric.higher_is_better),
                better=sum(change > 0 for change in changes),
                worse=sum(change < 0 for change in changes),
            )
        )
    return out


def _replies(system: str, given: Sequence[Answered]) -> Replies:
    errors = Counter(reply.error for reply in given if reply.error)
    spoken = [reply.tokens for reply in given if not reply.error]
    return Replies(
        system=system,
        n=len(given),
        failed=errors.total(),
        cut=sum(reply.finish_reason == "length" for reply in given),
        mean_tokens=fmean(spoken) if spoken else math.nan,
        errors=tuple(errors.most_common(5)),
    )


def _score_table(scores: Scores) -> Table:
    rows = []
    for replies in scores.replies:
        figures = [_with_interval(scores.score(replies.system, name)) for name in scores.metrics]
        tokens = f"{replies.mean_tokens:.0f}" if math.isfinite(replies.mean_tokens) else "-"
        rows.append((replies.system, *figures, tokens, str(replies.cut), str(replies.failed)))
    return Table(
        title=f"Scores on {len(scores.items)} held-out rows",
        columns=("system", *scores.metrics, "tokens", "cut", "failed"),
        rows=tuple(rows),
        note="Mean with its 95 % interval; tokens per reply, replies cut at the limit, replies that failed.",
    )


def _comparison_table(scores: Scores) -> Table:
    rows = [
        (
            f"{one.system} against {one.baseline}",
            one.metric,
            f"{one.difference:+.3f}",
            f"{one.interval.low:+.3f} to {one.interval.high:+.3f}",
            f"{one.p_value:.2g}",
            f"{one.better} / {one.worse}",
            one.verdict,
        )
        for one in scores.comparisons
    ]
    return Table(
        title="Differences on the same rows",
        columns=("systems", "metric", "difference", "95 % interval", "p", "rows better / worse", "verdict"),
        rows=tuple(rows),
        note=f"Paired over rows; p adjusted for all comparisons. These rows: {sensitivity(scores.independent)}.",
    )


def _with_interval(score: SystemScore) -> str:
    if not math.isfinite(score.interval.low):
        return f"{score.mean:.3f}"
    return f"{score.mean:.3f} [{score.interval.low:.3f}, {score.interval.high:.3f}]"
