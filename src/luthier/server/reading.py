"""What a request brings: its body or its form, read within bounds of size before anything is made of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from luthier.server.call import Endpoint, Upload
from luthier.server.errors import ApiError
from luthier.server.options import BODY_LIMIT, FILE_LIMIT
from luthier.server.patience import bounded
from luthier.server.wire.body import Part, read_body, read_texts

FORM_LIMIT = FILE_LIMIT + 2**20
"""A file and the fields around it."""
MOST_VALUES = 1_000_000
"""Values of one body: each takes a hundred bytes or more, of which `[],` has three on the wire."""
AT_ONCE = 2**16
"""Bytes of a body that is read in the event loop; a longer one would hold up everybody else."""
JSON, FORM = "application/json", "multipart/form-data"
_MARKS = re.compile(rb'"(?>[^"\\]+|\\.)*+"?|[,\[{]', re.DOTALL)
"""A text, which may hold any number of marks, or a mark before a value."""


class Brought(NamedTuple):
    """The body, a form's file, and the harmless keys that were there."""

    body: Part | None
    file: Upload | None
    ignored: tuple[str, ...]


@asynccontextmanager
async def brought(endpoint: Endpoint, request: Request, patience_s: float) -> AsyncIterator[Brought]:
    """Gives what a request brings; its file is there until the end. `ApiError` for what the route does not take, and
    for what does not come: `patience_s` is how long the client may be silent."""
    if endpoint.body is None:
        yield Brought(None, None, ())
        return
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ApiError("content-encoding: send the body as it is, not compressed.", status=415, code="invalid_value")
    if not endpoint.file:
        body, ignored = await _json(endpoint.body, request, patience_s)
        yield Brought(body, None, ignored)
        return
    _check_type(request, FORM)
    form = await _form(Request(request.scope, bounded(request.receive, FORM_LIMIT, patience_s)))
    try:
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        body, ignored = read_texts(endpoint.body, texts)
        yield Brought(body, _file(form, endpoint.file), ignored)
    finally:
        await form.close()


async def _json(kind: type[Part], request: Request, patience_s: float) -> tuple[Part, tuple[str, ...]]:
    raw = await Request(request.scope, bounded(request.receive, BODY_LIMIT, patience_s)).body()
    if raw:
        _check_type(request, JSON)
    return await run_in_threadpool(_read, kind, raw) if len(raw) > AT_ONCE else _read(kind, raw)


def _check_type(request: Request, wanted: str) -> None:
    """Refuses a body of another type; a JSON body may come without one."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted and (given or wanted != JSON):
        raise ApiError(f"content-type: must be {wanted}. Got {given!r}.", status=415, code="unsupported_content_type")


def _read(kind: type[Part], raw: bytes) -> tuple[Part, tuple[str, ...]]:
    if sum(raw.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES and _has_more(raw, MOST_VALUES):
        raise ApiError(f"The body has more than {MOST_VALUES:,} values; send it in several requests.", status=413)
    return read_body(kind, raw)


def _has_more(raw: bytes, most: int) -> bool:
    """Returns whether JSON has more than `most` commas, brackets and braces outside of its texts."""
    marks = (found for found in _MARKS.finditer(raw) if raw[found.start()] != ord('"'))
    return next(islice(marks, most, None), None) is not None


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=8, max_fields=100)
    except HTTPException as error:
        raise ApiError(f"The form cannot be read: {error.detail}", code="invalid_value") from None


def _file(form: FormData, name: str) -> Upload:
    """Returns the file of a form. `ApiError` when it is not there, or another one is."""
    files = [(key, value) for key, value in form.multi_items() if isinstance(value, UploadFile)]
    found = next((value for key, value in files if key == name), None)
    if found is None:
        raise ApiError(
            f"Missing required parameter {name!r}: send it as a file of a multipart form.",
            code="missing_required_parameter",
            param=name,
        )
    if len(files) > 1:
        other = next((key for key, _ in files if key != name), name)
        raise ApiError(f"The form takes one file, {name!r}. Got {len(files)}.", code="unknown_parameter", param=other)
    return Upload(found.filename or "upload", found.file)
