"""Base and tuned on the same held-out rows: losses, answers, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from luthier.evaluation.heldout import HeldoutLoss, compare_losses
from luthier.evaluation.items import Answered, Item
from luthier.evaluation.score import Scores, score
from luthier.evaluation.statistics import Paired, verdict
from luthier.models.card import Score
from luthier.report import Table
from luthier.training.options import TuningOptions

SHOWN_ANSWERS = 3
SHOWN_LETTERS = 400


@dataclass(frozen=True)
class Measured:
    """One model's held-out loss, and its answers to the held-out questions."""

    loss: HeldoutLoss
    answers: Sequence[Answered]


@dataclass(frozen=True)
class Comparison:
    """Base against tuned. `scores` is None where the rows hold no questions (plain text)."""

    split: str
    base: HeldoutLoss
    tuned: HeldoutLoss
    change: Paired
    scores: Scores | None

    def to_json(self) -> dict[str, Any]:
        return {
            "split": self.split,
            "loss": {
                "base": self.base.to_json(),
                "tuned": self.tuned.to_json(),
                "difference": self.change.difference,
                "interval": self.change.interval.to_json(),
                "p_value": self.change.p_value,
                "verdict": self.loss_verdict,
            },
            "scores": None if self.scores is None else self.scores.to_json(),
        }

    @property
    def loss_verdict(self) -> str:
        return verdict(self.change.interval, self.change.p_value, higher_is_better=False)

    @property
    def sentence(self) -> str:
        """What the comparison says, in one sentence."""
        if self.scores is None or all(replies.failed == replies.n for replies in self.scores.replies):
            found, what = self.loss_verdict, "held-out loss"
            figures = f"{self.base.loss:.3f} -> {self.tuned.loss:.3f}"
        else:
            one = self.scores.comparisons[0]
            found, what = one.verdict, one.metric.replace("_", " ")
            before, after = (self.scores.score(name).mean for name in self.scores.systems)
            figures = f"{before:.3f} -> {after:.3f}"
        if found == "cannot tell":
            return f"These rows cannot tell whether tuning helped ({what} {figures}); more held-out rows would."
        return f"The tuned model is {found} than its base on rows it has not seen: {what} {figures}."

    def tables(self) -> list[Table]:
        """Returns the before/after table and the differences."""
        low, high = self.change.interval.low, self.change.interval.high
        loss = Table(
            f"Loss on {len(self.base.counts):,} {self.split} rows",
            ("", "base", "tuned", "difference", "95 % interval", "p", "verdict"),
            (
                (
                    "loss per token",
                    f"{self.base.loss:.4f}",
                    f"{self.tuned.loss:.4f}",
                    f"{self.change.difference:+.4f}",
                    f"{low:+.4f} to {high:+.4f}",
                    f"{self.change.p_value:.2g}",
                    self.loss_verdict,
                ),
                ("perplexity", f"{self.base.perplexity:.3f}", f"{self.tuned.perplexity:.3f}", "", "", "", ""),
            ),
        )
        return [*([] if self.scores is None else self.scores.tables()), loss]

    def samples(self) -> list[Table]:
        """Returns a few answers side by side: where the two differ most, first."""
        if self.scores is None:
            return []
        name = self.scores.metrics[0]
        base, tuned = self.scores.systems

        def change(values: Any) -> float:
            return float(values[name][tuned] - values[name][base])

        chosen = sorted(self.scores.items, key=lambda one: -abs(change(one.values)))[:SHOWN_ANSWERS]
        return [
            Table(
                f"Held-out row {one.item.index + 1}: {name} "
                f"{one.values[name][base]:.2f} -> {one.values[name][tuned]:.2f}",
                ("", ""),
                (
                    ("asked", _cut(_last_question(one.item))),
                    ("expected", _cut(one.item.reference.content or "")),
                    ("base", _said(one.replies[base])),
                    ("tuned", _said(one.replies[tuned])),
                ),
            )
            for one in chosen
        ]

    def card_scores(self) -> tuple[Score, ...]:
        """Returns the lines of the model card's table."""
        interval = self.change.interval
        lines = [
            Score("loss per token", len(self.base.counts), self.base.loss, self.tuned.loss, interval.low, interval.high)
        ]
        for one in () if self.scores is None else self.scores.comparisons:
            before, after = (self.scores.score(name, one.metric).mean for name in self.scores.systems)  # type: ignore[union-attr]
            count = len(self.scores.items)  # type: ignore[union-attr]
            lines.append(Score(one.metric, count, before, after, one.interval.low, one.interval.high))
        return tuple(lines)


def compare(split: str, items: Sequence[Item], base: Measured, tuned: Measured, options: TuningOptions) -> Comparison:
    """Returns what the same rows say about base and tuned."""
    change = compare_losses(base.loss, tuned.loss, resamples=options.resamples, seed=options.seed)
    scores = None
    if items:
        answers = {"base": base.answers, "tuned": tuned.answers}
        scores = score(items, answers, metrics=options.metric, resamples=options.resamples, seed=options.seed)
    return Comparison(split, base.loss, tuned.loss, change, scores)


def _last_question(item: Item) -> str:
    return item.prompt.text or (item.prompt.messages[-1].content or "")


def _said(reply: Answered) -> str:
    return f"failed: {reply.error}" if reply.error else _cut(reply.text)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else text[:SHOWN_LETTERS] + " ..."
