"""Rows shown to the reader's eye: tokens coloured by whether they are trained, and answers side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from luthier.report import MarkedText
from luthier.reports.axes import colour
from luthier.reports.markup import NOTHING, Markup, join, tag, text
from luthier.reports.scale import number

OPEN_AT_FIRST = 3
SUMMARY_LETTERS = 160


@dataclass(frozen=True, slots=True)
class TokenView:
    """A few rows of tokens; the marked ones are trained (predicted, and counted in the loss)."""

    title: str
    rows: Sequence[MarkedText]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one system said, and its scores by name."""

    text: str
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question with an answer per system, in the order of `SideBySide.systems`."""

    label: str
    prompt: str
    reference: str
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Answers of several systems to the same questions. `score` names the score that the reader sorts by (default: the
    first there is); `note` says which rows these are, where not all are shown."""

    title: str
    systems: Sequence[str]
    rows: Sequence[Comparison]
    score: str = ""
    note: str = ""


def draw_tokens(view: TokenView) -> Markup:
    """Returns the rows, the first few open, with a legend."""
    legend = tag(
        "p",
        {"class": "note"},
        tag("span", {"class": "tokens key"}, tag("span", {"class": "on"}, text("trained"))),
        text(" carries loss: the model learns to say it. "),
        tag("span", {"class": "tokens key"}, tag("span", {}, text("context"))),
        text(" is only read."),
    )
    rows = [_token_row(row, index < OPEN_AT_FIRST) for index, row in enumerate(view.rows)]
    return join(
        [
            legend,
            tag("div", {"class": "shelf"}, *rows),
            tag("p", {"class": "note"}, text(view.note)) if view.note else NOTHING,
        ]
    )


def draw_answers(view: SideBySide) -> Markup:
    """Returns the comparisons with the buttons that sort and filter them."""
    score = view.score or next((name for row in view.rows for answer in row.answers for name in answer.scores), "")
    rows = [_comparison(row, view.systems, score, index) for index, row in enumerate(view.rows)]
    status = tag("p", {"class": "status", "role": "status"}, text(f"{len(rows)} of {len(rows)} shown"))
    note = tag("p", {"class": "note"}, text(view.note)) if view.note else NOTHING
    return tag(
        "div", {"class": "answers"}, _answer_controls(view, score), status, tag("div", {"class": "shelf"}, *rows), note
    )


def _token_row(row: MarkedText, opened: bool) -> Markup:
    pieces = [tag("span", {"class": "on" if trained else None}, _piece(piece)) for piece, trained in row.pieces]
    shown = tag("div", {"class": "tokens", "dir": "auto"}, *pieces)
    return tag("details", {"class": "row", "open": opened}, tag("summary", {}, text(row.label)), shown)


def _piece(piece: str) -> Markup:
    line_end = Markup('<i class="eol" aria-hidden="true">↵</i>\n')
    return Markup(line_end.join(text(part) for part in piece.replace("\r\n", "\n").split("\n")))


def _answer_controls(view: SideBySide, score: str) -> Markup:
    orders = [("all", "All", "in the order of the file")]
    if score:
        last = view.systems[-1]
        orders += [("worst", "Worst", f"lowest {score} of {last}"), ("best", "Best", f"highest {score} of {last}")]
    if len(view.systems) > 1:
        orders += [("changed", "Changed", f"{view.systems[0]} and {view.systems[-1]} differ most")]
    buttons = [
        tag(
            "button",
            {"type": "button", "data-order": key, "aria-pressed": str(key == "all").lower(), "title": why},
            text(name),
        )
        for key, name, why in orders
    ]
    find = tag(
        "input", {"type": "search", "placeholder": "Find text", "aria-label": "Find text in prompts and answers"}
    )
    fold = tag("button", {"type": "button", "data-fold": True}, text("Open all"))
    group = tag("div", {"class": "switch", "role": "group", "aria-label": "Which rows"}, *buttons)
    return tag("div", {"class": "controls"}, group, find, fold)


def _comparison(row: Comparison, systems: Sequence[str], score: str, index: int) -> Markup:
    scores = [answer.scores.get(score, math.nan) for answer in row.answers]
    change = scores[-1] - scores[0] if score else float(row.answers[0].text != row.answers[-1].text)
    data = {
        "class": "row",
        "open": index < OPEN_AT_FIRST,
        "data-index": index,
        "data-score": _known(scores[-1] if scores else math.nan),
        "data-change": _known(change),
    }
    line = row.prompt.strip().replace("\n", " ")[:SUMMARY_LETTERS]
    head = [tag("span", {"class": "label"}, text(row.label)), tag("span", {"class": "line", "dir": "auto"}, text(line))]
    if score:
        head.append(_verdict(scores, change, systems, score))
    said = [_said("Prompt", row.prompt, "prompt"), _said("Reference", row.reference, "reference")]
    said += [
        _said(name, a.text, colour(i), a.scores) for i, (name, a) in enumerate(zip(systems, row.answers, strict=True))
    ]
    return tag("details", data, tag("summary", {}, *head), tag("div", {"class": "said"}, *said))


def _verdict(scores: Sequence[float], change: float, systems: Sequence[str], score: str) -> Markup:
    shown = " → ".join(number(round(value, 3)) for value in scores)
    kind, arrow = ("up", " ▲") if change > 0 else ("down", " ▼") if change < 0 else ("same", "")
    label = f"{score}: " + ", ".join(f"{n} {number(round(v, 3))}" for n, v in zip(systems, scores, strict=True))
    return tag("span", {"class": f"verdict {kind}", "title": label, "aria-label": label}, text(shown + arrow))


def _said(name: str, said: str, shade: str, scores: Mapping[str, float] | None = None) -> Markup:
    chips = [tag("span", {"class": "chip"}, text(f"{key} {number(round(v, 3))}")) for key, v in (scores or {}).items()]
    body = text(said) if said.strip() else tag("em", {}, text("(empty)"))
    head = tag("h3", {}, text(name), *chips)
    return tag("section", {"class": f"cell {shade}"}, head, tag("div", {"class": "text", "dir": "auto"}, body))


def _known(value: float) -> str | None:
    return f"{value:.6g}" if math.isfinite(value) else None
