"""What the training loop asks of an objective, and the objectives by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from luthier.registry import Registry

if TYPE_CHECKING:
    import torch

    from luthier.objectives.language import Loss

OBJECTIVES = Registry(
    "luthier.objectives",
    {"sft": "luthier.objectives.language:for_model", "clm": "luthier.objectives.language:for_model"},
)
"""Method name -> a function (model, sample rows) -> Objective."""


class Objective(Protocol):
    """From rows to a loss. The loop packs, accumulates and steps; an objective only says what is minimised."""

    def count(self, rows: Sequence[Any]) -> int:
        """Returns the denominator that the rows of one optimizer step share."""

    def collate(self, rows: Sequence[Any]) -> Any:
        """Returns the batch of one forward pass; it has `to(device)`."""

    def loss(self, model: torch.nn.Module, batch: Any, denominator: int) -> Loss:
        """Returns the batch's share of the step's loss."""
