"""What a run will do, said before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luthier.report import Table


@dataclass(frozen=True, slots=True)
class Plan:
    """The figures of a run that are known before it starts. Sizes in bytes."""

    method: str
    model: str
    train: str
    rows: Mapping[str, int]
    """Rows per split: train, validation, test."""
    sequences: int
    tokens: int
    labelled: int
    truncated_rows: int
    dropped_rows: int
    split_rows: int
    heldout_truncated_rows: int
    heldout_dropped_rows: int
    trainable_parameters: int
    total_parameters: int
    steps: int
    batch_size: int
    max_tokens_per_pass: int
    gradient_checkpointing: bool
    packing: bool
    learning_rate: float
    precision: str
    device: str
    memory_bytes: int
    available_bytes: int
    seconds: float
    """Predicted time of training and its evaluations, on this machine while nothing else runs."""
    notes: tuple[str, ...] = ()

    @property
    def epochs(self) -> float:
        """Passes over the training sequences."""
        return self.steps * self.batch_size / max(1, self.sequences)

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as JSON values."""
        names = type(self).__dataclass_fields__
        return {name: getattr(self, name) for name in names} | {"epochs": self.epochs}

    def table(self) -> Table:
        """Returns the plan as people read it."""
        share = self.trainable_parameters / max(1, self.total_parameters)
        lines = [
            ("rows", ", ".join(f"{count:,} {name}" for name, count in self.rows.items())),
            ("training tokens", f"{self.tokens:,}, of which {self.labelled:,} carry loss"),
            ("changed rows", self._changed()),
            (
                "trained",
                f"{self.train}: {self.trainable_parameters:,} of {self.total_parameters:,} ({100 * share:.2f} %)",
            ),
            ("steps", f"{self.steps:,} of {self.batch_size:,} rows ({self.epochs:.2g} epochs)"),
            ("passes", f"up to {self.max_tokens_per_pass:,} tokens{'' if self.packing else ', one row each'}"),
            ("learning rate", f"{self.learning_rate:g}"),
            ("computed in", f"{self.precision} on {self.device}"),
            ("time", f"about {duration(self.seconds)}; the answers of held-out rows come on top"),
            ("memory", f"about {size(self.memory_bytes)} of {size(self.available_bytes)} available"),
        ]
        if self.gradient_checkpointing:
            lines.append(("gradient checkpointing", "on: activations are computed twice to save memory"))
        return Table(f"Plan: {self.method} of {self.model}", ("", ""), tuple(lines), note="; ".join(self.notes))

    def _changed(self) -> str:
        counts = {
            "truncated": self.truncated_rows,
            "dropped": self.dropped_rows,
            "cut into one sequence per reply": self.split_rows,
        }
        said = [f"{count:,} {what}" for what, count in counts.items() if count]
        held = {"truncated": self.heldout_truncated_rows, "dropped": self.heldout_dropped_rows}
        said_held = [f"{count:,} {what}" for what, count in held.items() if count]
        parts = [*([", ".join(said)] if said else []), *([f"held out: {', '.join(said_held)}"] if said_held else [])]
        return "; ".join(parts) or "none: no row is truncated or dropped"


def size(count: float) -> str:
    """Returns a number of bytes as people read it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def duration(seconds: float) -> str:
    """Returns seconds as people read them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
