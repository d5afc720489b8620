"""Documents and passages of vector stores: replaced as one, gone together, on both databases."""

from __future__ import annotations

import pytest
from small_documents import by_paragraph, document

from luthier.errors import NotFoundError
from luthier.records.documents import Document
from luthier.store.blobs import Blobs
from luthier.store.database import Database
from luthier.store.passages import FILE, STORE, Kept, StoredDocuments
from luthier.store.resources import Resources


@pytest.fixture
def resources(database: Database, blobs: Blobs) -> Resources:
    made = Resources(database, blobs)
    for name in ("vs_1", "vs_2"):
        made.add(STORE, name, "p", {"name": name})
    return made


@pytest.fixture
def stored(database: Database, blobs: Blobs, resources: Resources) -> StoredDocuments:
    return StoredDocuments(database, blobs, resources, "vs_1", "p")


def kept(one: Document, row: str | None = None) -> Kept:
    return Kept(one, list(by_paragraph(one)), {"version": one.version}, row)


def test_documents_come_back_as_they_were_kept(stored: StoredDocuments, resources: Resources) -> None:
    some = [document("tea", language="en"), document("odd", "é 日本 \U0001f600\n\n\\ and ' half", page_starts=(0, 3))]
    stored.keep([kept(one) for one in some])
    rows = stored.rows()
    assert set(rows) == {one.id for one in some} == set(stored.counts())
    assert stored.counts()[some[0].id] == 3
    assert stored.passages([one.id for one in some])[some[0].id] == list(by_paragraph(some[0]))
    assert [stored.document(rows[one.id]) for one in some] == some
    assert {row.parent for row in rows.values()} == {"vs_1"}
    assert resources.get(STORE, "vs_1", "p").body == {"name": "vs_1", "revision": 1}


def test_a_new_version_takes_the_place_of_the_old_one(
    stored: StoredDocuments, blobs: Blobs, resources: Resources
) -> None:
    old, new = document("tea"), document("tea", "Black tea.")
    stored.keep([kept(old)])
    row = stored.rows()[old.id]
    blob = resources.parts(row.id)["document"].sha256
    stored.keep([kept(new, row.id)])
    assert stored.passages([new.id])[new.id] == list(by_paragraph(new))
    assert stored.document(stored.rows()[new.id]) == new
    assert [one.id for one in stored.rows().values()] == [row.id]
    assert not blobs.holds(blob)


def test_all_of_it_is_kept_or_nothing(stored: StoredDocuments) -> None:
    tea = document("tea")
    stored.keep([kept(tea)])
    twice = list(by_paragraph(document("train")))
    with pytest.raises(Exception, match=r"(?i)unique"):
        stored.keep(
            [
                kept(document("tea", "New."), stored.rows()[tea.id].id),
                Kept(document("train"), twice, {}),
                Kept(document("train"), twice, {}),
            ]
        )
    assert stored.document(stored.rows()[tea.id]) == tea
    assert set(stored.counts()) == {tea.id}


def test_stores_are_apart(database: Database, blobs: Blobs, resources: Resources, stored: StoredDocuments) -> None:
    other = StoredDocuments(database, blobs, resources, "vs_2", "p")
    for each in (stored, other):
        each.keep([kept(document("tea")), kept(document("train"))])
    stored.remove(stored.some([document("tea").id]).values())
    assert set(stored.rows()) == set(stored.counts()) == {document("train").id}
    assert set(other.rows()) == set(other.counts()) == {document("tea").id, document("train").id}
    assert other.document(other.rows()[document("tea").id]) == document("tea")
    other.clear()
    assert other.counts() == {}


def test_bodies_change_alone_and_what_is_gone_stays_gone(stored: StoredDocuments, resources: Resources) -> None:
    stored.keep([kept(document("tea")), kept(document("train"))])
    rows = stored.rows()
    gone = rows[document("train").id]
    stored.remove([gone])
    stored.change({row.id: {**row.body, "status": "completed"} for row in rows.values()})
    assert [row.body["status"] for row in stored.rows().values()] == ["completed"]
    assert stored.some([document("tea").id])[document("tea").id].body["status"] == "completed"
    assert resources.get(STORE, "vs_1", "p").body["revision"] == 3
    resources.delete(STORE, "vs_1", "p", children=FILE)
    with pytest.raises(NotFoundError):
        stored.keep([kept(document("violin"))])
