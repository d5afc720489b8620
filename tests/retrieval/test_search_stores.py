"""Search: by vectors, words and both; filters, thresholds, diversity, rerankers; only what may be shown is."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from indexed import built, filled, put
from small_documents import TEXTS, by_paragraph, document, documents
from static_embeddings import save_static

from luthier.errors import SpecError, StateError
from luthier.records.messages import Delta, Message, Sampling
from luthier.retrieval import indexing
from luthier.retrieval.embedders import TextEmbedder, open_embedder
from luthier.retrieval.expand import hypothetical, other_words
from luthier.retrieval.options import EmbedderOptions, SearchOptions
from luthier.retrieval.search import Found, Question, Searcher
from luthier.retrieval.stores import NamedStore
from luthier.store.opened import Store

ALL = SearchOptions(k=50)


def options(**given: Any) -> SearchOptions:
    return SearchOptions(**{"k": 50, **given})


@pytest.fixture
def named(store: Store, embedder: TextEmbedder) -> NamedStore:
    return filled(store, embedder)


@pytest.fixture
def searcher(named: NamedStore) -> Searcher:
    return Searcher(named)


def texts(found: Sequence[Found]) -> list[str]:
    return [one.passage.text for one in found]


def test_vectors_rank_as_comparing_all_does(searcher: Searcher, embedder: TextEmbedder) -> None:
    passages = [passage for one in documents() for passage in by_paragraph(one)]
    vectors = embedder.passages([passage.text for passage in passages])
    query = embedder.queries(["green tea of the garden"])[0]
    order = np.argsort(-(vectors @ query), kind="stable")
    found = searcher.search("green tea of the garden", options(mode="vector", candidates=50))
    assert texts(found) == [passages[at].text for at in order]
    assert [one.relevance for one in found] == pytest.approx(np.clip(vectors @ query, 0, 1)[order], abs=1e-5)
    first = found[0]
    assert (first.title, first.source) == ("Tea", "tea.md")
    assert first.attributes == {"kind": "tea", "length": len(TEXTS["tea"])}
    assert first.passage == by_passage(first)
    assert first.to_json()["headings"] == ["Tea"]


def by_passage(found: Found) -> object:
    name = found.source.removesuffix(".md")
    return next(one for one in by_paragraph(document(name)) if one.id == found.passage.id)


def test_words_find_what_has_them_and_both_what_either_finds(searcher: Searcher) -> None:
    said = searcher.search("violin", options(mode="text"))
    assert {one.source for one in said} == {"violin.md"}
    both = searcher.search("violin", ALL)
    assert texts(both)[:2] == texts(said)[:2] or {*texts(both)[:2]} == {*texts(said)}
    assert len(both) == 10
    assert sorted((one.score for one in both), reverse=True) == [one.score for one in both]
    assert all(0 <= one.score <= 1 and 0 <= one.relevance <= 1 for one in both)
    for fusion in ("convex", "rrf"):
        words = searcher.search("violin", options(fusion=fusion, weight=0.0))
        assert texts(words)[:2] == texts(said)


def test_an_index_of_words_alone_says_so(store: Store) -> None:
    searcher = Searcher(filled(store, None))
    found = searcher.search("green tea", ALL)
    assert {one.source for one in found} == {"tea.md"}
    assert all(0 < one.relevance < 1 for one in found)
    with pytest.raises(SpecError, match="words alone"):
        searcher.search("tea", options(mode="vector"))


@pytest.mark.parametrize("similarity", ["inner-product", "euclidean"])
def test_other_similarities_rank_hybrid_too(store: Store, embedder: TextEmbedder, similarity: Any) -> None:
    named = NamedStore.make(store, "other")
    put(named)
    built(named, embedder, similarity=similarity)
    found = Searcher(named).search("green tea", ALL)
    assert found[0].source == "tea.md"
    assert all(0 <= one.score <= 1 and 0 <= one.relevance <= 1 for one in found)


@pytest.mark.parametrize(
    ("filter", "sources"),
    [
        ({"type": "eq", "key": "kind", "value": "tea"}, {"tea"}),
        ({"type": "in", "key": "kind", "value": ["tea", "train"]}, {"tea", "train"}),
        ({"type": "ne", "key": "kind", "value": "tea"}, {"lighthouse", "train", "violin"}),
        ({"type": "lt", "key": "length", "value": 60}, {name for name in TEXTS if len(TEXTS[name]) < 60}),
        ({"type": "eq", "key": "title", "value": "Violin"}, {"violin"}),
        ({"type": "eq", "key": "document", "value": document("train").id}, {"train"}),
        ({"type": "eq", "key": "missing", "value": 1}, set()),
        ({"type": "nin", "key": "missing", "value": [1]}, set(TEXTS)),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "vector"])
def test_filters_admit_documents(searcher: Searcher, filter: dict[str, Any], sources: set[str], mode: Any) -> None:
    found = searcher.search("the tea", options(mode=mode), filter)
    assert {one.source.removesuffix(".md") for one in found} == sources


def test_a_filter_sees_attributes_as_they_are_now(searcher: Searcher, named: NamedStore) -> None:
    filter = {"type": "eq", "key": "kind", "value": "leaf"}
    assert searcher.search("tea", ALL, filter) == []
    put(named, [replace(document("tea"), attributes={"kind": "leaf"})])
    found = searcher.search("tea", ALL, filter)
    assert {one.source for one in found} == {"tea.md"}
    assert found[0].attributes == {"kind": "leaf"}


def test_a_document_is_found_once_it_is_whole_and_not_after_it_was_removed(
    searcher: Searcher, named: NamedStore
) -> None:
    assert named.active is not None
    put(named, [document("new", "A new letter of the violin.")])
    assert "new.md" not in {one.source for one in searcher.search("letter", ALL)}
    built(named, searcher._opened.embedder if searcher._opened else None)
    assert "new.md" in {one.source for one in searcher.search("letter", ALL)}
    named.documents.remove(named.documents.some([document("new", "x").id]).values())
    assert "new.md" not in {one.source for one in searcher.search("letter", ALL)}  # it is in the index still


def test_what_is_in_the_index_is_found_when_it_is_completed(
    searcher: Searcher, named: NamedStore, embedder: TextEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(named, [document("new", "A new letter of the violin.")])
    with monkeypatch.context() as cut_off:  # between the index's acknowledgement and the database's
        cut_off.setattr(indexing, "_completed", lambda store, rows: None)
        _, index = built(named, embedder)
    assert document("new", "x").id in index.documents()
    assert "new.md" not in {one.source for one in searcher.search("letter", ALL)}
    assert built(named, embedder)[0] == 0
    assert "new.md" in {one.source for one in searcher.search("letter", ALL)}


def test_what_is_less_relevant_is_left_out(searcher: Searcher) -> None:
    every = searcher.search("green tea", ALL)
    some = searcher.search("green tea", options(threshold=0.5))
    assert [one for one in every if one.relevance >= 0.5] == some
    assert 0 < len(some) < len(every)
    assert searcher.search("green tea", options(threshold=1.0, mode="text")) == []


def test_a_document_gives_so_many_passages_though_the_first_are_all_its_own(searcher: Searcher) -> None:
    found = searcher.search("green tea", options(k=4, per_document=1, candidates=1))
    assert len({one.source for one in found}) == len(found) == 4
    assert found[0].source == "tea.md"


def test_diversity_moves_twins_apart(searcher: Searcher, named: NamedStore, embedder: TextEmbedder) -> None:
    put(named, [document("twin", "Green tea and black tea."), document("copy", "Green tea and black tea.")])
    built(named, embedder)
    alike = searcher.search("green tea and black tea", options(k=3))
    apart = searcher.search("green tea and black tea", options(k=3, diversity=0.5))
    assert len(set(texts(alike))) == 1
    assert len(set(texts(apart))) == 3
    assert apart[0] == alike[0]


def test_a_reranker_orders_candidates_before_the_cut(searcher: Searcher) -> None:
    asked: list[tuple[str, str]] = []

    def rerank(pairs: Sequence[tuple[str, str]]) -> list[float]:
        asked.extend(pairs)
        return [len(text) / 100 for _, text in pairs]

    found = searcher.search("violin", options(k=2), rerank=rerank)
    assert {text for _, text in asked} == {text for one in documents() for text in (p.text for p in by_paragraph(one))}
    longest = sorted({text for _, text in asked}, key=len, reverse=True)
    assert texts(found) == longest[:2]
    assert [one.score for one in found] == [one.relevance for one in found] == [len(t) / 100 for t in longest[:2]]
    few = searcher.search("violin", options(k=2, rerank_candidates=2, threshold=0.4), rerank=rerank)
    assert {one.source for one in few} <= {"violin.md"}


def test_other_words_and_made_up_answers_are_searched_by(searcher: Searcher) -> None:
    plain = searcher.search("zzz", options(mode="text"))
    assert plain == []
    assert {one.source for one in searcher.search(Question("zzz", also=("violin",)), options(mode="text"))} == {
        "violin.md"
    }
    made = searcher.search(Question("zzz", hypothetical=("the train of the station",)), options(mode="vector"))
    assert made[0].passage.text == "The train of the station."


def test_an_index_that_is_not_here_or_of_a_changed_embedder_is_refused(
    searcher: Searcher, named: NamedStore, tmp_path: Path
) -> None:
    other = open_embedder(EmbedderOptions(embedder=str(save_static(tmp_path / "other", seed=9))))
    with pytest.raises(StateError, match="has changed"):
        Searcher(named, lambda _: other).search("tea", ALL)
    shutil.rmtree(named.folder)
    with pytest.raises(StateError, match="luthier index --name small"):
        Searcher(named).search("tea", ALL)


def test_a_searcher_follows_to_the_index_that_took_over(
    searcher: Searcher, named: NamedStore, embedder: TextEmbedder
) -> None:
    before = texts(searcher.search("green tea", ALL))
    built(NamedStore.find(named.store, "small"), embedder, rebuild=True)
    assert texts(searcher.search("green tea", ALL)) == before


class Saying:
    """A chat that says one thing, piece by piece."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, list[str]()

    async def stream(self, messages: Sequence[Message], sampling: Sampling, tools: Any = ()) -> AsyncIterator[Delta]:
        self.asked.append(str(messages[-1].content))
        for piece in self.text.split(" "):
            yield Delta(text=piece + " ")


def test_a_writer_says_it_in_other_words_or_makes_up_an_answer() -> None:
    chat = Saying("1. Who keeps it?\n- Who keeps it?\n(2) Whose boat?\n\nThe question?\nOne more?")
    assert asyncio.run(other_words(chat, "The question?", 2)) == ("Who keeps it?", "Whose boat?")
    made = Saying("The keeper has a boat. ")
    assert asyncio.run(hypothetical(made, "Whose boat?")) == "The keeper has a boat."
    assert "Whose boat?" in made.asked[0]
