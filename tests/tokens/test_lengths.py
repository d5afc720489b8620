"""Long sequences are cut, dropped or refused, and every lost token is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import SpecError
from luthier.tokens.lengths import LengthPolicy, longest_allowed, windows
from luthier.tokens.options import TokenOptions
from luthier.tokens.spans import Piece
from luthier.tokens.token_rows import TokenCounts, TokenRows, TokenWriter


def piece(prompt: int, reply: int, first: int = 9) -> Piece:
    labels = np.array([False] * prompt + [True] * reply)
    return Piece(np.array([first, *range(10, 9 + prompt + reply)], dtype=np.int32), labels)


def apply(
    limit: int, *rows: list[Piece], context_length: int = 1000, **options: object
) -> tuple[TokenRows, TokenCounts]:
    writer = TokenWriter(None)
    policy = LengthPolicy(TokenOptions(**options), limit, writer, keep_first=1, context_length=context_length)
    for index, pieces in enumerate(rows):
        policy.add_row(index, pieces, ())
    return writer.finish(), policy.finish()


def test_few_long_rows_are_dropped_and_counted() -> None:
    rows, counts = apply(10, [piece(4, 96)], *[[piece(2, 8)]] * 300)
    assert len(rows) == 300
    assert (counts.rows, counts.dropped_rows, counts.dropped_labels, counts.truncated_rows) == (301, 1, 96, 0)
    assert (counts.tokens, counts.labelled, counts.longest) == (3000, 2400, 10)
    assert counts.lengths == ((16, 300),)


def test_too_many_long_rows_are_refused_with_the_flags_and_the_length_that_fits() -> None:
    with pytest.raises(SpecError) as caught:
        apply(10, [piece(4, 26)], [piece(4, 8)], *[[piece(2, 8)]] * 5)
    message = str(caught.value)
    for part in ("2 of 7 rows", "34 of 74", "46 %", "--max-length 30", "--truncate", "--drop-long"):
        assert part in message
    assert caught.value.param == "max_length"


def test_a_length_the_model_cannot_take_is_not_advised() -> None:
    with pytest.raises(SpecError, match=r"the model takes no more \(the longest row has 40 tokens\)") as caught:
        apply(10, [piece(20, 20)], [piece(2, 8)], context_length=10)
    assert "--max-length" not in str(caught.value)
    with pytest.raises(SpecError, match="--max-length 20 keeps more, and the model takes no more"):
        apply(10, [piece(20, 20)], [piece(2, 8)], context_length=20)


def test_a_cut_that_keeps_no_label_advises_the_other_side() -> None:
    with pytest.raises(SpecError, match=r"none of 1 rows keeps a labelled token.*--truncate start"):
        apply(10, [piece(20, 8)], truncate="end")
    rows, _ = apply(10, [piece(20, 8)], truncate="start")
    assert rows[0].labels.sum() == 8


def test_the_length_that_fits_keeps_95_per_cent() -> None:
    with pytest.raises(SpecError, match=r"--max-length 20 keeps 95 % of them, 40 all"):
        apply(10, *[[piece(10, 10)]] * 60, [piece(20, 20)])


def test_drop_long_drops_as_many_as_it_must() -> None:
    rows, counts = apply(10, [piece(4, 26)], [piece(2, 8)], drop_long=True)
    assert (len(rows), counts.dropped_rows, counts.dropped_labels) == (1, 1, 26)
    assert rows[0].row == 1


def test_dropping_everything_is_an_error_even_when_asked_for() -> None:
    with pytest.raises(SpecError, match="1 of 1 rows"):
        apply(10, [piece(4, 26)], drop_long=True)


def test_truncate_end_keeps_the_beginning() -> None:
    rows, counts = apply(10, [piece(4, 26)], truncate="end")
    assert rows[0].tokens.tolist() == piece(4, 26).tokens[:10].tolist()
    assert (counts.truncated_rows, counts.cut_tokens, counts.cut_labels) == (1, 20, 20)


def test_truncate_start_keeps_the_end_and_the_begin_of_text() -> None:
    rows, counts = apply(10, [piece(20, 6)], [piece(20, 6, first=1)], truncate="start")
    assert rows[0].tokens.tolist() == piece(20, 6).tokens[-10:].tolist()
    assert rows[1].tokens.tolist() == [1, *piece(20, 6).tokens[-9:].tolist()]
    assert (counts.cut_tokens, counts.cut_labels) == (32, 0)


def test_a_cut_that_begins_inside_a_reply_does_not_label_its_first_token() -> None:
    rows, counts = apply(10, [piece(4, 26)], truncate="start")
    assert rows[0].labels.tolist() == [False] + [True] * 9
    assert counts.cut_labels == 17


def test_a_row_whose_labels_are_all_cut_is_dropped_and_counted() -> None:
    rows, counts = apply(10, [piece(20, 6)], [piece(2, 3)], truncate="end")
    assert [row.row for row in rows] == [1]
    assert (counts.dropped_rows, counts.dropped_labels, counts.truncated_rows, counts.cut_tokens) == (1, 6, 0, 0)


def test_a_row_of_several_sequences_counts_once() -> None:
    _, counts = apply(10, [piece(20, 6), piece(30, 6), piece(2, 8)], truncate="start")
    assert (counts.rows, counts.sequences, counts.truncated_rows, counts.split_rows) == (1, 3, 1, 1)


@given(
    lengths=st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=9),
    limit=st.integers(2, 40),
    truncate=st.sampled_from(["start", "end"]),
)
def test_every_label_is_kept_cut_or_dropped(lengths: list[tuple[int, int]], limit: int, truncate: str) -> None:
    rows = [[piece(*pair)] for pair in lengths]
    try:
        kept, counts = apply(limit, *rows, truncate=truncate)
    except SpecError:
        return
    assert counts.labelled + counts.cut_labels + counts.dropped_labels == sum(reply for _, reply in lengths)
    assert counts.labelled == kept.label_count
    assert kept.lengths.max() <= limit
    assert counts.sequences == len(kept) == sum(count for _, count in counts.lengths)


@given(st.integers(2, 60), st.integers(2, 12))
def test_windows_label_each_token_once(length: int, limit: int) -> None:
    whole = piece(1, length - 1)
    parts = list(windows(whole, limit))
    assert np.array_equal(np.concatenate([part.tokens[part.labels] for part in parts]), whole.tokens[1:])
    assert all(2 <= len(part.tokens) <= limit for part in parts)


def test_max_length_cannot_exceed_the_context() -> None:
    assert longest_allowed(TokenOptions(), 512) == 512
    assert longest_allowed(TokenOptions(max_length=100), 512) == 100
    with pytest.raises(SpecError, match="513 is more than the 512 tokens"):
        longest_allowed(TokenOptions(max_length=513), 512)
