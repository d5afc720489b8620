"""Columns of raw rows under the names that formats know: renamed by the user, or by case alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from luthier.errors import SpecError
from luthier.records.examples import Problem
from luthier.records.fields import Fields, described, shortened
from luthier.records.file_types import FileType
from luthier.records.formats import as_columns, known_columns, rename


class Columns:
    """Gives raw rows the column names that formats know, and finds the column rows are grouped by.

    `Question` counts as `question`; a name with dots (`metadata.source`) looks inside objects.
    """

    def __init__(self, renamed: Sequence[str], group_by: str | None) -> None:
        self.renamed = rename(renamed)
        self.group_by = group_by
        self._folded: dict[tuple[str, ...], dict[str, str]] = {}

    def header(self, cells: Sequence[str]) -> bool:
        """Returns whether a table has a header line: not when the user names its columns by number."""
        columns = list(self.renamed.values())
        if not columns or not all(column.isdigit() for column in columns) or all(column in cells for column in columns):
            return True
        if (most := max(map(int, columns))) > len(cells):
            raise SpecError(f"there is no column {most}", where="columns", remedy=f"the table has {len(cells)}")
        return False

    def apply(self, value: Any) -> tuple[Mapping[str, Any] | None, Mapping[str, str]]:
        """Returns a raw row by known column names, with the names that were changed; None when it is no row."""
        values = as_columns(value)
        if values is None:
            return None, {}
        folded = self._fold(values)
        if not folded and not self.renamed:
            return values, {}
        taken = {column if column in values else column.partition(".")[0] for column in self.renamed.values()}
        named = {folded.get(key, key): each for key, each in values.items() if key not in taken}
        named |= {name: lookup(values, column) for name, column in self.renamed.items()}
        return named, {new: old for old, new in folded.items()} | self.renamed

    def explain(self, value: Any, kind: FileType) -> Problem | None:
        """Returns the problem when a row lacks a column that the user renamed, or a table its header line."""
        values = as_columns(value) or {}
        keys = [str(key) for key in values]
        lacking = [column for column in self.renamed.values() if lookup(values, column) is None]
        if lacking and values:
            return Problem("", f"there is no column {lacking[0]!r} to rename", f"the columns are {', '.join(keys)}")
        if kind in ("csv", "tsv") and len(keys) > 1 and any(_is_data(key) for key in keys):
            problem = f"the first line looks like a row, not like column names: {shortened(', '.join(keys), 100)}"
            return Problem("", problem, "name columns by number, for example --columns label=1 text=2")
        return None

    def group(self, value: Any, fields: Fields) -> str:
        """Returns the group of a raw row; notes a problem in `fields` when it has none."""
        if self.group_by is None:
            return ""
        found = lookup(as_columns(value) or {}, self.group_by)
        fields.used.add(self.group_by)
        if found is None or isinstance(found, list | dict) or found == "":
            problem = "is missing" if found is None else f"is {described(found)}, not a name"
            fields.problem(self.group_by, problem, "give every row its group, or leave out --group-by")
            return ""
        return str(found)

    def _fold(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Returns {column: known name} of the columns whose case alone is not a known name's."""
        keys = tuple(values)
        if keys not in self._folded:
            known = known_columns()
            folded = {key: key.strip().lower() for key in keys if isinstance(key, str) and key not in known}
            self._folded[keys] = {key: low for key, low in folded.items() if low in known and low not in values}
            if len(self._folded) > 1000:
                self._folded.clear()
                self._folded[keys] = {}
        return self._folded[keys]


def _is_data(cell: str) -> bool:
    """Returns whether a table's cell is a number or a sentence, which no column is called."""
    return len(cell) > 40 or cell.replace(".", "", 1).removeprefix("-").isdigit()


def lookup(values: Mapping[str, Any], name: str) -> Any:
    """Returns what a row has under `name`, looking into objects at its dots; None when there is nothing."""
    if name in values:
        return values[name]
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
