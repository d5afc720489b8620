"""Rankings made one: by scores or by ranks; and made diverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.documents import Passage
from luthier.retrieval.fusion import convex, diverse, reciprocal
from luthier.retrieval.index import Hit

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-50, 500).map(lambda x: x / 10), max_size=8)
WEIGHTS = st.floats(0, 1)


@given(SCORES, SCORES, WEIGHTS)
def test_joined_scores_are_between_0_and_1_and_no_better_than_both(
    vectors: dict[str, float], words: dict[str, float], weight: float
) -> None:
    for join in (convex, reciprocal):
        found = join(vectors, words, weight)
        assert set(found) == set(vectors) | set(words)
        assert all(-1e-9 <= score <= 1 + 1e-9 for score in found.values())
        alone = join(vectors, {}, 1.0)
        assert all(alone[a] >= alone[b] for a in vectors for b in vectors if vectors[a] > vectors[b])


def test_a_passage_that_both_like_comes_first() -> None:
    vectors, words = {"a": 0.9, "b": 0.8, "c": 0.2}, {"d": 9.0, "b": 8.0, "e": 1.0}
    for join in (convex, reciprocal):
        found = join(vectors, words, 0.5)
        assert max(found, key=lambda id: found[id]) == "b"
        assert join(vectors, words, 1.0)["a"] == 1.0
        assert join(vectors, words, 0.0)["d"] == 1.0


def test_scores_are_scaled_from_their_least_to_their_most() -> None:
    vectors, words = {"a": 0.8, "b": 0.4, "c": -0.2}, {"a": 5.0, "d": 10.0}
    assert convex(vectors, words, 0.6) == pytest.approx({"a": 0.6 + 0.2, "b": 0.3, "c": 0.0, "d": 0.4})
    far = {"a": -1.0, "b": -3.0, "c": -2.0}
    assert convex(far, {}, 1.0, least=None) == pytest.approx({"a": 1.0, "b": 0.0, "c": 0.5})


def hit(name: str, document: str, *vector: float, text: str = "") -> Hit:
    made = np.array(vector, np.float32) if vector else None
    return Hit(Passage(document, 0, 1, text or name), 0.0, made)


def test_likeness_to_what_is_above_costs() -> None:
    first, twin, other = hit("first", "1", 1, 0), hit("twin", "2", 1, 0.01), hit("other", "3", 0, 1)
    order = [first, twin, other]
    scores = dict(zip((one.passage.id for one in order), (1.0, 0.9, 0.5), strict=True))
    assert diverse(order, scores, 2, 0.0, None) == [first, twin]
    assert diverse(order, scores, 2, 0.5, None) == [first, other]
    assert diverse(order, scores, 9, 0.5, None) == [first, other, twin]


def test_likeness_is_that_of_words_where_there_are_no_vectors() -> None:
    order = [hit("", "1", text="green tea"), hit("", "2", text="tea, green!"), hit("", "3", text="black bread")]
    scores = {one.passage.id: score for one, score in zip(order, (1.0, 0.9, 0.8), strict=True)}
    assert diverse(order, scores, 2, 0.5, None) == [order[0], order[2]]


@pytest.mark.parametrize("diversity", [0.0, 0.3])
def test_a_document_has_so_many_passages_at_most(diversity: float) -> None:
    order = [hit(f"{at}", "one" if at < 4 else f"{at}", 1, at) for at in range(8)]
    scores = {one.passage.id: 1.0 - at / 10 for at, one in enumerate(order)}
    found = diverse(order, scores, 4, diversity, 2)
    assert len(found) == 4
    assert sum(one.passage.document == "one" for one in found) == 2
    assert diverse([], {}, 4, diversity, 2) == []
