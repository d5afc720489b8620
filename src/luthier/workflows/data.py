"""Look at rows before training on them: format, tokens, labels, lengths, repeats, cost.

The tokens are those of a model (`--model`): its tokenizer and its chat template say which of them are trained. No
weights are loaded. With `--output report.html` everything is written as a page too.
"""

from __future__ import annotations

import shlex
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pydantic import Field

from luthier.config import LocalPath, ModelName, TrustFlag
from luthier.errors import Interrupted, SpecError
from luthier.records.examples import Conversation, Origin, Record
from luthier.records.options import RowsOptions
from luthier.report import MarkedText, Report, Table
from luthier.reports.rows import (
    Cost,
    LongRow,
    Loss,
    Repeat,
    RowsFigures,
    TokenFigures,
    loss_advice,
    rows_page,
    rows_tables,
)
from luthier.tokens.options import TokenOptions

if TYPE_CHECKING:
    from luthier.models.opening import Opened
    from luthier.records.reading import Rows
    from luthier.tokens.template import Template
    from luthier.tokens.token_rows import TokenRow, TokenRows

ENDLESS = 1 << 30
LONGEST, REPEATS, BEGINS = 5, 5, 60
EVERY_ROWS = 256
TOLERATED_LOSS = 0.05
"""The share of labelled tokens that `tune` drops without being asked to, as in `tokens.lengths`."""
LABELLED_KINDS = ("conversation", "completion", "text")

JOB_OUTPUT = "rows.html"


class Spec(TokenOptions, RowsOptions):
    """Rows, the tokens they become, and what to show of them."""

    title = "Data"
    model: ModelName = Field("fiddle", description="model whose tokenizer and chat template count the tokens")
    revision: str | None = Field(None, description="branch, tag or commit of a hub model")
    trust_remote_code: TrustFlag = Field(False, description="run Python code that comes with the model")
    num_train_epochs: float = Field(1.0, gt=0, description="passes over the rows that the cost is for")
    price_per_million_tokens: float | None = Field(
        None, ge=0, description="what a priced model asks for a million training tokens, in any currency"
    )
    show: int = Field(3, ge=0, le=100, description="rows to show with their trained tokens marked")
    output: LocalPath | None = Field(None, description="HTML file to write the report to")


@dataclass(frozen=True)
class Result:
    """What is in the rows."""

    figures: RowsFigures
    spec: Spec

    def to_json(self) -> dict[str, Any]:
        return self.figures.to_json() | {"report": self.spec.output}

    def tables(self) -> list[Table | MarkedText]:
        return rows_tables(self.figures)

    def next_commands(self) -> list[str]:
        """Returns the tune that fits these rows: with the flags they were read with, and a cut where rows are long."""
        if self.figures.kind not in LABELLED_KINDS:
            return []
        words = ["luthier", "tune", *self.spec.rows, "--model", self.spec.model]
        words += ["--method", "clm"] if self.figures.kind == "text" else []
        loss, labelled = self.figures.tokens.loss, sum(self.figures.tokens.labels)
        if loss.dropped > TOLERATED_LOSS * labelled and not (self.spec.truncate or self.spec.drop_long):
            # A cut at the start takes the question away: only where it saves many more labelled tokens.
            words += ["--truncate", "end" if loss.cut_end <= 1.25 * loss.cut_start else "start"]
        return [shlex.join(words + _flags(self.spec))]


def _flags(spec: Spec) -> list[str]:
    """Returns the flags, other than the rows and the model, that another verb needs to read the rows the same way."""
    words: list[str] = []
    shared = (*RowsOptions.model_fields, *TokenOptions.model_fields, "revision", "trust_remote_code")
    given = spec.model_dump(exclude_defaults=True)
    for name in (name for name in dict.fromkeys(shared) if name in given and name != "rows"):
        value, flag = given[name], "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            words += [flag, *(map(str, value) if isinstance(value, list | tuple) else [str(value)])]
    return words


def run(spec: Spec, report: Report) -> Result:
    """Returns the figures of the rows; writes the page where one is asked for."""
    from luthier.models.opening import open_model
    from luthier.models.options import LoadOptions
    from luthier.records.duplicates import find_duplicates
    from luthier.records.reading import read_rows

    if spec.output and Path(spec.output).is_dir():
        raise SpecError(f"{spec.output} is a folder", where="output", remedy="name an HTML file", param="output")
    rows = read_rows(spec.rows, spec, progress=lambda count: _step(report, "read rows", count, None))
    options = LoadOptions(revision=spec.revision, trust_remote_code=spec.trust_remote_code)
    model = open_model(spec.model, options, weights=False)
    found = find_duplicates(rows, examples=REPEATS)
    tokens, excerpts = _count(rows, model, spec, report)
    place = _places(rows)
    price = spec.price_per_million_tokens
    figures = RowsFigures(
        rows=len(rows),
        kind=rows.kind,
        format=rows.format,
        files=rows.files,
        fingerprint=rows.fingerprint,
        roles=_roles(rows),
        left_out=_left_out(rows),
        exact=found.exact,
        near=found.near,
        repeats=tuple(Repeat(place(o.origin), place(o.twin_origin), o.similarity, o.text) for o in found.examples),
        tokens=tokens,
        cost=None if price is None else Cost(price, spec.num_train_epochs),
        epochs=spec.num_train_epochs,
        excerpts=excerpts,
    )
    if advice := loss_advice(tokens.loss, sum(tokens.labels)):
        report.event("warning", advice)
    if spec.output:
        _write_page(figures, Path(spec.output))
        report.event("result", f"report: {spec.output}")
    return Result(figures, spec)


