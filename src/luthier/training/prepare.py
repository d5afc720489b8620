"""Rows to tokens for a run: read, split, encode, counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luthier.errors import SpecError
from luthier.records.examples import Conversation
from luthier.records.reading import Rows, read_rows
from luthier.records.split import Split, split_rows
from luthier.report import Report
from luthier.tokens.encode import encode_rows
from luthier.tokens.template import Template
from luthier.tokens.token_rows import TokenCounts, TokenRows
from luthier.training.options import DataOptions

KINDS = {"sft": ("conversation", "completion"), "clm": ("text",)}
"""The kinds of rows each method reads."""
SYSTEM_ROWS = 50
REMEDIES = {"preference": "to learn the preferred replies alone, name them: --columns prompt=NAME completion=NAME"}
"""What to do with kinds that no method reads yet."""


@dataclass(frozen=True)
class Encoded:
    """One split: its rows, their tokens, and what encoding them did."""

    rows: Rows
    tokens: TokenRows
    counts: TokenCounts

    def describe(self, items: Sequence[int]) -> str:
        """Returns the origins of the rows behind token rows, for messages."""
        origins = [str(self.rows[self.tokens[item].row].origin) for item in items]
        shown = ", ".join(dict.fromkeys(origins[:8]))
        return shown + (f" and {len(origins) - 8} more" if len(origins) > 8 else "")


@dataclass(frozen=True)
class Prepared:
    """A run's rows. `heldout` is what base and tuned are compared on: the test rows, else the validation rows."""

    train: Encoded
    validation: Encoded | None
    test: Encoded | None
    fingerprint: str
    format: str
    files: tuple[str, ...]

    @property
    def heldout(self) -> Encoded | None:
        return self.test or self.validation

    @property
    def longest(self) -> int:
        """The longest sequence of any split, in tokens."""
        return max(part.counts.longest for part in (self.train, self.validation, self.test) if part is not None)

    @property
    def sizes(self) -> dict[str, int]:
        named = {"training": self.train, "validation": self.validation, "test": self.test}
        return {name: len(part.rows) for name, part in named.items() if part is not None}

    @property
    def system(self) -> str:
        """The system message that the first training rows share, without which a tuned model is out of its element."""
        rows = [self.train.rows[index] for index in range(min(SYSTEM_ROWS, len(self.train.rows)))]
        said = {
            row.messages[0].content or ""
            if isinstance(row, Conversation) and row.messages and row.messages[0].role == "system"
            else ""
            for row in rows
        }
        return said.pop() if len(said) == 1 else ""

    def facts(self) -> dict[str, Any]:
        """Returns what run.json keeps of the rows."""
        return {"fingerprint": self.fingerprint, "format": self.format, "files": list(self.files), "rows": self.sizes}


def read_split(options: DataOptions, *, method: str, folder: Path, report: Report) -> Split:
    """Returns the rows of a run, split; `SpecError` when they are of a kind that `method` cannot use."""

    def on_rows(count: int) -> None:
        report.progress("reading rows", count, None)

    rows = read_rows(options.rows, options, spool=folder / "rows", progress=on_rows)
    report.event("info", f"{len(rows):,} rows in {rows.format} format from {_some(rows.files)}")
    if rows.source.bad_rows:
        report.event("warning", f"{len(rows.source.bad_rows):,} bad rows are left out, as asked (--bad-rows skip)")
    for column, count in rows.source.unused_columns.items():
        report.event("warning", f"column {column!r} of {count:,} rows is not used by the {rows.format} format")
    if rows.kind not in KINDS[method]:
        other = next((name for name, kinds in KINDS.items() if rows.kind in kinds), None)
        raise SpecError(
            f"the rows are of kind {rows.kind!r}, and method {method} reads {' or '.join(KINDS[method])}",
            where=_some(rows.files),
            remedy=f"use --method {other}"
            if other
            else REMEDIES.get(
                rows.kind, "rename the columns you want to learn from: --columns prompt=NAME completion=NAME"
            ),
        )
    validation = None
    if options.validation_rows:
        validation = read_rows(options.validation_rows, options, spool=folder / "validation-rows")
    split = split_rows(rows, options, validation=validation)
    if split.moved:
        report.event("warning", f"{split.moved:,} rows were moved to training because they repeat rows there")
    return split


def encode_split(
    split: Split,
    options: DataOptions,
    template: Template,
    *,
    context_length: int,
    folder: Path,
    keep: bool,
    report: Report,
) -> Prepared:
    """Returns the split as tokens, kept in files under `folder`.

    With `keep`, tokens that are there already are used as they are: a template that writes today's date would give a
    resumed run other ones.
    """

    def encode(rows: Rows, name: str) -> Encoded | None:
        if not len(rows):
            return None
        place, done = folder / name, folder / name / "counts.json"
        if keep and done.exists():
            counts = TokenCounts(**json.loads(done.read_text(encoding="utf-8")))
            return Encoded(rows, TokenRows.open(place), counts)
        report.progress(f"tokenising {name} rows", 0, None)
        tokens, counts = encode_rows(rows, template, options, context_length=context_length, folder=place)
        done.write_text(json.dumps(counts.to_json()), encoding="utf-8")
        return Encoded(rows, tokens, counts)

    train = encode(split.train, "training")
    if train is None:
        raise SpecError("no rows are left to train on", where="rows", remedy="lower the held-out fractions")
    return Prepared(
        train,
        encode(split.validation, "validation"),
        encode(split.test, "test"),
        split.train.fingerprint,
        split.train.format,
        split.train.files,
    )


def _some(files: Sequence[str]) -> str:
    """Returns the first files by name, and how many more there are."""
    shown = ", ".join(files[:3])
    return shown if len(files) <= 3 else f"{shown} and {len(files) - 3:,} more files"


def texts(rows: Rows) -> Iterator[str]:
    """Yields every text in the rows: what a new tokenizer is trained on."""
    for row in rows:
        if isinstance(row, Conversation):
            yield from (message.content for message in row.messages if message.content)
        else:
            yield from (value for value in row.to_json().values() if isinstance(value, str))
