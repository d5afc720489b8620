"""Many callers of one encoder at once: one thread computes, and rows of like length share a batch whoever sent them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from luthier.errors import BusyError, LuthierError

RowT = TypeVar("RowT")
ReadT = TypeVar("ReadT", contravariant=True)
MOST_ROWS = 8_192
"""That wait, of all callers; one caller alone may bring more."""
FULLEST = 2
"""A batch computes at most so many times the tokens that it has: the rest is filling."""


class Encoder(Protocol[ReadT]):
    """A model that makes a row of numbers of each row of tokens. `tokens_at_once` bounds a batch, filling counted."""

    name: str
    tokens_at_once: int

    def length(self, row: ReadT) -> int:
        """Returns how many tokens a row has."""

    def encode(self, rows: Sequence[ReadT]) -> Tensor:
        """Returns what the model makes of rows that are computed together, (B, D) on the CPU."""


class _Caller(Generic[RowT]):
    """The rows of one caller: those that wait, and what was made of the others."""

    def __init__(self, rows: Sequence[RowT], encoder: Encoder[RowT]) -> None:
        self.rows, self.lengths = rows, [encoder.length(row) for row in rows]
        self.waiting = set(range(len(rows)))
        self.made: dict[int, Tensor] = {}
        self.answer: Future[Tensor] = Future()

    def next(self) -> int:
        """Returns the first row that waits."""
        return min(self.waiting)

    def take(self, made: dict[int, Tensor]) -> None:
        """Keeps what was made of rows; answers with the last ones, in the order of the rows."""
        self.made |= made
        if len(self.made) == len(self.rows):
            _settle(self.answer, torch.stack([self.made[index] for index in range(len(self.rows))]))


class Service(Generic[RowT]):
    """Computes for everyone who asks; callers take turns, and a batch is filled up with what is about as long.

    `turn` is held while the model computes: models that share a machine take turns.
    """

    def __init__(self, encoder: Encoder[RowT], turn: AbstractContextManager[Any] | None = None) -> None:
        self.encoder, self._turn = encoder, turn or nullcontext()
        self._callers: deque[_Caller[RowT]] = deque()
        self._bell, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._work, name=f"encoder {encoder.name}", daemon=True)
        self._thread.start()

    def ask(self, rows: Sequence[RowT]) -> Future[Tensor]:
        """Returns what will be (N, D), one for each row in their order; cancelled, it is given up.

        `BusyError` when too many rows wait already.
        """
        caller = _Caller(rows, self.encoder)
        if not rows:
            raise ValueError("there are no rows")
        with self._bell:
            if self._closed:
                raise BusyError(f"{self.encoder.name} has just been unloaded", remedy="try again")
            waiting = sum(len(one.waiting) for one in self._callers)
            if waiting and waiting + len(rows) > MOST_ROWS:
                raise BusyError(
                    f"{waiting} texts wait for {self.encoder.name}, and {MOST_ROWS} may", remedy="try again in a moment"
                )
            self._callers.append(caller)
            self._bell.notify()
        return caller.answer

    def close(self) -> None:
        """Ends the thread once what waits has been computed; from here on nothing is taken."""
        with self._bell:
            self._closed = True
            self._bell.notify()

    def _work(self) -> None:
        while (batch := self._batch()) is not None:
            rows = [caller.rows[index] for caller, index in batch]
            made: dict[_Caller[RowT], dict[int, Tensor]] = {caller: {} for caller, _ in batch}
            try:
                with self._turn:
                    found = self.encoder.encode(rows)
                for (caller, index), vector in zip(batch, found, strict=True):
                    made[caller][index] = vector
            except Exception as error:
                self._drop(made, error)
                continue
            for caller, some in made.items():
                caller.take(some)

    def _batch(self) -> list[tuple[_Caller[RowT], int]] | None:
        """Returns the rows to be computed next, which wait no longer; None once the service is closed and all is done.

        The caller whose turn it is has its first row in it, and goes to the end of the queue.
        """
        with self._bell:
            while True:
                self._callers = deque(one for one in self._callers if one.waiting and not one.answer.cancelled())
                if self._callers:
                    break
                if self._closed:
                    return None
                self._bell.wait()
            self._callers.rotate(-1)
            first = self._callers[-1]
            batch = self._around(first, first.next())
            for caller, index in batch:
                caller.waiting.remove(index)
            return batch

    def _around(self, first: _Caller[RowT], place: int) -> list[tuple[_Caller[RowT], int]]:
        """Returns a batch of that row and of the waiting rows that are nearest to it in length."""
        length = first.lengths[place]
        near = sorted(
            (
                (caller, index)
                for caller in self._callers
                for index in caller.waiting
                if (caller, index) != (first, place)
            ),
            key=lambda one: abs(one[0].lengths[one[1]] - length),
        )
        batch, longest, total = [(first, place)], length, length
        for caller, index in near:
            longest, total = max(longest, caller.lengths[index]), total + caller.lengths[index]
            if longest * (len(batch) + 1) > min(self.encoder.tokens_at_once, FULLEST * total):
                break
            batch.append((caller, index))
        return batch

    def _drop(self, callers: dict[_Caller[RowT], Any], error: Exception) -> None:
        """Ends the callers of a batch that could not be computed with its error; the others' rows are still made."""
        if not isinstance(error, LuthierError):
            error.add_note("while texts were computed together; every caller with a text among them gets this error")
        with self._bell:
            for caller in callers:
                caller.waiting.clear()
                _settle(caller.answer, error)


def _settle(answer: Future[Tensor], found: Tensor | Exception) -> None:
    """Gives an answer to whoever waits for it; who has given it up meanwhile gets none."""
    if answer.set_running_or_notify_cancel():
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)
