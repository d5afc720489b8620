"""Files into a vector store, as a job of a worker: read in a sandbox, cut, embedded, indexed; then they can be found.

What is read is kept in the database a group at a time and indexed after it; a job that is cut off goes on with the
files that still wait.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from luthier.errors import Interrupted, NotFoundError
from luthier.records.documents import Document
from luthier.report import Report
from luthier.retrieval.durable import locked
from luthier.retrieval.embedders import TextEmbedder, open_embedder, word_lengths
from luthier.retrieval.index import Shape
from luthier.retrieval.indexing import build, facts_of, storable, version_of
from luthier.retrieval.options import EmbedderOptions
from luthier.retrieval.stores import Configuration, NamedStore
from luthier.retrieval.vectors import VectorCache
from luthier.sandbox.child import Child, ChildError
from luthier.sources.chunk import chunk
from luthier.sources.pool import TARGET
from luthier.sources.reading import CONTAINERS, PICTURES, UNREAD
from luthier.store.jobs import Job
from luthier.store.opened import Store
from luthier.store.passages import FILE, STORE, Kept
from luthier.store.resources import Resource
from luthier.store.vector_files import VectorFiles

FILE_TIMEOUT_S, LOOK_S = 120.0, 0.2
MOST_FILES, MOST_PASSAGES, LONGEST_S = 64, 2048, 5.0
"""Of a group that is indexed together: its files, its passages, and how long its first one waits for the others."""
SAID = 300


@dataclass(frozen=True)
class Result:
    """How many files can be found now, and how many could not be read."""

    completed: int
    failed: int

    def to_json(self) -> dict[str, Any]:
        return {"completed": self.completed, "failed": self.failed}


class _Refused(Exception):
    """A file cannot be read: a code of the API, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def ingest(store: Store, job: Job, report: Report) -> Result:
    """Returns how many files of a job can be found now. `NotFoundError` when the store is gone, `Interrupted` when the
    report says stop: what is done stays."""
    named = NamedStore(store, store.resources.get(STORE, job.spec["vector_store"], job.project))
    files = VectorFiles(store, job.project)
    with tempfile.TemporaryDirectory(prefix="luthier-") as folder:
        while not report.cancelled():
            with locked(named.folder, ".index", wait=False) as mine:
                if mine:
                    return _Work(store, named, files, job, report, Path(folder)).run()
            time.sleep(LOOK_S)  # another job of this store, or luthier index
    raise Interrupted("what is read stays", where=named.row.id)


@lru_cache(maxsize=2)
def _opened(options: str) -> TextEmbedder | None:
    """Returns an embedder, which stays for the next job of this process."""
    return open_embedder(EmbedderOptions.model_validate_json(options))


class _Work:
    """One job, while nobody else fills its store."""

    def __init__(
        self, store: Store, named: NamedStore, files: VectorFiles, job: Job, report: Report, folder: Path
    ) -> None:
        self._store, self._named, self._files, self._job = store, named, files, job
        self._report, self._folder = report, folder
        self._embedder: TextEmbedder | None = None
        self._wanted: Configuration | None = None
        self._completed = self._failed = 0

    def run(self) -> Result:
        self._named.read()
        group, since = list[Kept](), time.monotonic()
        with Child() as child:
            for row in self._files.waiting(self._named.row.id, self._job.id):
                if self._report.cancelled():
                    break
                kept = self._kept(child, row)
                if kept is None:
                    continue
                since = since if group else time.monotonic()
                group.append(kept)
                passages = sum(len(one.passages) for one in group)
                if len(group) >= MOST_FILES or passages >= MOST_PASSAGES or time.monotonic() - since > LONGEST_S:
                    self._index(group)
                    group = []
        if group and not self._report.cancelled():
            self._index(group)
        if self._report.cancelled():
            raise Interrupted("what is read stays", where=self._named.row.id)
        return Result(self._completed, self._failed)

    def _kept(self, child: Child, row: Resource) -> Kept | None:
        """Returns what is kept of a file; None where it cannot be read, which is said in its row."""
        try:
            document = self._document(child, row)
        except _Refused as error:
            ends = {row.id: ("failed", {"code": error.code, "message": str(error)[:SAID]})}
            self._files.end(self._named.row.id, ends)
            self._failed += 1
            return None
        self._open(document.language)
        sizes = row.body["chunking"]
        most, overlap = sizes["max_chunk_size_tokens"], sizes["chunk_overlap_tokens"]
        length = self._embedder.lengths if self._embedder else word_lengths
        passages = list(chunk(document, length=length, max_tokens=most, overlap_tokens=overlap))
        identity = self._embedder.identity if self._embedder else ""
        body = {
            **row.body,
            **facts_of(document),
            "version": version_of(document, json.dumps([identity, most, overlap])),
            "status": "in_progress",
            "indexed": False,
            "passages": len(passages),
        }
        return Kept(document, passages, body, row.id)

    def _document(self, child: Child, row: Resource) -> Document:
        file, name = str(row.body["file"]), str(row.body["filename"])
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in UNREAD or suffix in PICTURES or suffix in CONTAINERS[:1]:
            raise _Refused("unsupported_file", f"{suffix} files are not read")
        try:
            held = self._store.resources.get("file", file, self._job.project)
            blob = self._store.resources.parts(held.id)["content"]
        except (NotFoundError, KeyError):
            raise _Refused("invalid_file", "the file was deleted before it was read") from None
        path = self._folder / f"{file}{suffix}"
        path.symlink_to(self._store.blobs.path(blob.sha256))
        source = f"{file}/{name}"
        arguments = {"path": str(path), "source": source, "media_type": "", "members": [], "options": {}}
        try:
            answer = child.call(TARGET, arguments, timeout_s=FILE_TIMEOUT_S, stop=self._report.cancelled)
        except ChildError as error:
            raise _Refused("invalid_file", error.problem.replace(str(path), name)) from None
        finally:
            path.unlink()
        if answer["document"] is None:
            raise _Refused("unsupported_file", "archives are not read; add the files in it")
        document = storable(Document.from_json(answer["document"]))
        return replace(document, title=document.title or name, attributes={})

    def _open(self, language: str) -> None:
        """Opens the embedder once there is something to embed, by what the store's index is made for."""
        if self._wanted is not None:
            return
        before = self._named.active or self._named.coming
        options = before.options() if before else EmbedderOptions()
        self._embedder = _opened(options.model_dump_json())
        if before is not None:
            self._wanted = before
        else:
            shape = Shape(self._embedder.dimensions if self._embedder else 0, "cosine", language or "en")
            self._wanted = Configuration.of(self._embedder, options, shape)

    def _index(self, group: list[Kept]) -> None:
        assert self._wanted is not None
        if self._named.active is None:  # searched while it is made: a file that is completed is found
            self._named.open_index(self._wanted)
            self._named.switch(self._wanted)
        group = [now for one in group if (now := self._as_it_is(one)) is not None]
        self._named.documents.keep(group)
        with VectorCache(self._store.folder / "cache" / "vectors.db") as cache:
            build(self._named, self._wanted, self._embedder, cache, self._report)
        self._completed += len(group)
        self._report.progress("files", self._completed, None)

    def _as_it_is(self, kept: Kept) -> Kept | None:
        """Returns what is kept of a file with the attributes it was given meanwhile; None where it was taken out."""
        try:
            row = self._store.resources.get(FILE, str(kept.row), self._job.project)
        except NotFoundError:
            return None
        return replace(kept, body={**kept.body, "attributes": row.body.get("attributes") or {}})
