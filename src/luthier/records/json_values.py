"""JSON values out of text, one at a time: JSON lines, one list, or an object that wraps a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from luthier.records.decoding import UnreadableText, decoded, lines

Item = tuple[int, Any]
"""The line (or the item's number) and the value found there; an `UnreadableText` when it could not be read."""

WRAPPERS = ("data", "rows", "examples", "instances", "train")
_AFTER_NUMBER = tuple(" \t\r\n,]")
_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(path: Path) -> Iterator[Item]:
    """Yields the rows of a JSON or JSON-lines file, whichever of the two its content is, whatever its name.

    A lone object whose `data` (or `rows`, `examples` ...) is a list stands for that list.
    """
    first = _first_line(path)
    if first.startswith("[") or first.endswith(("{", "[", ":", ",")):
        return _unwrapped(document_values(path))
    return _unwrapped(line_values(path))


def line_values(path: Path) -> Iterator[Item]:
    """Yields the value of each line that is not blank; a line that is not JSON is reported, and reading goes on."""
    for number, line in enumerate(lines(path), start=1):
        if line.isspace():
            continue
        try:
            yield number, parse(line)
        except (ValueError, RecursionError) as error:
            yield number, UnreadableText(number, f"not valid JSON: {_message(error)}", "correct the line", ends=False)


def document_values(path: Path) -> Iterator[Item]:
    """Yields the items of one list (numbered from 1), or values that follow each other (by line), as they come in."""
    text = _Window(decoded(path))
    listed = text.peek() == "["
    if listed:
        text.skip()
    number = 0
    while (char := text.peek()) and not (listed and char == "]"):
        if listed and number:
            if char != ",":
                raise text.error("expected a comma or the end of the list")
            text.skip()
            text.peek()
        number += 1
        yield (number if listed else text.line), text.value()
    if listed:
        if not char:
            raise text.error("the list is not closed")
        text.skip()
        if text.peek():
            raise text.error("there is text after the end of the list")


def parse(text: str) -> Any:
    """Returns the value of JSON text; numbers that JSON does not have (NaN, Infinity) are errors."""
    return _DECODER.decode(text)


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


_DECODER = json.JSONDecoder(parse_constant=_not_json)


class _Window:
    """The part of a text that is being read, and the line it is at."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self.chunks, self.text, self.at, self.line = chunks, "", 0, 1

    def peek(self) -> str:
        """Returns the next character that is not white space; "" at the end."""
        while True:
            end = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches the empty text
            self._pass(end)
            if end < len(self.text):
                return self.text[end]
            if not self._more():
                return ""

    def skip(self) -> None:
        self._pass(self.at + 1)

    def value(self) -> Any:
        """Returns the next value, reading on while it is not complete."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except (json.JSONDecodeError, RecursionError) as error:
                if not isinstance(error, RecursionError) and self._more():
                    continue
                raise self.error(_message(error), getattr(error, "pos", self.at)) from None
            except ValueError as error:
                raise self.error(str(error)) from None
            whole = not isinstance(value, int | float) or self.text[end : end + 1] in _AFTER_NUMBER
            if not whole and self._more():
                continue  # a number may go on in the next chunk
            self._pass(end)
            return value

    def error(self, message: str, at: int | None = None) -> UnreadableText:
        line = self.line + self.text.count("\n", self.at, self.at if at is None else at)
        return UnreadableText(line, f"not valid JSON: {message}", "correct it; what comes after it was not read")

    def _pass(self, end: int) -> None:
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def _more(self) -> bool:
        """Reads at least as much again as is waiting, so that a long value is not tried again for every chunk."""
        waiting = self.text[self.at :]
        parts, wanted = [waiting], max(1, len(waiting))
        for chunk in self.chunks:
            parts.append(chunk)
            wanted -= len(chunk)
            if wanted <= 0:
                break
        self.text, self.at = "".join(parts), 0
        return len(self.text) > len(waiting)


def _first_line(path: Path) -> str:
    """Returns the first line that is not blank (or its beginning, when it is long), stripped."""
    text = ""
    for chunk in decoded(path):
        text = (text + chunk).lstrip()
        if text:
            break
    return text.split("\n", 1)[0].strip()


def _unwrapped(items: Iterator[Item]) -> Iterator[Item]:
    first = next(items, None)
    if first is None:
        return
    try:
        second = next(items, None)
    except UnreadableText:
        yield first
        raise
    wrapped = _wrapped(first[1]) if second is None else None
    if wrapped is not None:
        yield from enumerate(wrapped, start=1)
    else:
        yield from chain((first,) if second is None else (first, second), items)


def _wrapped(value: Any) -> list[Any] | None:
    if not isinstance(value, dict):
        return None
    lists = [value[name] for name in WRAPPERS if isinstance(value.get(name), list)]
    return lists[0] if len(lists) == 1 and all(isinstance(item, dict) for item in lists[0]) else None


def _message(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
