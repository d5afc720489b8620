"""Which tools a reply may call, and which it has to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from luthier.server.errors import ApiError
from luthier.server.wire.messages import FunctionIn, tool_json

ANY = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What tool_choice asks for: `allowed` are the tools the model sees (None is all of them), `call` is the one that
    has to be called (`ANY` is one of those it sees; None leaves it to the model)."""

    allowed: Collection[str] | None = None
    call: str | None = None


SIMPLE = {"none": Choice(allowed=()), "auto": Choice(), "required": Choice(call=ANY)}


def offered(
    functions: Iterable[FunctionIn], choice: Choice
) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
    """Returns the tools that the model is shown, and the functions one of which has to be called, or None.

    `ApiError` when none of them may be called and one has to be.
    """
    tools = [tool_json(one) for one in functions if choice.allowed is None or one.name in choice.allowed]
    if choice.call is None:
        return tools, None
    forced = [tool["function"] for tool in tools if choice.call in (ANY, tool["function"]["name"])]
    if not forced:
        raise ApiError("tool_choice asks for a tool that is not offered.", code="invalid_value", param="tool_choice")
    return tools, forced
