"""The index: what it finds is what comparing every vector finds, and a document is replaced in one step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from index_process import entry

from luthier.errors import SpecError, StoreError
from luthier.records.documents import Passage
from luthier.retrieval import lance
from luthier.retrieval.index import Entry, Hit, Only, Shape, Vector
from luthier.retrieval.lance import LanceIndex
from luthier.retrieval.options import Similarity

SIMILARITIES: Sequence[Similarity] = ("cosine", "inner-product", "euclidean")


def made(documents: int, passages: int, dimensions: int, seed: int) -> list[Entry]:
    draw = np.random.default_rng(seed)
    return [
        Entry(
            f"doc_{number}",
            "1",
            [Passage(f"doc_{number}", at, at + 1, f"word{number} and word{at}") for at in range(passages)],
            draw.standard_normal((passages, dimensions)).astype(np.float32),
        )
        for number in range(documents)
    ]


def compared(similarity: Similarity, vectors: Vector, query: Vector) -> Vector:
    match similarity:
        case "cosine":
            found = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
        case "inner-product":
            found = vectors @ query
        case _:
            found = -np.linalg.norm(vectors - query, axis=1)
    return found.astype(np.float32)


def expected(similarity: Similarity, entries: Sequence[Entry], query: Vector, only: Only | None, k: int) -> list[str]:
    kept = [one for one in entries if only is None or only.admits(one.document)]
    ids = [passage.id for one in kept for passage in one.passages]
    scores = compared(similarity, np.concatenate([one.vectors for one in kept if one.vectors is not None]), query)
    return [ids[at] for at in np.argsort(-scores, kind="stable")[:k]]


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.id for hit in hits]


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_ranking_is_that_of_comparing_all(
    tmp_path: Path, similarity: Similarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = made(documents=12, passages=5, dimensions=8, seed=3)
    index = LanceIndex.open(tmp_path / "index", Shape(8, similarity))
    index.put(entries[:7])
    index.put(entries[7:])
    some = frozenset(f"doc_{number}" for number in (1, 4, 9))
    draw = np.random.default_rng(5)
    for named in (1000, 1):  # named in the query; fetched wider and left out afterwards
        monkeypatch.setattr(lance, "NAMED_AT_MOST", named)
        for only in (None, Only(some), Only(some, but=True), Only(frozenset(), but=True)):
            query = draw.standard_normal(8).astype(np.float32)
            hits = index.by_vector(query, 9, only)
            assert ids(hits) == expected(similarity, entries, query, only, 9)
            vectors = np.stack([hit.vector for hit in hits if hit.vector is not None])
            scores = [hit.score for hit in hits]
            assert np.allclose(scores, compared(similarity, vectors, query), atol=1e-5)
    assert index.by_vector(query, 9, Only(frozenset())) == []


def test_a_large_index_finds_what_comparing_all_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance, "FLAT_BELOW", 300)
    entries = made(documents=100, passages=6, dimensions=32, seed=1)
    index = LanceIndex.open(tmp_path / "index", Shape(32))
    index.put(entries[:60])
    assert index.optimise()
    index.put(entries[60:])  # not in the index of vectors yet
    assert "vector_idx" in {one.name for one in index._table.list_indices()}
    only = Only(frozenset(f"doc_{number}" for number in range(50, 70)))
    hits, wanted = 0, 0
    for query in np.random.default_rng(2).standard_normal((20, 32)).astype(np.float32):
        for some in (None, only):
            right = expected("cosine", entries, query, some, 10)
            hits += len(set(right) & set(ids(index.by_vector(query, 10, some))))
            wanted += len(right)
    assert hits / wanted >= 0.99
    index.optimise()
    assert index._table.index_stats("vector_idx").num_unindexed_rows == 0


def test_words_are_found_by_their_stems_whatever_was_put_when(tmp_path: Path) -> None:
    index = LanceIndex.open(tmp_path / "index", Shape(0))
    texts = ["The keepers were running", "a keeper of bees", "tea and bread"]
    for number, text in enumerate(texts):
        index.put([Entry(f"doc_{number}", "1", [Passage(f"doc_{number}", 0, len(text), text)], None)])
        if number == 0:
            index.optimise()
    assert [hit.passage.document for hit in index.by_text("run keeper", 10)] == ["doc_0", "doc_1"]
    assert [hit.passage.document for hit in index.by_text("keeper", 10, Only(frozenset(["doc_1"])))] == ["doc_1"]
    assert index.by_text("'\"(AND) OR:* \\", 10) == []
    assert index.by_text("  ", 10) == []


def test_a_language_that_is_not_known_is_not_stemmed_and_one_without_spaces_is_told_apart(tmp_path: Path) -> None:
    for language, text, asked, found in [
        ("xx", "running dogs", "run", 0),
        ("xx", "running dogs", "dogs", 1),
        ("de", "die alten Häuser", "Haus", 1),
        ("zh", "我爱北京天安门", "北京", 1),
    ]:
        index = LanceIndex.open(tmp_path / f"{language}{found}", Shape(0, "cosine", language))
        index.put([Entry("doc", "1", [Passage("doc", 0, len(text), text)], None)])
        assert len(index.by_text(asked, 5)) == found, (language, asked)


def test_a_passage_comes_back_as_it_was_put(tmp_path: Path) -> None:
    passage = Passage("doc_'quoted'", 7, 20, "é 日本 'x'", ("One", "Two"), "iv", "5")
    index = LanceIndex.open(tmp_path / "index", Shape(2))
    index.put([Entry(passage.document, "v", [passage], np.ones((1, 2), np.float32))])
    assert index.by_vector(np.ones(2, np.float32), 1, Only(frozenset([passage.document])))[0].passage == passage
    assert index.documents() == {passage.document: "v"}


def test_a_document_takes_the_place_of_what_it_was_in_one_step(tmp_path: Path) -> None:
    index = LanceIndex.open(tmp_path / "index", Shape(8))
    index.put([entry(number) for number in range(4)])
    before = index._table.version
    index.put([entry(1, "2", 3), entry(9, "1", 2)])
    assert index._table.version == before + 1
    assert index.count() == 5 * 3 + 3 + 2
    assert index.documents() == {"doc_0": "1", "doc_1": "2", "doc_2": "1", "doc_3": "1", "doc_9": "1"}
    assert len(index.by_text("unique1", 10)) == 3
    index.put([entry(1, "2", 3)])
    assert index.count() == 20
    index.put([Entry("doc_1", "3", [], None)])
    index.delete(["doc_0", "doc_77"])
    assert set(index.documents()) == {"doc_2", "doc_3", "doc_9"}
    assert LanceIndex.open(tmp_path / "index", Shape(8)).count() == index.count() == 12


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    index = LanceIndex.open(tmp_path / "index", Shape(8))
    short = Entry("doc", "1", entry(1).passages, np.ones((2, 8), np.float32))
    broken = Entry("doc", "1", entry(1).passages, np.full((5, 8), np.nan, np.float32))
    for bad in (short, broken):
        with pytest.raises(SpecError, match="vectors of shape"):
            index.put([bad])
    with pytest.raises(SpecError, match="8 dimensions"):
        index.by_vector(np.ones(3, np.float32), 1)
    with pytest.raises(StoreError, match="other vectors"):
        LanceIndex.open(tmp_path / "index", Shape(16))
    assert index.count() == 0


def test_tidying_leaves_what_is_there_in_fewer_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance, "PUTS_A_TIDY", 4)
    index = LanceIndex.open(tmp_path / "index", Shape(8))
    for number in range(12):
        index.put([entry(number)])
    assert index._table.stats()["fragment_stats"]["num_fragments"] <= 4
    assert index.count() == 60
    assert index.size_bytes() > 1000
