"""The only channel out of a verb: progress, metrics, events, and the question whether to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Table:
    """A small table of text that a terminal, an HTML page and a test can each draw."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Report(Protocol):
    """What a verb may say while it runs. The command line draws it, a job store saves it, a test lists it."""

    def progress(self, task: str, done: float, total: float | None, figures: Mapping[str, float] | None = None) -> None:
        """`done` of `total` units of `task` are finished; `figures` are shown beside the bar (rate, loss)."""

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of one optimizer step."""

    def event(
        self, kind: str, message: str, *, table: Table | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        """Something worth saying once: kind is one of "plan", "info", "warning", "checkpoint", "result"."""

    def cancelled(self) -> bool:
        """Whether the work has been asked to stop; a verb saves what it has and raises `Interrupted`."""


@dataclass
class ListReport:
    """Keeps everything it is told, for tests and for callers that draw later."""

    metrics: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
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
        if table is not None:
            self.tables.append(table)

    def cancelled(self) -> bool:
        return self.stop
