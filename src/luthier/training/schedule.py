"""The learning rate as a function of the step: nothing to save, nothing to restore."""

from __future__ import annotations

import math

from luthier.training.options import TrainingOptions


def warmup_length(options: TrainingOptions, total_steps: int) -> int:
    """Returns the steps over which the learning rate rises."""
    if options.warmup_steps is not None:
        return min(options.warmup_steps, total_steps)
    return math.ceil(options.warmup_ratio * total_steps)


def learning_rate(options: TrainingOptions, peak: float, step: int, total_steps: int) -> float:
    """Returns the learning rate of `step` (from 0): linear warm-up to `peak`, then cosine or linear to 0, or constant.

    The first step already learns (peak / warm-up) and the last one still does (the zero lies one step after it).
    """
    warmup = warmup_length(options, total_steps)
    if step < warmup:
        return peak * (step + 1) / warmup
    if options.lr_scheduler_type == "constant":
        return peak
    done = (step - warmup) / max(1, total_steps - warmup)
    if options.lr_scheduler_type == "linear":
        return peak * (1 - done)
    return peak * 0.5 * (1 + math.cos(math.pi * done))
