"""Documents into a store, and a store's passages into its index: each step may be cut off and is done again."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from luthier.errors import Interrupted, StoreError
from luthier.records.documents import Document, Passage
from luthier.report import Report
from luthier.retrieval.embedders import TextEmbedder
from luthier.retrieval.index import Entry, Index, Vector
from luthier.retrieval.stores import Configuration, NamedStore
from luthier.retrieval.vectors import VectorCache, key_of
from luthier.store.passages import Kept
from luthier.store.resources import Resource

DOCUMENTS_AT_ONCE, PASSAGES_AT_ONCE, KEPT_AT_ONCE = 64, 2048, 512
_REFUSED = re.compile("[\x00\ud800-\udfff]")
Cut = Callable[[Document], Iterable[Passage]]


@dataclass
class Settled:
    """What became of the documents that were given: how many were new, changed, as before, and removed."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    twice: int = 0
    languages: dict[str, int] = field(default_factory=dict)


def settle(
    store: NamedStore,
    documents: Iterable[Document],
    cut: Cut,
    cutting: str,
    report: Report,
    *,
    total: int | None = None,
    prune: bool = False,
) -> Settled:
    """Returns what became of `documents` in the database: those that are new or changed are cut and kept. `cutting`
    says how they are cut, and changes with it. With `prune` those of the store that were not given are removed."""
    done, rows, seen = Settled(), store.documents.rows(), set[str]()
    waiting: list[Kept] = []
    for number, given in enumerate(documents, 1):
        document = storable(given)
        if document.id in seen:
            done.twice += 1
            continue
        seen.add(document.id)
        if document.language:
            done.languages[document.language] = done.languages.get(document.language, 0) + 1
        row = rows.get(document.id)
        kept = _kept(document, row, cut, cutting)
        if kept is None:
            done.unchanged += 1
        else:
            waiting.append(kept)
            done.added += row is None
            done.changed += row is not None
        if len(waiting) >= DOCUMENTS_AT_ONCE or sum(len(one.passages) for one in waiting) >= PASSAGES_AT_ONCE:
            store.documents.keep(waiting)
            waiting = []
        report.progress("documents", number, total)
        _go_on(report)
    store.documents.keep(waiting)
    if prune and (gone := [row for id, row in rows.items() if id not in seen]):
        store.documents.remove(gone)
        done.removed = len(gone)
    return done


def refresh(
    store: NamedStore, index: Index, embedder: TextEmbedder | None, cache: VectorCache | None, report: Report
) -> int:
    """Returns how many passages were put into `index`, which then holds what the database does; documents whose
    passages are in it can be found from then on."""
    rows, counts, have = store.documents.rows(), store.documents.counts(), index.documents()
    stale = [id for id in have if id not in rows or not counts.get(id)]
    index.delete(stale)
    todo = [id for id, row in rows.items() if counts.get(id) and have.get(id) != row.body["version"]]
    total, put, began = sum(counts[id] for id in todo), 0, time.monotonic()

    def told(done: int) -> None:
        report.progress("passages", put + done, total, {"passages/s": (put + done) / (time.monotonic() - began + 1e-9)})
        _go_on(report)

    if total:
        told(0)
    waiting = set(todo)
    _completed(store, [row for id, row in rows.items() if id not in waiting])
    for some in _groups(todo, counts):
        passages = store.documents.passages(some)
        flat = [passage.text for id in some for passage in passages[id]]
        vectors = None if embedder is None else _vectors(flat, embedder, cache, told)
        index.put(list(_entries(some, passages, rows, vectors)))
        _completed(store, [rows[id] for id in some])
        put += len(flat)
        told(0)
    return put


def build(
    store: NamedStore,
    wanted: Configuration,
    embedder: TextEmbedder | None,
    cache: VectorCache | None,
    report: Report,
    *,
    rebuild: bool = False,
) -> tuple[int, Index]:
    """Returns how many passages were put, and the index of `wanted`, up to date and searched from now on. One of
    another configuration, or one to be made anew (`rebuild`), is made beside the one that is searched meanwhile."""
    target = _target(store, wanted, rebuild)

    def healed(said: str) -> None:
        report.event("warning", f"the index was damaged; what was lost of it is made again ({said})")

    try:
        index = store.open_index(target, healed)
    except StoreError as error:
        report.event("warning", f"{error}; making it again from the database")
        shutil.rmtree(store.folder / target.folder)
        index = store.open_index(target, healed)
    put = refresh(store, index, embedder, cache, report)
    index.optimise()
    if store.active != target:
        store.switch(target)
    return put, index


