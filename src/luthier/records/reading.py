"""Rows out of files: each file's format is recognised, every bad row is reported, good rows are spooled to disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from luthier.errors import RowProblem, RowsError
from luthier.records.columns import Columns
from luthier.records.decoding import UnreadableText
from luthier.records.examples import Problem, with_group
from luthier.records.fields import Fields, described
from luthier.records.file_types import read_file, table_header
from luthier.records.files import DataFile, find_files
from luthier.records.formats import FORMATS, Format, explain, recognise
from luthier.records.json_values import Item
from luthier.records.options import FormatOptions
from luthier.records.rows import Rows, Source
from luthier.records.spool import SpoolWriter, canonical

__all__ = ["Rows", "read_rows"]

_RECOGNISED_ON_ROWS = 20
_MOST_PROBLEMS = 10_000
_PROGRESS_ROWS = 1000


def read_rows(
    sources: Sequence[str],
    options: FormatOptions,
    *,
    spool: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Rows:
    """Returns the rows of files, folders, patterns and hub data sets, in the order given.

    They are spooled to the folder `spool`, or to a temporary one that lives as long as the rows. `progress` is told
    the rows read so far. Raises one `RowsError` with everything that is wrong, or `SpecError` for the options.
    """
    return _Reader(options, progress).read(sources, spool)


class _Reader:
    """One reading of rows: the problems so far, and what was seen."""

    def __init__(self, options: FormatOptions, progress: Callable[[int], None] | None) -> None:
        self.options, self.progress = options, progress
        self.columns = Columns(options.columns, options.group_by)
        self.forced: Format | None = None if options.format == "auto" else FORMATS.load(options.format)
        self.fatal: list[RowProblem] = []
        self.bad: list[RowProblem] = []
        self.unused: Counter[str] = Counter()
        self.found: dict[str, Format] = {}
        self.kind: str | None = None

    def read(self, sources: Sequence[str], spool: Path | None) -> Rows:
        if not sources:
            raise RowsError((RowProblem("rows", 0, "", "no rows were named", "name a file, a folder or a data set"),))
        found = [find_files(source) for source in sources]
        self.fatal += [problem for one in found for problem in one.problems]
        files = [file for one in found for file in one.files]
        writer = SpoolWriter(spool)
        try:
            for number, file in enumerate(files):
                self._file(file, number, writer)
            self._refuse(files, writer.count)
        except BaseException:
            writer.discard()
            raise
        source = Source(
            kind=self.kind or "",
            format=" + ".join(dict.fromkeys(one.name for one in self.found.values())),
            files=tuple(file.name for file in files),
            skipped_files=tuple(name for one in found for name in one.skipped),
            unused_columns=dict(self.unused),
            bad_rows=tuple(self.bad),
        )
        return Rows(writer.close(source.files), source)

    def _refuse(self, files: Sequence[DataFile], count: int) -> None:
        """Raises when anything is wrong that was not asked to be skipped, or when nothing is left."""
        if self.fatal or (self.bad and self.options.bad_rows == "refuse"):
            remedy = "" if self.fatal else "or leave the bad rows out, counted: --bad-rows skip"
            raise RowsError((*self.fatal, *self.bad), remedy=remedy)
        if not count:
            names = ", ".join(file.name for file in files)
            left = f" but {len(self.bad)} bad ones" if self.bad else ""
            raise RowsError((RowProblem(names, 0, "", f"no rows are here{left}", "give at least one row"),))

    def _file(self, file: DataFile, number: int, writer: SpoolWriter) -> None:
        header = file.type not in ("csv", "tsv") or self.columns.header(table_header(file.path, file.type))
        items = read_file(file.path, file.type, text_unit=self.options.text_unit, header=header)
        head: list[Item] = []
        for item in items:
            head.append(item)
            if len(head) >= _RECOGNISED_ON_ROWS and not isinstance(item[1], UnreadableText):
                break
        shape = self._shape(file, head)
        if shape is None:
            return
        for line, value in chain(head, items):
            self._row(file, number, line, value, shape, writer)
            if len(self.bad) >= _MOST_PROBLEMS:
                text = f"reading stopped after {_MOST_PROBLEMS:,} problems"
                self.fatal.append(RowProblem(file.name, line, "", text, "correct these first"))
                return

    def _shape(self, file: DataFile, head: Sequence[Item]) -> Format | None:
        """Returns the format of a file by its first rows; notes a problem when there is none, or of another kind."""
        rows = [(line, value) for line, value in head if not isinstance(value, UnreadableText)]
        if not rows:
            empty = RowProblem(file.name, 0, "", "has no rows", "give at least one row, or leave the file out")
            self.fatal += [self._unreadable(file, error) for _, error in head] or [empty]
            return None
        shape, forced = self.forced, self.forced
        if forced and all(forced.lacks(self.columns.apply(row)[0] or {}) for _, row in rows):
            shape = None
        elif forced is None:
            seen = Counter(one.name for _, row in rows if (one := recognise(self.columns.apply(row)[0])))
            shape = FORMATS.load(seen.most_common(1)[0][0]) if seen else None
        if shape is None:
            line, row = rows[0]
            why = self.columns.explain(row, file.type) or explain(
                self.columns.apply(row)[0], shown=tuple(row) if isinstance(row, Mapping) else (), forced=forced
            )
            self.fatal.append(RowProblem(file.name, line, why.field, why.problem, why.remedy))
        elif self.kind not in (None, shape.kind):
            first = next(iter(self.found.items()))
            problem = (
                f"holds {shape.kind} rows ({shape.name}), while {first[0]} holds {self.kind} rows ({first[1].name})"
            )
            self.fatal.append(RowProblem(file.name, 0, "", problem, "read one kind of rows at a time"))
            return None
        else:
            self.kind = shape.kind
            self.found[file.name] = shape
        return shape

    def _row(self, file: DataFile, number: int, line: int, value: Any, shape: Format, writer: SpoolWriter) -> None:
        if isinstance(value, UnreadableText):
            (self.fatal if value.ends else self.bad).append(self._unreadable(file, value))
            return
        row, problems = self._record(value, shape)
        if row is None:
            self.bad += [RowProblem(file.name, line, one.field, one.problem, one.remedy) for one in problems]
            return
        writer.add(row, number, line)
        if self.progress and writer.count % _PROGRESS_ROWS == 0:
            self.progress(writer.count)

    def _record(self, value: Any, shape: Format) -> tuple[bytes | None, Sequence[Problem]]:
        """Returns one raw row as canonical JSON, or what is wrong with it."""
        values, sources = self.columns.apply(value)
        if values is None:
            return None, (Problem("", f"a row is {described(value)}", "a row must be a JSON object"),)
        fields = Fields(values, sources)
        record = shape.read(fields)
        group = self.columns.group(value, fields)
        problems = fields.problems or list(record.check())
        if problems:
            other = recognise(values) if shape.lacks(values) else None
            if other and other.name != shape.name:
                return None, (
                    Problem(
                        "",
                        f"has the columns of {other.name}, the rows before it are {shape.name}",
                        "put rows of one format in a file",
                    ),
                )
            return None, problems
        try:
            row = canonical(with_group(record.to_json(), group))
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            remedy = "an escape such as \\ud83d needs its second half right after it"
            return None, (Problem("", f"holds half a character: {half!r}", remedy),)
        self.unused.update(fields.ignored)
        self.unused.update(key for key in values if key not in fields.used and values[key] not in (None, "", [], {}))
        return row, ()

    @staticmethod
    def _unreadable(file: DataFile, error: UnreadableText) -> RowProblem:
        return RowProblem(file.name, error.line, "", error.problem, error.remedy)
