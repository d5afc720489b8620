"""Options of the evaluation room: what is measured and on how many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

from pydantic import Field

from luthier.config import ModelName, Options

Leg = Literal["vector", "text", "hybrid", "rrf"]
LEGS: tuple[Leg, ...] = get_args(Leg)


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


class RankingOptions(Options):
    """How stores are searched, where the systems are stores (store:NAME)."""

    title = "Stores (store:NAME)"
    k: tuple[int, ...] = Field(default=(1, 3, 5, 10), min_length=1, max_length=20, description="passages that are read")
    legs: tuple[Leg, ...] = Field(
        default=("vector", "text", "hybrid"),
        min_length=1,
        description="by vectors, by words, by both joined by scores (hybrid) or by ranks (rrf)",
    )
    weight: tuple[float, ...] = Field(
        default=(), max_length=20, description="further shares of the vectors in the joined score, each measured"
    )
    passage_tokens: tuple[int, ...] = Field(
        default=(), max_length=10, description="further lengths of passages, each in an index for the occasion"
    )
    embedder: tuple[ModelName, ...] = Field(
        default=(), max_length=10, description="further embedders, each in an index for the occasion"
    )
    rerank: tuple[ModelName, ...] = Field(
        default=(), max_length=5, description="cross-encoders that order what both find anew, each measured"
    )
