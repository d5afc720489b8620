from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_examples import RECORDS
from row_writers import json_lines, table, write

from luthier.errors import RowsError, SpecError
from luthier.records.examples import Completion, Origin, Text
from luthier.records.options import FormatOptions, RowsOptions
from luthier.records.reading import Rows, read_rows

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def read(*sources: str, **options: Any) -> Rows:
    return read_rows(sources, RowsOptions(**options))


def problems(*sources: str, **options: Any) -> list[str]:
    with pytest.raises(RowsError) as error:
        read(*sources, **options)
    return [str(problem) for problem in error.value.problems]


def test_rows_are_a_sequence_with_origins(tmp_path: Path) -> None:
    first = write(tmp_path, "a.jsonl", json_lines([{"text": "a"}, {"text": "b"}]))
    second = write(tmp_path, "b.csv", table([{"text": "c"}, {"text": "d"}], ","))
    rows = read(first, second)
    assert isinstance(rows, Sequence)
    assert (rows.kind, rows.format, rows.files, len(rows)) == ("text", "text", (first, second), 4)
    assert list(rows) == [Text(letter) for letter in "abcd"]
    assert [str(rows.origin(row)) for row in range(4)] == [f"{first}:1", f"{first}:2", f"{second}:2", f"{second}:3"]
    assert rows[-1].origin == rows.origin(3) == Origin(second, 3)
    assert rows[1:3].fingerprint == rows.select([1, 2]).fingerprint != rows.fingerprint
    assert list(rows.select([3, 0]).select([1, 1])) == [Text("a"), Text("a")]
    assert list(rows.select([])) == []
    for beyond in (4, -5):
        with pytest.raises(IndexError):
            rows[beyond]
    with pytest.raises(IndexError, match="from 0 to 3"):
        rows.select([4])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records=st.lists(RECORDS["conversation"], min_size=1, max_size=5))
def test_rows_come_back_as_they_were_and_have_one_fingerprint(tmp_path: Path, records: list[Any]) -> None:
    raw = [record.to_json() for record in records]
    rows = read(write(tmp_path, "a.jsonl", json_lines(raw)))
    assert [record.to_json() for record in rows] == [{k: v for k, v in row.items() if k != "group"} for row in raw]
    again = read(write(tmp_path, "b.json", json.dumps(raw, indent=2)))
    assert again.fingerprint == rows.fingerprint == rows[:].fingerprint
    lines = b"".join(rows.line(row) + b"\n" for row in range(len(rows)))
    assert rows.fingerprint == hashlib.sha256(lines).hexdigest()


def test_every_bad_row_is_reported_at_once(tmp_path: Path) -> None:
    rows = [
        CHAT,
        {"messages": [{"role": "king", "content": "Hi"}, {"role": "assistant", "content": "a", "weight": 3}]},
        {"messages": "none"},
        {"prompt": "a", "completion": "b"},
        [1],
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "assistant", "content": "\ud800"}]},
        {"id": 1},
    ]
    path = write(tmp_path, "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows) + "{oops\n")
    other = write(tmp_path, "b.jsonl", '{"messages": []}\n')
    roles = "system, developer, user, assistant, tool, human, gpt, chatgpt, model, bot, function_call, tool_call, "
    roles += "function, observation, tool_response, function_response"
    assert problems(path, other) == [
        f"{path}:2: messages[0].role: 'king' is not a role; use one of {roles}",
        f"{path}:2: messages[1].weight: is the number 3, neither 0 nor 1; use 0 or 1",
        f"{path}:3: messages: is 'none', not a list; give a list",
        f"{path}:4: has the columns of openai-completion, the rows before it are openai-chat; "
        "put rows of one format in a file",
        f"{path}:5: a row is a list of 1 items; a row must be a JSON object",
        f"{path}:6: messages: no assistant message is trained; add one, or set its weight to 1",
        f"{path}:7: holds half a character: '\\ud800'; an escape such as \\ud83d needs its second half right after it",
        f"{path}:8: messages or conversations or conversation: is missing; "
        "add it, or name its column with --columns (here: id)",
        f"{path}:9: not valid JSON: Expecting property name enclosed in double quotes at column 2; correct the line",
        f"{other}:1: messages: is empty; give at least one user and one assistant message",
    ]


def test_the_first_twenty_problems_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json_lines([CHAT] + [{"messages": []}] * 25))
    with pytest.raises(RowsError) as error:
        read(path)
    lines = str(error.value).splitlines()
    assert lines[0] == "25 problems in the rows"
    assert len(lines) == 23
    assert lines[-2:] == ["  ... and 5 more", "or leave the bad rows out, counted: --bad-rows skip"]


def test_reading_stops_after_ten_thousand_problems(tmp_path: Path) -> None:
    found = problems(write(tmp_path, "a.jsonl", json_lines([CHAT] + [{"messages": []}] * 10_050)))
    assert len(found) == 10_001
    assert "reading stopped after 10,000 problems" in found[0]


def test_bad_rows_can_be_left_out_and_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json_lines([CHAT, {"messages": []}, CHAT]))
    rows = read(path, bad_rows="skip")
    assert [row.origin.line for row in rows] == [1, 3]
    assert [problem.line for problem in rows.source.bad_rows] == [2]
    only_bad = write(tmp_path, "b.jsonl", json_lines([{"messages": []}]))
    assert problems(only_bad, bad_rows="skip") == [
        f"{only_bad}: no rows are here but 1 bad ones; give at least one row"
    ]


