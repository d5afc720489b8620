"""Held-out loss, row by row: what evaluation during training and the comparison after it are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from luthier.objectives.language import LanguageObjective
from luthier.tokens.plan import plan_passes
from luthier.training.loop import Items, computing_in


@dataclass(frozen=True)
class RowLosses:
    """Per row (R,): the summed negative log-probability of its labelled tokens, their number, and how many were the
    most probable token."""

    losses: NDArray[np.float64]
    counts: NDArray[np.int64]
    correct: NDArray[np.int64]

    @property
    def loss(self) -> float:
        """Mean negative log-probability per labelled token, in nats."""
        return float(self.losses.sum() / max(1, self.counts.sum()))

    def figures(self) -> dict[str, float]:
        """Returns the figures that training logs."""
        return {
            "eval_loss": self.loss,
            "eval_perplexity": math.exp(min(self.loss, 700.0)),
            "eval_token_accuracy": float(self.correct.sum() / max(1, self.counts.sum())),
        }


@dataclass(frozen=True)
class HeldOut:
    """Measures a model on rows it is not trained on."""

    objective: LanguageObjective
    rows: Items
    max_tokens_per_pass: int
    device: torch.device
    compute_dtype: torch.dtype
    packing: bool = True
    on_row: Callable[[int, int], None] | None = None

    @torch.no_grad()
    def measure(self, model: nn.Module) -> RowLosses:
        """Returns the losses of every row; the model is left in evaluation mode."""
        model.eval()
        count = len(self.rows)
        found = RowLosses(np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64))
        done = 0
        for members in plan_passes(self.rows.lengths.tolist(), self.max_tokens_per_pass, packing=self.packing):
            self._measure_pass(model, members, found)
            done += len(members)
            if self.on_row is not None:
                self.on_row(done, count)
        return found

    def _measure_pass(self, model: nn.Module, members: list[int], found: RowLosses) -> None:
        batch = self.objective.collate([self.rows[index] for index in members]).to(self.device)
        with computing_in(self.device, self.compute_dtype):
            losses, right = self.objective.token_losses(model, batch)
        owner = np.searchsorted(np.asarray(batch.segments[1:]), batch.label_positions.cpu().numpy(), side="right")
        rows = np.asarray(members)
        np.add.at(found.losses, rows[owner], _numbers(losses))
        np.add.at(found.correct, rows[owner], right.cpu().numpy().astype(np.int64))
        np.add.at(found.counts, rows[owner], 1)


def _numbers(tensor: torch.Tensor) -> NDArray[Any]:
    return tensor.double().cpu().numpy()
