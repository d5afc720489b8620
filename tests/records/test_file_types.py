from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_writers import table, write, write_parquet

from luthier.records.decoding import UnreadableText
from luthier.records.file_types import TextUnit, file_type, read_file, type_by_name

fresh = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), min_size=1, max_size=20)


@fresh
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=4), delimiter=st.sampled_from(",;\t"))
def test_cells_are_kept_exactly(tmp_path: Path, rows: list[tuple[str, str]], delimiter: str) -> None:
    dicts = [{"a": first, "b": second} for first, second in rows]
    path = Path(write(tmp_path, "a.csv", table(dicts, delimiter)))
    assert [value for _, value in read_file(path, "csv")] == dicts


def test_a_cell_may_be_large_and_span_lines(tmp_path: Path) -> None:
    long = "x" * 200_000
    path = Path(write(tmp_path, "a.csv", f'a,b\n"one\r\ntwo",{long}\n\nthree,\n'))
    assert list(read_file(path, "csv")) == [(2, {"a": "one\r\ntwo", "b": long}), (5, {"a": "three", "b": None})]


def test_quotes_in_a_tsv_are_text_unless_the_whole_file_is_quoted(tmp_path: Path) -> None:
    plain = Path(write(tmp_path, "a.tsv", 'a\tb\n"Hm," he said.\t"open\nx\t5"\n'))
    assert [value for _, value in read_file(plain, "tsv")] == [
        {"a": '"Hm," he said.', "b": '"open'},
        {"a": "x", "b": '5"'},
    ]
    open_quotes = Path(write(tmp_path, "c.tsv", 'a\tb\n"x\ty\nz\tw"\n'))
    assert [value for _, value in read_file(open_quotes, "tsv")] == [{"a": '"x', "b": "y"}, {"a": "z", "b": 'w"'}]
    quoted = Path(write(tmp_path, "b.tsv", 'a\tb\n"say ""hi"""\t"two\nlines"\n'))
    assert [value for _, value in read_file(quoted, "tsv")] == [{"a": 'say "hi"', "b": "two\nlines"}]


@pytest.mark.parametrize(
    ("text", "line", "problem", "ends"),
    [
        ("a,b\n1\n2,3\n", 2, "has 1 cells where the first line has 2", False),
        ("a,b\n1,2,3\n", 2, "has 3 cells where the first line has 2", False),
        ("a,a\n1,2\n", 1, "the header names 'a' twice", True),
        ('a,b\n1,2\n"x" y,2\n', 3, "not valid CSV: ',' expected after '\"'", True),
        ('a,b\n"x,2\n', 2, "not valid CSV: unexpected end of data", True),
    ],
)
def test_a_broken_table_is_reported(tmp_path: Path, text: str, line: int, problem: str, ends: bool) -> None:
    found = [value for _, value in read_file(Path(write(tmp_path, "a.csv", text)), "csv")]
    (error,) = [value for value in found if isinstance(value, UnreadableText)]
    assert (error.line, error.problem, error.ends) == (line, problem, ends)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("file", [(1, " one\r\ntwo \r\n\r\n \n\u2028three\n")]),
        ("line", [(1, " one"), (2, "two "), (5, "\u2028three")]),
        ("paragraph", [(1, " one\r\ntwo "), (5, "\u2028three")]),
    ],
)
def test_text_is_kept_exactly_in_every_unit(tmp_path: Path, unit: TextUnit, expected: list[tuple[int, str]]) -> None:
    path = Path(write(tmp_path, "a.txt", " one\r\ntwo \r\n\r\n \n\u2028three\n"))
    assert [(line, value["text"]) for line, value in read_file(path, "text", text_unit=unit)] == expected


def test_parquet_is_read_in_batches_with_row_numbers(tmp_path: Path) -> None:
    path = Path(write_parquet(tmp_path, [{"text": str(row)} for row in range(600)]))
    assert list(read_file(path, "parquet")) == [(row + 1, {"text": str(row)}) for row in range(600)]


def test_damaged_files_are_reported_not_raised(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"text": "a"}\n' * 1000)[:-20])
    *_, (_, error) = read_file(packed, "json")
    assert isinstance(error, UnreadableText)
    assert "gzip data" in error.problem
    broken = tmp_path / "a.parquet"
    broken.write_bytes(b"PAR1 no")
    ((_, error),) = read_file(broken, "parquet")
    assert "not a readable Parquet file (after row 0)" in error.problem
    ((_, error),) = read_file(tmp_path / "absent.csv", "csv")
    assert error.problem == "cannot be read: No such file or directory"


def test_the_type_is_told_by_name_then_by_content(tmp_path: Path) -> None:
    assert type_by_name(Path("a.b.JSONL.GZ")) == "json"
    assert type_by_name(Path("a.xlsx")) is None
    assert file_type(Path(write(tmp_path, "list", ' \n[{"text": "a"}]'))) == "json"
    assert file_type(Path(write(tmp_path, "tabs", "ham\tHi\nspam\tBuy\n"))) == "tsv"
    assert file_type(Path(write(tmp_path, "tabs.data", "ham\tHi\nspam\tBuy\n", packed=True))) == "tsv"
    assert file_type(Path(write(tmp_path, "prose", "Once upon a time\n"))) is None
    parquet = Path(write_parquet(tmp_path, [{"text": "a"}])).rename(tmp_path / "parquet")
    assert file_type(parquet) == "parquet"
