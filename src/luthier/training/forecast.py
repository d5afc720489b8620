"""How long a run will take, said before it starts."""

from __future__ import annotations

import math

from luthier.models.opening import Opened
from luthier.models.operations import Operations, ceiling
from luthier.training.loop import every, total_steps
from luthier.training.options import TuningOptions
from luthier.training.prepare import Prepared

EFFICIENCY = 0.5
"""Share of the machine's matrix ceiling that training reaches: measured, see the log of benchmarks."""


def forecast(work: Operations, rows: Prepared, spec: TuningOptions, opened: Opened, *, recompute: bool) -> float:
    """Returns the predicted seconds of training and its evaluations, from a quick measure of the machine."""
    tokens, counts = rows.train.tokens, rows.train.counts
    steps = total_steps(spec, counts.sequences)
    epochs = steps * spec.batch_size / max(1, counts.sequences)
    total = epochs * work.training(tokens.lengths, counts.labelled, recompute=recompute)
    if rows.validation is not None:
        held = rows.validation
        evaluations = math.ceil(steps / every(spec, steps)[0])
        total += evaluations * work.reading(held.tokens.lengths, held.counts.labelled)
    return total / (EFFICIENCY * ceiling(opened.dtype, opened.device))
