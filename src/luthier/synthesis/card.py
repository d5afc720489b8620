"""What a set of questions leaves behind: rows to tune and to measure on, what was refused, and a card of the yields."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luthier.evaluation.outcome import write_whole
from luthier.evaluation.statistics import bootstrap_mean
from luthier.records.messages import Message
from luthier.report import Table
from luthier.synthesis.asking import Spent
from luthier.synthesis.filters import FILTERS, Yields
from luthier.synthesis.options import KINDS, CostOptions
from luthier.synthesis.questions import Part, Question

PARTS: tuple[Part, ...] = ("train", "test", "unseen")
CHATS = {part: f"{part}.jsonl" for part in PARTS}
QUESTIONS, REFUSED, CARD, PAGE = "questions.jsonl", "refused.jsonl", "card.json", "card.md"


@dataclass(frozen=True)
class Amount:
    """What the whole is expected to take, with the ends of a 95 % interval (nan where a trial says nothing)."""

    value: float
    low: float
    high: float

    def shown(self, form: str = ",.0f") -> str:
        return f"{self.value:{form}} [{self.low:{form}}, {self.high:{form}}]"


@dataclass(frozen=True)
class Estimate:
    """Tokens that a model reads and writes for `passages`, and their price, by a trial on `tried` of them."""

    passages: int
    tried: int
    read: Amount
    wrote: Amount
    cost: Amount

    def to_json(self) -> dict[str, Any]:
        amounts = {name: getattr(self, name) for name in ("read", "wrote", "cost")}
        shown = {name: {"value": one.value, "low": one.low, "high": one.high} for name, one in amounts.items()}
        return {"passages": self.passages, "tried": self.tried, **shown}

    def table(self) -> Table:
        rows = (
            ("passages", f"{self.passages:,}; {self.tried:,} of them tried, whose replies are kept"),
            ("tokens read", self.read.shown()),
            ("tokens written", self.wrote.shown()),
            ("cost", self.cost.shown(",.4f")),
        )
        return Table("What the whole takes", ("what", "expected [95 % interval]"), rows)


def estimate(spent: Spent, tried: Sequence[str], passages: int, prices: CostOptions) -> Estimate:
    """Returns what `passages` take, going by what the `tried` ones did."""
    read, wrote = ([float(counts[id]) for id in tried] for counts in (spent.read, spent.wrote))
    pairs = zip(read, wrote, strict=True)
    cost = [(one * prices.price_input + other * prices.price_output) / 1e6 for one, other in pairs]

    def amount(values: Sequence[float]) -> Amount:
        mean = sum(values) / len(values)
        if len(values) == passages:  # nothing is left to guess
            return Amount(mean * passages, mean * passages, mean * passages)
        interval = bootstrap_mean(values, resamples=2000, method="percentile")
        return Amount(mean * passages, interval.low * passages, interval.high * passages)

    return Estimate(passages, len(tried), amount(read), amount(wrote), amount(cost))


def chat_row(question: Question, part: Part, model: str, context: str) -> dict[str, Any]:
    """Returns a row to tune on or to evaluate with, as the OpenAI API takes chats; its cluster is the row's group."""
    answer, asked = question.answer, question.messages()
    if context == "none":
        asked = [Message("user", question.text)]
    elif len(question.passages) > 1:
        answer += " " + "".join(f"[{number}]" for number in range(1, len(question.passages) + 1))
    messages = [*asked, Message("assistant", answer)]
    known = question.to_json(part, model)
    kept = {name: known[name] for name in ("id", "kind", "asked_of", "prompt", "model")}
    return {"messages": [one.to_json() for one in messages], "metadata": kept, "group": question.place.group}


def write_questions(
    folder: Path, parts: Mapping[Part, Sequence[Question]], yields: Yields, model: str, context: str
) -> None:
    """Writes the rows of each part, the questions with their places, and what was refused."""
    for part, name in CHATS.items():
        fit = [one for one in parts[part] if context == "passage" or one.kind != "unanswerable"]
        write_whole(folder / name, _lines([chat_row(question, part, model, context) for question in fit]))
    every = [question.to_json(part, model) for part in PARTS for question in parts[part]]
    write_whole(folder / QUESTIONS, _lines(every))
    write_whole(folder / REFUSED, _lines(yields.refused))


def yield_table(yields: Yields) -> Table:
    """Returns how many of each kind passed each filter, in their order."""
    kinds = [kind for kind in KINDS if yields.asked[kind]]
    rows = [
        (kind, f"{yields.asked[kind]:,}", f"{yields.failed[kind]:,}", *(f"{yields.passed[f][kind]:,}" for f in FILTERS))
        for kind in kinds
    ]
    asked = sum(yields.asked.values())
    totals = [sum(yields.passed[name].values()) for name in FILTERS]
    rows.append(("all", f"{asked:,}", f"{sum(yields.failed.values()):,}", *(f"{total:,}" for total in totals)))
    kept = f"{totals[-1]:,} of {asked:,} that were asked for stay ({totals[-1] / max(asked, 1):.1%})."
    return Table("Questions that pass each filter", ("kind", "asked for", "no reply", *FILTERS), tuple(rows), kept)


def card_page(tables: Sequence[Table], facts: Mapping[str, Any]) -> str:
    """Returns the card as Markdown."""
    lines = ["# Questions from documents", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    for table in tables:
        lines += [f"## {table.title}", "", _row(table.columns), _row(["---"] * len(table.columns))]
        lines += [*map(_row, table.rows), "", *([table.note, ""] if table.note else [])]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
