"""The files of vector stores as the API has them: rows that wait, are read, can be found, failed or were cancelled.

A row is of the kind "vector_store.file" under its store. `body` has the file's id, its name, the status, the job that
reads it and what it was asked with; once it is read it holds a document (`luthier.store.passages`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from luthier.store.ids import new_id
from luthier.store.jobs import ENDED
from luthier.store.labels import labelled
from luthier.store.opened import Store
from luthier.store.passages import FILE, LABELLED, STORE
from luthier.store.resources import Entry, Page, Resource
from luthier.store.tables import RESOURCES as T

INGEST = "ingest"
"""The kind of the jobs that read files into stores."""
STATUSES = ("in_progress", "completed", "failed", "cancelled")
AT_ONCE = 200
_STATUS = sa.func.coalesce(T.c.body["status"].as_string(), "completed")
_BYTES = T.c.body["usage_bytes"].as_integer()


class VectorFiles:
    """The files of the vector stores of one project."""

    def __init__(self, store: Store, project: str) -> None:
        self._store, self.project = store, project

    def attach(self, parent: str, bodies: Sequence[Mapping[str, Any]], job: str, spec: Mapping[str, Any]) -> list[str]:
        """Returns the ids of new rows of the store `parent`, and the job that reads them: all of it or nothing.

        A file that is there already is read again, and found again once it is. `NotFoundError` when the store is gone.
        """
        entries = []
        for body in bodies:
            there = self.of(parent, str(body["file"]))
            new = {**body, "status": "in_progress", "last_error": None, "job": job}
            entries.append(Entry(there.id if there else new_id("vsf_"), new, {}, labels_of(new), new=there is None))

        def beside(connection: sa.Connection) -> None:
            labels = {"vector_store": parent}
            self._store.jobs.add_beside(connection, INGEST, job, self.project, spec, labels=labels)

        self._store.resources.put_all(FILE, self.project, (STORE, parent), entries, beside)
        return [entry.id for entry in entries]

    def of(self, parent: str, file: str) -> Resource | None:
        """Returns the row of a file in a store, by the file's id or by its own; None when there is none."""
        found = self._store.resources.list(FILE, self.project, parent=parent, labels={"file": file}, limit=1).items
        if found:
            return found[0]
        return next((row for row in self._ids(parent, [file])), None)

    def counts(self, parents: Sequence[str], job: str | None = None) -> dict[str, tuple[dict[str, int], int]]:
        """Returns, by store, how many files have each status, and their bytes; of one job where it is named."""
        out: dict[str, tuple[dict[str, int], int]] = {id: (dict.fromkeys(STATUSES, 0), 0) for id in parents}
        query = (
            sa.select(T.c.parent, _STATUS.label("status"), sa.func.count().label("files"), sa.func.sum(_BYTES))
            .where(*self._mine(), T.c.parent.in_(list(parents)), *labelled(T.c.id, {"job": job} if job else {}))
            .group_by(T.c.parent, sa.text("status"))  # by name: to Postgres the expressions differ
        )
        with self._store.database.read() as connection:
            for parent, status, files, size in connection.execute(query):
                counts, before = out[parent]
                counts[status] = counts.get(status, 0) + int(files)
                out[parent] = (counts, before + int(size or 0))
        return out

    def page(
        self,
        parent: str,
        status: str | None,
        job: str | None,
        *,
        after: str | None,
        before: str | None,
        limit: int,
        descending: bool,
    ) -> Page:
        """Returns some files of a store (of a status, of a job), after or before the row of an id."""
        labels = {"job": job} if job else {}
        found, more = list[Resource](), True
        while more and len(found) <= limit:
            page = self._store.resources.list(
                FILE,
                self.project,
                parent=parent,
                after=after,
                before=before,
                limit=max(limit, AT_ONCE),
                descending=descending,
                labels=labels,
            )
            rows = [row for row in page.items if status in (None, row.body.get("status", "completed"))]
            found = [*rows, *found] if before and not after else [*found, *rows]
            more = page.has_more
            if page.items and before and not after:
                before = page.items[0].id
            elif page.items:
                after = page.items[-1].id
        shown = found[-limit:] if before and not after else found[:limit]
        return Page(tuple(shown), len(found) > limit)

    def waiting(self, parent: str, job: str) -> Iterator[Resource]:
        """Yields the files of a job that are not read yet, oldest first."""
        after = None
        while True:
            page = self._store.resources.list(
                FILE, self.project, parent=parent, labels={"job": job}, after=after, limit=AT_ONCE
            )
            yield from (row for row in page.items if row.body.get("status") == "in_progress")
            if not page.has_more:
                return
            after = page.items[-1].id

    def settle(self, parents: Sequence[str]) -> bool:
        """Says of files that wait for a job which has ended how they ended: nobody will read them. Returns whether
        there were any."""
        query = sa.select(T.c.body["job"].as_string(), T.c.parent).distinct()
        query = query.where(
            *self._mine(), T.c.parent.in_(list(parents)), T.c.body["status"].as_string() == "in_progress"
        )
        with self._store.database.read() as connection:
            jobs = [(job, parent) for job, parent in connection.execute(query) if job]
        settled = False
        for id, parent in jobs:
            job = self._store.jobs.get(id)
            if job.status in ENDED:
                said = (job.error or {}).get("message") or "the server ended before the file was read; add it again"
                ended: Literal["cancelled", "failed"] = "cancelled" if job.status == "cancelled" else "failed"
                error = None if ended == "cancelled" else {"code": "server_error", "message": said}
                self.end(parent, {row.id: (ended, error) for row in self.waiting(parent, id)})
                settled = True
        return settled

    def end(self, parent: str, ends: Mapping[str, tuple[str, Mapping[str, str] | None]]) -> None:
        """Gives files that wait, by the ids of their rows, their status and their error."""
        for id, (status, error) in ends.items():
            self.change(parent, id, partial(_ended, status, error))

    def change(self, parent: str, row: str, change: Any) -> Resource:
        """Returns the row after `change(its body)`; the store's changes are counted."""
        done = self._store.resources.change(FILE, row, self.project, change)
        self._store.resources.change(
            STORE, parent, self.project, lambda body: {**body, "revision": int(body.get("revision", 0)) + 1}
        )
        return done

    def _mine(self) -> Sequence[sa.ColumnElement[bool]]:
        return [T.c.kind == FILE, T.c.project == self.project, T.c.deleted_at.is_(None)]

    def _ids(self, parent: str, ids: Sequence[str]) -> list[Resource]:
        """Returns the rows of those ids: documents of `luthier index` come from no file of the store."""
        found = []
        for id in ids:
            query = sa.select(T.c.id).where(*self._mine(), T.c.parent == parent, T.c.id == id)
            with self._store.database.read() as connection:
                if connection.execute(query).first() is not None:
                    found.append(self._store.resources.get(FILE, id, self.project))
        return found


def labels_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Returns what the row of a file is found by."""
    return {name: str(body[name]) for name in LABELLED}


def _ended(status: str, error: Mapping[str, str] | None, body: dict[str, Any]) -> dict[str, Any]:
    if body.get("status") != "in_progress":
        return body
    rest = {name: value for name, value in body.items() if name != "document"}  # it is none that can be found
    return {**rest, "status": status, "last_error": error}
