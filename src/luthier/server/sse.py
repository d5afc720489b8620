"""Server-sent events: pieces of an answer as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import StreamingResponse

from luthier.server.attending import until
from luthier.server.errors import as_api_error

DONE = b"data: [DONE]\n\n"


async def streamed(pieces: AsyncIterator[Mapping[str, Any]], deadline: float | None) -> StreamingResponse:
    """Returns an answer that sends each piece as `data:`, an error in its place, and [DONE] at the end.

    What goes wrong before the first piece is raised: it has a status of its own. The deadline is an error too.
    """
    pieces = until(pieces, deadline)
    first = await anext(pieces, None)
    return StreamingResponse(_frames(first, pieces), media_type=MEDIA, headers=HEADERS)


async def streamed_events(events: AsyncIterator[Mapping[str, Any]]) -> StreamingResponse:
    """Returns an answer that sends each event under its `type`; events say themselves when something goes wrong.

    What goes wrong before the first one is raised.
    """
    first = await anext(events, None)

    async def frames() -> AsyncIterator[bytes]:
        if first is not None:
            yield _named(first)
        async for event in events:
            yield _named(event)

    return StreamingResponse(frames(), media_type=MEDIA, headers=HEADERS)


def _named(event: Mapping[str, Any]) -> bytes:
    return b"event: " + str(event["type"]).encode() + b"\n" + frame(event)


MEDIA = "text/event-stream; charset=utf-8"
HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def frame(piece: Mapping[str, Any]) -> bytes:
    """Returns one event."""
    return b"data: " + json.dumps(piece, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


async def _frames(first: Mapping[str, Any] | None, pieces: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    try:
        if first is not None:
            yield frame(first)
        async for piece in pieces:
            yield frame(piece)
    except Exception as error:
        yield frame(as_api_error(error).to_json())
    yield DONE
