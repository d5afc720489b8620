"""Vectors that were computed once, by embedder and text: a file of this machine that may be lost, bounded in size."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from luthier.retrieval.index import Vector

LARGEST_BYTES = 2 * 2**30
AT_ONCE = 500


class VectorCache:
    """Vectors in `file`. What was used longest ago goes first where it is larger than `largest_bytes`."""

    def __init__(self, file: Path, largest_bytes: int = LARGEST_BYTES) -> None:
        self.file, self._largest = file, largest_bytes
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._trim()
        self._connection.close()

    def get(self, embedder: str, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Returns the vectors that are known, by key."""
        found: dict[bytes, Vector] = {}
        with _lossy(), self._connection:
            for some in _parts(keys):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, vector FROM vectors WHERE embedder = ? AND key IN ({marks})"
                rows = self._connection.execute(query, (embedder, *some)).fetchall()
                found |= {key: np.frombuffer(vector, np.float32) for key, vector in rows}
                update = f"UPDATE vectors SET used_at = ? WHERE embedder = ? AND key IN ({marks})"
                self._connection.execute(update, (int(time.time()), embedder, *some))
        return found

    def put(self, embedder: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keeps vectors."""
        now = int(time.time())
        rows = [(embedder, key, vector.astype(np.float32).tobytes(), now) for key, vector in vectors.items()]
        with _lossy(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._made(self.file)
        except sqlite3.OperationalError:  # locked for long, or not to be written: this run does without
            return self._made(":memory:")
        except sqlite3.DatabaseError:  # damaged: it holds nothing that cannot be computed again
            for end in ("", "-wal", "-shm"):
                self.file.with_name(self.file.name + end).unlink(missing_ok=True)
            return self._made(self.file)

    def _made(self, file: Path | str) -> sqlite3.Connection:
        connection = sqlite3.connect(file, timeout=30)
        for pragma in ("journal_mode=WAL", "synchronous=OFF"):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (embedder TEXT, key BLOB, vector BLOB, used_at INTEGER, "
            "PRIMARY KEY (embedder, key)) WITHOUT ROWID"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS used ON vectors (used_at)")
        return connection

    def _trim(self) -> None:
        with self._connection:
            size = self._connection.execute("SELECT coalesce(sum(length(vector) + 64), 0) FROM vectors").fetchone()[0]
            while size > self._largest:
                rows = self._connection.execute(
                    "DELETE FROM vectors WHERE (embedder, key) IN "
                    "(SELECT embedder, key FROM vectors ORDER BY used_at LIMIT ?) RETURNING length(vector) + 64",
                    (10 * AT_ONCE,),
                ).fetchall()
                size -= sum(row[0] for row in rows)


def key_of(text: str) -> bytes:
    """Returns what a text is known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@contextlib.contextmanager
def _lossy() -> Iterator[None]:
    """A cache that cannot be read or written is one that holds nothing."""
    with contextlib.suppress(sqlite3.Error):
        yield


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
