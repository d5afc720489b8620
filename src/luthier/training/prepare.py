"""Rows to tokens for a run: read, split, encode, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from luthier.errors import SpecError
from luthier.records.options import RowsOptions, SplitOptions
from luthier.records.reading import Rows, read_rows
from luthier.records.split import split_rows
from luthier.report import Report
from luthier.tokens.encode import encode_rows
from luthier.tokens.options import TokenOptions
from luthier.tokens.template import Template
from luthier.tokens.token_rows import TokenCounts, TokenRows

KINDS = {"sft": ("conversation", "completion"), "clm": ("text",)}
"""The kinds of rows each method reads."""


@dataclass(frozen=True)
class Encoded:
    """One split: its rows, their tokens, and what encoding them did."""

    rows: Rows
    tokens: TokenRows
    counts: TokenCounts

    def describe(self, items: Sequence[int]) -> str:
        """Returns the origins of the rows behind token rows, for messages."""
        origins = [str(self.rows[int(self.tokens[item].row)].origin) for item in items]
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

    @property
    def heldout(self) -> Encoded | None:
        return self.test or self.validation

    @property
    def sizes(self) -> dict[str, int]:
        named = {"training": self.train, "validation": self.validation, "test": self.test}
        return {name: len(part.rows) for name, part in named.items() if part is not None}


class RowOptions(RowsOptions, SplitOptions, TokenOptions):
    """Everything that decides which tokens are trained."""


def prepare(
    options: RowOptions, template: Template, *, method: str, context_length: int, folder: Path, report: Report
) -> Prepared:
    """Returns the rows of a run, encoded; `SpecError` when they are of a kind that `method` cannot use."""
    report.progress("reading rows", 0, None)
    rows = read_rows(options.rows, options, spool=folder)
    report.event("info", f"{len(rows):,} rows in {rows.format} format from {', '.join(rows.files)}")
    if rows.kind not in KINDS[method]:
        other = next((name for name, kinds in KINDS.items() if rows.kind in kinds), None)
        raise SpecError(
            f"the rows are of kind {rows.kind!r}, and method {method} reads {' or '.join(KINDS[method])}",
            where=", ".join(rows.files),
            remedy=f"use --method {other}" if other else "force another --format, or rename --columns",
        )
    split = split_rows(rows, options)
    if split.moved:
        report.event("warning", f"{split.moved:,} near-duplicate rows were moved so that no split repeats another")

    def encode(part: Rows, name: str) -> Encoded | None:
        if not len(part):
            return None
        report.progress(f"tokenising {name} rows", 0, None)
        tokens, counts = encode_rows(part, template, options, context_length=context_length, folder=folder / name)
        return Encoded(part, tokens, counts)

    train = encode(split.train, "training")
    assert train is not None, "a split always leaves training rows"
    return Prepared(
        train, encode(split.validation, "validation"), encode(split.test, "test"), rows.fingerprint, rows.format
    )
