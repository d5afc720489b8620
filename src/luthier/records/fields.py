"""One raw row while a format reads it: typed access by column, which notes every problem instead of stopping at one."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from luthier.records.examples import Problem

_COLUMN = re.compile(r"[^.\[]*")
_LONGEST_CELL = 1_000_000
"""Characters of a cell that may hold a list written as text."""


class Fields:
    """A raw row: `values` by column, the columns `used` so far, the `problems` found.

    `ignored` names what inside a column was not used. `sources` maps a column the user renamed to the name it has in
    the file, for messages.
    """

    __slots__ = ("ignored", "problems", "sources", "used", "values")

    def __init__(self, values: Mapping[str, Any], sources: Mapping[str, str]) -> None:
        self.values, self.sources = values, sources
        self.problems: list[Problem] = []
        self.used: set[str] = set()
        self.ignored: set[str] = set()

    def problem(self, name: str, problem: str, remedy: str) -> None:
        column = _COLUMN.match(name)[0]  # type: ignore[index]  # it matches the empty text
        self.problems.append(Problem(self.sources.get(column, column) + name[len(column) :], problem, remedy))

    def find(self, *names: str) -> tuple[str, Any]:
        """Returns the first of `names` that has a value, and the value; (first name, None) when none has."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                self.used.add(name)
                return name, value
        return names[0], None

    def text(self, *names: str, optional: bool = False) -> str:
        """Returns the text of the first of `names` that is there; "" when it is missing."""
        name, value = self.find(*names)
        if isinstance(value, str):
            return value
        if value is not None:
            self.problem(name, f"is {described(value)}, not text", "write it as text")
        elif not optional:
            self.missing(*names)
        return ""

    def missing(self, *names: str) -> None:
        keys = ", ".join(str(key) for key in self.values)
        self.problem(" or ".join(names), "is missing", f"add it, or name its column with --columns (here: {keys})")

    def items(self, *names: str) -> tuple[str, list[Any] | None]:
        """Returns the name of the first of `names` that is there and its list; a list written as text is read."""
        name, value = self.find(*names)
        value = unquoted(value)
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return name, list(value)
        if value is not None:
            self.problem(name, f"is {described(value)}, not a list", "give a list")
        return name, None

    def truth(self, *names: str) -> bool:
        """Returns a yes or no, however it is written (true, 1, "True")."""
        name, value = self.find(*names)
        if value is None:
            self.missing(*names)
            return False
        truth = as_truth(value)
        if truth is not None:
            return truth
        self.problem(name, f"is {described(value)}, neither true nor false", "use true or false (or 1 or 0)")
        return False

    def number(self, *names: str) -> float | None:
        """Returns a finite number, also when it is written as text; None when it is missing."""
        name, value = self.find(*names)
        if value is None:
            return None
        try:
            number = float(value) if isinstance(value, int | float | str) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
        self.problem(name, f"is {described(value)}, not a number", "give a finite number")
        return None

    def label(self, name: str, value: Any) -> str:
        """Returns a label as text: numbers and true or false as JSON writes them."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool | int | float):
            return json.dumps(value)
        self.problem(name, f"is {described(value)}, not a label", "use text or a number")
        return ""


_TRUTHS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def as_truth(value: Any) -> bool | None:
    """Returns the yes or no a value stands for, None when it stands for neither."""
    return _TRUTHS.get(str(value).strip().lower()) if isinstance(value, bool | int | float | str) else None


def described(value: Any) -> str:
    """Returns a short description of a value that is not what it should be: its JSON type and the value itself."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(shortened(value))
        case int() | float():
            return f"the number {value}"
        case Mapping():
            return f"an object with the keys {shortened(', '.join(map(str, value)))}"
        case list() | tuple():
            return f"a list of {len(value)} items"
        case _:
            return f"of type {type(value).__name__}"


def shortened(text: str, length: int = 60) -> str:
    """Returns `text`, or its beginning and "..." when it is longer than `length` characters."""
    return text if len(text) <= length else text[: length - 3] + "..."


def unquoted(value: Any) -> Any:
    """Returns the list or object that a text holds as JSON, or as Python writes it (what tables saved as CSV hold);
    any other value as it is."""
    if not isinstance(value, str) or not value.startswith(("[", "{")) or len(value) > _LONGEST_CELL:
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list | dict):
            return found
    return value
