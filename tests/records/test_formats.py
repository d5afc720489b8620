"""The conformance suite of the formats: a new one needs a line in `row_examples.CASES` and is tested here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from row_examples import CASES, RECORDS, any_record
from row_writers import ENCODINGS, TEXT_FILES, write, write_parquet

from luthier.errors import RowsError, SpecError
from luthier.records.examples import Record
from luthier.records.formats import FORMATS, explain, formats, known_columns, recognise, rename
from luthier.records.kinds import RECORDS as KINDS
from luthier.records.options import RowsOptions
from luthier.records.reading import read_rows

cases = pytest.mark.parametrize(("name", "raw", "record"), CASES.values(), ids=CASES)


def test_every_format_has_a_case_and_a_kind() -> None:
    assert {name for name, _, _ in CASES.values()} == set(FORMATS.names())
    assert {one.name for one in formats()} == set(FORMATS.names())
    assert {one.kind for one in formats()} == set(KINDS) == set(RECORDS)
    assert all(FORMATS.load(name).name == name for name in FORMATS.names())


@cases
def test_a_format_is_recognised_and_read(tmp_path: Path, name: str, raw: Any, record: Record) -> None:
    rows = read_rows([write(tmp_path, "rows.jsonl", TEXT_FILES["rows.jsonl"]([raw]))], RowsOptions())
    assert (rows.format, rows.kind, list(rows)) == (name, record.kind, [record])
    assert list(rows[0].check()) == []
    assert str(rows[0].origin) == f"{tmp_path}/rows.jsonl:1"


@cases
def test_a_format_can_be_forced(tmp_path: Path, name: str, raw: Any, record: Record) -> None:
    path = write(tmp_path, "rows.jsonl", TEXT_FILES["rows.jsonl"]([raw]))
    assert list(read_rows([path], RowsOptions(format=name))) == [record]


@cases
@pytest.mark.parametrize("file", TEXT_FILES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_format_is_read_from_every_type_of_file(
    tmp_path: Path, name: str, raw: Any, record: Record, file: str, packed: bool
) -> None:
    if not isinstance(raw, dict) and file not in ("rows.jsonl", "rows.ndjson", "lines.json", "list.json", "list.jsonl"):
        pytest.skip("a lone text has no columns")
    path = write(tmp_path, file, TEXT_FILES[file]([raw, raw]), packed=packed)
    rows = read_rows([path], RowsOptions())
    assert (rows.format, list(rows)) == (name, [record, record])


@pytest.mark.parametrize(
    "case", sorted(CASES.keys() - {"text alone", "chat with text parts"})
)  # Parquet columns have one type
def test_a_format_is_read_from_parquet(tmp_path: Path, case: str) -> None:
    name, raw, record = CASES[case]
    for packed in (False, True):
        rows = read_rows([write_parquet(tmp_path, [raw, raw], packed=packed)], RowsOptions())
        assert (rows.format, list(rows)) == (name, [record, record])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("file", TEXT_FILES)
@pytest.mark.parametrize("crlf", [False, True], ids=["lf", "crlf"])
def test_every_encoding_and_line_end(tmp_path: Path, encoding: str, file: str, crlf: bool) -> None:
    raw = {"question": "¿Cuánto — 多少?\u2028 \U0001f600", "answer": 'five, "5"; \t€'}
    text = TEXT_FILES[file]([raw, raw])
    rows = read_rows(
        [write(tmp_path, file, text.replace("\n", "\r\n") if crlf else text, encoding=encoding)], RowsOptions()
    )
    assert [record.plain_text() for record in rows] == ["\n".join(raw.values())] * 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(record=any_record)
def test_canonical_rows_are_read_again(tmp_path: Path, record: Record) -> None:
    path = write(tmp_path, "rows.jsonl", TEXT_FILES["rows.jsonl"]([record.to_json()]))
    rows = read_rows([path], RowsOptions(group_by="group" if record.group else None))
    assert list(rows) == [record]
    assert rows[0].to_json() == record.to_json()


@cases
def test_a_row_without_a_needed_column_is_not_recognised_as_that_format(name: str, raw: Any, record: Record) -> None:
    if isinstance(raw, dict):
        shape = FORMATS.load(name)
        for needed in shape.required:
            rest = {key: value for key, value in raw.items() if key not in needed}
            found = recognise(rest)
            assert found is None or found.name != name


def test_explain_names_what_was_found_what_is_near_and_what_to_do() -> None:
    problem = explain({"question": "a", "response_j": "b", "response_k": "c"})
    assert problem.problem == (
        "no format has the columns question, response_j, response_k; the nearest is question-answer, "
        "which also needs answer"
    )
    assert problem.remedy == "name your columns: --columns answer=NAME"
    assert explain({"idx": 1}).problem == "no format has the columns idx"
    assert "--columns text=NAME label=NAME" in explain({"idx": 1}).remedy
    assert explain(7).problem == "a row is the number 7"
    assert explain({}).problem == "a row has no columns"
    assert "what is in them is not" in explain({"prompt": {"a": 1}, "completion": "b"}).problem


def test_columns_are_renamed_by_pairs_one_or_many_to_a_text() -> None:
    assert rename(("prompt=Question", "completion=A,B")) == {"prompt": "Question", "completion": "A,B"}
    assert rename(("prompt=Question,completion=Answer",)) == {"prompt": "Question", "completion": "Answer"}
    with pytest.raises(SpecError, match="'prompt' is not name=column; write for example prompt=Question"):
        rename(("prompt",))
    with pytest.raises(SpecError, match="no format reads a column called 'complection'; did you mean completion"):
        rename(("complection=A",))
    assert {"prompt", "chosen", "text", "label", "messages"} <= known_columns()


def test_an_unknown_format_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="'openai-chatt' is not one of the formats; did you mean 'openai-chat'"):
        read_rows([write(tmp_path, "a.jsonl", '{"text": "a"}\n')], RowsOptions(format="openai-chatt"))


def test_a_forced_format_that_does_not_fit_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(RowsError) as error:
        read_rows([write(tmp_path, "a.jsonl", '{"text": "a"}\n' * 30)], RowsOptions(format="alpaca"))
    (problem,) = error.value.problems
    assert problem.problem == "alpaca needs instruction and output; the columns are text"
    assert problem.remedy == "name your columns: --columns instruction=NAME output=NAME, or leave out --format"


def test_objects_of_parquet_hold_only_their_own_keys(tmp_path: Path) -> None:
    def row(name: str) -> dict[str, Any]:
        tool = {
            "type": "function",
            "function": {"name": name, "parameters": {"properties": {name: {"type": "string"}}}},
        }
        call = {"id": "1", "function": {"name": name, "arguments": {name: "x"}}}
        turn = {"role": "assistant", "content": None, "tool_calls": [call]}
        return {"messages": [{"role": "user", "content": "Hi"}, turn], "tools": [tool]}

    (first, second) = read_rows([write_parquet(tmp_path, [row("a"), row("b")])], RowsOptions())
    assert first.to_json()["tools"] == row("a")["tools"]
    assert second.to_json()["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"b": "x"}'
