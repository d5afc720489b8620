"""What a person sees on a terminal, and what a log file gets instead.

Progress and events go to the error stream; tables and next commands, or the result as JSON, to the output, so that
`luthier ... > file` keeps just the result. A stream that is not a terminal gets plain lines at sensible intervals.
Text of rows and models is shown with `visible`, so that it cannot move the cursor or set colours.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from luthier.report import MarkedText, Result, Table, visible, write_line
from luthier.reports.scale import number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

LOG_WIDTH = 120
EVERY_S, NOT_BEFORE_S = 30.0, 1.0
WORTH_SAYING_S = 2.0
WINDOW_S = 30.0
PACES = ("/s", "_per_second")
STYLES = {"warning": "yellow", "checkpoint": "dim", "model": "dim", "result": "green", "plan": "bold"}


@dataclass
class Task:
    """One running task and what is known of its pace. Times are seconds of a clock that never jumps."""

    name: str
    started: float
    done: float = 0.0
    total: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    seen: deque[tuple[float, float]] = field(default_factory=deque)

    def update(self, now: float, done: float, total: float | None, figures: Mapping[str, float]) -> None:
        """Takes in the newest word; the pace is measured over the last half minute."""
        self.done, self.total, self.figures = done, total, dict(figures)
        self.seen.append((now, done))
        while len(self.seen) > 2 and now - self.seen[1][0] > WINDOW_S:
            self.seen.popleft()

    @property
    def share(self) -> float | None:
        """The finished share from 0 to 1; None where the total is not known."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def over(self) -> bool:
        return self.total is not None and self.done >= self.total

    def rate(self) -> float:
        """Returns units per second over the last half minute, or nan before there is anything to divide."""
        (first, before), (last, after) = self.seen[0], self.seen[-1]
        return (after - before) / (last - first) if last > first else math.nan

    def left_s(self) -> float:
        """Returns the seconds to go at this pace; nan where they cannot be known."""
        rate = self.rate()
        return (self.total - self.done) / rate if self.total is not None and rate > 0 else math.nan

    def count(self) -> str:
        return number(self.done) if self.total is None else f"{number(self.done)}/{number(self.total)}"

    def words(self) -> list[str]:
        """Returns the figures and the pace as short words: "loss 1.23", "410 tokens/s"."""
        words = [_word(name, value) for name, value in self.figures.items()]
        paced = any(name.endswith(PACES) for name in self.figures)
        return words if paced or math.isnan(self.rate()) else [*words, f"{number(float(f'{self.rate():.3g}'))}/s"]


class Progress(Protocol):
    """Draws running tasks on one stream, and lines of text between them."""

    def update(self, task: Task) -> None:
        """Shows the newest state of `task`; the last call for it is the one where it is over."""

    def say(self, line: str, style: str = "") -> None:
        """Prints a line that stays."""

    def draw(self, table: Table) -> None:
        """Prints a table that stays."""

    def close(self) -> None:
        """Takes the moving part off the screen."""


class TerminalReport:
    """The `Report` of the command line: bars on a terminal, lines in a log, warnings only when `quiet`."""

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopped, self._quiet, self._clock = stopped, quiet, clock
        self._tasks: dict[str, Task] = {}
        self._losses: dict[str, float] = {}
        moving = is_terminal(stream) and not quiet
        self._show: Progress = LiveProgress(stream, self._tasks) if moving else LogProgress(stream, clock)

    def progress(self, task: str, done: float, total: float | None, figures: Mapping[str, float] | None = None) -> None:
        if self._quiet:
            return
        now = self._clock()
        state = self._tasks.setdefault(task, Task(task, now))
        state.update(now, done, total, self._losses | dict(figures or {}) if figures else {})
        if state.over:
            del self._tasks[task]
        self._show.update(state)

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Keeps the losses, to stand beside the figures of the running task."""
        self._losses.update({name: value for name, value in values.items() if name.endswith("loss")})

    def event(
        self, kind: str, message: str, *, table: Table | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        if self._quiet and kind != "warning":
            return
        self._show.say(f"warning: {message}" if kind == "warning" else message, STYLES.get(kind, ""))
        if table is not None:
            self._show.draw(table)

    def cancelled(self) -> bool:
        return self._stopped()

    def close(self) -> None:
        """Ends the drawing; what was said stays."""
        self._show.close()


class LogProgress:
    """Plain lines: a task speaks at every tenth or half minute, never twice within a second, and at its end."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock = stream, clock
        self._spoke: dict[str, tuple[float, int]] = {}

    def update(self, task: Task) -> None:
        now = self._clock()
        when, told = self._spoke.get(task.name, (task.started, 0))
        if task.over:
            if self._spoke.pop(task.name, None) or now - task.started >= WORTH_SAYING_S:
                self.say(ended(task, now))
            return
        tenth = math.floor((task.share or 0.0) * 10 + 1e-9)
        new = tenth > told and now - when >= NOT_BEFORE_S
        if new or now - when >= EVERY_S:
            self._spoke[task.name] = (now, tenth)
            self.say(running(task))

    def say(self, line: str, style: str = "") -> None:
        write_line(self._stream, visible(line))

    def draw(self, table: Table) -> None:
        draw(self._stream, [table])
        self.say("")

    def close(self) -> None:
        """Nothing moves: every line is written when it is said."""


