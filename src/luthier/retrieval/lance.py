"""The index in LanceDB: a table of vectors and words, flat while it is small, IVF with four bits a dimension beyond."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from luthier.errors import DiskFullError, SpecError, StoreError, disk_is_full
from luthier.records.documents import Passage
from luthier.retrieval.durable import Synced, in_doubt, locked, put_aside, size_bytes
from luthier.retrieval.index import Entry, Hit, Only, Shape, Vector

TABLE, MAINTENANCE = "passages", ".maintenance"
FLAT_BELOW = 10_000
"""Passages below which every vector is compared: that takes milliseconds, and is exact."""
BITS, PROBES = 4, 50
"""Bits of a dimension in an index of vectors, and the partitions of it that are read for a question."""
COMPARED, LEAST_REFINE, MOST_REFINE = 50, 2, 10
"""Candidates of which the whole vectors are compared: at least so many, between twice and ten times those wanted."""
NAMED_AT_MOST = 1000
"""Documents that are named in a query; where more are admitted, more is fetched and the rest left out afterwards."""
WIDEST, PUTS_A_TIDY = 4096, 100
KEPT_FOR = timedelta(minutes=15)
"""How long an old version stays for those who read it."""
_METRICS = {"cosine": "cosine", "inner-product": "dot", "euclidean": "l2"}
_LANGUAGES = {
    "ar": "Arabic",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hu": "Hungarian",
    "it": "Italian",
    "nl": "Dutch",
    "no": "Norwegian",
    "nb": "Norwegian",
    "nn": "Norwegian",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "ta": "Tamil",
    "tr": "Turkish",
}
_UNSPACED = {"zh", "ja", "ko", "th"}
_INDEXES = frozenset({"text_idx", "document_idx"})
_PLAIN = ("document", "text", "place")
"""What is read of a passage that is found; `place` is JSON of all that is not searched by: each column takes time."""


class LanceIndex:
    """An `Index` in a folder. `healed` hears of versions that were put aside because they were damaged."""

    def __init__(self, folder: Path, shape: Shape, healed: Callable[[str], None] = lambda said: None) -> None:
        self.folder, self.shape, self._healed = folder, shape, healed
        self._synced = Synced(folder)
        self._thread_lock = threading.RLock()
        self._puts = 0
        self._beside = ThreadPoolExecutor(4, thread_name_prefix="index")
        self._table: Any = None

    @classmethod
    def open(cls, folder: Path, shape: Shape, healed: Callable[[str], None] = lambda said: None) -> Self:
        """Returns the index in `folder`, made if it is not there. `StoreError` when nothing of it can be read."""
        index = cls(folder, shape, healed)
        with locked(folder, wait=False) as mine:
            if mine:
                index._open()
            if mine or index._join():
                return index
        with locked(folder):
            index._open()
        return index

    def put(self, entries: Sequence[Entry]) -> None:
        """Puts documents in the place of what there was of them, all of it in one step."""
        rows, named = self._rows(entries), _named([entry.document for entry in entries])
        if not entries:
            return
        with self._writing() as table:
            if table.count_rows(named) == 0:
                if len(rows):
                    table.add(rows)
            elif len(rows):
                merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
                merge.when_not_matched_by_source_delete(named).execute(rows)
            else:
                table.delete(named)
        self._puts += 1
        if self._puts % PUTS_A_TIDY == 0:
            self.optimise(build=False)

    def delete(self, documents: Collection[str]) -> None:
        """Removes documents, in one step."""
        if documents:
            with self._writing() as table:
                table.delete(_named(documents))

    def documents(self) -> dict[str, str]:
        """Returns the version of every document that has a passage here."""
        found = self._table.search().select(["document", "version"]).to_arrow()
        return dict(zip(found["document"].to_pylist(), found["version"].to_pylist(), strict=True))

    def by_vector(self, vector: Vector, k: int, only: Only | None = None) -> list[Hit]:
        """Returns the `k` passages nearest to `vector` (D,), best first."""
        if vector.shape != (self.shape.dimensions,):
            raise SpecError(
                f"a vector of shape {vector.shape}, and the index has {self.shape.dimensions} dimensions", where="index"
            )

        def ask(limit: int, where: str | None) -> list[Hit]:
            query = self._table.search(vector, query_type="vector", vector_column_name="vector")
            query = query.distance_type(_METRICS[self.shape.similarity]).nprobes(PROBES)
            query = query.refine_factor(max(LEAST_REFINE, min(MOST_REFINE, COMPARED // limit)))
            return self._asked(query, limit, where, "_distance")

        return self._found(ask, k, only)

    def by_text(self, text: str, k: int, only: Only | None = None) -> list[Hit]:
        """Returns the `k` passages with the best BM25 for the words of `text`, best first."""
        from lancedb.query import MatchQuery

        words: Any = MatchQuery

        if not text.strip():
            return []

        def ask(limit: int, where: str | None) -> list[Hit]:
            return self._asked(self._table.search(words(text, "text"), query_type="fts"), limit, where, "_score")

        return self._found(ask, k, only)

    def by_both(self, vector: Vector, text: str, k: int, only: Only | None = None) -> tuple[list[Hit], list[Hit]]:
        """Returns what `by_vector` and `by_text` do, asked at the same time."""
        near = self._beside.submit(self.by_vector, vector, k, only)
        said = self.by_text(text, k, only)
        return near.result(), said

    def count(self) -> int:
        """Returns how many passages there are."""
        return int(self._table.count_rows())

    def optimise(self, *, build: bool = True) -> bool:
        """Brings what was put into few files and the indexes; False where another process is at it."""
        with locked(self.folder, MAINTENANCE, wait=False) as mine:
            if not mine:
                return False
            with self._writing() as table:
                if build:
                    self._build(table)
                table.optimize(cleanup_older_than=timedelta(days=36_500))
            with self._writing() as table:  # what is old goes when what is new is on disk
                table.optimize(cleanup_older_than=KEPT_FOR)
        return True

    def size_bytes(self) -> int:
        """Returns the bytes on disk."""
        return size_bytes(self.folder)

    def _join(self) -> bool:
        """Returns whether there is an index to use while another process writes it."""
        try:
            self._table = self._connect().open_table(TABLE)
            have = {index.name for index in self._table.list_indices()}
        except (OSError, RuntimeError, ValueError):
            return False
        self._check_schema()
        return have >= _INDEXES

    def _connect(self) -> Any:
        try:
            import lancedb
        except ImportError:
            raise StoreError(
                "needs lancedb", where=str(self.folder), remedy="pip install 'luthier[documents]'"
            ) from None
        return lancedb.connect(self.folder, read_consistency_interval=timedelta(0))

    def _open(self) -> None:
        database = self._connect()
        place = self.folder / f"{TABLE}.lance"
        doubt = in_doubt(self.folder)
        while any((place / "_versions").glob("*.manifest")):
            try:
                self._table = database.open_table(TABLE)
                if doubt:
                    self._probe()
                break
            except (OSError, RuntimeError, ValueError) as error:
                self._table = None
                if any(f"os error {number}" in str(error) for number in (12, 23, 24)):  # not the file's fault
                    raise StoreError(_line(error), where=str(self.folder), remedy="try again") from None
                doubt = True
                aside = put_aside(place / "_versions")
                self._healed(f"{aside and aside.name}: {_line(error)}")
        if self._table is None:
            if any(place.rglob("*.damaged")):
                raise StoreError(
                    "nothing of it can be read", where=str(self.folder), remedy="make it again with --rebuild"
                )
            with self._synced.writing():
                self._table = database.create_table(TABLE, schema=self._schema(), mode="create")
        self._check_schema()
        self._make_indexes(doubt)

    def _make_indexes(self, doubt: bool) -> None:
        """Makes what a table is searched by, where its maker was cut off; takes away the mark of doubt."""
        from lancedb.index import FTS, BTree

        have = {index.name for index in self._table.list_indices()}
        if doubt or not have >= _INDEXES:
            with self._synced.writing():
                if "text_idx" not in have:
                    self._table.create_index("text", config=FTS(**_words(self.shape.language)), name="text_idx")
                if "document_idx" not in have:
                    self._table.create_index("document", config=BTree(), name="document_idx")

    def _probe(self) -> None:
        """Reads all that is small, and asks both legs; raises what LanceDB does when a file of theirs is damaged."""
        self.documents()
        if any(index.name == "text_idx" for index in self._table.list_indices()):
            self.by_text("a the 1 luthier", 1)
        if self.shape.dimensions:
            self.by_vector(np.ones(self.shape.dimensions, np.float32), 1)

    def _build(self, table: Any) -> None:
        """Makes the index of vectors where there are many, and anew where most came after it."""
        from lancedb.index import IvfRq

        if not self.shape.dimensions or table.count_rows() < FLAT_BELOW:
            return
        stats = table.index_stats("vector_idx")
        if stats is None or stats.num_unindexed_rows > stats.num_indexed_rows:
            metric: Any = _METRICS[self.shape.similarity]
            table.create_index(
                "vector", config=IvfRq(distance_type=metric, num_bits=BITS), name="vector_idx", replace=True
            )

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        with self._thread_lock, locked(self.folder):
            try:
                with self._synced.writing():
                    self._table.checkout_latest()
                    yield self._table
            except (OSError, RuntimeError, ValueError) as error:
                kind = DiskFullError if disk_is_full(error) or "os error 28" in str(error) else StoreError
                raise kind(_line(error), where=str(self.folder), remedy="make room, or check the disk") from error

    def _found(self, ask: Callable[[int, str | None], list[Hit]], k: int, only: Only | None) -> list[Hit]:
        if only is None:
            return ask(k, None)
        if not only.documents:
            return ask(k, None) if only.but else []
        limit = 4 * k
        while len(only.documents) > NAMED_AT_MOST and limit <= WIDEST:
            found = ask(limit, None)
            admitted = [hit for hit in found if only.admits(hit.passage.document)]
            if len(admitted) >= k or len(found) < limit:
                return admitted[:k]
            limit *= 4
        return ask(k, _named(only.documents, but=only.but))

    def _asked(self, query: Any, limit: int, where: str | None, score: str) -> list[Hit]:
        columns = [*_PLAIN, *(["vector"] if self.shape.dimensions else []), score]
        query = query.limit(limit).select(columns)
        if where is not None:
            query = query.where(where, prefilter=True) if score == "_distance" else query.where(where)
        found = query.to_arrow()
        size = self.shape.dimensions
        vectors = _flat(found["vector"]).reshape(-1, size) if size else [None] * len(found)
        scores = found[score].to_numpy()
        rows = found.select(list(_PLAIN)).to_pylist()
        return [
            Hit(_passage(row), self._score(float(scores[index]), score), vectors[index])
            for index, row in enumerate(rows)
        ]

    def _score(self, value: float, column: str) -> float:
        if column == "_score":
            return value
        return -(max(value, 0.0) ** 0.5) if self.shape.similarity == "euclidean" else 1.0 - value

    def _schema(self) -> pa.Schema:
        text = pa.string()
        fields = [("id", text), ("document", text), ("version", text), ("text", text), ("place", text)]
        if self.shape.dimensions:
            fields.append(("vector", pa.list_(pa.float32(), self.shape.dimensions)))
        return pa.schema(fields)

    def _check_schema(self) -> None:
        if set(self._table.schema.names) != set(self._schema().names) or (
            self.shape.dimensions and self._table.schema.field("vector").type.list_size != self.shape.dimensions
        ):
            raise StoreError(
                "was made for other vectors", where=str(self.folder), remedy="make it again with --rebuild"
            )

    def _rows(self, entries: Sequence[Entry]) -> pa.Table:
        passages = [(entry, passage) for entry in entries for passage in entry.passages]
        columns: dict[str, Any] = {
            name: [getattr(passage, name) for _, passage in passages] for name in ("id", "document", "text")
        }
        columns |= {"version": [e.version for e, _ in passages], "place": [_place(p) for _, p in passages]}
        if self.shape.dimensions:
            given = [entry.vectors for entry in entries if entry.vectors is not None and len(entry.passages)]
            every = np.concatenate(given) if given else np.zeros((0, self.shape.dimensions), np.float32)
            if every.shape != (len(passages), self.shape.dimensions) or not np.isfinite(every).all():
                raise SpecError(
                    f"vectors of shape {every.shape} for {len(passages)} passages", where="index", remedy="all finite"
                )
            flat = pa.array(np.ascontiguousarray(every, np.float32).ravel())
            columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, self.shape.dimensions)
        return pa.table(columns, schema=self._schema())


def _words(language: str) -> Mapping[str, Any]:
    """Returns how the words of a language are told apart: stemmed where Lance can, by character classes where there are
    no spaces between them."""
    if language in _UNSPACED:
        return {"base_tokenizer": "icu", "stem": False, "remove_stop_words": False}
    if language in _LANGUAGES:
        return {"language": _LANGUAGES[language], "stem": True, "remove_stop_words": True}
    return {"stem": False, "remove_stop_words": False}


def _named(documents: Collection[str], *, but: bool = False) -> str:
    quoted = ", ".join("'" + document.replace("'", "''") + "'" for document in sorted(documents))
    return f"document {'NOT ' if but else ''}IN ({quoted})"


def _flat(column: pa.ChunkedArray) -> Vector:
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def _place(passage: Passage) -> str:
    where = [passage.start, passage.end, passage.headings, passage.first_page, passage.last_page]
    return json.dumps(where, ensure_ascii=False)


def _passage(row: Mapping[str, Any]) -> Passage:
    start, end, headings, first_page, last_page = json.loads(row["place"])
    return Passage(row["document"], start, end, row["text"], tuple(headings), first_page, last_page)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
