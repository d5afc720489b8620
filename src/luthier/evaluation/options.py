"""Options of the evaluation room: what is measured and on how many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from luthier.config import Options


class ScoreOptions(Options):
    """How replies are scored."""

    title = "Scores"
    hints: ClassVar[Mapping[str, str]] = {"metrics": "write metric", "task": "write metric"}
    metric: tuple[str, ...] = Field(
        default=(),
        max_length=16,
        description="what a reply is scored by; the first decides; chosen by the data when none is named",
    )
    resamples: int = Field(default=10_000, ge=200, le=1_000_000, description="resamples of each bootstrap interval")
