"""What an engine has done and is doing, in numbers: for `/metrics` and for tests. No torch here."""

from __future__ import annotations

import bisect
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

FIRST_TOKEN_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
NEXT_TOKEN_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Asked(Protocol):
    """What the figures need of a request's place in the engine."""

    asked_at: float
    told_at: float | None
    tokens: list[int]
    reused: int


@dataclass
class Histogram:
    """How many values were at most each of `bounds` (and how many in all), and their sum."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass
class Figures:
    """Counts since the engine began; `waiting` to `preemptions` as of its last pass."""

    clock: Callable[[], float] = time.perf_counter
    prompt_tokens: int = 0
    reused_tokens: int = 0
    completion_tokens: int = 0
    passes: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """Requests by how they ended: stop, length, answered, failed, left."""
    waiting: int = 0
    running: int = 0
    used_bytes: int = 0
    budget_bytes: int = 0
    kept_texts: int = 0
    preemptions: int = 0
    first_token: Histogram = field(default_factory=lambda: Histogram(FIRST_TOKEN_S))
    next_token: Histogram = field(default_factory=lambda: Histogram(NEXT_TOKEN_S))

    def began(self, request: Asked) -> None:
        """Counts a prompt that is about to be read."""
        self.prompt_tokens += len(request.tokens)
        self.reused_tokens += request.reused

    def token(self, request: Asked) -> None:
        """Counts a token of a reply, and the time since the one before it, or since the request came."""
        now = self.clock()
        self.completion_tokens += 1
        if request.told_at is None:
            self.first_token.add(now - request.asked_at)
        else:
            self.next_token.add(now - request.told_at)
        request.told_at = now
