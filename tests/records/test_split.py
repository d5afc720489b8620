from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_writers import changed, json_lines, spell, write

from luthier.errors import RowsError
from luthier.records.options import RowsOptions, SplitOptions
from luthier.records.reading import Rows, read_rows
from luthier.records.split import Split, split_rows

fresh = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)


def rows_of(folder: Path, texts: Sequence[str], name: str = "a.jsonl", groups: Sequence[str] = ()) -> Rows:
    raw = [{"text": text} | ({"doc": groups[row]} if groups else {}) for row, text in enumerate(texts)]
    path = write(folder, name, json_lines(raw))
    return read_rows([path], RowsOptions(group_by="doc" if groups else None))


def parts(split: Split) -> dict[str, str]:
    """Returns {text: part}; a text in two parts fails."""
    found: dict[str, str] = {}
    for name, rows in (("train", split.train), ("validation", split.validation), ("test", split.test)):
        for row in rows:
            assert found.setdefault(row.plain_text(), name) == name
    return found


def half(**changes: Any) -> SplitOptions:
    return SplitOptions(**{"validation_fraction": 0.3, "test_fraction": 0.2, "duplicates": "keep"} | changes)


@fresh
@given(texts=st.lists(st.integers(0, 10**6).map(str), min_size=2, max_size=40), seed=st.integers(0, 3))
def test_adding_and_reordering_rows_moves_no_other(tmp_path: Path, texts: list[str], seed: int) -> None:
    options = half(split_seed=seed)
    more = [*texts, *(f"more {row}" for row in range(60))]
    random.Random(seed).shuffle(more)
    before = parts(split_rows(rows_of(tmp_path, [*texts, *(f"more {row}" for row in range(40))]), options))
    after = parts(split_rows(rows_of(tmp_path, more), options))
    assert {text: after[text] for text in before} == before


@fresh
@given(texts=st.lists(st.sampled_from("abcdefghijklmno"), min_size=1, max_size=60))
def test_every_row_lands_once_in_order_and_equal_rows_together(tmp_path: Path, texts: list[str]) -> None:
    texts += [f"one more {row}" for row in range(12)]
    split = split_rows(rows_of(tmp_path, texts), half())
    found = parts(split)
    assert sorted(row.origin.line for part in (split.train, split.validation, split.test) for row in part) == list(
        range(1, len(texts) + 1)
    )
    for part in (split.train, split.validation, split.test):
        assert [row.origin.line for row in part] == sorted(row.origin.line for row in part)
    assert set(found.values()) == {"train", "validation", "test"}


@fresh
@given(groups=st.lists(st.sampled_from("abcdefghijklmnop"), min_size=30, max_size=60), seed=st.integers(0, 5))
def test_a_group_is_never_split(tmp_path: Path, groups: list[str], seed: int) -> None:
    groups += [f"one more {row}" for row in range(12)]
    rows = rows_of(tmp_path, [str(row) for row in range(len(groups))], groups=groups)
    split = split_rows(rows, half(split_seed=seed))
    places = [{row.group for row in part} for part in (split.train, split.validation, split.test)]
    assert len(set.union(*places)) == sum(map(len, places))


def test_shares_come_out_as_asked_and_seeds_differ(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, [str(row) for row in range(3000)])
    one, two = (split_rows(rows, half(split_seed=seed)) for seed in (0, 1))
    counts = Counter(parts(one).values())
    assert abs(counts["validation"] - 900) < 100  # 4 standard deviations
    assert abs(counts["test"] - 600) < 90
    assert parts(one) != parts(two)
    wider = parts(split_rows(rows, half(validation_fraction=0.4)))
    assert all(wider[text] == part for text, part in parts(one).items() if part != "train")
    tested = parts(split_rows(rows, half(test_fraction=0.4)))
    assert all(tested[text] == part for text, part in parts(one).items() if part != "train")


def test_small_fractions_still_hold_out_a_row_of_ten(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, [str(row) for row in range(10)])
    split = split_rows(rows, half(validation_fraction=1e-9, test_fraction=1e-9))
    assert (len(split.train), len(split.validation), len(split.test)) == (8, 1, 1)
    few = split_rows(rows[:9], half(validation_fraction=1e-9, test_fraction=0.0))
    assert (len(few.train), len(few.validation), len(few.test)) == (9, 0, 0)
    none = split_rows(rows, half(validation_fraction=0.0, test_fraction=0.0))
    assert (len(none.train), len(none.validation), len(none.test)) == (10, 0, 0)


def test_nothing_left_to_train_on_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RowsError) as error:
        split_rows(rows_of(tmp_path, ["one"]), SplitOptions(validation_fraction=0.999999, test_fraction=0.0))
    assert str(error.value.problems[0]) == (
        f"{tmp_path}/a.jsonl: no row is left for train of 1 rows "
        "(a text file is one row unless text_unit says line or paragraph); "
        "give more rows, or hold out a smaller fraction"
    )


def near_set(folder: Path) -> tuple[Rows, set[str]]:
    """Returns 80 rows, the last 20 of which nearly repeat some of the first, and the texts of the 20 pairs."""
    texts = [spell(row) for row in range(60)]
    twins = [changed(text) for text in texts[:20]]
    return rows_of(folder, [*texts, *twins]), {*texts[:20], *twins}


