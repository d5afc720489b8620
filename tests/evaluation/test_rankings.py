"""Questions with the places of their answers, and what a ranking of passages is worth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luthier.errors import RowsError, SpecError
from luthier.evaluation.rankings import MAP, MRR, NDCG, Asked, Gold, Ranked, gains, read_asked, relevance
from luthier.records.documents import Passage


def passage(start: int, end: int, document: str = "d", pages: tuple[str, str] = ("", "")) -> Passage:
    return Passage(document, start, end, "x" * (end - start), (), *pages)


def test_a_place_is_shown_by_what_overlaps_it() -> None:
    gold = Gold("d", start=10, end=20)
    assert [gold.shown_by(one) for one in (passage(0, 10), passage(0, 11), passage(19, 30), passage(20, 30))] == [
        False,
        True,
        True,
        False,
    ]
    assert not gold.shown_by(passage(10, 20, "other"))


def test_a_page_lies_between_the_first_and_the_last() -> None:
    assert Gold("d", "3").shown_by(passage(0, 9, pages=("2", "4")))
    assert not Gold("d", "3").shown_by(passage(0, 9, pages=("10", "12")))
    assert Gold("d", "Intro").shown_by(passage(0, 9, pages=("Intro", "Sums")))
    assert Gold("d").shown_by(passage(0, 9))


def test_what_was_shown_before_is_not_found_again() -> None:
    golds = (Gold("d", start=0, end=5), Gold("d", start=50, end=55))
    assert relevance([passage(0, 10), passage(3, 12), passage(90, 99)], golds) == ([True, False, False], 2)
    assert relevance([passage(0, 60)], golds) == ([True], 1)  # one passage shows both: there is no second to find
    assert relevance([], golds) == ([], 2)


def test_values_of_a_question() -> None:
    ranked = Ranked("a: text", "a", "text")
    asked = Asked("q", (Gold("d", start=0, end=5), Gold("d", start=50, end=55)), "d")
    ranked.add(asked, [passage(90, 99), passage(0, 9), passage(48, 60)], (1, 2, 3), (4, 5, 6), 1.5)
    assert [ranked.mean(f"recall@{k}") for k in (1, 2, 3)] == [0, 0.5, 1]
    assert ranked.mean(MRR) == 0.5
    assert ranked.mean(MAP) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert ranked.mean(NDCG) == pytest.approx((0.63093 + 0.5) / (1 + 0.63093), abs=1e-4)
    assert ranked.words == {1: [4], 2: [9], 3: [15]}


def test_joined_is_set_against_the_better_leg_of_every_slice() -> None:
    questions = [Asked(str(at), (Gold("d"),), f"g{at}", "old" if at < 10 else "new") for at in range(20)]
    ways = {"vector": [1.0] * 10 + [0.0] * 10, "text": [0.0] * 10 + [0.5] * 10, "hybrid": [0.5] * 10 + [1.0] * 10}
    ranked = [Ranked(f"s: {name}", "s", name, {NDCG: values}) for name, values in ways.items()]
    found = {one.slice: one for one in gains(ranked, questions, resamples=300, seed=0)}
    assert {name: (one.leg, one.paired.difference) for name, one in found.items()} == {
        "all": ("s: vector", pytest.approx(0.25)),
        "old": ("s: vector", pytest.approx(-0.5)),
        "new": ("s: text", pytest.approx(0.5)),
    }
    assert found["old"].paired.interval.high < 0 < found["new"].paired.interval.low


def test_rows_are_read_in_both_shapes(tmp_path: Path) -> None:
    rows = [
        {"question": "a?", "source": "a.md", "page": 2, "slice": "test"},
        {"query": "b?", "relevant": [{"document": "doc_b", "start": 1, "end": 4}, {"source": "a.md"}], "group": "g"},
        {"question": "c?", "relevant": [{"document": "doc_b", "passage": "psg_1"}]},
        {"question": "nobody knows?", "relevant": []},
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    known = {"a.md": "doc_a", "doc_a": "doc_a", "doc_b": "doc_b"}
    questions, skipped = read_asked([str(file)], known, lambda document, id: (7, 9) if id == "psg_1" else None)
    assert questions == [
        Asked("a?", (Gold("doc_a", "2"),), "doc_a", "test"),
        Asked("b?", (Gold("doc_b", start=1, end=4), Gold("doc_a")), "g"),
        Asked("c?", (Gold("doc_b", start=7, end=9),), "doc_b"),
    ]
    assert skipped.total() == 1


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    rows = [
        '{"question": "a?", "source": "nowhere.md"}',
        "no json",
        '{"relevant": []}',
        "[]",
        '{"question": "a?"}',
        '{"question": "a?", "relevant": [{"source": "a.md", "start": 1}]}',
        '{"question": "a?", "relevant": [{"source": "a.md", "passage": "psg_0"}]}',
        '{"question": " ", "source": "a.md"}',
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("\n".join(rows))
    with pytest.raises(RowsError, match=r"nowhere\.md") as caught:
        read_asked([str(file)], {"a.md": "doc_a"}, lambda document, id: None)
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4, 5, 6, 7, 8]
    with pytest.raises(SpecError, match="JSON lines"):
        read_asked([str(tmp_path / "none.jsonl")], {}, lambda document, id: None)
