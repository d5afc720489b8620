"""What is in a set of rows: as tables for a terminal and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import quantiles
from typing import Any

from luthier.report import MarkedText, Table
from luthier.reports.charts import Histogram
from luthier.reports.excerpts import TokenView
from luthier.reports.page import Page, Prose, Section
from luthier.reports.scale import number, percent

BAR = 30
NOT_LABELLED = "Labels are counted for conversations, completions and texts; here only the text is."


@dataclass(frozen=True, slots=True)
class LongRow:
    """One of the longest rows: where it is, its tokens, how many of them are labelled, and how it begins."""

    place: str
    tokens: int
    labelled: int
    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row that says what another says, wholly (`similarity` 1) or nearly."""

    place: str
    twin: str
    similarity: float
    text: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What becomes of sequences longer than `limit` tokens: how many there are, and the labelled tokens lost when they
    are dropped or cut at either end. Plain text loses nothing: it is divided. `extensible`: the model takes more."""

    limit: int
    sequences: int
    dropped: int
    cut_end: int
    cut_start: int
    divided: bool = False
    extensible: bool = True


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """Tokens of the rows under one model's tokenizer and template, whole: `lengths` and `labels` (S,) per sequence.

    `notes` are things the template could not express, with the number of rows.
    """

    model: str
    lengths: Sequence[int]
    labels: Sequence[int]
    loss: Loss
    longest: tuple[LongRow, ...]
    template: str = "its own chat template"
    notes: tuple[tuple[str, int], ...] = ()
    labelled: bool = True


@dataclass(frozen=True, slots=True)
class Cost:
    """A price per million training tokens, and for how many epochs: the currency is that of the price."""

    price: float
    epochs: float

    def of(self, tokens: int) -> float:
        """Returns tokens x epochs x price."""
        return tokens * self.epochs * self.price / 1e6


@dataclass(frozen=True, slots=True)
class RowsFigures:
    """Everything that is known of the rows. `left_out` counts by reason what was in the files and is not a row."""

    rows: int
    kind: str
    format: str
    files: tuple[str, ...]
    fingerprint: str
    roles: Mapping[str, int]
    left_out: Mapping[str, int]
    exact: int
    near: int
    repeats: tuple[Repeat, ...]
    tokens: TokenFigures
    cost: Cost | None = None
    epochs: float = 1.0
    excerpts: tuple[MarkedText, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as plain JSON values, with the spread of the lengths in the place of every length."""
        out = asdict(self) | {"files": list(self.files), "roles": dict(self.roles), "left_out": dict(self.left_out)}
        tokens = self.tokens
        out["tokens"] |= {
            "lengths": _spread(tokens.lengths),
            "labels": _spread(tokens.labels),
            "histogram": [{"from": low, "to": high, "sequences": count} for low, high, count in _bins(tokens.lengths)],
        }
        out["cost"] = asdict(self.cost) | {"total": self.cost.of(sum(tokens.lengths))} if self.cost else None
        del out["excerpts"]
        return out


def rows_tables(figures: RowsFigures) -> list[Table | MarkedText]:
    """Returns the figures as tables, and the excerpts last."""
    tokens = figures.tokens
    tables = [_rows_table(figures), _tokens_table(figures), _lengths_table(tokens), _longest_table(tokens)]
    return [*tables, *([_repeats_table(figures)] if figures.repeats else []), *figures.excerpts]


