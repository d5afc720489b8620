"""Vector stores: documents that can be searched. Their files are beside (`vector_store_files`)."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from luthier.errors import NotFoundError, StateError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.wire.files import deleted
from luthier.server.wire.lists import page
from luthier.server.wire.vector_stores import (
    ChangeStore,
    Chunking,
    CreateStore,
    ListStores,
    SearchStore,
    automatic,
    is_expired,
    results_json,
    store_json,
)
from luthier.store.ids import new_id
from luthier.store.jobs import ENDED
from luthier.store.passages import FILE, STORE
from luthier.store.resources import Resource
from luthier.store.vector_files import VectorFiles

if TYPE_CHECKING:
    from luthier.server.searching import Hit

TOUCHED_S = 60
"""Use of a store is noted once in so many seconds: its days are counted from then."""


def create(call: Call) -> dict[str, Any]:
    asked: CreateStore = call.body
    asked_for = file_bodies(call, asked.file_ids or (), None, asked.chunking_strategy, "file_ids")
    body: dict[str, Any] = {"name": asked.name or "", "description": asked.description or "", "revision": 0}
    body |= {"metadata": asked.metadata or {}, "last_active_at": int(time.time())}
    body |= {"expires_after": asked.expires_after.model_dump() if asked.expires_after else None}
    labels = {"name": asked.name} if asked.name else {}
    row = call.server.store.resources.add(STORE, new_id("vs_"), call.project, body, labels=labels)
    if asked_for:
        attach(call, row.id, asked_for)
    return _shown(call, [row])[0]


def list_all(call: Call) -> dict[str, Any]:
    asked: ListStores = call.query
    found = call.server.store.resources.list(
        STORE,
        call.project,
        after=asked.after,
        before=asked.before,
        limit=asked.limit,
        descending=asked.order == "desc",
    )
    return page(_shown(call, found.items), has_more=found.has_more)


def retrieve(call: Call) -> dict[str, Any]:
    return _shown(call, [store_of(call)])[0]


def update(call: Call) -> dict[str, Any]:
    asked: ChangeStore = call.body
    given = asked.model_fields_set
    values: dict[str, Any] = {"last_active_at": int(time.time())}
    if asked.name is not None:
        values["name"] = asked.name
    if "expires_after" in given:
        values["expires_after"] = asked.expires_after.model_dump() if asked.expires_after else None
    if "metadata" in given:
        values["metadata"] = asked.metadata or {}
    labels = {"name": asked.name} if asked.name else None
    row = call.server.store.resources.change(
        STORE, store_of(call).id, call.project, lambda body: {**body, **values}, labels=labels
    )
    return _shown(call, [row])[0]


def delete(call: Call) -> dict[str, Any]:
    from luthier.retrieval.stores import INDEXES
    from luthier.store.passages import StoredDocuments

    store, row = call.server.store, store_of(call)
    for id in _jobs_of(call, row.id):
        with contextlib.suppress(StateError):  # it has ended this moment
            store.jobs.want(id, "cancel", project=call.project)
    StoredDocuments(store.database, store.blobs, store.resources, row.id, call.project).clear()
    store.resources.delete(STORE, row.id, call.project, children=FILE)
    call.server.searching.forget(row.id)
    shutil.rmtree(store.folder / INDEXES / row.id, ignore_errors=True)
    return deleted(row.id, "vector_store.deleted")


async def search(call: Call) -> dict[str, Any]:
    asked: SearchStore = call.body
    queries = asked.queries()
    ranking = asked.ranking_options
    threshold = ranking.value("score_threshold") if ranking is not None else 0.0
    row = await run_in_threadpool(living, call, call.path["vector_store_id"])
    hits = await run_in_threadpool(
        searched, call, [row], queries, most=asked.value("max_num_results"), threshold=threshold, filter=asked.filters
    )
    return results_json(queries, [_hit_json(hit) for hit in hits])


def searched(
    call: Call,
    stores: Sequence[Resource],
    queries: Sequence[str],
    *,
    most: int,
    threshold: float,
    filter: Mapping[str, Any] | None,
    weight: float | None = None,
) -> list[Hit]:
    """Returns what is found in any of `stores`, best first; what reading the queries took is counted."""
    from luthier.retrieval.options import SearchOptions

    options = SearchOptions(k=most, threshold=float(threshold) or None)
    if weight is not None:
        options = options.model_copy(update={"weight": weight})
    hits: list[Hit] = []
    for row in stores:
        found, embedder, tokens = call.server.searching.search(call.project, row.id, queries, options, filter)
        hits += found
        if embedder:
            call.meter.add(embedder, tokens, 0)
        touch(call, row)
    return sorted(hits, key=lambda hit: -hit.score)[:most]


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "file_id": hit.file,
        "filename": hit.filename,
        "score": hit.score,
        "attributes": dict(hit.found.attributes),
        "content": [{"type": "text", "text": hit.found.passage.text}],
    }


# ---- what the files' routes share


def store_of(call: Call) -> Resource:
    """Returns the store that the path names. `ApiError` (404) when there is none."""
    return _found(call, call.path["vector_store_id"], None)


def living(call: Call, id: str, param: str | None = None) -> Resource:
    """Returns a store that has not expired. `ApiError` when there is none, or it has."""
    row = _found(call, id, param)
    if is_expired(row, time.time()):
        raise ApiError(
            f"The vector store {id!r} has expired; give it another expires_after, or make a new one.",
            code="vector_store_expired",
            param=param,
        )
    return row


def _found(call: Call, id: str, param: str | None) -> Resource:
    try:
        return call.server.store.resources.get(STORE, id, call.project)
    except NotFoundError:
        raise ApiError(f"There is no vector store {id!r}.", status=404, param=param) from None


def touch(call: Call, row: Resource) -> None:
    """Notes that a store is used."""
    now = int(time.time())
    if now - int(row.body.get("last_active_at") or 0) >= TOUCHED_S:
        with contextlib.suppress(NotFoundError):
            call.server.store.resources.change(
                STORE, row.id, call.project, lambda body: {**body, "last_active_at": now}
            )


def file_bodies(
    call: Call,
    ids: Sequence[str],
    attributes: Mapping[str, Any] | None,
    chunking: Chunking | None,
    where: str,
    chunked: str = "chunking_strategy",
) -> list[dict[str, Any]]:
    """Returns what is kept of files to be read, each once. `ApiError` for a file that is not there."""
    sizes = automatic() if chunking is None else chunking.sizes(chunked)
    bodies = []
    for number, id in enumerate(dict.fromkeys(ids)):
        param = f"{where}[{number}]" if where.endswith("s") else where
        try:
            file = call.server.store.resources.get("file", id, call.project)
        except NotFoundError:
            raise ApiError(f"{param}: there is no file {id!r}.", status=404, param=param) from None
        bodies.append(
            {"file": id, "filename": file.body["filename"], "attributes": dict(attributes or {}), "chunking": sizes}
        )
    return bodies


def attach(call: Call, store: str, bodies: Sequence[Mapping[str, Any]], prefix: str = "vsfj_") -> str:
    """Returns the id of the job that reads files into a store."""
    job = new_id(prefix)
    spec = {"vector_store": store, "key": call.meter.key.id}
    try:
        VectorFiles(call.server.store, call.project).attach(store, bodies, job, spec)
    except NotFoundError:
        raise ApiError(f"There is no vector store {store!r}.", status=404) from None
    return job


def _jobs_of(call: Call, store: str) -> list[str]:
    """Returns the jobs of a store that have not ended."""
    found, more, after = list[str](), True, None
    while more:
        jobs, more = call.server.store.jobs.list(
            project=call.project, labels={"vector_store": store}, after=after, limit=100
        )
        found += [job.id for job in jobs if job.status not in ENDED]
        after = jobs[-1].id if jobs else None
    return found


def _shown(call: Call, rows: Sequence[Resource]) -> list[dict[str, Any]]:
    files = VectorFiles(call.server.store, call.project)
    ids = [row.id for row in rows]
    counts = files.counts(ids)
    waiting = [id for id in ids if counts[id][0]["in_progress"]]
    if waiting and files.settle(waiting):
        counts = files.counts(ids)
    return [store_json(row, *counts[row.id], time.time()) for row in rows]


_ONE = "/vector_stores/{vector_store_id}"
ENDPOINTS = (
    Endpoint("POST", "/vector_stores", create, CreateStore),
    Endpoint("GET", "/vector_stores", list_all, query=ListStores),
    Endpoint("GET", _ONE, retrieve),
    Endpoint("POST", _ONE, update, ChangeStore),
    Endpoint("DELETE", _ONE, delete),
    Endpoint("POST", f"{_ONE}/search", search, SearchStore, counted="vector_stores"),
)
