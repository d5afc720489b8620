"""Messages and tools on the wire, as chat requests and rows of training files write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from luthier.records.messages import Message, Role, ToolCall
from luthier.server.errors import ApiError
from luthier.server.wire.body import Part, Refused
from luthier.server.wire.values import Items, Schema

TEXT_ONLY = "the models here read text only"


class ContentPart(Part):
    """A piece of a message's content."""

    type: str
    text: str | None = None
    refusal: str | None = None
    refused: ClassVar[dict[str, Refused]] = {
        name: Refused(TEXT_ONLY)
        for name in ("image_url", "input_audio", "file", "image_file", "file_id", "file_data", "file_url", "filename")
    }
    harmless: ClassVar[dict[str, str]] = {
        "prompt_cache_breakpoint": "nothing is billed by what is cached",
        "annotations": "citations of an earlier reply are not read by the model",
        "logprobs": "those of an earlier reply are not read by the model",
    }


class FunctionCall(Part):
    """A function's name and its arguments as JSON text."""

    name: str
    arguments: str


class ToolCallIn(Part):
    """A call that an assistant made earlier."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall
    harmless: ClassVar[dict[str, str]] = {"index": "left over from a streamed reply"}


class MessageIn(Part):
    """One turn of a request."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Items[ContentPart] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: Items[ToolCallIn] | None = None
    function_call: FunctionCall | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    harmless: ClassVar[dict[str, str]] = {
        "annotations": "citations of an earlier reply are not read by the model",
        "weight": "weighs training rows only",
        "provider_specific_fields": "LiteLLM's notes on an earlier reply are not read by the model",
    }
    refused: ClassVar[dict[str, Refused]] = {"audio": Refused(TEXT_ONLY)}


class FunctionIn(Part):
    """A function that the model may call."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class ToolIn(Part):
    """A tool: a function. (`custom` tools, whose calls are free text, are refused.)"""

    type: Literal["function"]
    function: FunctionIn


def read_messages(given: Sequence[MessageIn]) -> list[Message]:
    """Returns the turns of a request. Calls of the old form have no ids, and get those that training rows get."""
    out: list[Message] = []
    made, waiting = 0, list[str]()
    for index, one in enumerate(given):
        message = read_message(one, f"messages[{index}]")
        if one.function_call is not None:
            call = replace(message.tool_calls[0], id=f"call{made + 1:05d}")
            message = replace(message, tool_calls=(call,))
        elif one.role == "function":
            message = replace(message, tool_call_id=waiting[0] if waiting else None)
        if message.tool_call_id in waiting:
            waiting.remove(message.tool_call_id)
        made += len(message.tool_calls)
        waiting += [call.id for call in message.tool_calls]
        out.append(message)
    return out


def read_message(given: MessageIn, where: str) -> Message:
    """Returns the turn; `ApiError` when it has no content where it needs some."""
    role: Role = "tool" if given.role == "function" else given.role
    calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in given.tool_calls or ())
    if given.function_call is not None:
        calls = (ToolCall("", given.function_call.name, given.function_call.arguments),)
    text = read_text(given.content, f"{where}.content")
    if role == "tool" and given.role == "tool" and not given.tool_call_id:
        raise ApiError(
            f"{where}.tool_call_id is missing: a tool's message answers one call.",
            code="missing_required_parameter",
            param=f"{where}.tool_call_id",
        )
    if text is None and not calls and given.refusal is None:
        raise ApiError(f"{where}.content is missing.", code="missing_required_parameter", param=f"{where}.content")
    return Message(
        role=role,
        content=given.refusal if text is None else text,
        tool_calls=calls,
        tool_call_id=given.tool_call_id,
        name=given.name,
        reasoning_content=given.reasoning_content,
    )


def read_text(content: str | Sequence[ContentPart] | None, where: str) -> str | None:
    """Returns the text of a content, whose parts are joined as they stand."""
    if content is None or isinstance(content, str):
        return content
    texts = []
    for index, part in enumerate(content):
        text = part.refusal if part.type == "refusal" else part.text
        if part.type not in {"text", "refusal", "input_text", "output_text"} or text is None:
            raise ApiError(
                f"{where}[{index}] is of type {part.type!r}, and {TEXT_ONLY}.",
                code="unsupported_parameter",
                param=f"{where}[{index}]",
            )
        texts.append(text)
    return "".join(texts)


def tool_json(function: FunctionIn) -> dict[str, Any]:
    """Returns a tool as chat templates take it."""
    return {"type": "function", "function": function.model_dump(exclude_none=True)}
