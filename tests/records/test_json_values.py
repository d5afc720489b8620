from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_writers import write

from luthier.records import decoding
from luthier.records.decoding import UnreadableText
from luthier.records.json_values import document_values, parse, read_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
objects = st.dictionaries(st.text(max_size=5), st.recursive(scalars, lambda one: st.lists(one, max_size=3)), max_size=3)
fresh = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def values(path: str) -> list[Any]:
    return [value for _, value in read_json(Path(path))]


@fresh
@given(rows=st.lists(objects, max_size=4), indent=st.none() | st.integers(0, 2), chunk=st.integers(1, 20))
def test_a_list_is_read_item_by_item_whatever_its_layout(
    tmp_path: Path, rows: list[Any], indent: int | None, chunk: int
) -> None:
    path = write(tmp_path, "a.json", json.dumps(rows, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "CHUNK_BYTES", chunk)
        assert list(read_json(Path(path))) == list(enumerate(rows, start=1))


@fresh
@given(rows=st.lists(scalars, max_size=6), chunk=st.integers(1, 8))
def test_values_that_follow_each_other_are_read_whole(tmp_path: Path, rows: list[Any], chunk: int) -> None:
    path = write(tmp_path, "a.json", "\n".join(map(json.dumps, rows)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "CHUNK_BYTES", chunk)
        assert [value for _, value in document_values(Path(path))] == rows


@fresh
@given(rows=st.lists(objects, min_size=2, max_size=4), blank=st.booleans())
def test_json_lines_have_their_line_numbers(tmp_path: Path, rows: list[Any], blank: bool) -> None:
    lines = [json.dumps(row) + ("\n \n" if blank else "\n") for row in rows]
    path = write(tmp_path, "a.jsonl", "".join(lines))
    assert list(read_json(Path(path))) == [(1 + (2 if blank else 1) * n, row) for n, row in enumerate(rows)]


def test_a_lone_object_around_a_list_stands_for_the_list(tmp_path: Path) -> None:
    assert values(write(tmp_path, "a.json", '{"v": 1, "data": [{"a": 1}, {"a": 2}]}')) == [{"a": 1}, {"a": 2}]
    assert values(write(tmp_path, "b.json", '{\n "rows": [{"a": 1}]\n}')) == [{"a": 1}]
    two = [{"data": [{"a": 1}]}, {"data": [{"a": 2}]}]
    assert values(write(tmp_path, "c.json", "\n".join(map(json.dumps, two)))) == two
    assert values(write(tmp_path, "d.json", '{"data": ["a"]}')) == [{"data": ["a"]}]
    assert values(write(tmp_path, "e.json", '{\n"text": "a"\n}\n{\n"text": "b"\n}')) == [{"text": "a"}, {"text": "b"}]
    assert values(write(tmp_path, "f.json", " \n")) == []


def test_a_bad_line_is_reported_and_the_next_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 1\n{"a": NaN}\n' + "[" * 100_000 + '\n{"a": 2}')
    found = list(read_json(Path(path)))
    assert [line for line, _ in found] == [1, 2, 3, 4, 5]
    errors = [value for _, value in found if isinstance(value, UnreadableText)]
    assert [error.problem for error in errors] == [
        "not valid JSON: Expecting ',' delimiter at column 1",
        "not valid JSON: NaN is not a JSON number",
        "not valid JSON: it is nested too deeply",
    ]
    assert not any(error.ends for error in errors)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('[\n{"a": 1},\n{"a" 2}]', 3, "Expecting ':' delimiter"),
        ('[{"a": 1}\n {"a": 2}]', 2, "expected a comma or the end of the list"),
        ('[{"a": 1},\n{"a": 2}', 2, "the list is not closed"),
        ('[{"a": 1}]\n[]', 2, "there is text after the end of the list"),
        ('[{"a": Infinity}]', 1, "Infinity is not a JSON number"),
    ],
)
def test_a_broken_list_is_reported_where_it_breaks(tmp_path: Path, text: str, line: int, problem: str) -> None:
    with pytest.raises(UnreadableText) as error:
        values(write(tmp_path, "a.json", text))
    assert error.value.line == line
    assert problem in error.value.problem
    assert error.value.ends


def test_numbers_json_does_not_have_are_errors() -> None:
    with pytest.raises(ValueError, match="NaN is not a JSON number"):
        parse("[NaN]")
