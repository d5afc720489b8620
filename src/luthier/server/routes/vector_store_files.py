"""Files of vector stores, one by one and in batches: each waits until a worker has read it, then it can be found."""

from __future__ import annotations

import contextlib
from typing import Any

from luthier.errors import LuthierError, NotFoundError, StateError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.routes.vector_stores import attach, file_bodies, living, store_of, touch
from luthier.server.wire.files import deleted
from luthier.server.wire.lists import page
from luthier.server.wire.vector_stores import (
    AttachFile,
    AttachFiles,
    ChangeAttributes,
    ListStoreFiles,
    file_batch_json,
    store_file_json,
)
from luthier.store.jobs import Job
from luthier.store.passages import FILE
from luthier.store.resources import Resource
from luthier.store.vector_files import INGEST, VectorFiles


def add(call: Call) -> dict[str, Any]:
    asked: AttachFile = call.body
    store = living(call, call.path["vector_store_id"])
    bodies = file_bodies(call, [asked.file_id], asked.attributes, asked.chunking_strategy, "file_id")
    attach(call, store.id, bodies)
    touch(call, store)
    return store_file_json(_row(call, store.id, asked.file_id))


def list_all(call: Call) -> dict[str, Any]:
    return _listed(call, store_of(call).id, None)


def retrieve(call: Call) -> dict[str, Any]:
    store = store_of(call)
    row = _row(call, store.id, call.path["file_id"])
    if row.body.get("status") == "in_progress" and _files(call).settle([store.id]):
        row = _row(call, store.id, call.path["file_id"])
    return store_file_json(row)


def update(call: Call) -> dict[str, Any]:
    asked: ChangeAttributes = call.body
    row = _row(call, store_of(call).id, call.path["file_id"])
    attributes = dict(asked.attributes or {})
    return store_file_json(_files(call).change(row.parent, row.id, lambda body: {**body, "attributes": attributes}))


def delete(call: Call) -> dict[str, Any]:
    from luthier.retrieval.stores import NamedStore

    store = store_of(call)
    row, named = _row(call, store.id, call.path["file_id"]), NamedStore(call.server.store, store)
    if "document" in row.body:
        named.documents.remove([row])
        if named.active is not None:
            with contextlib.suppress(LuthierError):  # what is left of it in the index is found by nobody
                named.open_index(named.active).delete([row.body["document"]])
    else:
        call.server.store.resources.delete(FILE, row.id, call.project)
    return deleted(row.body.get("file") or row.id, "vector_store.file.deleted")


def content(call: Call) -> dict[str, Any]:
    from luthier.retrieval.stores import NamedStore

    store = store_of(call)
    row = _row(call, store.id, call.path["file_id"])
    if "document" not in row.body:
        status = row.body.get("status")
        raise ApiError(f"The file {call.path['file_id']!r} has no content here: it is {status}.", code="invalid_value")
    text = NamedStore(call.server.store, store).documents.document(row).text
    data = [{"type": "text", "text": text}]
    return {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None}


# ---- batches


def add_batch(call: Call) -> dict[str, Any]:
    asked: AttachFiles = call.body
    if (asked.file_ids is None) == (asked.files is None):
        raise ApiError("Give either file_ids or files.", code="invalid_value", param="file_ids")
    store = living(call, call.path["vector_store_id"])
    if asked.file_ids is not None:
        bodies = file_bodies(call, asked.file_ids, asked.attributes, asked.chunking_strategy, "file_ids")
    else:
        found = {}
        for number, one in enumerate(asked.files or ()):
            where = f"files[{number}]"
            attributes = one.attributes if one.attributes is not None else asked.attributes
            chunking, chunked = one.chunking_strategy, f"{where}.chunking_strategy"
            if chunking is None:
                chunking, chunked = asked.chunking_strategy, "chunking_strategy"
            found[one.file_id] = file_bodies(call, [one.file_id], attributes, chunking, f"{where}.file_id", chunked)[0]
        bodies = list(found.values())
    job = attach(call, store.id, bodies, "vsfb_")
    touch(call, store)
    return _batch_shown(call, store.id, job)


def retrieve_batch(call: Call) -> dict[str, Any]:
    store = store_of(call)
    return _batch_shown(call, store.id, _batch(call, store).id)


def cancel_batch(call: Call) -> dict[str, Any]:
    store = store_of(call)
    job = _batch(call, store)
    with contextlib.suppress(StateError):  # it has ended: what is read stays
        call.server.store.jobs.want(job.id, "cancel", kind=INGEST, project=call.project)
    return _batch_shown(call, store.id, job.id)


def list_batch(call: Call) -> dict[str, Any]:
    store = store_of(call)
    return _listed(call, store.id, _batch(call, store).id)


def _batch(call: Call, store: Resource) -> Job:
    id = call.path["batch_id"]
    with contextlib.suppress(NotFoundError):
        job = call.server.store.jobs.get(id, kind=INGEST, project=call.project)
        if job.spec["vector_store"] == store.id:
            return job
    raise ApiError(f"There is no batch of files {id!r} of this vector store.", status=404)


def _batch_shown(call: Call, store: str, id: str) -> dict[str, Any]:
    files = _files(call)
    counts = files.counts([store], id)[store][0]
    if counts["in_progress"] and files.settle([store]):
        counts = files.counts([store], id)[store][0]
    return file_batch_json(call.server.store.jobs.get(id), counts)


def _files(call: Call) -> VectorFiles:
    return VectorFiles(call.server.store, call.project)


def _row(call: Call, store: str, id: str) -> Resource:
    row = _files(call).of(store, id)
    if row is None:
        raise ApiError(f"There is no file {id!r} in this vector store.", status=404)
    return row


def _listed(call: Call, store: str, job: str | None) -> dict[str, Any]:
    asked: ListStoreFiles = call.query
    files = _files(call)
    files.settle([store])
    places = {}
    for name in ("after", "before"):
        if (id := getattr(asked, name)) is not None:
            row = files.of(store, id)
            if row is None:
                raise ApiError(f"{name}: there is no {id!r} in this list.", status=404, param=name)
            places[name] = row.id
    found = files.page(
        store,
        asked.filter,
        job,
        after=places.get("after"),
        before=places.get("before"),
        limit=asked.limit,
        descending=asked.order == "desc",
    )
    return page([store_file_json(row) for row in found.items], has_more=found.has_more)


_ALL = "/vector_stores/{vector_store_id}/files"
_ONE, _BATCHES = f"{_ALL}/{{file_id}}", "/vector_stores/{vector_store_id}/file_batches"
_BATCH = f"{_BATCHES}/{{batch_id}}"
ENDPOINTS = (
    Endpoint("POST", _ALL, add, AttachFile),
    Endpoint("GET", _ALL, list_all, query=ListStoreFiles),
    Endpoint("GET", _ONE, retrieve),
    Endpoint("POST", _ONE, update, ChangeAttributes),
    Endpoint("DELETE", _ONE, delete),
    Endpoint("GET", f"{_ONE}/content", content),
    Endpoint("POST", _BATCHES, add_batch, AttachFiles),
    Endpoint("GET", _BATCH, retrieve_batch),
    Endpoint("POST", f"{_BATCH}/cancel", cancel_batch),
    Endpoint("GET", f"{_BATCH}/files", list_batch, query=ListStoreFiles),
)
