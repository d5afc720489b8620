"""Rows laid end to end keep their tokens, positions and labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.tokens.pack import pack_rows, unpack_rows
from luthier.tokens.token_rows import TokenRow

lists = st.lists(st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=1, max_size=7), min_size=1, max_size=6)


def rows_of(values: list[list[tuple[int, bool]]]) -> list[TokenRow]:
    rows = []
    for number, pairs in enumerate(values):
        labels = np.array([label for _, label in pairs])
        labels[0] = False
        rows.append(TokenRow(np.array([token for token, _ in pairs], dtype=np.int32), labels, number))
    return rows


@given(lists)
def test_packing_is_undone(values: list[list[tuple[int, bool]]]) -> None:
    rows = rows_of(values)
    for before, after in zip(rows, unpack_rows(pack_rows(rows)), strict=True):
        assert np.array_equal(before.tokens, after.tokens)
        assert np.array_equal(before.labels, after.labels)
        assert before.row == after.row


@given(lists)
def test_each_target_is_the_token_after_its_place_in_the_same_row(values: list[list[tuple[int, bool]]]) -> None:
    rows = rows_of(values)
    batch = pack_rows(rows)
    assert batch.positions.tolist() == [place for row in rows for place in range(len(row.tokens))]
    assert batch.tokens[batch.label_positions + 1].tolist() == batch.targets.tolist()
    assert (batch.positions[batch.label_positions + 1] > 0).all()
    assert len(batch.targets) == sum(int(row.labels.sum()) for row in rows)
    assert batch.segments == tuple(np.cumsum([0, *map(len, values)]).tolist())


def test_a_label_on_the_first_token_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="first token"):
        pack_rows([TokenRow(np.array([1, 2], dtype=np.int32), np.array([True, True]), 0)])


def test_moving_a_batch_keeps_it() -> None:
    batch = pack_rows(rows_of([[(1, True), (2, True)]]))
    moved = batch.to("cpu")
    assert moved.tokens.tolist() == batch.tokens.tolist()
    assert moved.segments == batch.segments
