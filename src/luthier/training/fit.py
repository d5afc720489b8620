"""How a step is cut into passes so that it fits the memory at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from luthier.errors import CapacityError
from luthier.training.plan import size

CPU_BUDGET = 4096
"""Tokens of a pass beyond which a CPU gains nothing."""
DEVICE_BUDGET = 32_768
SHARE = 0.9
"""Of the available memory that a run may take."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The token budget of a pass, whether activations are recomputed, and the memory that takes."""

    max_tokens_per_pass: int
    gradient_checkpointing: bool
    memory_bytes: int
    available_bytes: int


def fit_passes(
    predict: Callable[[int, bool], int],
    *,
    available_bytes: int,
    longest: int,
    wanted_tokens: int | None,
    wanted_checkpointing: bool | None,
    on_cpu: bool,
) -> Fit:
    """Returns the largest passes that fit: `predict(tokens, checkpointing)` says the memory of a pass in bytes.

    What the user named is not changed. `CapacityError` when nothing fits says what would.
    """
    limit = available_bytes * SHARE
    budgets = [wanted_tokens] if wanted_tokens else _budgets(CPU_BUDGET if on_cpu else DEVICE_BUDGET, longest)
    choices = (False, True) if wanted_checkpointing is None else (wanted_checkpointing,)
    tried = None
    for checkpointing in choices:
        for tokens in budgets:
            tried = Fit(tokens, checkpointing, predict(max(tokens, longest), checkpointing), available_bytes)
            if tried.memory_bytes <= limit:
                return tried
    assert tried is not None
    raise CapacityError(
        f"the run needs about {size(tried.memory_bytes)}, and {size(available_bytes)} are available",
        where="memory",
        remedy=_remedy(predict, limit, longest, tried),
    )


def _budgets(start: int, longest: int) -> list[int]:
    budgets = []
    while start > longest:
        budgets.append(start)
        start //= 2
    return [*budgets, longest]


def _remedy(predict: Callable[[int, bool], int], limit: float, longest: int, tried: Fit) -> str:
    smallest = predict(longest, True)
    if smallest <= limit:
        return (
            f"leave max_tokens_per_pass and gradient_checkpointing to Luthier: passes of {longest:,} tokens with "
            f"gradient checkpointing take about {size(smallest)}"
        )
    shorter = longest
    while shorter > 64 and predict(shorter, True) > limit:
        shorter //= 2
    if predict(shorter, True) <= limit:
        return f"rows of at most {shorter:,} tokens would fit: --max-length {shorter} with --truncate or --drop-long"
    return "use a smaller model, train: lora instead of full, precision: bf16, or a machine with more memory"
