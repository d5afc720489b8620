from __future__ import annotations

import io
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.report import MarkedText, Table
from luthier.terminal import Task, TerminalReport, draw, duration, show_json, show_result

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass
class Clock:
    """A clock that the test turns."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """A result with one table, one marked text and two commands."""

    shown: list[Table | MarkedText] = field(
        default_factory=lambda: [Table("Scores", ("metric", "value"), (("F1", "0.5"),), "a note")]
    )
    commands: tuple[str, ...] = ("luthier chat runs/1",)

    def to_json(self) -> dict[str, Any]:
        return {"loss": math.nan, "rows": [1, math.inf, "é"], "deep": {"x": (1.5, None)}}

    def tables(self) -> list[Table | MarkedText]:
        return self.shown

    def next_commands(self) -> tuple[str, ...]:
        return self.commands


def run(report: TerminalReport, clock: Clock, *, total: int, seconds: float) -> None:
    report.progress("train", 0, total)
    for step in range(1, total + 1):
        clock.now += seconds / total
        report.metric(step, {"loss": 1 / step, "learning_rate": 1e-4})
        report.progress("train", step, total, {"tokens_per_second": 1234.0})


def logged(*, total: int, seconds: float, quiet: bool = False) -> list[str]:
    stream, clock = io.StringIO(), Clock()
    run(TerminalReport(stream, quiet=quiet, clock=clock), clock, total=total, seconds=seconds)
    assert not CONTROL.search(stream.getvalue())
    return stream.getvalue().splitlines()


def test_a_log_gets_a_line_for_every_tenth_and_one_at_the_end() -> None:
    lines = logged(total=1000, seconds=100)
    assert len(lines) == 10
    assert lines[0] == "train: 100/1,000 (10 %), loss 0.01, 1,234 tokens/s, 1 min 30 s left"
    assert lines[-1] == "train: 1,000 in 1 min 40 s, loss 0.001, 1,234 tokens/s"


def test_a_slow_task_speaks_every_half_minute() -> None:
    assert len(logged(total=1000, seconds=3000)) == pytest.approx(100, abs=2)


def test_a_quick_task_says_nothing_and_a_short_one_only_its_end() -> None:
    assert logged(total=1000, seconds=0.5) == []
    assert [line.split(",")[0] for line in logged(total=20, seconds=2.5)][-1] == "train: 20 in 2.5 s"


def test_a_quiet_log_keeps_warnings_only() -> None:
    assert logged(total=1000, seconds=1000, quiet=True) == []
    stream = io.StringIO()
    report = TerminalReport(stream, quiet=True)
    report.event("plan", "a plan", table=Table("t", ("a",), (("1",),)))
    report.event("warning", "cut\x1b[2J")
    assert stream.getvalue() == "warning: cut⟨U+001B⟩[2J\n"


def test_events_draw_their_tables() -> None:
    stream = io.StringIO()
    TerminalReport(stream).event("plan", "a plan", table=Table("Plan", ("what", "n"), (("rows", "12"), ("x", "3"))))
    assert stream.getvalue().splitlines() == [
        "a plan",
        "",
        "Plan",
        "what    n",
        "─────────",
        "rows   12",
        "x       3",
        "",
    ]


def test_cancelled_asks_whoever_knows() -> None:
    asked = [False]
    report = TerminalReport(io.StringIO(), stopped=lambda: asked[0])
    assert not report.cancelled()
    asked[0] = True
    assert report.cancelled()


def test_a_screen_gets_bars_and_keeps_the_lines_that_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    stream, clock = Screen(), Clock()
    report = TerminalReport(stream, clock=clock)
    report.event("warning", "3 rows were cut")
    run(report, clock, total=50, seconds=25)
    report.progress("save", 1, 4)
    report.close()
    shown = stream.getvalue()
    assert "━" in shown
    assert "\x1b[33mwarning: 3 rows were cut" in shown
    assert "train: 50 in 25 s" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor comes back


def test_a_dumb_terminal_is_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream, clock = Screen(), Clock()
    run(TerminalReport(stream, clock=clock), clock, total=10, seconds=20)
    assert len(stream.getvalue().splitlines()) == 10
    assert not CONTROL.search(stream.getvalue())


@given(st.lists(st.tuples(st.floats(0.001, 100), st.floats(0, 1000)), min_size=1, max_size=50))
def test_the_pace_is_never_negative_and_time_left_fits_it(steps: list[tuple[float, float]]) -> None:
    task, now, done = Task("t", 0.0), 0.0, 0.0
    for wait, more in steps:
        now, done = now + wait, done + more
        task.update(now, done, 1e6, {})
    assert math.isnan(task.rate()) or task.rate() >= 0
    left = task.left_s()
    assert math.isnan(left) or left == pytest.approx((1e6 - done) / task.rate())


def test_the_pace_of_a_resumed_task_counts_only_what_was_done_now() -> None:
    task = Task("train", 0.0)
    task.update(0.0, 900, 1000, {})
    task.update(10.0, 910, 1000, {})
    assert task.left_s() == pytest.approx(90)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3599.7, "1 h"),
        (7800, "2 h 10 min"), (100000, "1 d 3 h"),
    ],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_the_result_is_tables_and_what_to_do_next() -> None:
    stream = io.StringIO()
    show_result(stream, Answer())
    assert stream.getvalue().splitlines() == [
        "", "Scores", "metric   value", "──────────────", "F1         0.5", "a note",
        "", "next:", "  luthier chat runs/1",
    ]  # fmt: skip


def test_json_has_no_numbers_that_json_does_not_know() -> None:
    stream = io.StringIO()
    show_json(stream, Answer())
    assert json.loads(stream.getvalue()) == {"loss": None, "rows": [1, None, "é"], "deep": {"x": [1.5, None]}}


def test_plain_text_of_a_result_is_shown_as_it_is() -> None:
    stream = io.StringIO()
    draw(stream, ["a reply " * 40 + "\x1b[2J"])
    assert stream.getvalue() == "a reply " * 40 + "⟨U+001B⟩[2J\n"


ROW = MarkedText("row 1", (("<|user|>Hi\n", False), ("Go", True), ("od\x1b[2J", True), ("\u202e", False)))


def test_marked_text_is_coloured_on_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Screen()
    draw(stream, [ROW])
    assert "row 1 (trained in colour)" in stream.getvalue()
    assert "\x1b[30;43mGood⟨U+001B⟩[2J\x1b[0m" in stream.getvalue()


def test_marked_text_is_bracketed_in_a_log() -> None:
    stream = io.StringIO()
    draw(stream, [ROW])
    assert stream.getvalue() == "\nrow 1 (trained between « »)\n<|user|>Hi\n«Good⟨U+001B⟩[2J»⟨U+202E⟩\n"


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_no_text_of_a_row_acts_on_the_terminal(one: str, other: str) -> None:
    stream = io.StringIO()
    draw(stream, [Table(one, (one, "n"), ((other, "1"),), other), MarkedText(one, ((other, True), (one, False)))])
    assert not CONTROL.search(stream.getvalue())


def test_a_table_of_nameless_columns_has_no_head() -> None:
    stream = io.StringIO()
    draw(stream, [Table("Row 1", ("", ""), (("asked", "why"), ("said", "so")))])
    assert stream.getvalue().splitlines() == ["", "Row 1", "asked   why", "said    so"]


def test_long_cells_are_folded_and_lose_nothing() -> None:
    stream = io.StringIO()
    draw(stream, [Table("", ("text",), (("abc" * 200,),))])
    assert re.sub(r"[\s─]", "", stream.getvalue()) == "text" + "abc" * 200
