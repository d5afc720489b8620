"""Keys: a long random text that lets somebody ask for one project. The database has only its hash."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from luthier.access.options import PROJECT, VARIABLE, Limits
from luthier.errors import NotFoundError, StoreError
from luthier.store.database import Database
from luthier.store.ids import new_id
from luthier.store.tables import KEYS as K

UNKNOWN = "key_unknown"
FORGOTTEN_S = 2.0
"""How long a server goes by what it has read of a key: a key that is revoked ends so much later."""
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key. `ending` are its last letters, for people who look for it; times are Unix seconds."""

    id: str
    project: str
    name: str
    ending: str
    created_at: int
    revoked_at: int | None
    limits: Limits

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {
            "id": self.id,
            "project": self.project,
            "name": self.name,
            "ending": self.ending,
            "created_at": self.created_at,
            "revoked_at": self.revoked_at,
            **self.limits.model_dump(),
        }


OF_THE_VARIABLE = Key("key_of_the_environment", PROJECT, f"${VARIABLE}", "", 0, None, Limits())


class Keys:
    """The keys of every project."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def add(self, project: str, name: str, limits: Limits | None = None) -> tuple[Key, str]:
        """Returns a new key, and the text that has to be sent: it cannot be read again."""
        text = f"sk-luthier-{secrets.token_urlsafe(32)}"
        key = Key(new_id("key_", 16), project, name, text[-4:], int(self._clock()), None, limits or Limits())
        with self._database.write() as connection:
            connection.execute(sa.insert(K).values(**_columns(key), hash=_hash(text)))
        return key, text

    def list(self, project: str | None = None) -> Sequence[Key]:
        """Returns the keys of a project, or of all, the oldest first; those that were revoked too."""
        mine = [] if project is None else [K.c.project == project]
        with self._database.read() as connection:
            rows = connection.execute(sa.select(K).where(*mine).order_by(K.c.created_at, K.c.id)).all()
        return [_key(row) for row in rows]

    def revoke(self, id: str) -> Key:
        """Returns the key that is good for nothing from now on. `NotFoundError` when there is none."""
        with self._database.write() as connection:
            unless = sa.func.coalesce(K.c.revoked_at, int(self._clock()))
            connection.execute(sa.update(K).where(K.c.id == id).values(revoked_at=unless))
            return self._get(connection, id)

    def limit(self, id: str, limits: Limits) -> Key:
        """Returns the key with other limits. `NotFoundError` when there is none."""
        with self._database.write() as connection:
            connection.execute(sa.update(K).where(K.c.id == id).values(**limits.model_dump()))
            return self._get(connection, id)

    def find(self, text: str) -> Key | None:
        """Returns the key that `text` is; None for what is none, or none any more."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(K).where(K.c.hash == _hash(text), K.c.revoked_at.is_(None))).first()
        return None if row is None else _key(row)

    def get(self, id: str | None, project: str) -> Key:
        """Returns the key of a project that made something earlier; where it is not known, one without limits."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(K).where(K.c.id == id, K.c.project == project)).first()
        return Key(id or UNKNOWN, project, "", "", 0, None, Limits()) if row is None else _key(row)

    def any(self) -> bool:
        """Returns whether there ever was a key."""
        with self._database.read() as connection:
            return connection.execute(sa.select(K.c.id).limit(1)).first() is not None

    def usable(self) -> bool:
        """Returns whether there is a key that has not been revoked."""
        with self._database.read() as connection:
            return connection.execute(sa.select(K.c.id).where(K.c.revoked_at.is_(None)).limit(1)).first() is not None

    def _get(self, connection: sa.Connection, id: str) -> Key:
        row = connection.execute(sa.select(K).where(K.c.id == id)).first()
        if row is None:
            raise NotFoundError(f"no key {id!r}", remedy="luthier keys lists them", param="key")
        return _key(row)


class KnownKeys:
    """Keys as a server asks for them, many times a second: remembered for a moment, and while the database is away."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys, self._clock, self._lock = keys, clock, threading.Lock()
        self._known: dict[str, tuple[float, Key]] = {}

    def recall(self, text: str) -> Key | None:
        """Returns the key that `text` is, if that was read a moment ago; None says nothing."""
        given = os.environ.get(VARIABLE)
        if given and hmac.compare_digest(text.encode(), given.encode()):
            return OF_THE_VARIABLE
        with self._lock:
            read_at, key = self._known.get(_hash(text), (-FORGOTTEN_S, None))
        return key if self._clock() - read_at < FORGOTTEN_S else None

    def find(self, text: str) -> Key | None:
        """Returns the key that `text` is; None for what is none. `StoreError` when that cannot be found out."""
        if (key := self.recall(text)) is not None:
            return key
        hashed, now = _hash(text), self._clock()
        try:
            found = self._keys.find(text)
        except StoreError:
            with self._lock:
                _, key = self._known.get(hashed, (0.0, None))
            if key is None:
                raise
            return key
        with self._lock:
            self._known.pop(hashed, None)
            if found is not None:
                self._known[hashed] = (now, found)
            while len(self._known) > MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
        return found


def _hash(text: str) -> str:
    """Returns the SHA-256 of a key: 256 random bits cannot be guessed, so nothing slower is needed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _columns(key: Key) -> dict[str, Any]:
    return key.to_json()


def _key(row: Any) -> Key:
    limits = Limits(**{name: getattr(row, name) for name in Limits.model_fields})
    return Key(row.id, row.project, row.name, row.ending, row.created_at, row.revoked_at, limits)
