"""Which texts take part in the next pass, and with how many tokens: iteration-level scheduling (Yu et al. 2022, Orca).

Texts that are being written come first, one token each; what is left of a pass's tokens reads prompts, the oldest
first, in pieces. When memory runs out, ended texts are let go, then the youngest running one starts again later: the
oldest always goes on, so everything ends.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from luthier.generation.memory import Row, StateMemory
from luthier.generation.prefixes import BLOCK, Held, Prefixes

PASS_TOKENS: Mapping[str, int] = {"cpu": 512, "cuda": 4096}
"""By device: tokens that one pass takes in at most, unless more texts than that are being written. A GPU needs some
thousands to be busy; more would only keep those that are being written waiting."""
_SPARE = 32
"""Tokens of the reply that a new text's row has room for from the start."""


class Request(Protocol):
    """What somebody waits for: a text to be written, scored or encoded."""

    abandoned: bool

    @property
    def scope(self) -> Hashable: ...
    @property
    def adapter(self) -> str | None: ...
    @property
    def remaining(self) -> int: ...
    @property
    def reusable(self) -> int: ...
    def kept(self, start: int, end: int) -> Sequence[int]: ...


@dataclass(eq=False, kw_only=True)
class Seat(Held):
    """A request in the engine. `tokens` are prompt and reply so far; those from `filled` on have not been read."""

    request: Request
    arrival: int = 0
    reused: int = 0
    """Tokens at the beginning that another text had read already."""
    begun: bool = False
    asked_at: float = 0.0
    told_at: float | None = None
    """When the request came, and when its last token did, in seconds of the engine's clock."""

    @property
    def pending(self) -> int:
        return len(self.tokens) - self.filled


@dataclass(frozen=True, slots=True)
class Share:
    """What a text does in a pass: its next `count` tokens are read."""

    seat: Seat
    count: int


