"""Resources: whatever is created, listed page by page, changed and deleted by an id, with its blobs and labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from luthier.errors import NotFoundError, StateError, StoreError
from luthier.store.blobs import Blob, Blobs
from luthier.store.database import Database
from luthier.store.labels import Labels, attach, detach, labelled, labels_of
from luthier.store.tables import PARTS as P
from luthier.store.tables import RESOURCES as T

Body = Mapping[str, Any]
AT_ONCE = 1000
"""Ids in one statement: databases take only so many values."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One row; `body` is whatever its owner keeps in it. `parent` is empty for what stands alone."""

    id: str
    kind: str
    project: str
    parent: str
    created_at: int
    expires_at: int | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has an id: of which kind and project the row is or, when it was `deleted`, was."""

    kind: str
    project: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A row to be written among others: a `new` one, or one that gets another body; labels that are None stay."""

    id: str
    body: Body
    parts: Mapping[str, Blob]
    labels: Labels | None
    new: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list, and whether there are more."""

    items: tuple[Resource, ...]
    has_more: bool


class Resources:
    """The rows of every project. One that has expired or was deleted is not found, and not listed.

    Where a method takes a `project`, None stands for any: for what all projects may see.
    """

    def __init__(self, database: Database, blobs: Blobs, clock: Callable[[], float] = time.time) -> None:
        self._database, self._blobs, self._clock = database, blobs, clock

    def add(
        self,
        kind: str,
        id: str,
        project: str,
        body: Body,
        *,
        parent: str = "",
        created_at: int | None = None,
        expires_at: int | None = None,
        parts: Mapping[str, Blob] | None = None,
        labels: Labels | None = None,
    ) -> Resource:
        """Returns the new row, on disk together with its parts and labels; one that came from elsewhere keeps the time
        it was `created_at` there.

        `StoreError` when a part's blob was taken away since it was put: put it again. `StateError` when the id is
        taken, by a row that is there or by one that was deleted.
        """
        made = int(self._clock()) if created_at is None else created_at
        row = Resource(id, kind, project, parent, made, expires_at, dict(body))
        with self._database.write() as connection:
            self._database.lock(connection, id)  # ids that came from elsewhere may come twice at once
            if connection.execute(sa.select(T.c.id).where(T.c.id == id)).first() is not None:
                raise StateError(f"{kind} {id!r} is there, or was and has been deleted", remedy="choose another id")
            connection.execute(sa.insert(T).values(**_columns(row)))
            self._attach(connection, id, parts or {})
            attach(connection, id, labels or {})
        return row

    def add_all(self, kind: str, project: str, parent: tuple[str, str], bodies: Mapping[str, Body]) -> None:
        """Adds rows of one parent (kind, id), by their ids, in their order: all of them or, where it fails, none.

        `NotFoundError` when the parent is gone.
        """
        now = int(self._clock())
        rows = [Resource(id, kind, project, parent[1], now, None, dict(body)) for id, body in bodies.items()]
        with self._database.write() as connection:
            self._get(connection, *parent, project, lock=True)
            for row in rows:
                connection.execute(sa.insert(T).values(**_columns(row)))

    def put_all(
        self,
        kind: str,
        project: str,
        parent: tuple[str, str],
        entries: Sequence[Entry],
        beside: Callable[[sa.Connection], None] = lambda connection: None,
    ) -> None:
        """Writes rows of one parent (kind, id), and what `beside` writes: all of it or, where it fails, nothing.

        A row to be changed that is gone stays so. `NotFoundError` when the parent is gone, `StoreError` as of `add`.
        """
        now = int(self._clock())
        with self._database.write() as connection:
            self._get(connection, *parent, project, lock=True)
            replaced: set[str] = set()
            for entry in entries:
                if entry.new:
                    row = Resource(entry.id, kind, project, parent[1], now, None, dict(entry.body))
                    connection.execute(sa.insert(T).values(**_columns(row)))
                else:
                    mine = (T.c.id == entry.id, T.c.kind == kind, *self._alive())
                    done = connection.execute(sa.update(T).where(*mine).values(body=dict(entry.body)))
                    if done.rowcount == 0:
                        continue
                    places = P.c.resource == entry.id, P.c.name.in_(entry.parts)
                    replaced |= set(connection.execute(sa.select(P.c.blob).where(*places)).scalars())
                self._attach(connection, entry.id, entry.parts)
                if entry.labels is not None:
                    attach(connection, entry.id, entry.labels)
            beside(connection)
        self._release(replaced)

    def labelled(
        self, kind: str, project: str | None, parent: str, label: tuple[str, Sequence[str]]
    ) -> Sequence[Resource]:
        """Returns the rows of one parent whose label of a name, `label[0]`, is one of the values in `label[1]`."""
        name, values = label
        found: list[Resource] = []
        with self._database.read() as connection:
            for start in range(0, len(values), AT_ONCE):
                mine = [T.c.kind == kind, *_owned(project), T.c.parent == parent, *self._alive()]
                owners = labels_of(name, values[start : start + AT_ONCE])
                rows = connection.execute(sa.select(T).where(*mine, T.c.id.in_(owners))).all()
                found += [_resource(row) for row in rows]
        return found

    def get(self, kind: str, id: str, project: str | None) -> Resource:
        """Returns the row. `NotFoundError` when there is none."""
        with self._database.read() as connection:
            return self._get(connection, kind, id, project)

    def holder(self, id: str) -> Holder | None:
        """Returns who has an id, whatever the kind and project; None when it is free."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(T.c.kind, T.c.project, T.c.deleted_at).where(T.c.id == id)).first()
        return None if row is None else Holder(row.kind, row.project, row.deleted_at is not None)

    def parts(self, id: str) -> dict[str, Blob]:
        """Returns the blobs of a row by their names."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(P).where(P.c.resource == id).order_by(P.c.name)).all()
        return {row.name: Blob(row.blob, row.size_bytes) for row in rows}

    def change(
        self,
        kind: str,
        id: str,
        project: str | None,
        change: Callable[[dict[str, Any]], Body],
        *,
        parts: Mapping[str, Blob] | None = None,
        labels: Labels | None = None,
    ) -> Resource:
        """Returns the row after `change(its body)`, with nobody else's change in between.

        `parts` are added to those it has; `labels`, when given, take the place of those it has.
        """
        with self._database.write() as connection:
            found = self._get(connection, kind, id, project, lock=True)
            values = {"body": dict(change(dict(found.body)))}
            connection.execute(sa.update(T).where(T.c.id == id).values(**values))
            self._attach(connection, id, parts or {})
            if labels is not None:
                attach(connection, id, labels)
            return self._get(connection, kind, id, project)

    def delete(self, kind: str, id: str, project: str | None, *, children: str | None = None) -> Resource:
        """Returns the row that is gone now, with its `children` of that kind and the blobs that nothing else uses."""
        with self._database.write() as connection:
            found = self._get(connection, kind, id, project, lock=True)
            inside = sa.select(T.c.id).where(T.c.parent == id, T.c.kind == children, T.c.deleted_at.is_(None))
            ids = [] if children is None else list(connection.execute(inside).scalars())
            blobs = self._bury(connection, [id, *ids])
        self._release(blobs)
        return found

    def list(
        self,
        kind: str,
        project: str | None,
        *,
        parent: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        descending: bool = False,
        labels: Labels | None = None,
    ) -> Page:
        """Returns at most `limit` rows with all `labels`, after the row `after` and before the row `before`.

        `NotFoundError` when `after` or `before` never was in this list; one deleted since still marks its place.
        """
        mine = [T.c.kind == kind, *_owned(project), *([] if parent is None else [T.c.parent == parent])]
        wanted = [*mine, *self._alive(), *labelled(T.c.id, labels or {})]
        with self._database.read() as connection:
            for name, id, later in (("after", after, not descending), ("before", before, descending)):
                if id is not None:
                    place = connection.execute(sa.select(T.c.position).where(T.c.id == id, *mine)).scalar()
                    if place is None:
                        raise NotFoundError(f"no {kind} {id!r} in this list", where=name, param=name)
                    wanted.append(T.c.position > place if later else T.c.position < place)
            backwards = before is not None and after is None  # the rows next to `before`, not the first of all
            order = T.c.position.desc() if descending != backwards else T.c.position.asc()
            rows = connection.execute(sa.select(T).where(*wanted).order_by(order).limit(limit + 1)).all()
        shown = [_resource(row) for row in rows[:limit]]
        return Page(tuple(reversed(shown) if backwards else shown), len(rows) > limit)

    def sweep(self, *, expired_for_s: float, forget_after_s: float) -> None:
        """Takes away what expired more than `expired_for_s` ago (nobody has found it since: a clock that is wrong by
        less takes nothing for good), and the places of what was deleted more than `forget_after_s` ago."""
        now = self._clock()
        with self._database.write() as connection:
            expired = sa.select(T.c.id).where(T.c.expires_at <= now - expired_for_s, T.c.deleted_at.is_(None))
            blobs = self._bury(connection, connection.execute(expired).scalars().all())
            connection.execute(sa.delete(T).where(T.c.deleted_at < now - forget_after_s))
        self._release(blobs)

    def _get(
        self, connection: sa.Connection, kind: str, id: str, project: str | None, *, lock: bool = False
    ) -> Resource:
        query = sa.select(T).where(T.c.id == id, T.c.kind == kind, *_owned(project), *self._alive())
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFoundError(f"no {kind} {id!r}", remedy="check the id, and that it has not been deleted")
        return _resource(row)

    def _attach(self, connection: sa.Connection, id: str, parts: Mapping[str, Blob]) -> None:
        """Links blobs to a row. A blob may have been released between its put and now, by the last row that used it."""
        for blob in sorted({part.sha256 for part in parts.values()}):
            self._database.lock(connection, blob)
            if not self._blobs.holds(blob):
                raise StoreError(f"blob {blob} was taken away meanwhile", where="blobs", remedy="send it again")
        if parts:
            connection.execute(sa.delete(P).where(P.c.resource == id, P.c.name.in_(parts)))
            rows = [
                {"resource": id, "name": name, "blob": part.sha256, "size_bytes": part.size_bytes}
                for name, part in parts.items()
            ]
            connection.execute(sa.insert(P), rows)

    def _bury(self, connection: sa.Connection, ids: Collection[str]) -> set[str]:
        """Returns the blobs that belonged to rows, which are empty places now."""
        blobs: set[str] = set()
        values = {"deleted_at": int(self._clock()), "body": {}}
        every = list(ids)
        for some in (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE)):
            blobs |= set(connection.execute(sa.select(P.c.blob).where(P.c.resource.in_(some))).scalars())
            connection.execute(sa.delete(P).where(P.c.resource.in_(some)))
            detach(connection, some)
            connection.execute(sa.update(T).where(T.c.id.in_(some)).values(**values))
        return blobs

    def _release(self, blobs: Collection[str]) -> None:
        """Removes those of `blobs` that no row uses. After the rows are gone for certain: a lost row loses no bytes."""
        for blob in sorted(blobs):
            with self._database.write() as connection:
                self._database.lock(connection, blob)
                if connection.execute(sa.select(P.c.blob).where(P.c.blob == blob).limit(1)).first() is None:
                    self._blobs.delete(blob)

    def _alive(self) -> Sequence[sa.ColumnElement[bool]]:
        return [T.c.deleted_at.is_(None), sa.or_(T.c.expires_at.is_(None), T.c.expires_at > self._clock())]


def _owned(project: str | None) -> Sequence[sa.ColumnElement[bool]]:
    return [] if project is None else [T.c.project == project]


_NAMES = tuple(field.name for field in fields(Resource))


def _columns(row: Resource) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES}


def _resource(row: sa.Row[Any]) -> Resource:
    return Resource(**{name: row._mapping[name] for name in _NAMES})
