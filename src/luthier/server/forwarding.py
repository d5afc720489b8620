"""Requests that another server answers: its answers come back as they are, under the name that was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from luthier.server.sse import streamed
from luthier.server.wire.body import Body

if TYPE_CHECKING:
    from luthier.generation.remote import Remote


async def forward(remote: Remote, path: str, body: Body, name: str) -> dict[str, Any] | Response:
    """Returns the other server's answer to `body` at `path`; `name` is what the model is called here.

    Only honoured keys are handed on.
    """
    said = body.model_dump(include=set(type(body).model_fields), exclude_none=True, by_alias=True)
    if not said.get("stream"):
        return await remote.send(path, said) | {"model": name}
    return streamed(_renamed(remote, path, said, name))


async def _renamed(remote: Remote, path: str, said: Mapping[str, Any], name: str) -> AsyncIterator[dict[str, Any]]:
    async with aclosing(remote.events(path, said)) as events:
        async for event in events:
            yield event | {"model": name}
