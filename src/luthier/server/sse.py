"""Server-sent events: pieces of an answer as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import StreamingResponse

from luthier.server.errors import as_api_error

DONE = b"data: [DONE]\n\n"


def streamed(pieces: AsyncIterator[Mapping[str, Any]]) -> StreamingResponse:
    """Returns an answer that sends each piece as `data:`, an error in its place, and [DONE] at the end."""
    return StreamingResponse(_frames(pieces), media_type="text/event-stream; charset=utf-8", headers=HEADERS)


def streamed_events(events: AsyncIterator[Mapping[str, Any]]) -> StreamingResponse:
    """Returns an answer that sends each event under its `type`; events say themselves when something goes wrong."""

    async def frames() -> AsyncIterator[bytes]:
        async for event in events:
            yield b"event: " + str(event["type"]).encode() + b"\n" + frame(event)

    return StreamingResponse(frames(), media_type="text/event-stream; charset=utf-8", headers=HEADERS)


HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def frame(piece: Mapping[str, Any]) -> bytes:
    """Returns one event."""
    return b"data: " + json.dumps(piece, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


async def _frames(pieces: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield frame(piece)
    except Exception as error:
        yield frame(as_api_error(error).to_json())
    yield DONE