def test_a_file_that_cannot_be_read_to_its_end_is_never_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    remedy = "save the file as UTF-8 (UTF-16 needs its byte order mark), for example with iconv -t UTF-8"
    for good in (1, 2, 30):
        path.write_bytes(b'{"text": "a"}\n' * good + b'{"text": "\xe9"}\n{"text": "b"}\n')
        (problem,) = problems(str(path), bad_rows="skip")
        assert problem == f"{path}:{good + 1}: the byte at offset {14 * good + 10} is not UTF-8; {remedy}"
    path.write_bytes(b'{"text": " "}\n{"text": "\xe9"}\n')
    assert len(problems(str(path))) == 2


def test_kinds_are_not_mixed_but_formats_are(tmp_path: Path) -> None:
    chat = write(tmp_path, "a.jsonl", json_lines([CHAT]))
    alpaca = write(tmp_path, "b.jsonl", json_lines([{"instruction": "Hi", "output": "Hello"}]))
    text = write(tmp_path, "c.jsonl", json_lines([{"text": "Hi"}]))
    assert read(chat, alpaca).format == "openai-chat + alpaca"
    assert problems(chat, alpaca, text) == [
        f"{text}: holds text rows (text), while {chat} holds conversation rows (openai-chat); "
        "read one kind of rows at a time"
    ]


def test_a_format_is_chosen_by_most_of_the_first_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json_lines([{"text": "no"}, *[CHAT] * 3]))
    assert problems(path) == [
        f"{path}:1: has the columns of text, the rows before it are openai-chat; put rows of one format in a file"
    ]