class Scheduler:
    """The texts that wait and those that run. `chunks` tells whether prompts may be cut into pieces.

    Logits are wanted after no more than `most_logits` tokens of a pass, where prompts may be cut; and so no more texts
    run.
    """

    def __init__(
        self,
        memory: StateMemory,
        *,
        reuse: bool,
        chunks: bool,
        most_logits: int,
        pass_tokens: int = PASS_TOKENS["cpu"],
        freed: Callable[[Row], None] = lambda row: None,
    ) -> None:
        self.memory, self.prefixes = memory, Prefixes()
        self.waiting: deque[Seat] = deque()
        self.running: list[Seat] = []
        self.preemptions = 0
        self._reuse, self._chunks, self._most, self._pass_tokens = reuse, chunks, most_logits, pass_tokens
        self._freed = freed
        self._arrivals = 0

    def add(self, seat: Seat) -> None:
        """Takes a new text in."""
        self._arrivals += 1
        seat.arrival = self._arrivals
        self.waiting.append(seat)

    def plan(self) -> list[Share]:
        """Returns who takes part in the next pass; nobody only where nobody waits or runs."""
        # the only text that could take part may have had to make room for itself: then there is room now
        return self._shares() or self._shares()

    def _shares(self) -> list[Share]:
        shares, left = [], self._pass_tokens
        room = self._most - sum(seat.pending == 1 for seat in self.running)
        for seat in list(self.running):
            if seat.row is None:
                continue  # had to make room
            writing = seat.pending == 1
            count = seat.pending if writing or not self._chunks else _piece(seat, max(0, left), room)
            if count and self._has_room(seat, seat.filled + count):
                shares.append(Share(seat, count))
                left, room = left - count, room - (0 if writing else _logits(seat, count))
        for seat in self._admitted(left):
            count = max(1, _piece(seat, left, room)) if self._chunks else seat.pending
            if self._has_room(seat, seat.filled + count):
                shares.append(Share(seat, count))
                left, room = left - count, room - _logits(seat, count)
        return [share for share in shares if share.seat.row is not None]

    def finish(self, seat: Seat, *, keep: bool = True) -> None:
        """Lets a text go; with `keep` what has been read of it may serve others."""
        if seat in self.running:
            self.running.remove(seat)
        elif seat in self.waiting:
            self.waiting.remove(seat)
        if seat.row is None:
            return
        if keep and self._reuse and seat.filled:
            self.prefixes.retire(seat)
        else:
            self._release(seat)

    def _admitted(self, left: int) -> list[Seat]:
        """Moves waiting texts to the running ones, as many as there are tokens and memory for."""
        admitted: list[Seat] = []
        for seat in list(self.waiting):
            if len(self.running) >= self._most or left <= 0:
                break
            found = self._beginning(seat)
            if found is not None and found[0].filled < found[1] and not self.prefixes.is_ended(found[0]):
                continue  # what they have in common is being read: wait for that
            if not self._admit(seat, found):
                break
            self.waiting.remove(seat)
            bisect.insort(self.running, seat, key=lambda one: one.arrival)
            admitted.append(seat)
            left -= seat.pending
        return admitted

    def _beginning(self, seat: Seat) -> tuple[Held, int] | None:
        """Returns a text that begins alike, and how many of its tokens need not be read again."""
        most = seat.request.reusable
        found = self.prefixes.find(seat.scope, seat.tokens) if self._reuse and most >= BLOCK else None
        return None if found is None else (found[0], min(found[1], most))

    def _admit(self, seat: Seat, found: tuple[Held, int] | None) -> bool:
        """Gives a text a row, with what it has in common with `found`; False where there is no memory for it now."""
        text, count = found if found is not None else (None, 0)
        if text is not None:
            count = min(count, text.filled)
            self.prefixes.touch(text)
        if text is not None and text.row is not None and self.prefixes.is_ended(text) and count == text.filled:
            seat.row, text.row = text.row, None  # the new text goes on where the old one ended
            self.prefixes.forget(text)
        else:
            more = seat.request.remaining  # what cannot be read in pieces cannot move to a longer row
            wanted = len(seat.tokens) + (min(more, _SPARE) if self._chunks else more)
            row = self._take(min(wanted, self.memory.longest))
            if row is None:
                return False
            seat.row = row
            if text is not None and text.row is not None:
                self.memory.copy(text.row, row, count)
            else:
                count = 0
        seat.filled = seat.reused = count
        if self._reuse:
            self.prefixes.add(seat)
        return True

    def _has_room(self, seat: Seat, tokens: int) -> bool:
        """Moves a text to a longer row where it needs one; False when it had to make room itself."""
        assert seat.row is not None
        while seat.row.capacity < tokens:
            row = self._take(tokens)
            if row is not None:
                self.memory.copy(seat.row, row, seat.filled)
                self._give_back(seat.row)
                seat.row = row
                continue
            youngest = self.running[-1]
            self._preempt(youngest)
            if youngest is seat:
                return False
        return True

    def _take(self, tokens: int) -> Row | None:
        """Returns a row, for which ended texts are let go where need be."""
        while (row := self.memory.take(tokens)) is None:
            text = self.prefixes.oldest()
            if text is None:
                return None
            self._release(text)
        return row

    def _preempt(self, seat: Seat) -> None:
        """Takes a text's memory away; it waits at the front, and is read again from its beginning."""
        self.preemptions += 1
        self.running.remove(seat)
        self._release(seat)
        seat.filled = 0
        self.waiting.appendleft(seat)

    def _release(self, text: Held) -> None:
        self.prefixes.forget(text)
        if text.row is not None:
            self._give_back(text.row)
            text.row = None

    def _give_back(self, row: Row) -> None:
        self.memory.give_back(row)
        self._freed(row)


def _logits(seat: Seat, count: int) -> int:
    """Returns after how many of the next `count` tokens of a text logits are wanted."""
    return len(seat.request.kept(seat.filled, seat.filled + count))


def _piece(seat: Seat, tokens: int, logits: int) -> int:
    """Returns how many of a text's next tokens are read where there is room for so many of them, and their logits."""
    count = min(seat.pending, tokens)
    return count - max(0, _logits(seat, count) - logits) if count > 0 else 0
