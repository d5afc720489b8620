from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.examples import Text
from luthier.records.similarity import NEAR, Shingles, Signatures, jaccard, signatures, triples

words = st.lists(st.sampled_from("abcdefgh"), max_size=12).map(" ".join)


@given(words, words)
def test_jaccard_is_bounded_symmetric_and_one_for_the_same(first: str, second: str) -> None:
    one, two = triples(first), triples(second)
    assert 0 <= jaccard(one, two) == jaccard(two, one) <= 1
    assert (jaccard(one, two) == 1) == (one == two != frozenset())


def test_triples_ignore_case_and_marks_and_cut_scripts_without_spaces() -> None:
    assert triples("The CAT, sat -- down!") == {"the cat sat", "cat sat down"}
    assert triples("Yes!") == {"yes"}
    assert triples(" ?!") == frozenset()
    assert triples("多少钱abc") == {"多 少 钱", "少 钱 abc"}
    assert jaccard(frozenset("ab"), frozenset("bc")) == pytest.approx(1 / 3)


def test_what_many_rows_share_does_not_count() -> None:
    rows = [Text(f"please answer this question about the shop {row} apples {row + 1} pears") for row in range(30)]
    shingles = Shingles(rows)
    assert "please answer this" in shingles.shared
    assert "please answer this" not in shingles(rows[0])
    assert jaccard(shingles(rows[0]), shingles(rows[1])) < NEAR < jaccard(shingles(rows[0]), shingles(rows[0]))
    assert shingles(Text("Please answer this question")) == triples(
        "please answer this question"
    )  # nothing else is left


def test_near_rows_are_candidates_and_others_mostly_not() -> None:
    draw = np.random.default_rng(0)
    texts = [" ".join(map(str, draw.integers(0, 5000, 80))) for _ in range(300)]
    near = [text.replace(text.split()[40], "changed") for text in texts]
    shingles = Shingles([])
    sets = [shingles(Text(text)) for text in texts]
    alike = [jaccard(one, shingles(Text(other))) for one, other in zip(sets, near, strict=True)]
    index = Signatures([Text(text) for text in near], shingles)
    found = dict(index.candidates(*signatures(sets)))
    assert all(row in found[row] for row in range(300) if alike[row] >= NEAR)
    assert sum(len(rows) for rows in found.values()) < 330
