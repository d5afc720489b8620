"""Sequences in flat arrays, in memory and in files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.tokens.token_rows import FileArray, TokenRows, TokenWriter, length_histogram


def write(folder: Path | None, lengths: list[int]) -> TokenRows:
    with TokenWriter(folder) as writer:
        for index, length in enumerate(lengths):
            labels = np.arange(length) > 0
            writer.add(np.full(length, index, dtype=np.int32), labels, 10 * index)
        return writer.finish()


@pytest.mark.parametrize("in_files", [False, True])
def test_what_is_written_is_read(in_files: bool, tmp_path: Path) -> None:
    rows = write(tmp_path / "a" if in_files else None, [3, 1, 4])
    assert rows.lengths.tolist() == [3, 1, 4]
    assert rows.label_count == 5
    assert [row.row for row in rows] == [0, 10, 20]
    assert rows[-1].tokens.tolist() == [2, 2, 2, 2]
    assert rows[-1].labels.tolist() == [False, True, True, True]
    assert [row.row for row in rows[1:]] == [10, 20]
    with pytest.raises(IndexError):
        rows[3]


def test_files_are_opened_again(tmp_path: Path) -> None:
    rows = write(tmp_path, [3, 1, 4])
    again = TokenRows.open(tmp_path)
    assert np.array_equal(again.tokens[:], rows.tokens[:])
    assert isinstance(again.tokens, FileArray)
    assert len(write(tmp_path / "none", [])) == 0


@given(st.dictionaries(st.integers(1, 5000), st.integers(1, 9), max_size=9))
def test_the_histogram_holds_every_sequence(lengths: dict[int, int]) -> None:
    bins = length_histogram(Counter(lengths))
    assert sum(count for _, count in bins) == sum(lengths.values())
    for edge, count in bins:
        assert count == sum(times for length, times in lengths.items() if edge // 2 < length <= edge)
