"""Files: bytes with a name and a purpose, and uploads that come in parts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.responses import FileResponse, Response

from luthier.server.call import Call, Endpoint, Upload
from luthier.server.errors import ApiError
from luthier.server.options import FILE_LIMIT, PART_LIMIT, UPLOAD_LIMIT
from luthier.server.wire.files import (
    AddPart,
    CompleteUpload,
    CreateFile,
    CreateUpload,
    ListFiles,
    deleted,
    file_json,
    part_json,
    upload_json,
)
from luthier.server.wire.lists import rendered
from luthier.store.blobs import PIECE, Blob
from luthier.store.files import keep_file
from luthier.store.ids import new_id
from luthier.store.resources import Resource

HOUR_S = 3600


def create(call: Call) -> dict[str, Any]:
    body: CreateFile = call.body
    upload = _upload(call)
    blob = call.server.store.blobs.put(_pieces(upload), limit_bytes=FILE_LIMIT)
    expires = body.expires_after.seconds if body.expires_after else None
    name = PurePosixPath(upload.filename.replace("\\", "/")).name or "upload"
    return file_json(
        keep_file(call.server.store, call.project, blob, filename=name, purpose=body.purpose, expires_after_s=expires)
    )


def list_all(call: Call) -> dict[str, Any]:
    asked: ListFiles = call.query
    found = call.server.store.resources.list(
        "file",
        call.project,
        after=asked.after,
        limit=asked.limit,
        descending=asked.order == "desc",
        labels=None if asked.purpose is None else {"purpose": asked.purpose},
    )
    return rendered(found, file_json)


def retrieve(call: Call) -> dict[str, Any]:
    return file_json(call.server.store.resources.get("file", call.path["file_id"], call.project))


def delete(call: Call) -> dict[str, Any]:
    return deleted(call.server.store.resources.delete("file", call.path["file_id"], call.project).id, "file")


def content(call: Call) -> Response:
    store = call.server.store
    row = store.resources.get("file", call.path["file_id"], call.project)
    path = store.blobs.path(store.resources.parts(row.id)["content"].sha256)
    name = quote(row.body["filename"])
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "x-content-type-options": "nosniff"}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


def create_upload(call: Call) -> dict[str, Any]:
    body: CreateUpload = call.body
    values = body.model_dump(include={"filename", "purpose", "bytes", "mime_type"})
    values |= {"status": "pending", "expires_at": int(time.time()) + HOUR_S}
    values["expires_after_s"] = body.expires_after.seconds if body.expires_after else None
    row = call.server.store.resources.add("upload", new_id("upload_"), call.project, values)
    return upload_json(row, "pending")


def add_part(call: Call) -> dict[str, Any]:
    upload = _pending(call)
    blob = call.server.store.blobs.put(_pieces(_upload(call)), limit_bytes=PART_LIMIT)
    row = call.server.store.resources.add(
        "upload part",
        new_id("part_"),
        call.project,
        {"bytes": blob.size_bytes},
        parent=upload.id,
        expires_at=upload.body["expires_at"],
        parts={"content": blob},
    )
    return part_json(row)


def complete_upload(call: Call) -> dict[str, Any]:
    body: CompleteUpload = call.body
    upload = _pending(call)
    blobs = [_part(call, upload, id) for id in body.part_ids]
    size = sum(blob.size_bytes for blob in blobs)
    if size != upload.body["bytes"]:
        raise ApiError(
            f"The parts have {size} bytes, and the upload was announced with {upload.body['bytes']}.",
            code="invalid_value",
            param="part_ids",
        )
    digest = hashlib.md5(usedforsecurity=False)
    whole = call.server.store.blobs.put(_joined(call, blobs, digest), limit_bytes=UPLOAD_LIMIT)
    if body.md5 is not None and body.md5.lower() != digest.hexdigest():
        raise ApiError(
            f"md5: the parts have {digest.hexdigest()}. Got {body.md5!r}.", code="invalid_value", param="md5"
        )
    file = keep_file(
        call.server.store,
        call.project,
        whole,
        filename=upload.body["filename"],
        purpose=upload.body["purpose"],
        expires_after_s=upload.body["expires_after_s"],
    )
    try:
        return _end(call, upload, {"status": "completed", "file": file.id}, file)
    except ApiError:
        call.server.store.resources.delete("file", file.id, call.project)
        raise


def cancel_upload(call: Call) -> dict[str, Any]:
    return _end(call, _pending(call), {"status": "cancelled"}, None)


def _end(call: Call, upload: Resource, change: dict[str, Any], file: Resource | None) -> dict[str, Any]:
    def ended(body: dict[str, Any]) -> dict[str, Any]:
        _check_pending(upload.id, body)
        return body | change

    resources = call.server.store.resources
    row = resources.change("upload", upload.id, call.project, ended)
    for part in resources.list("upload part", call.project, parent=upload.id, limit=10_000).items:
        resources.delete("upload part", part.id, call.project)
    return upload_json(row, change["status"], file)


def _pending(call: Call) -> Resource:
    row = call.server.store.resources.get("upload", call.path["upload_id"], call.project)
    _check_pending(row.id, row.body)
    return row


def _check_pending(id: str, body: Mapping[str, Any]) -> None:
    expired = body["status"] == "pending" and body["expires_at"] <= time.time()
    status = "expired" if expired else body["status"]
    if status != "pending":
        raise ApiError(f"Upload {id} is {status}.", code="invalid_value", param="upload_id")


def _part(call: Call, upload: Resource, id: str) -> Blob:
    resources = call.server.store.resources
    row = resources.get("upload part", id, call.project)
    if row.parent != upload.id:
        raise ApiError(f"Part {id!r} is of another upload.", code="invalid_value", param="part_ids")
    return resources.parts(row.id)["content"]


def _joined(call: Call, blobs: list[Blob], digest: Any) -> Iterator[bytes]:
    for blob in blobs:
        with call.server.store.blobs.open(blob.sha256) as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
                yield piece


def _upload(call: Call) -> Upload:
    assert call.file is not None  # the route asks for one
    return call.file


def _pieces(upload: Upload) -> Iterator[bytes]:
    while piece := upload.stream.read(PIECE):
        yield piece


ENDPOINTS = (
    Endpoint("POST", "/files", create, CreateFile, file="file"),
    Endpoint("GET", "/files", list_all, query=ListFiles),
    Endpoint("GET", "/files/{file_id}", retrieve),
    Endpoint("DELETE", "/files/{file_id}", delete),
    Endpoint("GET", "/files/{file_id}/content", content, media="application/octet-stream"),
    Endpoint("POST", "/uploads", create_upload, CreateUpload),
    Endpoint("POST", "/uploads/{upload_id}/parts", add_part, AddPart, file="data"),
    Endpoint("POST", "/uploads/{upload_id}/complete", complete_upload, CompleteUpload),
    Endpoint("POST", "/uploads/{upload_id}/cancel", cancel_upload),
)
