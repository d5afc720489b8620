from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from row_writers import changed, json_lines, spell, write

from luthier.records.duplicates import content_key, find_duplicates, find_overlaps
from luthier.records.options import RowsOptions
from luthier.records.reading import Rows, read_rows


@pytest.fixture
def rows_of(tmp_path: Path) -> Any:
    def make(texts: Sequence[str], name: str = "a.jsonl", **extra: Sequence[str]) -> Rows:
        raw = [{"text": text} | {key: values[row] for key, values in extra.items()} for row, text in enumerate(texts)]
        return read_rows(
            [write(tmp_path, name, json_lines(raw))], RowsOptions(group_by="group" if "group" in extra else None)
        )

    return make


def test_repeats_between_two_sets_are_found(rows_of: Any) -> None:
    texts = [spell(row) for row in range(40)]
    train = rows_of(texts)
    other = rows_of([spell(100), texts[7], changed(texts[9]), spell(101), "short"], "b.jsonl")
    exact, near = find_overlaps(train, other)
    assert (exact.row, exact.twin, exact.similarity) == (1, 7, 1.0)
    assert (near.row, near.twin) == (2, 9)
    assert 0.8 < near.similarity < 1
    assert (near.origin.line, near.twin_origin.line) == (3, 10)
    problem = str(near.problem("validation", "train", "keep one of the two"))
    assert "b.jsonl:3: is in validation and nearly repeats (0.90) " in problem
    assert problem.endswith(f"a.jsonl:10, which is in train: {near.text!r}; keep one of the two")
    assert find_overlaps(train, train[:0]) == find_overlaps(train[:0], train) == ()
    assert [(one.row, one.twin) for one in find_overlaps(train, train)] == [(row, row) for row in range(40)]


def test_an_exact_twin_is_named_before_a_near_one(rows_of: Any) -> None:
    text = spell(1)
    for around in ([changed(text)], []), ([], [changed(text)]):
        train = rows_of([*around[0], *map(spell, range(10, 20)), text, *around[1]])
        (overlap,) = find_overlaps(train, rows_of([text], "b.jsonl"))
        assert (overlap.twin, overlap.similarity) == (10 + len(around[0]), 1.0)


def test_rows_that_differ_in_a_label_alone_are_near(tmp_path: Path) -> None:
    first = write(tmp_path, "a.jsonl", json_lines([{"text": spell(1), "label": "x"}]))
    second = write(tmp_path, "b.jsonl", json_lines([{"text": spell(1), "label": "y"}]))
    (overlap,) = find_overlaps(read_rows([first], RowsOptions()), read_rows([second], RowsOptions()))
    assert overlap.similarity == 1.0


def test_repeats_inside_a_set_are_counted(rows_of: Any) -> None:
    texts = [spell(row) for row in range(30)]
    rows = rows_of([*texts, texts[3], changed(texts[5]), texts[3], "", " x "][:33])
    found = find_duplicates(rows, examples=2)
    assert (found.rows, found.exact, found.near) == (33, 2, 1)
    assert [(one.row, one.twin, round(one.similarity, 1)) for one in found.examples] == [(30, 3, 1.0), (31, 5, 0.9)]
    assert find_duplicates(rows_of(texts, "c.jsonl")).exact == 0
    assert find_duplicates(rows[:0]).rows == 0


def test_the_group_is_no_part_of_what_a_row_says(rows_of: Any) -> None:
    rows = rows_of(["a", "a", 'a","group":"x'], group=["x", "y", "x"])
    assert [rows.group(row) for row in range(3)] == ["x", "y", "x"]
    assert content_key(rows, 0) == content_key(rows, 1) != content_key(rows, 2)
    assert content_key(rows, 0) == content_key(rows_of(["a"], "b.jsonl"), 0)
    assert find_duplicates(rows).exact == 1
