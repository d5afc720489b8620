"""Documents into a store and its index: only what changed is done, and what was cut off is done again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from indexed import built, filled, put
from small_documents import document, documents
from static_embeddings import save_static

from luthier.errors import Interrupted, NotFoundError
from luthier.report import ListReport
from luthier.retrieval import indexing
from luthier.retrieval.embedders import TextEmbedder, open_embedder
from luthier.retrieval.index import Vector
from luthier.retrieval.indexing import alarm
from luthier.retrieval.options import EmbedderOptions
from luthier.retrieval.stores import NamedStore
from luthier.store.opened import Store

PASSAGES = 10


class Counting:
    """A source of vectors that counts the texts it embeds, and may be stopped after some of them."""

    around = 0

    def __init__(self, embedder: TextEmbedder, stop_after: int | None = None) -> None:
        self._source, self.texts, self._stop_after = embedder.source, list[str](), stop_after
        self.dimensions, self.max_tokens = embedder.source.dimensions, embedder.source.max_tokens

    def embed(self, texts: Sequence[str]) -> Vector:
        if self._stop_after is not None and len(self.texts) >= self._stop_after:
            raise KeyboardInterrupt
        self.texts += texts
        return self._source.embed(texts)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return self._source.lengths(texts)


def counting(embedder: TextEmbedder, stop_after: int | None = None) -> tuple[TextEmbedder, Counting]:
    source = Counting(embedder, stop_after)
    return replace(embedder, source=source), source


def states(named: NamedStore) -> dict[str, tuple[str, bool]]:
    return {row.body["title"]: (row.body["status"], row.body["indexed"]) for row in named.documents.rows().values()}


def test_what_is_as_before_is_left_alone(store: Store, embedder: TextEmbedder) -> None:
    named = NamedStore.make(store, "small")
    done = put(named)
    assert (done.added, done.changed, done.unchanged, done.removed) == (4, 0, 0, 0)
    assert set(states(named).values()) == {("in_progress", False)}
    assert built(named, embedder)[0] == PASSAGES
    assert set(states(named).values()) == {("completed", True)}
    done = put(named, [*documents(), document("tea")])
    assert (done.added, done.changed, done.unchanged, done.twice) == (0, 0, 4, 1)
    assert built(named, embedder)[0] == 0


def test_a_changed_document_is_replaced_and_one_not_given_is_pruned_when_asked(
    store: Store, embedder: TextEmbedder
) -> None:
    named = filled(store, embedder)
    done = put(named, [document("tea", "Black tea.\n\nWinter.")])
    assert (done.changed, done.removed) == (1, 0)
    assert states(named)["Tea"] == ("in_progress", True)  # what it was can still be found
    put_now, index = built(named, embedder)
    assert put_now == 2
    assert [hit.passage.text for hit in index.by_text("tea", 9)] == ["Black tea."]
    done = put(named, [document("tea", "Black tea.\n\nWinter.")], prune=True)
    assert (done.unchanged, done.removed) == (1, 3)
    _, index = built(named, embedder)
    assert set(index.documents()) == {document("tea").id}
    assert named.documents.counts() == {document("tea").id: 2}


def test_new_attributes_need_no_new_vectors(store: Store, embedder: TextEmbedder) -> None:
    named = filled(store, embedder)
    assert put(named, [replace(document("tea"), attributes={"kind": "other"})]).changed == 1
    assert built(named, embedder)[0] == 0
    assert named.documents.some([document("tea").id])[document("tea").id].body["attributes"] == {"kind": "other"}
    assert states(named)["Tea"] == ("completed", True)


def test_what_databases_refuse_is_marked_in_its_place(store: Store, embedder: TextEmbedder) -> None:
    named = NamedStore.make(store, "odd")
    put(named, [document("odd", "a\x00b tea \ud800 c")])
    _, index = built(named, embedder)
    assert [hit.passage.text for hit in index.by_text("tea", 1)] == ["a�b tea � c"]


def test_a_text_is_embedded_once(store: Store, embedder: TextEmbedder) -> None:
    counted, source = counting(embedder)
    named = filled(store, counted)
    assert len(source.texts) == PASSAGES
    shutil.rmtree(named.folder)
    put_again, index = built(NamedStore.find(store, "small"), counted)
    assert put_again == PASSAGES
    assert len(source.texts) == PASSAGES
    assert index.count() == PASSAGES


@pytest.mark.parametrize("stop_after", [2, 4, 8])
def test_it_goes_on_where_it_was_stopped(
    store: Store, embedder: TextEmbedder, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    monkeypatch.setattr(indexing, "PASSAGES_AT_ONCE", 3)
    monkeypatch.setattr(indexing, "KEPT_AT_ONCE", 2)
    stopped, first = counting(embedder, stop_after)
    named = NamedStore.make(store, "small")
    put(named)
    with pytest.raises(KeyboardInterrupt):
        built(named, stopped)
    assert NamedStore.find(store, "small").active is None
    counted, second = counting(embedder)
    _, index = built(NamedStore.find(store, "small"), counted)
    assert index.count() == PASSAGES
    assert sorted(first.texts + second.texts) == sorted(first.texts + [t for t in second.texts if t not in first.texts])
    assert len(first.texts) + len(second.texts) == PASSAGES
    assert set(states(named).values()) == {("completed", True)}


def test_it_is_stopped_between_batches(store: Store, embedder: TextEmbedder) -> None:
    named = NamedStore.make(store, "small")
    put(named)
    with pytest.raises(Interrupted, match="same command"):
        built(named, embedder, ListReport(stop=True))
    with pytest.raises(Interrupted):
        indexing.settle(named, documents(), lambda one: [], "x", ListReport(stop=True))


def test_another_embedder_is_built_beside_and_takes_over(store: Store, embedder: TextEmbedder, tmp_path: Path) -> None:
    named = filled(store, embedder)
    first = named.active
    assert first is not None
    other = open_embedder(EmbedderOptions(embedder=str(save_static(tmp_path / "other", 16))))
    assert other is not None
    stopped, _ = counting(other, 0)
    with pytest.raises(KeyboardInterrupt):
        built(named, stopped)
    again = NamedStore.find(store, "small")
    assert again.active == first  # searched until the other one is whole
    assert again.open_index(first).count() == PASSAGES
    put_now, index = built(again, other)
    assert (put_now, index.shape.dimensions) == (PASSAGES, 16)
    second = again.active
    assert second is not None
    assert second.identity == other.identity
    assert [place.name for place in named.folder.iterdir() if place.is_dir()] == [second.folder]


def test_it_is_made_anew_beside_the_one_that_is_searched(store: Store, embedder: TextEmbedder) -> None:
    named = filled(store, embedder)
    first = named.active
    assert first is not None
    put_now, _ = built(named, embedder, rebuild=True)
    second = named.active
    assert second is not None
    assert put_now == PASSAGES
    assert (second.generation, second.same(first)) == (first.generation + 1, True)
    assert not (named.folder / first.folder).exists()


def test_a_lost_or_damaged_index_comes_back_from_the_database(store: Store, embedder: TextEmbedder) -> None:
    named = filled(store, embedder)
    assert named.active is not None
    table = named.folder / named.active.folder / "passages.lance"
    report = ListReport()
    newest = min(table.glob("_versions/*.manifest"))
    newest.write_bytes(b"")
    assert built(named, embedder, report)[1].count() == PASSAGES
    for file in table.rglob("*.manifest"):
        file.write_bytes(b"")
    put_now, index = built(named, embedder, report)
    assert (put_now, index.count()) == (PASSAGES, PASSAGES)
    assert [kind for kind, _ in report.events].count("warning") >= 2


def test_documents_that_the_database_lacks_leave_the_index(store: Store, embedder: TextEmbedder) -> None:
    named = filled(store, embedder)
    named.documents.remove(named.documents.some([document("tea").id]).values())
    _, index = built(named, embedder)
    assert document("tea").id not in index.documents()


def test_a_name_is_found_newest_first_and_ids_too(store: Store) -> None:
    first = NamedStore.make(store, "a")
    assert NamedStore.make(store, "a").row.id == first.row.id
    assert NamedStore.find(store, first.row.id).row.id == first.row.id
    with pytest.raises(NotFoundError, match="there are: a"):
        NamedStore.find(store, "b")
    with pytest.raises(NotFoundError):
        NamedStore.find(store, "a", "another project")
    first.delete()
    with pytest.raises(NotFoundError, match="luthier index DIR"):
        NamedStore.find(store, "a")


def test_a_large_index_is_told_of() -> None:
    assert alarm(10, 100, 0.5) == ""
    assert "0.06 GB" in alarm(60_000_000, 100_000_000, 0.5)


Told = Callable[[int], None]


def test_progress_has_a_total_and_a_rate(store: Store, embedder: TextEmbedder) -> None:
    class Rates(ListReport):
        seen: dict[str, Any] = {}  # noqa: RUF012

        def progress(self, task: str, done: float, total: float | None, figures: Any = None) -> None:
            super().progress(task, done, total, figures)
            self.seen |= figures or {}

    report = Rates()
    named = NamedStore.make(store, "small")
    put(named)
    built(named, embedder, report)
    assert report.tasks["passages"] == (PASSAGES, PASSAGES)
    assert np.isfinite(report.seen["passages/s"])


def test_attributes_of_the_row_are_those_of_the_document(store: Store, embedder: TextEmbedder) -> None:
    named = filled(store, embedder)
    row = next(iter(named.documents.rows().values()))
    named.documents.change({row.id: {**row.body, "attributes": {"mark": 7.0}}})
    again = named.documents.rows()[row.body["document"]]
    assert named.documents.document(again).attributes == {"mark": 7.0}
