"""How a step is cut into passes so that it fits the memory at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from luthier.models.memory import MemoryPlan, fits

CPU_BUDGET = 4096
"""Tokens of a pass beyond which a CPU gains nothing."""
DEVICE_BUDGET = 32_768


@dataclass(frozen=True, slots=True)
class Fit:
    """The token budget of a pass, whether activations are recomputed, and the memory that takes."""

    max_tokens_per_pass: int
    gradient_checkpointing: bool
    memory: MemoryPlan


def fit_passes(
    predict: Callable[[int, bool], MemoryPlan],
    *,
    free_bytes: int,
    budgets: Sequence[int],
    checkpointing: Sequence[bool],
) -> Fit | None:
    """Returns the first of `budgets` (tokens, largest first) that fits, recomputing activations only when none does
    without; None when nothing fits. `predict(tokens, checkpointing)` says what a pass takes."""
    for recompute in checkpointing:
        for tokens in budgets:
            memory = predict(tokens, recompute)
            if fits(memory, free_bytes):
                return Fit(tokens, recompute, memory)
    return None


def token_budgets(longest: int, *, on_cpu: bool) -> list[int]:
    """Returns the budgets to try, largest first: halving from what the device can use down to the longest row."""
    start, budgets = CPU_BUDGET if on_cpu else DEVICE_BUDGET, []
    while start > longest:
        budgets.append(start)
        start //= 2
    return [*budgets, longest]
