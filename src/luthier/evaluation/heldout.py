"""Held-out loss: the mean over labelled tokens, exactly, with an interval over rows, and the paired difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from luthier.errors import SpecError
from luthier.evaluation.metrics.likelihood import perplexity
from luthier.evaluation.statistics import (
    Groups,
    Interval,
    Paired,
    bootstrap_ratio,
    finite,
    permutation_test,
)


class TokenRow(Protocol):
    """A sequence with labels, as `tokens.encode` makes it."""

    @property
    def tokens(self) -> npt.NDArray[np.int32]: ...
    @property
    def labels(self) -> npt.NDArray[np.bool_]: ...
    @property
    def row(self) -> int: ...


RowLosses = Callable[[Sequence[Any]], Sequence[float]]
"""From some sequences to the sum of -log p over the labelled tokens of each."""


@dataclass(frozen=True, slots=True)
class HeldoutLoss:
    """`loss` in nats per labelled token; `sums` (R,) and `counts` (R,) are loss and labelled tokens of each row."""

    loss: float
    interval: Interval
    sums: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def perplexity(self) -> float:
        return perplexity(self.loss)

    @property
    def tokens(self) -> int:
        return sum(self.counts)

    def to_json(self) -> dict[str, Any]:
        return {
            "loss": finite(self.loss),
            "interval": self.interval.to_json(),
            "perplexity": finite(self.perplexity),
            "tokens": self.tokens,
            "rows": len(self.counts),
        }


def heldout_loss(
    sequences: Sequence[TokenRow],
    losses: RowLosses,
    *,
    max_tokens_per_pass: int = 8192,
    groups: Groups = None,
    resamples: int = 10_000,
    seed: int = 0,
    on_pass: Callable[[int], None] = lambda done: None,
) -> HeldoutLoss:
    """Returns the loss over all labelled tokens of `sequences`; `losses` gets as many at a time as the budget allows.

    Sequences of one row are one item of the interval. `groups` holds one name per row, in ascending order of rows.
    """
    sums: dict[int, float] = {}
    counts: dict[int, int] = {}
    done = 0
    for part in _passes(sequences, max_tokens_per_pass):
        for sequence, loss in zip(part, losses(part), strict=True):
            sums[sequence.row] = sums.get(sequence.row, 0.0) + float(loss)
            counts[sequence.row] = counts.get(sequence.row, 0) + int(np.count_nonzero(sequence.labels[1:]))
        done += len(part)
        on_pass(done)
    rows = sorted(sums)
    total = sum(counts.values())
    if not total:
        raise SpecError("holds no labelled token", where="held-out rows", remedy="give rows with an assistant's reply")
    tops, bottoms = [sums[row] for row in rows], [counts[row] for row in rows]
    interval = bootstrap_ratio(tops, [float(n) for n in bottoms], groups=groups, resamples=resamples, seed=seed)
    return HeldoutLoss(math.fsum(tops) / total, interval, tuple(tops), tuple(bottoms))


def compare_losses(
    first: HeldoutLoss, second: HeldoutLoss, *, groups: Groups = None, resamples: int = 10_000, seed: int = 0
) -> Paired:
    """Returns second minus first, per token, over the same rows: bootstrap over rows and permutation of signs."""
    if first.counts != second.counts:
        raise SpecError(
            "two losses are over different tokens",
            where="held-out loss",
            remedy="models with different tokenizers are compared by bits per byte or by a task score",
        )
    change = [after - before for before, after in zip(first.sums, second.sums, strict=True)]
    tokens = [float(count) for count in first.counts]
    interval = bootstrap_ratio(change, tokens, groups=groups, resamples=resamples, seed=seed)
    p_value = permutation_test(change, groups=groups, resamples=resamples, seed=seed)
    return Paired(second.loss - first.loss, interval, p_value, "paired permutation")


def row_by_row(model: Any) -> RowLosses:
    """Returns the plain way to the losses: one forward pass per sequence, cross entropy in fp32 at labelled tokens."""
    import torch

    def losses(sequences: Sequence[TokenRow]) -> list[float]:
        device = next(model.parameters()).device
        training = bool(model.training)
        model.eval()
        out: list[float] = []
        try:
            with torch.no_grad():
                for sequence in sequences:
                    tokens = torch.from_numpy(np.asarray(sequence.tokens, dtype=np.int64)).to(device)
                    places = torch.from_numpy(np.flatnonzero(sequence.labels[1:])).to(device)  # (L,)
                    hidden = model(input_ids=tokens[None], use_cache=False, logits_to_keep=places).logits[0]  # (L, V)
                    loss = torch.nn.functional.cross_entropy(hidden.float(), tokens[places + 1], reduction="sum")
                    out.append(float(loss))
        finally:
            model.train(training)
        return out

    return losses


def _passes(sequences: Sequence[TokenRow], budget: int) -> Iterator[list[TokenRow]]:
    """Yields neighbouring sequences of at most `budget` tokens together; one that is longer goes alone."""
    part: list[TokenRow] = []
    size = 0
    for sequence in sequences:
        if part and size + len(sequence.tokens) > budget:
            yield part
            part, size = [], 0
        part.append(sequence)
        size += len(sequence.tokens)
    if part:
        yield part
