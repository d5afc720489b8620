"""Items: what responses and conversations are made of, and the turns that a model reads them as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from luthier.records.messages import Delta, Message, ToolCall
from luthier.server.errors import ApiError
from luthier.server.wire.body import Part
from luthier.server.wire.logprobs import TokenBytes, tokens_json
from luthier.server.wire.messages import ContentPart, read_text
from luthier.server.wire.values import Items
from luthier.store.ids import new_id

Item = dict[str, Any]
PREFIXES = {"message": "msg_", "function_call": "fc_", "function_call_output": "fc_", "file_search_call": "fs_"}


class ItemIn(Part):
    """One item of an input: a message, a call, what a call gave, or a reference to an earlier item."""

    type: (
        Literal["message", "function_call", "function_call_output", "item_reference", "reasoning", "file_search_call"]
        | None
    ) = None
    id: str | None = None
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | Items[ContentPart] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | Items[ContentPart] | None = None
    harmless: ClassVar[Mapping[str, str]] = {
        "status": "what is sent is complete",
        "phase": "the model's chat template knows no such mark",
        "summary": "reasoning of earlier replies is not read by the model",
        "encrypted_content": "reasoning of earlier replies is not read by the model",
        "queries": "what was searched for earlier is not read by the model",
        "results": "what was found earlier is not read by the model",
    }


def item_of(given: ItemIn, where: str) -> Item | None:
    """Returns an item as it is kept, with an id of its own; None for one that no model here reads.

    `ApiError` when something is missing. References are the caller's to follow.
    """
    kind = given.type or "message"
    if kind in ("reasoning", "file_search_call"):
        return None
    out: Item = {"type": kind, "id": new_id(PREFIXES[kind])}
    if kind == "message":
        _need(given, where, "role", "content")
        text = read_text(given.content, f"{where}.content")
        form = "output_text" if given.role == "assistant" else "input_text"
        content: Item = {"type": form, "text": text}
        if form == "output_text":
            content |= {"annotations": [], "logprobs": []}
        return out | {"role": given.role, "content": [content], "status": "completed"}
    if kind == "function_call":
        _need(given, where, "call_id", "name", "arguments")
        return out | _call(str(given.call_id), str(given.name), str(given.arguments), "completed")
    _need(given, where, "call_id", "output")
    text = read_text(given.output, f"{where}.output")
    return out | {"call_id": given.call_id, "output": text, "status": "completed"}


def _need(given: ItemIn, where: str, *names: str) -> None:
    for name in names:
        if getattr(given, name) is None:
            param = f"{where}.{name}"
            raise ApiError(f"{param} is missing.", code="missing_required_parameter", param=param)


def user_item(text: str) -> Item:
    """Returns the message that an input of plain text stands for."""
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "id": new_id("msg_"), "role": "user", "content": content, "status": "completed"}


def messages_of(items: Iterable[Mapping[str, Any]]) -> list[Message]:
    """Returns the turns of items: calls belong to the assistant's turn before them."""
    out: list[Message] = []
    for item in items:
        if item["type"] == "message":
            text = "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
            out.append(Message(item["role"], text))
        elif item["type"] == "function_call":
            call = ToolCall(item["call_id"], item["name"], item["arguments"])
            if not out or out[-1].role != "assistant":
                out.append(Message("assistant"))
            out[-1] = replace(out[-1], tool_calls=(*out[-1].tool_calls, call))
        elif item["type"] == "function_call_output":
            out.append(Message("tool", item["output"], tool_call_id=item["call_id"]))
    return out


def message_item(id: str, status: str, content: Sequence[Mapping[str, Any]]) -> Item:
    """Returns the message that a reply is."""
    return {"id": id, "type": "message", "role": "assistant", "status": status, "content": list(content)}


def text_part(
    deltas: Sequence[Delta],
    bytes_of: TokenBytes,
    *,
    logprobs: bool,
    annotations: Sequence[Mapping[str, Any]] = (),
) -> Item:
    """Returns the text of a reply's pieces."""
    return {
        "type": "output_text",
        "text": "".join(delta.text for delta in deltas),
        "annotations": [dict(one) for one in annotations],
        "logprobs": tokens_json(deltas, bytes_of) if logprobs else [],
    }


def call_item(call: ToolCall, status: str) -> Item:
    """Returns a call that a reply makes."""
    return {"type": "function_call", "id": new_id("fc_")} | _call(call.id, call.name, call.arguments, status)


def _call(call_id: str, name: str, arguments: str, status: str) -> Item:
    return {"call_id": call_id, "name": name, "arguments": arguments, "status": status}
