"""One store at work, in the environment that has it: `python -m benchmarks.worker_store SIDE WORK --rows N`."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.blocks import Turn, peak_bytes
from benchmarks.store_work import (
    DIMENSIONS,
    GROUP,
    PASSAGES_A_DOCUMENT,
    Batch,
    K,
    batches,
    group_of,
    nearest,
    questions,
    recall,
    turns,
)

PLACES = Path("build/benchmarks/stores")
CANDIDATES = 50


class Store(Protocol):
    """A store in a folder. Searches return numbers of passages, best first."""

    def add(self, batch: Batch) -> None: ...

    def finish(self) -> None: ...

    def vector(self, vector: Any) -> list[int]: ...

    def filtered(self, vector: Any) -> list[int]: ...

    def hybrid(self, vector: Any, text: str) -> list[int]: ...


class Luthier:
    """The index as `luthier index` fills it: documents of ten passages, cosine."""

    def __init__(self, folder: Path) -> None:
        from luthier.retrieval.index import Shape
        from luthier.retrieval.lance import LanceIndex

        self._index = LanceIndex.open(folder, Shape(DIMENSIONS))
        self._group: Any = None

    def add(self, batch: Batch) -> None:
        from luthier.records.documents import Passage
        from luthier.retrieval.index import Entry

        entries = []
        for start in range(0, len(batch.texts), PASSAGES_A_DOCUMENT):
            some = range(start, min(start + PASSAGES_A_DOCUMENT, len(batch.texts)))
            name = f"doc_{(batch.first + start) // PASSAGES_A_DOCUMENT}"
            made = [Passage(name, batch.first + at, batch.first + at + 1, batch.texts[at]) for at in some]
            entries.append(Entry(name, "1", made, batch.vectors[some.start : some.stop]))
        self._index.put(entries)

    def finish(self) -> None:
        self._index.optimise()

    def vector(self, vector: Any) -> list[int]:
        return [hit.passage.start for hit in self._index.by_vector(vector, K)]

    def filtered(self, vector: Any) -> list[int]:
        from luthier.retrieval.index import Only

        if self._group is None:
            names = [name for name in self._index.documents() if int(name[4:]) % 100 == GROUP]
            self._group = Only(frozenset(names))
        return [hit.passage.start for hit in self._index.by_vector(vector, K, self._group)]

    def hybrid(self, vector: Any, text: str) -> list[int]:
        from luthier.retrieval.fusion import convex

        near, said = self._index.by_both(vector, text, CANDIDATES)
        places = {hit.passage.id: hit.passage.start for hit in (*near, *said)}
        vectors = {hit.passage.id: float(vector @ hit.vector) for hit in (*near, *said)}
        scores = convex(vectors, {hit.passage.id: hit.score for hit in said}, 0.6)
        return [places[id] for id in sorted(scores, key=lambda id: -scores[id])[:K]]


class Chroma:
    """Chroma's persistent client, cosine, as it comes. It has no BM25."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
        self._made = client.get_or_create_collection(
            "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )

    def add(self, batch: Batch) -> None:
        numbers = range(batch.first, batch.first + len(batch.texts))
        self._made.add(
            ids=[str(one) for one in numbers],
            embeddings=batch.vectors,
            documents=list(batch.texts),
            metadatas=[{"group": group_of(one)} for one in numbers],
        )

    def finish(self) -> None:
        self._made.count()

    def vector(self, vector: Any) -> list[int]:
        found = self._made.query(query_embeddings=[vector], n_results=K, include=["documents", "distances"])
        return [int(one) for one in found["ids"][0]]

    def filtered(self, vector: Any) -> list[int]:
        found = self._made.query(query_embeddings=[vector], n_results=K, where={"group": GROUP}, include=["documents"])
        return [int(one) for one in found["ids"][0]]

    def hybrid(self, vector: Any, text: str) -> list[int]:
        raise NotImplementedError


class SqliteVec:
    """sqlite-vec beside FTS5 in one file, synchronous=FULL; both rankings joined by ranks in Python."""

    def __init__(self, folder: Path) -> None:
        import apsw  # many builds of Python's own sqlite3 load no extensions
        import sqlite_vec

        self._db = apsw.Connection(str(folder / "passages.db"))
        self._db.enable_load_extension(True)
        self._db.load_extension(sqlite_vec.loadable_path())
        for line in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING "
            f"vec0(part integer, v float[{DIMENSIONS}] distance_metric=cosine)",
            "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, tokenize='porter unicode61')",
        ):
            self._db.execute(line)

    def add(self, batch: Batch) -> None:
        numbers = range(batch.first, batch.first + len(batch.texts))
        rows = [(one, group_of(one), batch.vectors[one - batch.first].tobytes()) for one in numbers]
        with self._db:
            self._db.executemany("INSERT INTO vectors(rowid, part, v) VALUES (?, ?, ?)", rows)
            words = zip(numbers, batch.texts, strict=True)
            self._db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", words)

    def finish(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def vector(self, vector: Any, k: int = K) -> list[int]:
        query = "SELECT rowid FROM vectors WHERE v MATCH ? AND k = ? ORDER BY distance"
        return [row[0] for row in self._db.execute(query, (vector.tobytes(), k))]

    def filtered(self, vector: Any) -> list[int]:
        query = "SELECT rowid FROM vectors WHERE v MATCH ? AND k = ? AND part = ? ORDER BY distance"
        return [row[0] for row in self._db.execute(query, (vector.tobytes(), K, GROUP))]

    def hybrid(self, vector: Any, text: str) -> list[int]:
        query = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
        said = [row[0] for row in self._db.execute(query, (" OR ".join(text.split()), CANDIDATES))]
        scores: dict[int, float] = {}
        for ranking in (self.vector(vector, CANDIDATES), said):
            for rank, one in enumerate(ranking, 1):
                scores[one] = scores.get(one, 0.0) + 1 / (60 + rank)
        return sorted(scores, key=lambda one: -scores[one])[:K]


SIDES: dict[str, Callable[[Path], Store]] = {"luthier": Luthier, "chroma": Chroma, "sqlite-vec": SqliteVec}


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and works until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_store")
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("work", choices=("load", "vector", "filtered", "hybrid"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=100, help="questions of a block")
    given = parser.parse_args(arguments)
    if given.work == "load":
        _load(given.side, given.rows)
    else:
        _search(given.side, given.work, given.rows, given.steps)


def filled(side: str, folder: Path, rows: int) -> Store:
    """Returns a store of `rows` passages, new in `folder`, searchable and on disk."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    store: Store = SIDES[side](folder)
    for batch in list(batches(rows)):
        store.add(batch)
    store.finish()
    return store


def _load(side: str, rows: int) -> None:
    made = list(batches(rows))  # before the clock starts
    top = PLACES / f"{side}-load"
    shutil.rmtree(top, ignore_errors=True)
    turn = Turn()
    for number in itertools.count():  # a new folder each: Chroma remembers those it has opened
        folder = top / str(number)
        folder.mkdir(parents=True)
        store: Store = SIDES[side](folder)
        for batch in made:
            store.add(batch)
        store.finish()
        store.vector(made[0].vectors[0])
        shutil.rmtree(top / str(number - 1), ignore_errors=True)
        turn.step(rows)


def _search(side: str, work: str, rows: int, steps: int) -> None:
    folder = PLACES / f"{side}-{rows}"
    done = folder.with_suffix(".done")
    if not done.exists():
        filled(side, folder, rows)
        done.touch()
    store: Store = SIDES[side](folder)
    asked = questions()
    _facts(side, work, store, asked, rows, folder)
    turn, order = Turn(steps), turns()
    import time

    while True:
        at, began = next(order), time.perf_counter()
        _ask(store, work, asked, at)
        turn.step(1, (time.perf_counter() - began) * 1e3)


def _ask(store: Store, work: str, asked: Batch, at: int) -> list[int]:
    match work:
        case "vector":
            return store.vector(asked.vectors[at])
        case "filtered":
            return store.filtered(asked.vectors[at])
    return store.hybrid(asked.vectors[at], asked.texts[at])


def _facts(side: str, work: str, store: Store, asked: Batch, rows: int, folder: Path) -> None:
    """Leaves what is not a matter of time in a file: recall, disk, memory."""
    facts: dict[str, Any] = {}
    if work != "hybrid":
        right = nearest(rows, asked.vectors, GROUP if work == "filtered" else None)
        found = [_ask(store, work, asked, at) for at in range(len(asked.texts))]
        facts["recall"] = recall(found, right)
    facts["disk_bytes"] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    facts["peak_bytes"] = peak_bytes()
    (PLACES / f"{side}-{work}.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
