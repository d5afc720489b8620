"""The documents of vector stores and what they were cut into, as the database and the blobs keep them.

A store is a row of kind "vector_store"; a document is a row of kind "vector_store.file" under it, whose part "document"
is the JSON of the document, whose label "document" is its id, and whose passages stand in a table beside it. The
store's `revision` counts their changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from luthier.records.documents import Document, Passage
from luthier.store.blobs import Blobs
from luthier.store.database import Database
from luthier.store.ids import new_id
from luthier.store.resources import AT_ONCE, Entry, Resource, Resources
from luthier.store.tables import PASSAGES as P
from luthier.store.tables import RESOURCES as T

STORE, FILE, PART = "vector_store", "vector_store.file", "document"
LABELLED = ("file", "job")
"""What a row is found by beside its document: the file it is read from, and the job that reads it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A document to be kept: `body` is what its row holds, `row` the id of the row that it takes the place of."""

    document: Document
    passages: Sequence[Passage]
    body: Mapping[str, Any]
    row: str | None = None


class StoredDocuments:
    """The documents of one vector store, by the id of its row."""

    def __init__(self, database: Database, blobs: Blobs, resources: Resources, store: str, project: str) -> None:
        self._database, self._blobs, self._resources = database, blobs, resources
        self.store, self.project = store, project

    def rows(self) -> dict[str, Resource]:
        """Returns the row of every document, by the document's id; a file that waits to be read is none yet."""
        page = self._resources.list(FILE, self.project, parent=self.store, limit=2**31 - 2)
        return {row.body["document"]: row for row in page.items if "document" in row.body}

    def some(self, documents: Collection[str]) -> dict[str, Resource]:
        """Returns the rows of those of `documents` that are there, by the document's id."""
        found = self._resources.labelled(FILE, self.project, self.store, ("document", list(documents)))
        return {row.body["document"]: row for row in found if "document" in row.body}

    def keep(self, kept: Sequence[Kept]) -> None:
        """Puts documents and their passages in the place of what there was of them: all of it or, where it fails,
        nothing. `NotFoundError` when the store is gone."""
        entries = []
        for one in kept:
            text = json.dumps(one.document.to_json(), ensure_ascii=False).encode("utf-8", "surrogatepass")
            blob = self._blobs.put([text])
            body = {**one.body, "document": one.document.id, "usage_bytes": len(text)}
            labels = {name: str(body[name]) for name in LABELLED if name in body} | {"document": one.document.id}
            entries.append(Entry(one.row or new_id("vsf_"), body, {PART: blob}, labels, new=one.row is None))

        def beside(connection: sa.Connection) -> None:
            self._touch(connection)
            self._clear(connection, [one.document.id for one in kept])
            rows = [row for one in kept for row in self._columns(one)]
            for start in range(0, len(rows), AT_ONCE):
                connection.execute(sa.insert(P), rows[start : start + AT_ONCE])

        self._resources.put_all(FILE, self.project, (STORE, self.store), entries, beside)

    def change(self, bodies: Mapping[str, Mapping[str, Any]]) -> None:
        """Gives rows, by their ids, new bodies; those that are gone stay so."""
        entries = [Entry(id, body, {}, None, new=False) for id, body in bodies.items()]
        self._resources.put_all(FILE, self.project, (STORE, self.store), entries, self._touch)

    def remove(self, rows: Iterable[Resource]) -> None:
        """Removes documents with their passages."""
        gone = list(rows)
        with self._database.write() as connection:
            self._touch(connection)
            self._clear(connection, [row.body["document"] for row in gone])
        for row in gone:
            self._resources.delete(FILE, row.id, self.project)

    def clear(self) -> None:
        """Removes the passages of every document."""
        with self._database.write() as connection:
            connection.execute(sa.delete(P).where(P.c.store == self.store))

    def passages(self, documents: Sequence[str]) -> dict[str, list[Passage]]:
        """Returns what each of `documents` was cut into, in order; nothing for those that have none."""
        out: dict[str, list[Passage]] = {}
        for some in _parts(documents):
            query = (
                sa.select(P).where(P.c.store == self.store, P.c.document.in_(some)).order_by(P.c.document, P.c.number)
            )
            with self._database.read() as connection:
                for row in connection.execute(query):
                    out.setdefault(row.document, []).append(_passage(row))
        return out

    def counts(self) -> dict[str, int]:
        """Returns how many passages each document has."""
        query = (
            sa.select(P.c.document, sa.func.count().label("passages"))
            .where(P.c.store == self.store)
            .group_by(P.c.document)
        )
        with self._database.read() as connection:
            return {row.document: row.passages for row in connection.execute(query)}

    def document(self, row: Resource) -> Document:
        """Returns the document of a row, with the attributes it has now. `NotFoundError` when its bytes are gone."""
        blob = self._resources.parts(row.id)[PART]
        with self._blobs.open(blob.sha256) as stream:
            document = Document.from_json(json.loads(stream.read().decode("utf-8", "surrogatepass")))
        return replace(document, attributes=dict(row.body.get("attributes", document.attributes)))

    def _touch(self, connection: sa.Connection) -> None:
        """Counts the changes of the store's documents, for those who keep what they read of them."""
        body = connection.execute(sa.select(T.c.body).where(T.c.id == self.store).with_for_update()).scalar_one()
        changed = {**body, "revision": int(body.get("revision", 0)) + 1}
        connection.execute(sa.update(T).where(T.c.id == self.store).values(body=changed))

    def _clear(self, connection: sa.Connection, documents: Sequence[str]) -> None:
        for some in _parts(documents):
            connection.execute(sa.delete(P).where(P.c.store == self.store, P.c.document.in_(some)))

    def _columns(self, kept: Kept) -> Iterator[dict[str, Any]]:
        for number, passage in enumerate(kept.passages):
            yield {
                "store": self.store,
                "document": kept.document.id,
                "number": number,
                "id": passage.id,
                "start": passage.start,
                "end": passage.end,
                "text": passage.text,
                "headings": list(passage.headings),
                "first_page": passage.first_page[:200],
                "last_page": passage.last_page[:200],
            }


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _passage(row: sa.Row[Any]) -> Passage:
    places = (row.document, row.start, row.end, row.text)
    return Passage(*places, tuple(row.headings), row.first_page, row.last_page)
