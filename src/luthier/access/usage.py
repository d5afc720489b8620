"""What was used: requests, tokens and money by hour, key, kind of request and model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from luthier.errors import SpecError
from luthier.store.database import Database
from luthier.store.ids import new_id
from luthier.store.tables import KEYS
from luthier.store.tables import PARCELS as P
from luthier.store.tables import USAGE as U

LOG = logging.getLogger("luthier.access")
HOUR_S = 3600
SEND_S = 0.5
"""How long what was used is kept back, to be written together: so much is lost when a process is killed."""
KNOWN_S = 2 * 24 * HOUR_S
"""How long it is known what has been counted: longer than anybody tries again."""
By = Literal["day", "hour", "month", "model", "kind", "key", "project"]


@dataclass(frozen=True, slots=True)
class Used:
    """Some use. `cached_tokens` are those of the input that did not have to be read again; `cost` has no unit."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Used) -> Used:
        return Used(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True, slots=True)
class Whose:
    """Who used what: a key of a project, a kind of request ("chat", "embeddings", "training" ...), a model."""

    project: str
    key: str
    kind: str
    model: str


class Usage:
    """The table of use."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def hour(self) -> int:
        """Returns the hour that it is."""
        return int(self._clock()) // HOUR_S * HOUR_S

    def add(self, used: Mapping[tuple[int, Whose], Used], parcel: str) -> None:
        """Adds what was used, by the hour and whose it is: all of it, or nothing.

        A `parcel` is counted once: whoever does not hear whether it arrived may bring it again.
        """
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        names, now = [one.name for one in fields(Used)], int(self._clock())
        with self._database.write() as connection:
            connection.execute(sa.delete(P).where(P.c.at < now - KNOWN_S))
            new = insert(P).values(id=parcel, at=now).on_conflict_do_nothing().returning(P.c.id)
            if connection.execute(new).first() is None:
                return
            for (hour, whose), one in sorted(used.items(), key=str):
                of = {"hour": hour, "key": whose.key, "kind": whose.kind, "model": whose.model}
                row = insert(U).values(**of, project=whose.project, **one.to_json())
                summed = {name: U.c[name] + row.excluded[name] for name in names}
                connection.execute(row.on_conflict_do_update(index_elements=list(of), set_=summed))

    def spent(self, key: str) -> float:
        """Returns what a key has cost in the calendar month that it is (UTC)."""
        began = month_of(self._clock())
        with self._database.read() as connection:
            found = connection.execute(sa.select(sa.func.sum(U.c.cost)).where(U.c.key == key, U.c.hour >= began))
            return float(found.scalar() or 0.0)

    def summed(
        self,
        by: Sequence[By],
        *,
        since: int = 0,
        until: int | None = None,
        project: str | None = None,
        key: str | None = None,
    ) -> list[tuple[tuple[str, ...], Used]]:
        """Returns what was used from `since` until before `until` (Unix seconds, whole hours), summed up `by`.

        Days and months are those of UTC. Keys are called by their names.
        """
        wanted = [U.c.hour >= since, *([] if until is None else [U.c.hour < until])]
        wanted += [] if project is None else [U.c.project == project]
        wanted += [] if key is None else [U.c.key == key]
        with self._database.read() as connection:
            rows = connection.execute(sa.select(U).where(*wanted).order_by(U.c.hour)).all()
            names = {row.id: row.name for row in connection.execute(sa.select(KEYS.c.id, KEYS.c.name))}
        out: dict[tuple[str, ...], Used] = {}
        for row in rows:
            group = tuple(_part(row, one, names) for one in by)
            used = Used(*(getattr(row, one.name) for one in fields(Used)))
            out[group] = out.get(group, Used()) + used
        return sorted(out.items())


class Recorder:
    """Takes what was used from many threads, and writes it together a moment later."""

    def __init__(self, usage: Usage) -> None:
        self._usage, self._lock = usage, threading.Lock()
        self._waiting: dict[tuple[int, Whose], Used] = {}
        self._sent: dict[tuple[int, Whose], Used] = {}
        """The parcel that is being written: it counts as spent until it is, and for a moment twice rather than not at
        all. It stays as it is until it has arrived."""
        self._parcel = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="usage", daemon=True)
        self._thread.start()

    def add(self, whose: Whose, used: Used) -> None:
        """Notes what was used just now."""
        at = (self._usage.hour(), whose)
        with self._lock:
            self._waiting[at] = self._waiting.get(at, Used()) + used

    def spent(self, key: str) -> float:
        """Returns what a key has cost this month, with what is not written yet. `StoreError` when it is not known."""
        with self._lock:
            held = [*self._waiting.items(), *self._sent.items()]
        return self._usage.spent(key) + sum(used.cost for (_, whose), used in held if whose.key == key)

    def send(self) -> None:
        """Writes what waits; what cannot be written waits on."""
        while self._sent or self._waiting:
            with self._lock:
                if not self._sent:
                    self._sent, self._waiting, self._parcel = self._waiting, {}, new_id("parcel_")
            try:
                self._usage.add(self._sent, self._parcel)
            except Exception as error:
                LOG.warning("usage could not be written yet: %s", type(error).__name__)
                return
            with self._lock:
                self._sent = {}

    def close(self) -> None:
        """Writes what is left."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(SEND_S):
            self.send()
        self.send()


def month_of(at: float) -> int:
    """Returns the first second of the month (UTC) that `at` is in."""
    return int(datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())


def day_at(text: str, *, where: str) -> int:
    """Returns the first second of a day (UTC), written 2026-11-27. `SpecError` when it is none."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise SpecError(f"{text!r} is no day", where=where, remedy="write it as 2026-11-27") from None


def _part(row: Any, by: By, names: Mapping[str, str]) -> str:
    at = datetime.fromtimestamp(row.hour, UTC)
    match by:
        case "hour":
            return at.strftime("%Y-%m-%d %H:00")
        case "day":
            return at.strftime("%Y-%m-%d")
        case "month":
            return at.strftime("%Y-%m")
        case "key":
            return names.get(row.key, row.key)
    return str(getattr(row, by))
