"""Look at rows before training on them: format, tokens, labels, lengths, repeats, cost.

The tokens are those of a model (`--model`): its tokenizer and its chat template say which of them are trained. No
weights are loaded. With `--output report.html` everything is written as a page too.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pydantic import Field

from luthier.config import LocalPath, ModelName, TrustFlag
from luthier.errors import Interrupted, SpecError
from luthier.records.examples import Conversation, Record
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
)  # fmt: skip
from luthier.tokens.options import TokenOptions

if TYPE_CHECKING:
    from luthier.records.reading import Rows
    from luthier.tokens.template import Template
    from luthier.tokens.token_rows import TokenRows

ENDLESS = 1 << 30
LONGEST, REPEATS, BEGINS = 5, 5, 60
EVERY_ROWS = 256
MOST_SHOWN, KEPT = 120, 40
LABELLED_KINDS = ("conversation", "completion", "text")


class Spec(RowsOptions, TokenOptions):
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
        return [f"luthier tune {' '.join(self.spec.rows)} --model {self.spec.model}"]


def run(spec: Spec, report: Report) -> Result:
    """Returns the figures of the rows; writes the page where one is asked for."""
    from luthier.records.duplicates import find_duplicates
    from luthier.records.reading import read_rows

    if spec.output and Path(spec.output).is_dir():
        raise SpecError(f"{spec.output} is a folder", where="output", remedy="name an HTML file", param="output")
    rows = read_rows(spec.rows, spec, progress=lambda count: _step(report, "read rows", count, None))
    template, context_length = _template(spec)
    found = find_duplicates(rows, examples=REPEATS)
    tokens, excerpts = _count(rows, template, spec, context_length, report)
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
        repeats=tuple(Repeat(str(o.origin), str(o.twin_origin), o.similarity, o.text) for o in found.examples),
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


def _template(spec: Spec) -> tuple[Template, int]:
    """Returns the model's template over its tokenizer, and its context length, without loading any weights."""
    from luthier.models.load import context_length, load_tokenizer
    from luthier.models.resolve import read_json, resolve_model
    from luthier.tokens.template import Template

    found = resolve_model(spec.model, revision=spec.revision, download=True, trust_remote_code=spec.trust_remote_code)
    folders = [folder for folder in (found.adapter, found.base_folder) if folder is not None]
    folder = next((folder for folder in folders if (folder / "tokenizer_config.json").is_file()), folders[-1])
    tokenizer = load_tokenizer(folder, trust_remote_code=spec.trust_remote_code)
    base = folders[-1]
    generation = read_json(base / "generation_config.json") if (base / "generation_config.json").is_file() else {}
    stops = generation.get("eos_token_id")
    stop_ids = [stop for stop in (stops if isinstance(stops, list) else [stops]) if isinstance(stop, int)]
    limit = context_length(read_json(base / "config.json"), tokenizer.model_max_length)
    return Template.of(tokenizer, stop_ids=[*stop_ids, *_own_stop(tokenizer)]), limit


def _own_stop(tokenizer: Any) -> list[int]:
    return [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]


def _count(
    rows: Rows, template: Template, spec: Spec, context_length: int, report: Report
) -> tuple[TokenFigures, tuple[MarkedText, ...]]:
    """Returns the tokens of the rows in their whole length, and the first rows piece by piece."""
    from luthier.tokens.encode import encode_rows
    from luthier.tokens.lengths import longest_allowed

    limit = longest_allowed(spec, context_length)
    if rows.kind not in LABELLED_KINDS:
        return _count_plain(rows, template, spec, limit, report), ()
    whole = spec.model_copy(update={"max_length": None, "truncate": None, "drop_long": False})
    with tempfile.TemporaryDirectory(prefix="luthier-tokens-") as folder:
        watched = Watched(rows, report, "count tokens")
        sequences, counts = encode_rows(watched, template, whole, context_length=ENDLESS, folder=Path(folder))
        labels = [int(sequence.labels.sum()) for sequence in sequences]
        lengths = [int(length) for length in sequences.lengths]
        figures = TokenFigures(
            model=spec.model,
            lengths=lengths,
            labels=labels,
            loss=_loss(sequences, labels, limit, divided=rows.kind == "text"),
            longest=_longest(rows, lengths, labels, [int(row) for row in sequences.rows]),
            template="Luthier's default chat template (the model has none)"
            if template.is_default
            else "its chat template",
            notes=counts.notes,
        )
        excerpts = tuple(
            MarkedText(f"{rows.origin(sequence.row)}", _elided(_pieces(template.tokenizer, sequence)))
            for sequence in sequences[: spec.show]
        )
    return figures, excerpts


