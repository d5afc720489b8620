"""Vector stores on the wire: stores, their files, batches of these, and what a search finds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from luthier.errors import SpecError
from luthier.server.errors import ApiError
from luthier.server.wire.body import Body, Part, Refused
from luthier.server.wire.lists import AskNewest
from luthier.server.wire.values import LONGEST_KEY, LONGEST_VALUE, MOST_PAIRS, Items, Metadata
from luthier.store.jobs import ENDED, Job
from luthier.store.resources import Resource

CHUNK_TOKENS, OVERLAP_TOKENS = 800, 400
"""What the hosted API cuts files into where nothing is said."""
MOST_FILES, MOST_FILES_AT_ONCE = 500, 2000
DAY_S = 24 * 3600


def _checked(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(attributes) > MOST_PAIRS:
        raise ValueError(f"a file has at most {MOST_PAIRS} attributes")
    for key, value in attributes.items():
        if not 0 < len(key) <= LONGEST_KEY:
            raise ValueError(f"the key of an attribute has from 1 to {LONGEST_KEY} characters")
        if not isinstance(value, str | int | float):
            raise ValueError("an attribute is a text, a number, true or false")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            raise ValueError(f"an attribute that is a text has at most {LONGEST_VALUE} characters")
        if "\x00" in key or (isinstance(value, str) and "\x00" in value):
            raise ValueError("attributes hold no NUL characters")
        if not isinstance(value, str) and not _is_finite(value):
            raise ValueError("an attribute that is a number is finite")
    return attributes


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _filter(value: dict[str, Any]) -> dict[str, Any]:
    from luthier.retrieval.filters import compiled

    try:
        compiled(value)
    except SpecError as error:
        raise ValueError(str(error)) from None
    return value


_PAIRS: JsonDict = {
    "maxProperties": MOST_PAIRS,
    "propertyNames": {"minLength": 1, "maxLength": LONGEST_KEY},
    "additionalProperties": {
        "maxLength": LONGEST_VALUE,
        "not": {"anyOf": [{"type": "object"}, {"type": "array"}, {"type": "null"}]},
    },
}
Attributes = Annotated[dict[str, Any], AfterValidator(_checked), Field(json_schema_extra=_PAIRS)]
_FILTER: JsonDict = {
    "required": ["type"],
    "properties": {
        "type": {"enum": ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "and", "or"]},
        "key": {"type": "string", "minLength": 1},
        "value": {"description": "a text, a number, true or false; for in and nin a list of them"},
        "filters": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
    "additionalProperties": False,
}
Filters = Annotated[dict[str, Any], AfterValidator(_filter), Field(json_schema_extra=_FILTER)]
"""A comparison of an attribute, or several joined by and, or."""


class StaticChunking(Part):
    """How long chunks are, and how much of one is repeated in the next."""

    max_chunk_size_tokens: int = Field(ge=100, le=4096)
    chunk_overlap_tokens: int = Field(ge=0, le=2048)


class Chunking(Part):
    """How files are cut: `auto` as the hosted API does, `static` as it says."""

    type: Literal["auto", "static"]
    static: StaticChunking | None = None

    def sizes(self, where: str) -> dict[str, int]:
        """Returns the sizes that it comes to. `ApiError` when they do not go together."""
        if self.type == "auto":
            if self.static is not None:
                raise ApiError(f"{where}.static goes with type: static.", code="invalid_value", param=f"{where}.static")
            return automatic()
        if self.static is None:
            param = f"{where}.static"
            raise ApiError(f"{param} is missing.", code="missing_required_parameter", param=param)
        if 2 * self.static.chunk_overlap_tokens > self.static.max_chunk_size_tokens:
            param = f"{where}.static.chunk_overlap_tokens"
            raise ApiError(f"{param} is more than half of max_chunk_size_tokens.", code="invalid_value", param=param)
        return {name: getattr(self.static, name) for name in StaticChunking.model_fields}


def automatic() -> dict[str, int]:
    """Returns the sizes where nothing is said."""
    return {"max_chunk_size_tokens": CHUNK_TOKENS, "chunk_overlap_tokens": OVERLAP_TOKENS}


class StoreExpiry(Part):
    """When a store expires: so many days after it was used last."""

    anchor: Literal["last_active_at"]
    days: int = Field(ge=1, le=365)


class CreateStore(Body):
    """A vector store as it is asked for."""

    name: str | None = Field(default=None, max_length=256)
    description: str | None = Field(default=None, max_length=512)
    file_ids: list[str] | None = Field(default=None, max_length=MOST_FILES)
    chunking_strategy: Chunking | None = None
    expires_after: StoreExpiry | None = None
    metadata: Metadata | None = None


class ChangeStore(Body):
    """What is changed of a store; what is left out stays."""

    name: str | None = Field(default=None, max_length=256)
    expires_after: StoreExpiry | None = None
    metadata: Metadata | None = None


class ListStores(AskNewest):
    """A page of stores."""

    before: str | None = None


class ListStoreFiles(ListStores):
    """A page of the files of a store or of a batch: of one status, or of all."""

    filter: Literal["in_progress", "completed", "failed", "cancelled"] | None = None


class AttachFile(Body):
    """A file to be put into a store."""

    file_id: str = Field(min_length=1)
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None


class ChangeAttributes(Body):
    """New attributes in the place of the old."""

    attributes: Attributes | None


class FileOfBatch(Part):
    """One file of a batch, with attributes and chunking of its own."""

    file_id: str = Field(min_length=1)
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None


class AttachFiles(Body):
    """Many files: their ids with what they share, or each with its own."""

    file_ids: list[str] | None = Field(default=None, min_length=1, max_length=MOST_FILES_AT_ONCE)
    files: list[FileOfBatch] | None = Field(default=None, min_length=1, max_length=MOST_FILES_AT_ONCE)
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None


class Ranking(Part):
    """Which passages are good enough. All rankers are the same one here."""

    ranker: Literal["none", "auto", "default-2024-11-15"] | None = None
    score_threshold: float | None = Field(default=0.0, ge=0, le=1)


class SearchStore(Body):
    """What is searched for in a store."""

    query: str | Items[str]
    max_num_results: int | None = Field(default=10, ge=1, le=50)
    filters: Filters | None = None
    ranking_options: Ranking | None = None
    refused: ClassVar[Mapping[str, Refused]] = {
        "rewrite_query": Refused("questions are searched for as they are written", unless=(False,))
    }

    def queries(self) -> list[str]:
        """Returns what is searched for. `ApiError` when it is nothing."""
        found = [self.query] if isinstance(self.query, str) else list(self.query)
        if not found or not all(one.strip() for one in found):
            raise ApiError("query is empty.", code="invalid_value", param="query")
        return found


def store_json(row: Resource, counts: Mapping[str, int], usage_bytes: int, now: float) -> dict[str, Any]:
    """Returns the vector store object."""
    body, expires_at = row.body, expiry_of(row)
    status = "expired" if is_expired(row, now) else "in_progress" if counts.get("in_progress") else "completed"
    return {
        "id": row.id,
        "object": "vector_store",
        "created_at": row.created_at,
        "name": body.get("name") or None,
        "description": body.get("description") or None,
        "usage_bytes": usage_bytes,
        "file_counts": counts_json(counts),
        "status": status,
        "expires_after": body.get("expires_after"),
        "expires_at": expires_at,
        "last_active_at": body.get("last_active_at") or row.created_at,
        "metadata": body.get("metadata") or {},
    }


def expiry_of(row: Resource) -> int | None:
    """Returns when a store expires; None for never."""
    after = row.body.get("expires_after")
    return None if not after else int(row.body.get("last_active_at") or row.created_at) + int(after["days"]) * DAY_S


def is_expired(row: Resource, now: float) -> bool:
    """Returns whether a store has not been used for as long as it lives."""
    at = expiry_of(row)
    return at is not None and at <= now


def counts_json(counts: Mapping[str, int]) -> dict[str, int]:
    """Returns how many files have each status."""
    return {**counts, "total": sum(counts.values())}


def store_file_json(row: Resource) -> dict[str, Any]:
    """Returns the object of a file of a store."""
    body = row.body
    sizes = body.get("chunking")
    return {
        "id": body.get("file") or row.id,
        "object": "vector_store.file",
        "created_at": row.created_at,
        "vector_store_id": row.parent,
        "usage_bytes": int(body.get("usage_bytes") or 0),
        "status": body.get("status") or "completed",
        "last_error": body.get("last_error"),
        "chunking_strategy": {"type": "static", "static": sizes} if sizes else {"type": "other"},
        "attributes": body.get("attributes") or {},
    }


def file_batch_json(job: Job, counts: Mapping[str, int]) -> dict[str, Any]:
    """Returns the object of a batch of files."""
    cancelled = job.status == "cancelled" or (job.wanted == "cancel" and job.status not in ENDED)
    ended = "cancelled" if cancelled else "failed" if job.status == "failed" else "completed"
    return {
        "id": job.id,
        "object": "vector_store.files_batch",
        "created_at": job.created_at,
        "vector_store_id": job.spec["vector_store"],
        "status": "in_progress" if counts.get("in_progress") and not cancelled else ended,
        "file_counts": counts_json(counts),
    }


def results_json(queries: Sequence[str], data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the page of what a search found."""
    return {
        "object": "vector_store.search_results.page",
        "search_query": list(queries),
        "data": [dict(one) for one in data],
        "has_more": False,
        "next_page": None,
    }
