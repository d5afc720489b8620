"""Held-out loss by packed passes: what evaluation during training and the comparison after it are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from luthier.objectives.language import LanguageObjective
from luthier.tokens.plan import plan_passes
from luthier.tokens.token_rows import TokenRow
from luthier.training.loop import computing_in


@dataclass(frozen=True)
class HeldOut:
    """Measures a model, in evaluation mode and without gradients, on sequences it is not trained on."""

    model: nn.Module
    objective: LanguageObjective
    max_tokens_per_pass: int
    device: torch.device
    compute_dtype: torch.dtype
    packing: bool = True

    def losses(self, sequences: Sequence[TokenRow]) -> NDArray[np.float64]:
        """Returns (R,) the summed negative log-probability of each sequence's labelled tokens."""
        return self._sums(sequences)[0]

    def figures(self, sequences: Sequence[TokenRow]) -> dict[str, float]:
        """Returns the figures that training logs, over all labelled tokens of the sequences."""
        losses, correct = self._sums(sequences)
        count = max(1, self.objective.count(sequences))
        loss = float(losses.sum()) / count
        return {
            "eval_loss": loss,
            "eval_perplexity": math.exp(min(loss, 700.0)),
            "eval_token_accuracy": float(correct.sum()) / count,
        }

    @torch.no_grad()
    def _sums(self, sequences: Sequence[TokenRow]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        self.model.eval()
        losses, correct = np.zeros(len(sequences)), np.zeros(len(sequences), np.int64)
        lengths = [len(sequence.tokens) for sequence in sequences]
        for members in plan_passes(lengths, self.max_tokens_per_pass, packing=self.packing):
            batch = self.objective.collate([sequences[index] for index in members]).to(self.device)
            with computing_in(self.device, self.compute_dtype):
                found, right = self.objective.token_losses(self.model, batch)
            ends = np.asarray(batch.segments[1:])
            owner = np.asarray(members)[np.searchsorted(ends, batch.label_positions.cpu().numpy(), side="right")]
            np.add.at(losses, owner, found.double().cpu().numpy())
            np.add.at(correct, owner, right.cpu().numpy())
        return losses, correct