def alarm(size_bytes: int, free_bytes: int, share: float) -> str:
    """Returns what to say of an index of `size_bytes` beside the free disk; "" where it is small enough."""
    if size_bytes <= share * free_bytes:
        return ""
    return (
        f"the index takes {size_bytes / 1e9:.2f} GB and {free_bytes / 1e9:.2f} GB of the disk are free; "
        "making it again needs as much once more"
    )


def version_of(document: Document, cutting: str) -> str:
    """Returns what changes when the passages of a document do."""
    return hashlib.sha256(f"{document.version}\n{cutting}".encode()).hexdigest()[:32]


def storable(document: Document) -> Document:
    """Returns the document without what databases refuse, half surrogates and NUL; a sign stands in place of each."""
    text, title = (_REFUSED.sub("\ufffd", one) for one in (document.text, document.title))
    return document if (text, title) == (document.text, document.title) else replace(document, text=text, title=title)


def facts_of(document: Document) -> dict[str, Any]:
    """Returns what a document's row says of it, beside its text and attributes."""
    return {name: getattr(document, name) for name in _FACTS}


_FACTS = ("source", "title", "media_type", "language", "licence", "author", "digest", "modified_at")


def _kept(document: Document, row: Resource | None, cut: Cut, cutting: str) -> Kept | None:
    """Returns the document to be kept; None where the store has it as it is."""
    version = version_of(document, cutting)
    facts = facts_of(document) | {"attributes": dict(document.attributes)}
    old = row.body if row else {}
    if old.get("version") == version and all(old.get(name) == value for name, value in facts.items()):
        return None
    status = "completed" if old.get("version") == version and old.get("status") == "completed" else "in_progress"
    body = {**old, **facts, "version": version, "status": status, "indexed": bool(old.get("indexed"))}
    passages = list(cut(document))
    return Kept(document, passages, {**body, "passages": len(passages), "last_error": None}, row.id if row else None)


def _target(store: NamedStore, wanted: Configuration, rebuild: bool) -> Configuration:
    active, coming = store.active, store.coming
    if active is not None and wanted.same(active) and not rebuild and coming is None:
        return active
    if coming is None or not wanted.same(coming):
        newest = max((one.generation for one in (active, coming) if one is not None), default=0)
        coming = replace(wanted, generation=newest + 1)
        store.change(coming=coming.to_json())
    return coming


def _completed(store: NamedStore, rows: Sequence[Resource]) -> None:
    """Says of documents that their passages can be found."""
    done = [row for row in rows if row.body.get("status") != "completed" or not row.body.get("indexed")]
    for start in range(0, len(done), 500):
        now = store.documents.some([row.body["document"] for row in done[start : start + 500]])  # may have changed
        bodies = {row.id: {**row.body, "status": "completed", "indexed": True} for row in now.values()}
        store.documents.change(bodies)


def _groups(documents: Sequence[str], counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Yields documents of about `PASSAGES_AT_ONCE` passages together."""
    group, size = list[str](), 0
    for id in documents:
        if group and size + counts[id] > PASSAGES_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(id)
        size += counts[id]
    if group:
        yield group


def _vectors(
    texts: Sequence[str], embedder: TextEmbedder, cache: VectorCache | None, told: Callable[[int], None]
) -> Vector:
    keys = [key_of(text) for text in texts]
    known = cache.get(embedder.identity, list(dict.fromkeys(keys))) if cache else {}
    known = {key: vector for key, vector in known.items() if vector.shape == (embedder.dimensions,)}
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    names, before = list(new), len(known)
    for start in range(0, len(names), KEPT_AT_ONCE):  # what was computed before a stop is kept
        part = names[start : start + KEPT_AT_ONCE]
        at = before + start
        made = embedder.passages([new[key] for key in part], partial(_later, told, at))
        found = dict(zip(part, made, strict=True))
        known |= found
        if cache:
            cache.put(embedder.identity, found)
    return np.stack([known[key] for key in keys]) if keys else np.zeros((0, embedder.dimensions), np.float32)


def _later(told: Callable[[int], None], before: int, done: int) -> None:
    told(before + done)


def _entries(
    documents: Sequence[str], passages: Mapping[str, Sequence[Passage]], rows: Mapping[str, Resource], vectors: Any
) -> Iterator[Entry]:
    at = 0
    for id in documents:
        mine = None if vectors is None else vectors[at : at + len(passages[id])]
        yield Entry(id, str(rows[id].body["version"]), passages[id], mine)
        at += len(passages[id])


def _go_on(report: Report) -> None:
    if report.cancelled():
        raise Interrupted("what is done so far is kept", where="index", remedy="give the same command to go on")


def settings(embedder: TextEmbedder | None, passage_tokens: int, overlap_tokens: int) -> str:
    """Returns what changes when documents would be cut elsewhere."""
    return json.dumps([1, embedder.identity if embedder else "", passage_tokens, overlap_tokens])