def _count_plain(rows: Rows, template: Template, spec: Spec, limit: int, report: Report) -> TokenFigures:
    """Returns the tokens of what the rows say, for kinds that no template is laid over."""
    lengths: list[int] = []
    texts: list[str] = []
    for record in Watched(rows, report, "count tokens"):
        texts.append(record.plain_text())
        if len(texts) == EVERY_ROWS:
            lengths += [len(ids) for ids in template.encode_plain(texts)]
            texts = []
    lengths += [len(ids) for ids in template.encode_plain(texts)]
    over = sum(length > limit for length in lengths)
    labels = [0] * len(lengths)
    loss = Loss(limit, over, 0, 0, 0)
    longest = _longest(rows, lengths, labels, range(len(lengths)))
    return TokenFigures(spec.model, lengths, labels, loss, longest, "no template", labelled=False)


def _loss(sequences: TokenRows, labels: Sequence[int], limit: int, *, divided: bool) -> Loss:
    over = [index for index, length in enumerate(sequences.lengths) if length > limit]
    kept_end = sum(int(sequences[index].labels[:limit].sum()) for index in over)
    kept_start = sum(int(sequences[index].labels[-limit:][1:].sum()) for index in over)
    dropped = sum(labels[index] for index in over)
    return Loss(limit, len(over), dropped, dropped - kept_end, dropped - kept_start, divided)


def _longest(rows: Rows, lengths: Sequence[int], labels: Sequence[int], owners: Sequence[int]) -> tuple[LongRow, ...]:
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])[:LONGEST]
    return tuple(
        LongRow(str(rows.origin(owners[i])), lengths[i], labels[i], _begins(rows[owners[i]].plain_text()))
        for i in order
    )


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


def _pieces(tokenizer: Any, sequence: Any) -> list[tuple[str, bool]]:
    """Returns the text of each token; bytes of one character that is spread over tokens show at its last one."""
    pieces: list[tuple[str, bool]] = []
    window: list[int] = []
    shown = held = 0
    for token, label in zip(sequence.tokens.tolist(), sequence.labels.tolist(), strict=True):
        window.append(token)
        text = _decode(tokenizer, window)
        broken = len(text) - len(text.rstrip("\ufffd"))
        held = held + 1 if broken else 0
        end = len(text) - broken if 0 < held < 4 else len(text)
        pieces.append((text[shown:end], label))
        shown = max(shown, end)
        if not broken and len(window) > 24:
            window = window[-8:]
            shown = len(_decode(tokenizer, window))
    return pieces


def _decode(tokenizer: Any, tokens: list[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _elided(pieces: list[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    """Returns the pieces with the middle of long stretches of one kind replaced by how many tokens are left out."""
    out: list[tuple[str, bool]] = []
    start = 0
    for end in range(1, len(pieces) + 1):
        if end < len(pieces) and pieces[end][1] == pieces[start][1]:
            continue
        run = pieces[start:end]
        if len(run) > MOST_SHOWN:
            run = [*run[:KEPT], (f" … {len(run) - 2 * KEPT:,} tokens … ", run[0][1]), *run[-KEPT:]]
        out += run
        start = end
    return tuple(out)


def _write_page(figures: RowsFigures, file: Path) -> None:
    from luthier.reports.page import render

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(rows_page(figures, f"Rows of {Path(figures.files[0]).name}")), encoding="utf-8")
