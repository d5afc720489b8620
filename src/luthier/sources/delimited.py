"""Tables and values as text: CSV, JSON, JSON lines, notebooks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from luthier.records.documents import Document
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.text import decoded, heading_text, markdown_blocks
from luthier.sources.writer import Writer, cleaned

TEXTS = ("text", "content", "body", "passage", "document")
TITLES = ("title", "name", "heading")
_SNIFFED = 4_000
_DELIMITERS = ",;\t|"
_OUTPUT_CHARACTERS = 4_000
"""What is kept of one output of a notebook's cell: the first of it."""


def read_csv(raw: Raw) -> Document:
    """Returns the rows of a CSV or TSV file as one table."""
    text = decoded(raw.data)
    csv.field_size_limit(1 << 24)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:_SNIFFED], _DELIMITERS)
    except csv.Error:
        dialect = csv.excel_tab if raw.name.lower().endswith(".tsv") else csv.excel
    writer = Writer()
    try:
        writer.table(csv.reader(io.StringIO(text), dialect))
    except csv.Error as error:
        raise UnreadableError(f"is not CSV: {error}", remedy="save it as CSV again") from None
    return writer.document(raw)


def read_json(raw: Raw) -> Document:
    """Returns the values of a JSON file, one a line with the way to it."""
    writer, value = Writer(), _json(decoded(raw.data), "JSON")
    for part in value if isinstance(value, list) else [value]:
        _write_value(writer, part)
    return writer.document(raw)


def read_json_lines(raw: Raw) -> Document:
    """Returns the rows of a JSON lines file: their title and text where they have such fields, else all values."""
    writer = Writer()
    for number, line in enumerate(decoded(raw.data).split("\n"), 1):
        if line.strip():
            _write_value(writer, _json(line, f"JSON in line {number}"))
    return writer.document(raw, title=raw.stem)


def read_notebook(raw: Raw) -> Document:
    """Returns the cells of a Jupyter notebook with what they printed."""
    book = _json(decoded(raw.data), "a notebook")
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise UnreadableError("holds no cells", remedy="save it as a notebook of version 4")
    writer = Writer()
    for cell in cells:
        source = cleaned(_joined(cell.get("source")))
        if cell.get("cell_type") == "markdown":
            write_markdown(writer, source)
        elif cell.get("cell_type") == "code":
            writer.code(source)
            for output in cell.get("outputs") or ():
                shown = _joined(output.get("text") or (output.get("data") or {}).get("text/plain"))
                writer.code(shown[:_OUTPUT_CHARACTERS])
        else:
            writer.text(source)
    return writer.document(raw)


def write_markdown(writer: Writer, text: str) -> None:
    """Adds Markdown to what is written, block by block."""
    for block in markdown_blocks(text):
        piece = text[block.start : block.end]
        if block.kind == "heading":
            writer.heading(heading_text(piece), block.level)
        elif block.kind == "text":
            writer.text(piece)
        else:
            writer.block(block.kind, piece)


def _write_value(writer: Writer, value: Any) -> None:
    if isinstance(value, dict):
        text = next((value[name] for name in TEXTS if isinstance(value.get(name), str) and value[name].strip()), "")
        if text:
            title = next((value[name] for name in TITLES if isinstance(value.get(name), str)), "")
            if title:
                writer.heading(title, 2)
            writer.text(text)
            return
    writer.text("\n".join(_flat(value, "")))


def _flat(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for number, part in enumerate(value):
            yield from _flat(part, f"{path}[{number}]")
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
        yield f"{path}: {shown}" if path else shown


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnreadableError(f"is not {what}: {error}", remedy="look at that place") from None


def _joined(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
