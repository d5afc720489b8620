"""Connections of slow clients: none is held open for one that says half a request, or takes no answer."""

from __future__ import annotations

import asyncio
import time

import h11
from starlette.types import Message, Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

from luthier.server.errors import ApiError

SLOWEST_BYTES = 1024
"""Bytes of a body that have to come in a second, on average."""


def protocol(patience_s: float) -> type[H11Protocol]:
    """Returns uvicorn's protocol with time limits of `patience_s`: for the head of a request, and for a client that
    takes nothing of its answer. A connection that passes one is closed; between requests the keep-alive counts."""
    return type("Patient", (_Patient,), {"patience_s": patience_s})


class _Patient(H11Protocol):
    patience_s: float
    _heading: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heading = self.loop.call_later(self.patience_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._heading = _cancel(self._heading)
        elif self._heading is None:  # the head of the next request has begun
            self._heading = self.loop.call_later(self.patience_s, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.patience_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled = _cancel(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._heading)
        _cancel(self._stalled)
        super().connection_lost(exc)


def _cancel(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Returns None, what is left of a timer that has been cancelled."""
    if timer is not None:
        timer.cancel()
    return None


def bounded(receive: Receive, limit: int, patience_s: float) -> Receive:
    """Returns `receive` with an error for a body that passes `limit` bytes, as a form is on disk before anything is
    checked, and for one that does not go on for `patience_s` or comes slower than `SLOWEST_BYTES` a second."""
    size, began, whole = 0, time.monotonic(), False

    async def counted() -> Message:
        nonlocal size, whole
        if whole:  # only that the client leaves is still to be heard
            return await receive()
        left = patience_s + size / SLOWEST_BYTES - (time.monotonic() - began)
        try:
            async with asyncio.timeout(min(patience_s, left)):
                message = await receive()
        except TimeoutError:
            raise ApiError(
                f"The rest of the request has not come within {patience_s:g} s.", status=408, retry=True
            ) from None
        size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if size > limit:
            raise ApiError(f"The request has more than {limit:,} bytes.", status=413)
        return message

    return counted