def test_columns_are_renamed_and_what_is_unused_is_counted(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi", "mood": "calm"}, {"role": "assistant", "content": "Hello"}]
    chat = write(tmp_path, "c.jsonl", json_lines([{"messages": turns, "id": 1, "note": ""}, CHAT]))
    assert read(chat).source.unused_columns == {"messages[].mood": 1, "id": 1}
    raw = [
        {"Question": "1+1", "Reply": {"text": "2"}, "id": 7},
        {"Question": "2+2", "Reply": {"text": "4"}, "id": None},
    ]
    path = write(tmp_path, "a.jsonl", json_lines(raw))
    rows = read(path, columns=("prompt=Question", "completion=Reply.text"))
    assert list(rows) == [Completion("1+1", "2"), Completion("2+2", "4")]
    assert rows.source.unused_columns == {"id": 1}
    other = write(tmp_path, "b.jsonl", json_lines([{"Turns": [{"role": "king", "content": ""}]}]))
    assert problems(other, columns=("messages=Turns",))[0].startswith(f"{other}:1: Turns[0].role: 'king' is not a role")
    assert problems(path, columns=("prompt=Frage",)) == [
        f"{path}:1: there is no column 'Frage' to rename; the columns are Question, Reply, id"
    ]


def test_column_names_may_differ_in_case(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", " Question ,ANSWER\nHi,Hello\n")
    assert read(path).format == "question-answer"
    bad = write(tmp_path, "b.csv", "Question,Answer\nHi,Hello\nHi,\n")
    assert problems(bad) == [
        f"{bad}:3: answer or response or output or assistant: is missing; "
        "add it, or name its column with --columns (here: question, answer)"
    ]


def test_a_table_without_a_header_is_read_by_column_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "4.5\tA cat sat.\tOne cat sat.\n1.0\tA cat.\tA car.\n")
    rows = read(path, columns=("score=1", "first=2", "second=3"))
    assert [(row.origin.line, row.to_json()) for row in rows] == [
        (1, {"first": "A cat sat.", "second": "One cat sat.", "score": 4.5}),
        (2, {"first": "A cat.", "second": "A car.", "score": 1.0}),
    ]
    assert problems(path) == [
        f"{path}:2: the first line looks like a row, not like column names: 4.5, A cat sat., One cat sat.; "
        "name columns by number, for example --columns label=1 text=2"
    ]
    with pytest.raises(SpecError, match="there is no column 4; the table has 3"):
        read(path, columns=("text=4",))
    years = write(tmp_path, "b.csv", "2023,2024\nA cat.,A car.\n")
    assert read(years, columns=("first=2023", "second=2024"))[0].plain_text() == "A cat.\nA car."


def test_rows_carry_their_group(tmp_path: Path) -> None:
    raw = [{"text": "a", "meta": {"doc": 1}}, {"text": "b", "meta": {"doc": "x"}}, {"text": "c", "meta": {}}]
    path = write(tmp_path, "a.jsonl", json_lines(raw[:2]))
    rows = read(path, group_by="meta.doc")
    assert [row.group for row in rows] == [rows.group(0), rows.group(1)] == ["1", "x"]
    bad = write(tmp_path, "b.jsonl", json_lines(raw))
    assert problems(bad, group_by="meta.doc") == [
        f"{bad}:3: meta.doc: is missing; give every row its group, or leave out --group-by"
    ]


def test_media_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json_lines([{**CHAT, "images": ["a.png"]}]))
    assert problems(path) == [f"{path}:1: images: holds a list of 1 items; remove the row: only text is tuned"]


def test_empty_files_and_no_files_are_errors(tmp_path: Path) -> None:
    full = write(tmp_path, "a.jsonl", json_lines([CHAT]))
    empty = write(tmp_path, "b.jsonl", "\n\n")
    assert problems(full, empty) == [f"{empty}: has no rows; give at least one row, or leave the file out"]
    assert problems() == ["rows: no rows were named; name a file, a folder or a data set"]
    assert problems(write(tmp_path, "c.txt", " \n")) == [
        f"{tmp_path}/c.txt:1: text: is blank: ' \\n'; give some text or remove the row"
    ]


def test_the_spool_goes_where_it_is_told_and_temporary_ones_go_away(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json_lines([CHAT] * 3))
    rows = read_rows([path], FormatOptions(), spool=tmp_path / "run" / "rows")
    assert sorted(file.name for file in (tmp_path / "run" / "rows").iterdir()) == ["rows.index", "rows.jsonl"]
    assert len(rows) == 3
    temporary = read(path)
    folder = temporary._spool.folder
    view = temporary[:1]
    del temporary
    assert folder.is_dir()
    del view
    assert not folder.exists()
    with pytest.raises(RowsError):
        read_rows([write(tmp_path, "b.jsonl", "{")], FormatOptions(), spool=tmp_path / "bad")
    assert list((tmp_path / "bad").iterdir()) == []


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    path = write(tmp_path, "a.jsonl", json_lines([{"text": str(row)} for row in range(2500)]))
    read_rows([path], RowsOptions(), progress=told.append)
    assert told == [1000, 2000]


@pytest.mark.parametrize("layout", [json_lines, json.dumps], ids=["lines", "list"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, layout: Any) -> None:
    peaks = []
    for count in (300, 2000):
        turns = [{"role": "user", "content": "word " * 400}, {"role": "assistant", "content": "Hello"}]
        path = write(tmp_path, f"{count}.json", layout([{"messages": turns}] * count))
        tracemalloc.start()
        rows = read(path)
        assert sum(1 for _ in rows) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000, peaks  # 3.4 MB of rows more
