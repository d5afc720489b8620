"""Requests that another server answers: its answers come back as they are, under the name that was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from luthier.server.call import Call
from luthier.server.errors import ApiError
from luthier.server.sse import streamed
from luthier.server.wire.body import Part

if TYPE_CHECKING:
    from luthier.generation.remote import Remote


async def forward(remote: Remote, path: str, call: Call) -> dict[str, Any] | Response:
    """Returns the other server's answer to the body at `path`, under the name that the model has here.

    Only honoured keys are handed on.
    """
    said, name = honoured(call.body), call.body.model
    if said.get("logit_bias"):
        raise ApiError(
            "logit_bias: token ids mean something else to another server.",
            code="unsupported_parameter",
            param="logit_bias",
        )
    if not said.get("stream"):
        answer = await remote.send(path, said)
        _count(call, answer)
        return answer | {"model": name}
    return await streamed(_renamed(remote, path, said, call), call.deadline)


def honoured(part: Part) -> dict[str, Any]:
    """Returns the honoured keys that a body and its parts came with, without those that are null."""
    out: dict[str, Any] = {}
    for name, field in type(part).model_fields.items():
        value = getattr(part, name) if name in part.model_fields_set else None
        if value is not None:
            out[field.alias or name] = honoured(value) if isinstance(value, Part) else value
    return out


async def _renamed(remote: Remote, path: str, said: Mapping[str, Any], call: Call) -> AsyncIterator[dict[str, Any]]:
    last: Mapping[str, Any] = {}
    try:
        async with aclosing(remote.events(path, said)) as events:
            async for event in events:
                last = event
                yield event | {"model": call.body.model}
    finally:
        _count(call, last)


def _count(call: Call, answer: Mapping[str, Any]) -> None:
    """Counts what the other server says that it took; one that does not say it is counted as a request."""
    usage = answer.get("usage")
    said = usage if isinstance(usage, Mapping) else {}
    read, written = (said.get(f"{one}_tokens") for one in ("prompt", "completion"))
    call.meter.add(call.body.model, *(one if isinstance(one, int) else 0 for one in (read, written)))
