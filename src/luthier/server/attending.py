"""Answers that are worked on only while somebody waits for them, and not for longer than they may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from luthier.server.errors import ApiError

FoundT = TypeVar("FoundT")
PieceT = TypeVar("PieceT")


def deadline_of(timeout_s: float) -> float | None:
    """Returns when, by the event loop's clock, a request that comes now has taken `timeout_s`; None for 0: never."""
    return asyncio.get_running_loop().time() + timeout_s if timeout_s else None


async def attended(work: Coroutine[Any, Any, FoundT], receive: Receive, deadline: float | None) -> FoundT:
    """Returns what `work` comes to; it is cancelled when the client leaves, and at the deadline.

    The body has to be read before: what `receive` still says is listened to here. `ClientDisconnect` when the client
    has left, `ApiError` (504) at the deadline.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(receive))
    try:
        async with asyncio.timeout_at(deadline) as limit:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        leaving.result()
        raise ClientDisconnect
    except TimeoutError:
        if limit.expired():
            raise _timed_out() from None
        raise
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)  # a stream listens by itself when it is sent


async def until(pieces: AsyncIterator[PieceT], deadline: float | None) -> AsyncGenerator[PieceT, None]:
    """Yields `pieces` as they come; at the deadline they are given up. `ApiError` (504) then."""
    async with aclosing(pieces) as coming:  # type: ignore[type-var]
        while True:
            try:
                async with asyncio.timeout_at(deadline) as limit:  # not over a `yield`: others' errors come from there
                    piece = await anext(coming)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if limit.expired():
                    raise _timed_out() from None
                raise
            yield piece


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _timed_out() -> ApiError:
    return ApiError(
        "The reply took longer than this server gives one (serve --request-timeout-s); ask for a shorter one.",
        status=504,
        code="timeout",
        kind="server_error",
    )
