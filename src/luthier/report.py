"""The only channel out of a verb: progress, metrics, events, and the question whether to stop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from luthier.errors import disk_is_full


@dataclass(frozen=True, slots=True)
class Table:
    """A small table of text that a terminal, an HTML page and a test can each draw."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def numeric(self) -> tuple[bool, ...]:
        """Returns for each column whether its filled cells all begin as numbers do, so that it is aligned right."""
        cells = [[row[index] for row in self.rows if row[index].strip()] for index in range(len(self.columns))]
        return tuple(bool(column) and all(_NUMBER.match(cell.strip()) for cell in column) for column in cells)


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A stretch of text as `pieces` (one per token), each with whether it is marked: trained, for a row of tokens."""

    label: str
    pieces: tuple[tuple[str, bool], ...]


class Result(Protocol):
    """What a verb returns: figures for programs, tables for people, and the commands that make sense next."""

    def to_json(self) -> dict[str, Any]:
        """Returns the result as plain JSON values; a number that is not finite is shown as null."""

    def tables(self) -> Sequence[Table | MarkedText | str]:
        """Returns what a person wants to see at the end, in order; text is shown as it is."""

    def next_commands(self) -> Sequence[str]:
        """Returns whole commands to go on with, ready to be pasted; none when there is nothing to suggest."""


def write_line(stream: TextIO, line: str) -> None:
    """Writes a line of a log at once; where its disk is full the line is dropped: work does not end for want of it."""
    try:
        stream.write(line + "\n")
        stream.flush()
    except OSError as error:
        if not disk_is_full(error):
            raise


class Report(Protocol):
    """What a verb may say while it runs. The command line draws it, a job store saves it, a test lists it."""

    def progress(self, task: str, done: float, total: float | None, figures: Mapping[str, float] | None = None) -> None:
        """`done` of `total` units of `task` are finished; `figures` are shown beside the bar (rate, loss)."""

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of one optimizer step."""

    def event(
        self, kind: str, message: str, *, table: Table | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        """Something worth saying once: kind is one of "plan", "info", "warning", "checkpoint", "model", "result"."""

    def cancelled(self) -> bool:
        """Whether the work has been asked to stop; a verb saves what it has and raises `Interrupted`."""


@dataclass
class ListReport:
    """Keeps everything it is told, for tests and for callers that draw later."""

    metrics: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    data: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    tasks: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    stop: bool = False

    def progress(self, task: str, done: float, total: float | None, figures: Mapping[str, float] | None = None) -> None:
        self.tasks[task] = (done, total)

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        self.metrics.append((step, dict(values)))

    def event(
        self, kind: str, message: str, *, table: Table | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        self.events.append((kind, message))
        if data is not None:
            self.data.append((kind, data))
        if table is not None:
            self.tables.append(table)

    def cancelled(self) -> bool:
        return self.stop


_NUMBER = re.compile(r"^[(\[]?[-+−±~<>≤≥]?\s?[$€£]?\d|^(nan|inf|-|–|—)$", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Returns `text` with every character that could act on a screen instead of showing (control characters, bidi
    overrides, half surrogates) written out as its code; tabs and newlines stay, a carriage return before one goes."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text.replace("\r\n", "\n"))