def test_near_repeats_across_parts_are_refused(tmp_path: Path) -> None:
    rows, pairs = near_set(tmp_path)
    kept = split_rows(rows, half())
    with pytest.raises(RowsError) as error:
        split_rows(rows, half(duplicates="refuse"))
    assert len(error.value.problems) == len(kept.overlaps) > 3
    assert "duplicates=move puts them with the rows they repeat" in str(error.value)
    found = parts(kept)
    for overlap in kept.overlaps:
        text, twin = rows[overlap.row].plain_text(), rows[overlap.twin].plain_text()
        assert {text, twin} <= pairs
        assert changed(text) == changed(twin)
        assert found[text] != found[twin]
        assert found[text] != "train"
    crossing = {frozenset((text, changed(text))) for text in pairs if found[text] != found[changed(text)]}
    assert len(crossing) == len(kept.overlaps)


def test_near_repeats_can_be_moved_to_train(tmp_path: Path) -> None:
    rows, pairs = near_set(tmp_path)
    kept, moved = (split_rows(rows, half(duplicates=how)) for how in ("keep", "move"))
    assert moved.overlaps == ()
    before, after = parts(kept), parts(moved)
    assert all(after[text] == after[changed(text)] for text in pairs)
    went = [text for text in before if before[text] != after[text]]
    assert moved.moved == len(went) > 3
    assert all(after[text] == "train" for text in went)
    assert set(went) <= pairs
    assert split_rows(rows.select(range(len(rows))), half(duplicates="move")).moved == moved.moved


def test_a_chain_of_near_repeats_moves_as_one(tmp_path: Path) -> None:
    chain = [spell(1)]
    for step in range(8):
        words = chain[-1].split()
        words[7 * step] = f"step{step}"
        chain.append(" ".join(words))
    rows = rows_of(tmp_path, [*chain, *(spell(row) for row in range(10, 40))])
    found = parts(split_rows(rows, half(duplicates="move")))
    assert len({found[text] for text in chain}) == 1


def test_a_group_moves_whole(tmp_path: Path) -> None:
    texts = [spell(row) for row in range(60)] + [changed(spell(row)) for row in range(6)]
    grouped = rows_of(tmp_path, texts, groups=[str(row % 23) for row in range(len(texts))])
    split = split_rows(grouped, half(duplicates="move"))
    assert split.moved > 0
    places = [{row.group for row in part} for part in (split.train, split.validation, split.test)]
    assert len(set.union(*places)) == sum(map(len, places)) == 23
    found = parts(split)
    assert all(found[text] == found[changed(text)] for text in found if changed(text) in found)


def test_equal_rows_of_different_groups_are_found(tmp_path: Path) -> None:
    texts = ["the very same text in all of them", *(spell(row) for row in range(30))]
    rows = rows_of(tmp_path, texts * 2, groups=[f"a{n}" for n in range(31)] + [f"b{n}" for n in range(31)])
    with pytest.raises(RowsError, match="repeats"):
        split_rows(rows, half(duplicates="refuse"))


def test_validation_rows_of_their_own_are_checked_against_the_rest(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, [spell(row) for row in range(30)])
    given_rows = rows_of(tmp_path, [spell(100), spell(3), changed(spell(4))], "v.jsonl")
    split = split_rows(rows, half(test_fraction=0.0), validation=given_rows)
    assert (len(split.train), len(split.validation), len(split.overlaps)) == (30, 3, 2)
    with pytest.raises(RowsError) as error:
        split_rows(rows, half(test_fraction=0.0, duplicates="refuse"), validation=given_rows)
    assert [problem.line for problem in error.value.problems] == [2, 3]
    assert "v.jsonl:2: is in validation and repeats " in str(error.value)
    moved = split_rows(rows, half(test_fraction=0.0, duplicates="move"), validation=given_rows)
    assert (moved.moved, [row.plain_text() for row in moved.validation]) == (2, [spell(100)])
    with pytest.raises(RowsError, match="no row is left for validation of 1 rows"):
        split_rows(rows, half(duplicates="move"), validation=given_rows[1:2])
    chats = write(tmp_path, "c.jsonl", json_lines([{"question": "a", "answer": "b"}]))
    with pytest.raises(RowsError, match="holds conversation rows, the rows to train on are text rows"):
        split_rows(rows, half(), validation=read_rows([chats], RowsOptions()))


def test_when_all_held_out_rows_repeat_others_moving_is_an_error(tmp_path: Path) -> None:
    chain = [changed(spell(1)).replace("other", f"other{row}") for row in range(9)]
    rows = rows_of(tmp_path, [*chain, spell(2)])
    for seed in range(20):
        options = half(test_fraction=0.0, duplicates="move", split_seed=seed)
        if spell(2) in {row.plain_text() for row in split_rows(rows, half(test_fraction=0.0, split_seed=seed)).train}:
            with pytest.raises(RowsError, match="no row is left for validation of 10 rows"):
                split_rows(rows, options)
            return
    pytest.fail("no seed put the odd row into train")
