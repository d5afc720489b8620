"""Raw values out of each type of file: JSON, tables (CSV, TSV, Parquet) and plain text."""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from gzip import BadGzipFile
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from luthier.records.decoding import UnreadableText, decoded, is_packed, lines, open_binary
from luthier.records.json_values import Item, read_json

FileType = Literal["json", "csv", "tsv", "parquet", "text"]
TextUnit = Literal["file", "line", "paragraph"]
SUFFIXES: dict[str, FileType] = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "text",
    ".md": "text",
}
_PARQUET_BATCH_ROWS = 256


def file_type(path: Path) -> FileType | None:
    """Returns the type of a file by its name (without .gz), else by its first bytes; None when neither tells."""
    return type_by_name(path) or _sniffed(path)


def type_by_name(path: Path) -> FileType | None:
    """Returns the type that a file's name says, without .gz; None when it says none."""
    name = path.name.lower().removesuffix(".gz")
    return SUFFIXES.get(Path(name).suffix)


def read_file(path: Path, kind: FileType, *, text_unit: TextUnit = "file", header: bool = True) -> Iterator[Item]:
    """Yields the raw rows of a file with their lines; what cannot be read is an `UnreadableText` in a row's place."""
    line = 0
    try:
        for line, value in _items(path, kind, text_unit, header):
            yield line, value
    except UnreadableText as error:
        yield error.line, error
    except (BadGzipFile, EOFError, zlib.error) as error:
        problem = f"the gzip data is damaged after row {line}: {error}" if line else f"damaged gzip data: {error}"
        yield 0, UnreadableText(0, problem, "copy or pack the file again")
    except OSError as error:
        yield 0, UnreadableText(0, f"cannot be read: {error.strerror or error}", "check the file and its permissions")


def table_header(path: Path, kind: FileType) -> list[str]:
    """Returns the cells of a CSV or TSV file's first line."""
    try:
        return next(_cells(path, kind), (0, []))[1]
    except (UnreadableText, csv.Error, OSError, EOFError, zlib.error):
        return []  # reading the file says what is wrong


def _items(path: Path, kind: FileType, text_unit: TextUnit, header: bool) -> Iterator[Item]:
    if kind == "json":
        return read_json(path)
    if kind == "parquet":
        return _parquet(path)
    if kind == "text":
        return _text(path, text_unit)
    return _table(path, kind, header)


def _text(path: Path, unit: TextUnit) -> Iterator[Item]:
    if unit == "file":
        yield 1, {"text": "".join(decoded(path))}
        return
    start, paragraph = 0, ""
    for number, line in enumerate(lines(path), start=1):
        blank = not line.strip()
        if unit == "line" and not blank:
            yield number, {"text": line.removesuffix("\n").removesuffix("\r")}
        elif unit == "paragraph" and blank and paragraph:
            yield start, {"text": paragraph.removesuffix("\n").removesuffix("\r")}
            paragraph = ""
        elif unit == "paragraph" and not blank:
            start = start if paragraph else number
            paragraph += line
    if paragraph:
        yield start, {"text": paragraph.removesuffix("\n").removesuffix("\r")}


def _table(path: Path, kind: FileType, header: bool) -> Iterator[Item]:
    names: list[str] = []
    for line, cells in _cells(path, kind):
        if not names:
            names = [name.strip() for name in cells] if header else [str(n + 1) for n in range(len(cells))]
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise UnreadableText(line, f"the header names {doubled[0]!r} twice", "give each column its own name")
            if header:
                continue
        if len(cells) != len(names):
            problem = f"has {len(cells)} cells where the first line has {len(names)}"
            remedy = "quote the cells that hold the delimiter, or add what is missing"
            yield line, UnreadableText(line, problem, remedy, ends=False)
        else:
            yield line, {name: cell or None for name, cell in zip(names, cells, strict=True)}


def _cells(path: Path, kind: FileType, quoted: bool | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yields the cells of each line of a table with the line they start at."""
    csv.field_size_limit(sys.maxsize)  # the default refuses cells over 128 KiB
    delimiter = "\t" if kind == "tsv" else _delimiter(path)
    quoted = quoted if quoted is not None else kind == "csv" or _is_quoted_tsv(path)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(lines(path), delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            remedy = 'put text with quotes in quotes and double the inner ones: "say ""hi"""'
            raise UnreadableText(start, f"not valid CSV: {error}", remedy) from None
        if cells:
            yield start, cells


def _delimiter(path: Path) -> str:
    first = next(lines(path), "")
    counts = {mark: first.count(mark) for mark in ",;\t|"}
    return "," if counts[","] else max(counts, key=lambda mark: counts[mark])


def _is_quoted_tsv(path: Path) -> bool:
    """Returns whether quotes in a TSV enclose cells (as spreadsheets write) or are part of the text (as the format's
    own definition says): they enclose when the whole file reads so, with as many cells on every line."""
    try:
        widths = {len(cells) for _, cells in _cells(path, "tsv", quoted=True)}
    except (UnreadableText, EOFError, OSError, zlib.error):
        return False
    return len(widths) <= 1


def _parquet(path: Path) -> Iterator[Item]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with _seekable(path) as source, pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 16) as file:
            for batch in file.iter_batches(batch_size=_PARQUET_BATCH_ROWS, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield number, _without_nulls(row)
    except pa.ArrowException as error:
        problem = f"not a readable Parquet file (after row {number}): {' '.join(str(error).split())}"
        raise UnreadableText(0, problem, "write or copy the file again") from None


def _without_nulls(value: Any) -> Any:
    """Returns a value without the keys that are null: a Parquet object has every key that any row of its file has, so
    a tool's schema or a call's arguments would hold those of all others."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _seekable(path: Path) -> BinaryIO:
    """Returns a file's bytes, unpacked to a temporary file when they are gzip: Parquet is read from its end."""
    if not is_packed(path):
        return path.open("rb")
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
    with open_binary(path) as source:
        shutil.copyfileobj(source, unpacked)
    unpacked.seek(0)
    return cast("BinaryIO", unpacked)


def _sniffed(path: Path) -> FileType | None:
    try:
        with open_binary(path) as file:
            head = file.read(4096)
    except (OSError, EOFError, zlib.error):
        return None
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return "json"
    tabs = {line.count(b"\t") for line in head.split(b"\n")[:-1]}
    return "tsv" if len(tabs) == 1 and tabs != {0} else None
