"""Writes rows as files of every type, for tests."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ENCODINGS = {
    "utf-8": ("utf-8", b""),
    "utf-8 with mark": ("utf-8", b"\xef\xbb\xbf"),
    "utf-16 little": ("utf-16-le", b"\xff\xfe"),
    "utf-16 big": ("utf-16-be", b"\xfe\xff"),
    "utf-32": ("utf-32-le", b"\xff\xfe\x00\x00"),
}


def json_lines(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def json_list(rows: Sequence[Any]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=1)


def json_wrapped(rows: Sequence[Any]) -> str:
    return json.dumps({"version": 1, "data": rows}, ensure_ascii=False)


def table(rows: Sequence[Mapping[str, Any]], delimiter: str) -> str:
    text = io.StringIO()
    names = list(rows[0])
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value


TEXT_FILES = {
    "rows.jsonl": json_lines,
    "rows.ndjson": json_lines,
    "lines.json": json_lines,
    "list.json": json_list,
    "list.jsonl": json_list,
    "wrapped.json": json_wrapped,
    "rows.csv": lambda rows: table(rows, ","),
    "semicolons.csv": lambda rows: table(rows, ";"),
    "rows.tsv": lambda rows: table(rows, "\t"),
}


def write(folder: Path, name: str, text: str, *, encoding: str = "utf-8", packed: bool = False) -> str:
    """Returns the path of a file written with `text`."""
    codec, mark = ENCODINGS[encoding]
    data = mark + text.encode(codec)
    path = folder / (name + ".gz" if packed else name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if packed else data)
    return str(path)


def write_parquet(folder: Path, rows: Sequence[Mapping[str, Any]], *, packed: bool = False) -> str:
    """Returns the path of a Parquet file written with `rows`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / ("rows.parquet.gz" if packed else "rows.parquet")
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out)
    path.write_bytes(gzip.compress(out.getvalue()) if packed else out.getvalue())
    return str(path)


def spell(number: int, count: int = 60) -> str:
    """Returns a text of its own for each number."""
    draw = np.random.default_rng(number)
    return " ".join("".join(chr(97 + letter) for letter in draw.integers(0, 26, 5)) for _ in range(count))


def changed(text: str) -> str:
    words = text.split()
    return " ".join([*words[:30], "other", *words[31:]])
