"""Jobs: work that a worker process leases, reports on and ends. A worker that dies loses its lease, not the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import sqlalchemy as sa

from luthier.errors import AwayError, NotFoundError, StateError
from luthier.store.database import Database
from luthier.store.ids import new_id
from luthier.store.labels import Labels, attach, labelled
from luthier.store.silence import Silence
from luthier.store.tables import EVENTS as E
from luthier.store.tables import JOBS as J

Status = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Wanted = Literal["run", "pause", "cancel"]
ENDED = frozenset({"succeeded", "failed", "cancelled"})
CLOSED_BY_WORKERS = frozenset({"batch"})
"""Kinds that leave something behind however they end: only who works on one of them ends it once it has begun."""
MAX_ATTEMPTS = 5
"""A job whose worker died so often is given up: it is most likely what kills them."""


class LeaseLost(Exception):
    """This worker no longer holds the job: it was silent for too long, and another may have it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One row. `spec` is what the verb is asked to do, `details` what the door that took it wants to remember."""

    id: str
    project: str
    kind: str
    spec: dict[str, Any]
    details: dict[str, Any]
    status: Status
    wanted: Wanted
    owner: str | None
    attempts: int
    created_at: int
    started_at: int | None
    finished_at: int | None
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something a job said: `kind` as in `luthier.report` (plan, info, warning, metric, checkpoint, result)."""

    id: str
    job: str
    created_at: int
    kind: str
    message: str
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be kept; one with a `key` is kept once per job. One from elsewhere has its time."""

    kind: str
    message: str
    data: Mapping[str, Any] | None = None
    key: str | None = None
    created_at: int | None = None


class Jobs:
    """The job table, for the doors that add to it and for the workers that empty it."""

    def __init__(
        self,
        database: Database,
        *,
        lease_s: float = 15.0,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._clock, self._silence = database, clock, Silence(ticks)
        self.lease_s = lease_s

    # ---- for those who ask for work

    def add(
        self,
        kind: str,
        id: str,
        project: str,
        spec: Mapping[str, Any],
        *,
        details: Mapping[str, Any] | None = None,
        labels: Labels | None = None,
        events: Sequence[NewEvent] = (),
    ) -> Job:
        """Returns the new job, queued."""
        with self._database.write() as connection:
            return self.add_beside(connection, kind, id, project, spec, details=details, labels=labels, events=events)

    def add_beside(
        self,
        connection: sa.Connection,
        kind: str,
        id: str,
        project: str,
        spec: Mapping[str, Any],
        *,
        details: Mapping[str, Any] | None = None,
        labels: Labels | None = None,
        events: Sequence[NewEvent] = (),
    ) -> Job:
        """Returns the new job, which is there once `connection` has written what it writes."""
        values = {
            "id": id,
            "project": project,
            "kind": kind,
            "spec": dict(spec),
            "details": dict(details or {}),
            "status": "queued",
            "wanted": "run",
            "attempts": 0,
            "created_at": int(self._clock()),
            "progress": {},
        }
        connection.execute(sa.insert(J).values(**values))
        attach(connection, id, labels or {})
        self._say(connection, id, events)
        return self._get(connection, id)

    def keep(self, job: Job, *, labels: Labels | None = None, events: Sequence[NewEvent] = ()) -> Job:
        """Returns a job that has ended elsewhere, kept as it is: no worker ever takes it.

        `StateError` when it has not ended, or its id is taken.
        """
        if job.status not in ENDED:
            raise StateError(f"job {job.id} is {job.status}", remedy="keep it once it has ended")
        with self._database.write() as connection:
            self._database.lock(connection, job.id)
            if connection.execute(sa.select(J.c.id).where(J.c.id == job.id)).first() is not None:
                raise StateError(f"there is a job {job.id!r}", remedy="choose another id")
            connection.execute(sa.insert(J).values(**{one.name: getattr(job, one.name) for one in fields(Job)}))
            attach(connection, job.id, labels or {})
            self._say(connection, job.id, events)
            return self._get(connection, job.id)

    def get(self, id: str, *, kind: str | None = None, project: str | None = None) -> Job:
        """Returns the job. `NotFoundError` when there is none of that kind in that project (None is any)."""
        with self._database.read() as connection:
            return self._get(connection, id, kind=kind, project=project)

    def list(
        self,
        *,
        kinds: Sequence[str] | None = None,
        project: str | None = None,
        after: str | None = None,
        limit: int = 20,
        labels: Labels | None = None,
    ) -> tuple[tuple[Job, ...], bool]:
        """Returns at most `limit` jobs with all `labels`, newest first, after `after`; and whether there are more."""
        mine = [*([] if kinds is None else [J.c.kind.in_(kinds)]), *_mine(None, project)]
        wanted = [*mine, *labelled(J.c.id, labels or {})]
        with self._database.read() as connection:
            if after is not None:
                place = connection.execute(sa.select(J.c.position).where(J.c.id == after, *mine)).scalar()
                if place is None:
                    raise NotFoundError(f"no job {after!r} in this list", where="after", param="after")
                wanted.append(J.c.position < place)
            query = sa.select(J).where(*wanted).order_by(J.c.position.desc()).limit(limit + 1)
            rows = connection.execute(query).all()
        return tuple(_job(row) for row in rows[:limit]), len(rows) > limit

    def want(
        self,
        id: str,
        wanted: Wanted,
        *,
        kind: str | None = None,
        project: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Job:
        """Returns the job after it was asked to run on, to pause or to end; `details` are added to its own.

        What no worker holds is settled at once; a worker hears of it at its next heartbeat. `StateError` when the job
        has ended.
        """
        with self._database.write() as connection:
            job = self._get(connection, id, kind=kind, project=project, lock=True)
            if job.status in ENDED:
                raise StateError(f"job {id} has ended ({job.status}) and cannot be asked to {wanted}", param="id")
            settled: dict[str, Any] = {"wanted": wanted, "details": job.details | dict(details or {})}
            begun = job.kind in CLOSED_BY_WORKERS and job.started_at is not None
            if job.status != "running" and not (begun and wanted == "cancel"):
                status = {"run": "queued", "pause": "paused", "cancel": "cancelled"}[wanted]
                settled |= {"status": status} | ({"finished_at": int(self._clock())} if wanted == "cancel" else {})
            connection.execute(sa.update(J).where(J.c.id == id).values(**settled))
            return self._get(connection, id)

    def events(self, id: str, *, after: str | None = None, limit: int = 20) -> tuple[tuple[Event, ...], bool]:
        """Returns at most `limit` events of a job, newest first, after the event `after`; and whether more follow."""
        with self._database.read() as connection:
            wanted: list[sa.ColumnElement[bool]] = [E.c.job == id]
            if after is not None:
                place = connection.execute(sa.select(E.c.position).where(E.c.id == after, E.c.job == id)).scalar()
                if place is None:
                    raise NotFoundError(f"no event {after!r} of job {id}", where="after")
                wanted.append(E.c.position < place)
            rows = connection.execute(sa.select(E).where(*wanted).order_by(E.c.position.desc()).limit(limit + 1)).all()
        return tuple(_event(row) for row in rows[:limit]), len(rows) > limit

    # ---- for workers

    def lease(self, owner: str, kinds: Sequence[str] | None = None) -> Job | None:
        """Returns the oldest job that nobody works on, now `owner`'s for `lease_s`; None when there is none.

        A job whose worker has been silent that long is free again; one that lost `MAX_ATTEMPTS` workers has failed.
        """
        wanted = [J.c.kind.in_(kinds)] if kinds is not None else []
        while True:
            try:
                with self._database.write() as connection:
                    free = sa.or_(J.c.status == "queued", self._silent(connection, *wanted))
                    query = sa.select(J).where(free, *wanted).order_by(J.c.position).limit(1)
                    row = connection.execute(query.with_for_update(skip_locked=True)).first()
                    if row is None:
                        return None
                    job = _job(row)
                    if (early := self._settled(job)) is None:
                        return self._give(connection, job, owner)
                    done = early | {"owner": None, "lease_until": None}
                    connection.execute(sa.update(J).where(J.c.id == job.id).values(**done))
            except AwayError:
                self._silence.forget()  # nobody could be heard
                raise

    def _silent(self, connection: sa.Connection, *wanted: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        """Returns what finds the running jobs whose workers are dead, unless those say something now.

        The wall clock alone kills nobody: it may be set, and those of two machines differ. A lease that has run out by
        it counts once it has been seen unchanged for a third of its time, every other one for the whole.
        """
        held = sa.select(J.c.id, J.c.lease_until).where(J.c.status == "running", *wanted)
        leases = {row.id: float(row.lease_until) for row in connection.execute(held)}
        now, quiet = self._clock(), self._silence.of(leases)
        dead = (
            sa.and_(J.c.status == "running", J.c.id == id, J.c.lease_until == until)
            for id, until in leases.items()
            if quiet[id] >= (self.lease_s / 3 if until < now else self.lease_s)
        )
        return sa.or_(sa.false(), *dead)

    def _give(self, connection: sa.Connection, job: Job, owner: str) -> Job:
        now = self._clock()
        values = {
            "status": "running",
            "owner": owner,
            "lease_until": now + self.lease_s,
            "attempts": job.attempts + 1,
            "started_at": job.started_at or int(now),
        }
        connection.execute(sa.update(J).where(J.c.id == job.id).values(**values))
        self._silence.given(job.id, now + self.lease_s)
        return self._get(connection, job.id)

    def _settled(self, job: Job) -> dict[str, Any] | None:
        """Returns how a job ends (or waits) that a dead worker left behind and nobody should run; None to run it."""
        now = int(self._clock())
        if job.kind in CLOSED_BY_WORKERS and job.attempts < 2 * MAX_ATTEMPTS:
            return None
        if job.status == "running" and job.wanted == "cancel":
            return {"status": "cancelled", "finished_at": now}
        if job.status == "running" and job.wanted == "pause":
            return {"status": "paused"}
        if job.attempts >= MAX_ATTEMPTS:
            message = f"the worker died {job.attempts} times while it worked on this job"
            return {"status": "failed", "finished_at": now, "error": {"code": "server_error", "message": message}}
        return None

    def beat(
        self, id: str, owner: str, *, events: Sequence[NewEvent] = (), progress: Mapping[str, Any] | None = None
    ) -> Wanted:
        """Returns what is wanted of the job, keeps what it said, and holds its lease for `lease_s` more.

        `LeaseLost` when `owner` does not hold it any more: nothing is kept then.
        """
        with self._database.write() as connection:
            values: dict[str, Any] = {"lease_until": self._clock() + self.lease_s}
            if progress is not None:
                values["progress"] = dict(progress)
            self._update_mine(connection, id, owner, values)
            self._say(connection, id, events)
            return self._get(connection, id).wanted

    def remember(self, id: str, owner: str, details: Mapping[str, Any]) -> None:
        """Adds to the job's details. `LeaseLost` as above."""
        with self._database.write() as connection:
            job = self._get(connection, id, lock=True)
            self._update_mine(connection, id, owner, {"details": job.details | dict(details)})

    def end(
        self,
        id: str,
        owner: str,
        status: Status,
        *,
        result: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
        events: Sequence[NewEvent] = (),
        orderly: bool = False,
    ) -> Job:
        """Returns the job, which `owner` lets go: ended, paused, or queued again. `LeaseLost` as above.

        Being let go in an `orderly` way is no attempt that failed.
        """
        with self._database.write() as connection:
            job = self._get(connection, id, lock=True)
            values: dict[str, Any] = {"status": status, "owner": None, "lease_until": None}
            values |= {"details": job.details | dict(details or {})}
            if orderly:
                values["attempts"] = max(0, job.attempts - 1)
            if result is not None:
                values["result"] = dict(result)
            if error is not None:
                values["error"] = dict(error)
            if status in ENDED:
                values["finished_at"] = int(self._clock())
            self._update_mine(connection, id, owner, values)
            self._say(connection, id, events)
            return self._get(connection, id)

    def _update_mine(self, connection: sa.Connection, id: str, owner: str, values: Mapping[str, Any]) -> None:
        held = sa.update(J).where(J.c.id == id, J.c.owner == owner, J.c.status == "running")
        if connection.execute(held.values(**values)).rowcount != 1:
            raise LeaseLost(id)

    def _say(self, connection: sa.Connection, id: str, events: Sequence[NewEvent]) -> None:
        keys = [event.key for event in events if event.key is not None]
        said = (
            set(connection.execute(sa.select(E.c.key).where(E.c.job == id, E.c.key.in_(keys))).scalars())
            if keys
            else ()
        )
        rows = [
            {
                "id": new_id("ftevent-"),
                "job": id,
                "key": event.key,
                "created_at": int(self._clock()) if event.created_at is None else event.created_at,
                "kind": event.kind,
                "message": event.message,
                "data": None if event.data is None else dict(event.data),
            }
            for event in events
            if event.key is None or event.key not in said
        ]
        if rows:
            connection.execute(sa.insert(E), rows)

    def _get(
        self,
        connection: sa.Connection,
        id: str,
        *,
        kind: str | None = None,
        project: str | None = None,
        lock: bool = False,
    ) -> Job:
        query = sa.select(J).where(J.c.id == id, *_mine(kind, project))
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFoundError(f"no job {id!r}", remedy="check the id")
        return _job(row)


def _mine(kind: str | None, project: str | None) -> list[sa.ColumnElement[bool]]:
    asked = ((J.c.kind, kind), (J.c.project, project))
    return [column == value for column, value in asked if value is not None]


def _job(row: sa.Row[Any]) -> Job:
    return Job(**{field.name: row._mapping[field.name] for field in fields(Job)})


def _event(row: sa.Row[Any]) -> Event:
    return Event(**{field.name: row._mapping[field.name] for field in fields(Event)})
