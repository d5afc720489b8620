"""Files and uploads on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from luthier.server.options import UPLOAD_LIMIT
from luthier.server.wire.body import Body
from luthier.server.wire.lists import AskNewest
from luthier.server.wire.values import ExpiresAfter, Items
from luthier.store.resources import Resource

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


class CreateFile(Body):
    """The fields of the form beside the file itself."""

    purpose: Purpose
    expires_after: ExpiresAfter | None = None


class ListFiles(AskNewest):
    """A page of files: of one purpose, or of all."""

    limit: int = Field(default=10_000, ge=1, le=10_000)
    purpose: str | None = None


class CreateUpload(Body):
    """A file that will come in parts."""

    filename: str = Field(min_length=1, max_length=255)
    purpose: Purpose
    bytes: int = Field(ge=1, le=UPLOAD_LIMIT)
    mime_type: str
    expires_after: ExpiresAfter | None = None


class AddPart(Body):
    """The fields of the form beside the part itself: none."""


class CompleteUpload(Body):
    """The order of the parts."""

    part_ids: Items[str] = Field(min_length=1)
    md5: str | None = None


def file_json(row: Resource) -> dict[str, Any]:
    """Returns the file object."""
    return {
        "id": row.id,
        "object": "file",
        "bytes": row.body["bytes"],
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "filename": row.body["filename"],
        "purpose": row.body["purpose"],
        "status": "processed",
        "status_details": None,
    }


def upload_json(row: Resource, status: str, file: Resource | None = None) -> dict[str, Any]:
    """Returns the upload object; `expires_at` is when an unfinished one goes away."""
    return {
        "id": row.id,
        "object": "upload",
        "bytes": row.body["bytes"],
        "created_at": row.created_at,
        "expires_at": row.body["expires_at"],
        "filename": row.body["filename"],
        "purpose": row.body["purpose"],
        "status": status,
        "file": file_json(file) if file is not None else None,
    }


def part_json(row: Resource) -> dict[str, Any]:
    """Returns the object of one part of an upload."""
    return {"id": row.id, "object": "upload.part", "created_at": row.created_at, "upload_id": row.parent}


def deleted(id: str, kind: str) -> dict[str, Any]:
    """Returns the object that says that something is gone."""
    return {"id": id, "object": kind, "deleted": True}