class LiveProgress:
    """Bars that move, four times a second, below the lines that stay."""

    def __init__(self, stream: TextIO, tasks: Mapping[str, Task]) -> None:
        from rich.live import Live

        self._console, self._tasks = console(stream), tasks
        self._live = Live(console=self._console, get_renderable=self._bars, refresh_per_second=4, transient=True)

    def update(self, task: Task) -> None:
        if task.over:
            now = task.seen[-1][0]
            if now - task.started >= WORTH_SAYING_S:
                self.say(ended(task, now), "dim")
        elif not self._live.is_started:
            self._live.start()

    def say(self, line: str, style: str = "") -> None:
        from rich.text import Text

        self._console.print(Text(visible(line), style=style), soft_wrap=True)

    def draw(self, table: Table) -> None:
        for part in (*_table(table), ""):
            self._console.print(part)

    def close(self) -> None:
        self._live.stop()

    def _bars(self) -> RichTable:
        from rich.progress_bar import ProgressBar
        from rich.table import Table as RichTable
        from rich.text import Text

        grid = RichTable.grid(padding=(0, 2))
        for task in list(self._tasks.values()):
            left = f"{duration(task.left_s())} left" if not math.isnan(task.left_s()) else ""
            bar = ProgressBar(
                total=task.total, completed=task.done, width=24, pulse=task.total is None, complete_style="yellow"
            )
            words = [task.count(), *task.words(), left]
            grid.add_row(Text(visible(task.name)), bar, Text(visible("  ".join(word for word in words if word))))
        return grid


def is_terminal(stream: TextIO) -> bool:
    """Returns whether `stream` is a screen that understands cursor movements."""
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def console(stream: TextIO) -> Console:
    """Returns a console that shows text as it is: no markup, no guessed colours, no emoji codes."""
    from rich.console import Console

    width = None if stream.isatty() else int(os.environ.get("COLUMNS") or LOG_WIDTH)
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def show_result(stream: TextIO, result: Result) -> None:
    """Writes the tables of `result` and the commands that make sense next."""
    draw(stream, result.tables())
    commands = result.next_commands()
    if commands:
        stream.write("\nnext:\n" + "".join(f"  {visible(command)}\n" for command in commands))
    stream.flush()


def show_json(stream: TextIO, result: Result) -> None:
    """Writes `result` as JSON; a number that is not finite becomes null, as JSON knows no other."""
    stream.write(json.dumps(_finite(result.to_json()), ensure_ascii=False, indent=2) + "\n")
    stream.flush()


def draw(stream: TextIO, parts: Iterable[Table | MarkedText | str]) -> None:
    """Writes tables and marked texts, with colours where the stream shows them, and plain text as it is."""
    on = console(stream)
    for part in parts:
        if isinstance(part, str):
            stream.write(visible(part) + "\n")
            continue
        with on.capture() as drawn:
            for piece in _table(part) if isinstance(part, Table) else _marked(part, plain=on.color_system is None):
                on.print(piece)
        shown = drawn.get()
        stream.write(shown if on.is_terminal else re.sub(r" +$", "", shown, flags=re.MULTILINE))


def running(task: Task) -> str:
    """Returns the line of a task under way: "train: 120/600 (20 %), loss 2.31, 410/s, 1 min 10 s left"."""
    share = f" ({100 * task.share:.0f} %)" if task.share is not None else ""
    left = [f"{duration(task.left_s())} left"] if not math.isnan(task.left_s()) else []
    return ", ".join([f"{task.name}: {task.count()}{share}", *task.words(), *left])


def ended(task: Task, now: float) -> str:
    """Returns the line of a task that is over: "train: 600 in 2 min 3 s, loss 1.41"."""
    figures = [_word(name, value) for name, value in task.figures.items()]
    return ", ".join([f"{task.name}: {number(task.done)} in {duration(now - task.started)}", *figures])


def duration(seconds: float) -> str:
    """Returns a length of time for people: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min", "3 d 4 h"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, part, part_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {name} {rest} {part_name}" if rest else f"{whole // size} {name}"
    return f"{whole} s"


def _table(table: Table) -> Iterable[Any]:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, show_header=any(table.columns))
    for name, numeric in zip(table.columns, table.numeric(), strict=True):
        drawn.add_column(Text(visible(name)), justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in table.rows:
        drawn.add_row(*(Text(visible(cell)) for cell in row))
    if table.title:
        yield Text(f"\n{visible(table.title)}", style="bold")
    yield drawn
    if table.note:
        yield Text(visible(table.note), style="dim")


def _marked(text: MarkedText, *, plain: bool) -> Iterable[Any]:
    from rich.text import Text

    how = "trained between « »" if plain else "trained in colour"
    yield Text(f"\n{visible(text.label)} ({how})", style="bold")
    shown = Text()
    for piece, marked in _joined(text.pieces):
        style = "black on yellow" if marked else "dim"
        shown.append(f"«{visible(piece)}»" if plain and marked else visible(piece), style=style)
    yield shown


def _joined(pieces: Sequence[tuple[str, bool]]) -> Iterable[tuple[str, bool]]:
    """Yields neighbours of one kind as one piece."""
    run, kind = "", False
    for piece, marked in pieces:
        if run and marked != kind:
            yield run, kind
            run = ""
        run, kind = run + piece, marked
    if run:
        yield run, kind


def _word(name: str, value: float) -> str:
    if name.endswith(PACES):
        return f"{number(value)} {name.removesuffix('_per_second').removesuffix('/s')}/s"
    return f"{name.replace('_', ' ')} {number(value)}"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