def rows_page(figures: RowsFigures, title: str) -> Page:
    """Returns the figures as a page, with the lengths as histograms and the trained tokens in colour."""
    tokens = figures.tokens
    lengths = sorted(tokens.lengths)
    marks = [("median", float(lengths[len(lengths) // 2])), ("limit", float(tokens.loss.limit))] if lengths else []
    sections: list[Section] = [_rows_table(figures), _tokens_table(figures)]
    if advice := loss_advice(tokens.loss, sum(tokens.labels)):
        sections.insert(0, Prose("Too long for the model", advice, "warning"))
    sections.append(Histogram.of("Tokens per sequence", lengths, x_label="tokens", y_label="sequences", marks=marks))
    if tokens.labelled:
        title_labels = "Labelled tokens per sequence"
        sections.append(Histogram.of(title_labels, list(tokens.labels), x_label="tokens", y_label="sequences"))
    sections.append(_longest_table(tokens))
    if figures.repeats:
        sections.append(_repeats_table(figures))
    if figures.excerpts:
        sections.append(TokenView("Trained tokens", figures.excerpts, f"The first {len(figures.excerpts)} rows."))
    facts = [
        ("Rows", f"{figures.rows:,}"),
        ("Kind", figures.kind),
        ("Tokens", f"{sum(tokens.lengths):,}"),
        *([("Labelled", percent(sum(tokens.labels) / max(sum(tokens.lengths), 1)))] if tokens.labelled else []),
        ("Repeats", f"{figures.exact:,} exact, {figures.near:,} near"),
        ("Model", tokens.model),
    ]
    return Page(title, facts, sections, f"{figures.format} from {_some(figures.files)}")


def loss_advice(loss: Loss, labelled: int) -> str:
    """Returns what is lost at the limit and which flags decide; nothing where all fits or nothing is lost."""
    if not loss.sequences or loss.divided:
        return ""
    whole = max(labelled, 1)
    return (
        f"{loss.sequences:,} sequences are longer than {loss.limit:,} tokens. Of all labelled tokens, --drop-long "
        f"loses {percent(loss.dropped / whole)}, --truncate end {percent(loss.cut_end / whole)}, "
        f"--truncate start {percent(loss.cut_start / whole)}; "
        + ("a larger --max-length loses fewer." if loss.extensible else "this model takes no longer ones.")
    )


def _rows_table(figures: RowsFigures) -> Table:
    rows = [
        ("rows", f"{figures.rows:,}"),
        ("kind", figures.kind),
        ("format", figures.format),
        ("files", _some(figures.files)),
        *((f"{role} messages", f"{count:,}") for role, count in figures.roles.items()),
        ("repeated word for word", f"{figures.exact:,}"),
        ("repeated nearly", f"{figures.near:,}"),
        *((what, f"{count:,}") for what, count in figures.left_out.items()),
        ("fingerprint", figures.fingerprint[:16]),
    ]
    return Table("Rows", ("what", "value"), tuple(rows))


def _tokens_table(figures: RowsFigures) -> Table:
    tokens, total = figures.tokens, sum(figures.tokens.lengths)
    rows = [("tokens", f"{total:,}")]
    if tokens.labelled:
        rows.append(("labelled tokens", f"{sum(tokens.labels):,} ({percent(sum(tokens.labels) / max(total, 1))})"))
    rows.append(("sequences", f"{len(tokens.lengths):,}"))
    rows += [(f"{name} length", number(value)) for name, value in _spread(tokens.lengths).items() if name != "total"]
    over = tokens.loss
    rows.append((f"longer than {over.limit:,} tokens", f"{over.sequences:,}"))
    rows += [(f"note: {what}", f"{count:,} rows") for what, count in tokens.notes]
    if figures.epochs != 1 or figures.cost:
        rows.append((f"tokens in {number(figures.epochs)} epochs", f"{round(total * figures.epochs):,}"))
    if figures.cost:
        rows.append((f"cost at {number(figures.cost.price)} per million tokens", f"{figures.cost.of(total):,.2f}"))
    note = f"Counted with {tokens.model} and {tokens.template}."
    if not tokens.labelled:
        note += f" {NOT_LABELLED}"
    if not figures.cost:
        note += " For a cost give --price-per-million-tokens and --num-train-epochs."
    return Table("Tokens", ("what", "value"), tuple(rows), note)


def _lengths_table(tokens: TokenFigures) -> Table:
    bins = _bins(tokens.lengths)
    most = max((count for _, _, count in bins), default=1)
    rows = [
        (f"{low:,}–{high:,}", f"{count:,}", "▇" * max(round(BAR * count / most), 1 if count else 0))
        for low, high, count in bins
    ]
    return Table("Lengths", ("tokens", "sequences", ""), tuple(rows))


def _longest_table(tokens: TokenFigures) -> Table:
    rows = [(row.place, f"{row.tokens:,}", f"{row.labelled:,}", row.text) for row in tokens.longest]
    return Table("Longest rows", ("row", "tokens", "labelled", "begins"), tuple(rows))


def _repeats_table(figures: RowsFigures) -> Table:
    rows = [(one.place, one.twin, f"{one.similarity:.2f}", one.text) for one in figures.repeats]
    shown, whole = len(rows), figures.exact + figures.near
    note = f"{shown} of {whole:,} shown." if shown < whole else ""
    return Table("Repeated rows", ("row", "repeats", "similarity", "text"), tuple(rows), note)


def _spread(values: Sequence[int]) -> dict[str, float]:
    if not values:
        return {"total": 0}
    ordered = sorted(values)
    cuts = quantiles(ordered, n=100, method="inclusive") if len(ordered) > 1 else [float(ordered[0])] * 99
    spread = {"shortest": ordered[0], "median": cuts[49], "90 %": cuts[89], "99 %": cuts[98], "longest": ordered[-1]}
    return {"total": sum(ordered), **{name: round(value) for name, value in spread.items()}}


def _bins(values: Sequence[int]) -> list[tuple[int, int, int]]:
    """Returns (from, to, count) for the powers of two that hold `values`, empty bins between included."""
    if not values:
        return []
    powers = [max(value - 1, 0).bit_length() for value in values]
    spans = [
        ((1 << power) // 2 + 1 if power else 1, 1 << power, power) for power in range(min(powers), max(powers) + 1)
    ]
    return [(low, high, powers.count(power)) for low, high, power in spans]


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
