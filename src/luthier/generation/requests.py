"""What else than a reply the engine is asked for: the scores of given tokens, and the state at the end of a text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from luthier.generation.sample import Drawn


class Scoring:
    """The log-probabilities of `continuation` after `prompt`, and the `ranked` likeliest tokens in each place."""

    remaining = 0

    def __init__(
        self, prompt: Sequence[int], continuation: Sequence[int], ranked: int, *, scope: Hashable = None,
        adapter: str | None = None,
    ) -> None:  # fmt: skip
        self.tokens = [*prompt, *continuation[:-1]]
        self.scope, self.adapter, self.ranked = scope, adapter, ranked
        self.abandoned = False
        self.found: list[Drawn] = []
        self.targets = tuple(continuation)
        self._first = len(prompt) - 1

    @property
    def reusable(self) -> int:
        """How many tokens another text may have read: those after which no score is wanted."""
        return self._first

    def kept(self, start: int, end: int) -> Sequence[int]:
        """Returns the places, of those from `start` to `end`, after which logits are wanted."""
        return range(max(start, self._first + len(self.found)), end)

    @property
    def due(self) -> Sequence[int]:
        """The tokens that have no score yet."""
        return self.targets[len(self.found) :]

    @property
    def is_done(self) -> bool:
        return len(self.found) == len(self.targets)


class Encoding:
    """The model's last hidden state at the end of a text: `found` (d,), in fp32."""

    remaining = 0

    def __init__(self, tokens: Sequence[int], *, scope: Hashable = None, adapter: str | None = None) -> None:
        self.tokens = list(tokens)
        self.scope, self.adapter = scope, adapter
        self.abandoned = False
        self.found: Any = None

    @property
    def reusable(self) -> int:
        """How many tokens another text may have read: all but the last."""
        return len(self.tokens) - 1

    def kept(self, start: int, end: int) -> Sequence[int]:
        """Returns the last place, where it is among those from `start` to `end`."""
        last = len(self.tokens) - 1
        return (last,) if start <= last < end else ()