class Watched(Sequence[Record]):
    """Rows that tell a report how far they have been read, and stop when they are asked to."""

    def __init__(self, rows: Rows, report: Report, task: str) -> None:
        self._rows, self._report, self._task = rows, report, task

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self._rows[index]

    def __iter__(self) -> Iterator[Record]:
        for index, row in enumerate(self._rows):
            if index % EVERY_ROWS == 0:
                _step(self._report, self._task, index, len(self))
            yield row
        _step(self._report, self._task, len(self), len(self))


def _step(report: Report, task: str, done: int, total: int | None) -> None:
    report.progress(task, done, total)
    if report.cancelled():
        raise Interrupted(f"{task}: {done:,} rows were seen; nothing was written")


def _count(rows: Rows, model: Opened, spec: Spec, report: Report) -> tuple[TokenFigures, tuple[MarkedText, ...]]:
    """Returns the tokens of the rows in their whole length, and the first rows piece by piece."""
    from luthier.tokens.encode import encode_rows
    from luthier.tokens.lengths import longest_allowed

    template, limit = model.template, longest_allowed(spec, model.context_length)
    if rows.kind not in LABELLED_KINDS:
        return _count_plain(rows, template, spec, limit, report), ()
    whole = spec.model_copy(update={"max_length": None, "truncate": None, "drop_long": False})
    with tempfile.TemporaryDirectory(prefix="luthier-tokens-") as folder:
        watched = Watched(rows, report, "count tokens")
        sequences, counts = encode_rows(watched, template, whole, context_length=ENDLESS, folder=Path(folder))
        labels = [int(sequence.labels.sum()) for sequence in sequences]
        figures = TokenFigures(
            model=spec.model,
            lengths=sequences.lengths.tolist(),
            labels=labels,
            loss=_loss(sequences, labels, limit, divided=rows.kind == "text", extensible=limit < model.context_length),
            longest=_longest(rows, sequences.lengths.tolist(), labels, sequences.rows.tolist()),
            template=_template_name(rows.kind, spec, template),
            notes=counts.notes,
        )
        excerpts = tuple(_excerpt(rows, template.tokenizer, one) for one in sequences[: spec.show])
    return figures, excerpts


def _excerpt(rows: Rows, tokenizer: Any, sequence: TokenRow) -> MarkedText:
    from luthier.tokens.pieces import token_pieces, without_middles

    place, labelled = _places(rows)(rows.origin(sequence.row)), int(sequence.labels.sum())
    label = f"{place} · {len(sequence.tokens):,} tokens, {labelled:,} trained"
    return MarkedText(label, without_middles(token_pieces(tokenizer, sequence)))


def _template_name(kind: str, spec: Spec, template: Template) -> str:
    if kind == "text" or (kind == "completion" and spec.completion_style == "plain"):
        return "no template"
    return "Luthier's default chat template, as it has none" if template.is_default else "its own chat template"


def _count_plain(rows: Rows, template: Template, spec: Spec, limit: int, report: Report) -> TokenFigures:
    """Returns the tokens of what the rows say, for kinds that no template is laid over."""
    lengths: list[int] = []
    texts = (record.plain_text() for record in Watched(rows, report, "count tokens"))
    while chunk := list(islice(texts, EVERY_ROWS)):
        lengths += [len(ids) for ids in template.encode_plain(chunk)]
    labels = [0] * len(lengths)
    loss = Loss(limit, sum(length > limit for length in lengths), 0, 0, 0, divided=True)
    longest = _longest(rows, lengths, labels, range(len(lengths)))
    return TokenFigures(spec.model, lengths, labels, loss, longest, "no template", labelled=False)


def _loss(sequences: TokenRows, labels: Sequence[int], limit: int, *, divided: bool, extensible: bool) -> Loss:
    over = [index for index, length in enumerate(sequences.lengths) if length > limit]
    if divided:
        return Loss(limit, len(over), 0, 0, 0, divided)
    kept_end = sum(int(sequences[index].labels[:limit].sum()) for index in over)
    kept_start = sum(int(sequences[index].labels[-limit:][1:].sum()) for index in over)
    dropped = sum(labels[index] for index in over)
    return Loss(limit, len(over), dropped, dropped - kept_end, dropped - kept_start, extensible=extensible)


def _longest(rows: Rows, lengths: Sequence[int], labels: Sequence[int], owners: Sequence[int]) -> tuple[LongRow, ...]:
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])[:LONGEST]
    place = _places(rows)
    return tuple(
        LongRow(place(rows.origin(owners[i])), lengths[i], labels[i], _begins(rows[owners[i]].plain_text()))
        for i in order
    )


def _places(rows: Rows) -> Callable[[Origin], str]:
    """Returns what says where a row is: the file's name, or its whole path where several files share a name."""
    names = Counter(Path(file).name for file in rows.files)
    return lambda origin: str(replace(origin, file=name)) if names[name := Path(origin.file).name] == 1 else str(origin)


def _begins(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= BEGINS else line[: BEGINS - 1] + "…"


def _roles(rows: Rows) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for record in rows if rows.kind == "conversation" else ():
        if isinstance(record, Conversation):
            counts.update(message.role for message in record.messages)
    return dict(counts)


def _left_out(rows: Rows) -> dict[str, int]:
    source = rows.source
    out = {f"column {name} not used, rows": count for name, count in source.unused_columns.items()}
    if source.bad_rows:
        out["bad rows left out"] = len({(problem.file, problem.line) for problem in source.bad_rows})
    if source.skipped_files:
        out["files left out"] = len(source.skipped_files)
    return out


def _write_page(figures: RowsFigures, file: Path) -> None:
    from luthier.reports.page import render

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(rows_page(figures, f"Rows of {Path(figures.files[0]).name}")), encoding="utf-8")
