"""Tool calls as templates expect them, and tool calls read back from a model's reply.

Which syntax a model writes is not configured: the template renders one known call, and the first syntax that reads
that call back is the one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luthier.records.messages import ToolCall

Calls = tuple[tuple[str, Any], ...]
Syntax = Callable[[str], tuple[str, Calls] | None]
"""Reads (text outside the calls, ((name, arguments), ...)) from a reply; None where it holds no call."""
_FUNCTION_KEYS = ("name", "description", "parameters", "strict")


def call_json(call: ToolCall, *, as_text: bool, short_ids: bool) -> dict[str, Any]:
    """Returns the call as a chat template takes it: arguments as a mapping, or as text where templates join text.

    Arguments that are not a JSON object stay text: the template decides what becomes of them.
    """
    arguments = call.arguments.strip() or "{}"
    function = {"name": call.name, "arguments": arguments if as_text else read_arguments(arguments)}
    return {"id": fit_id(call.id, short=short_ids), "type": "function", "function": function}


def read_arguments(text: str) -> Any:
    """Returns the JSON value of a call's arguments, or the text itself where it is not a JSON object."""
    try:
        value = json.loads(text) if text.strip() else {}
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def fit_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a tool on offer as a chat template takes it: its keys in the order of the API's reference, and none that
    is null, so that a tool is the same tokens however a row or a request wrote it."""
    function = tool.get("function")
    out = {"type": "function"} | _in_order(tool, ("type", "function"))
    return out | ({"function": _in_order(function, _FUNCTION_KEYS)} if isinstance(function, Mapping) else {})


def _in_order(value: Mapping[str, Any], first: Sequence[str]) -> dict[str, Any]:
    keys = [*(key for key in first if key in value), *(key for key in value if key not in first)]
    return {key: value[key] for key in keys if value[key] is not None}


def fit_id(identifier: str, *, short: bool) -> str:
    """Returns the call's id; nine letters and digits made from it where the template takes only those (Mistral)."""
    if not short or re.fullmatch(r"[a-zA-Z0-9]{9}", identifier):
        return identifier
    return hashlib.sha256(identifier.encode()).hexdigest()[:9]


def find_syntax(reply: str, name: str, arguments: Mapping[str, Any]) -> Syntax | None:
    """Returns the first known syntax that reads the call of `name` with `arguments` from `reply`, or None."""
    for syntax in (_tagged_json, _tagged_parameters, _bracketed, _bare_json):
        read = syntax(reply)
        if read is not None and read[1] == ((name, dict(arguments)),):
            return syntax
    return None


@dataclass(frozen=True, slots=True)
class Frame:
    """The text that a template writes before a call's name, between name and arguments (JSON), and after them."""

    before: str
    between: str
    after: str


def find_frame(reply: str, name: str, arguments: Mapping[str, Any]) -> Frame | None:
    """Returns the text around the call of `name` with `arguments` in `reply`; None where arguments are not JSON."""
    written = json.dumps(arguments)
    head, found, rest = reply.partition(name)
    between, also, after = rest.partition(written)
    return Frame(head, between, after) if found and also else None


def read_calls(syntax: Syntax | None, text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Returns the text outside the calls and the calls; the whole text and no call where there is none to read."""
    read = syntax(text) if syntax else None
    if read is None:
        return text, ()
    content, calls = read
    stem = hashlib.sha256(text.encode()).hexdigest()[:16]
    return content, tuple(
        ToolCall(f"call_{stem}{index}", name, json.dumps(arguments, ensure_ascii=False))
        for index, (name, arguments) in enumerate(calls)
    )


def _tagged_json(text: str) -> tuple[str, Calls] | None:
    """Reads `<tool_call>{"name": ..., "arguments": {...}}</tool_call>` (Hermes, Qwen 2.5 and 3, our own template)."""
    head, *parts = text.split("<tool_call>")
    calls = []
    for part in parts:
        value, rest = _leading_json(part.strip())
        call = _named_call(value)
        if call is None:
            return None
        calls.append(call)
        head += rest.strip().removeprefix("</tool_call>").strip()
    return (head.strip(), tuple(calls)) if calls else None


def _tagged_parameters(text: str) -> tuple[str, Calls] | None:
    """Reads `<function=NAME><parameter=KEY>VALUE</parameter></function>` (Qwen 3.5 and coder models).

    Values carry no type there: one that is a JSON object, list, number, boolean or null is read as such.
    """
    blocks = list(re.finditer(r"<function=([^>\n]+)>(.*?)</function>", text, re.DOTALL))
    calls = []
    for block in blocks:
        pairs = re.findall(r"<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", block[2], re.DOTALL)
        calls.append((block[1].strip(), {key.strip(): _json_or_text(value) for key, value in pairs}))
    outside = re.sub(r"<tool_call>.*?(</tool_call>|\Z)", "", text, flags=re.DOTALL)
    return (outside.strip(), tuple(calls)) if calls else None


def _bracketed(text: str) -> tuple[str, Calls] | None:
    """Reads `[TOOL_CALLS][{...}]`, `[TOOL_CALLS]NAME[ARGS]{...}` and `[TOOL_CALLS]NAME{...}` (Mistral)."""
    head, mark, rest = text.partition("[TOOL_CALLS]")
    if not mark:
        return None
    calls: list[tuple[str, Any]] = []
    rest = rest.strip()
    while rest:
        name = re.match(r"([\w.-]+)\s*(?:\[ARGS\])?\s*(?=\{)", rest)
        value, rest = _leading_json(rest[name.end() :] if name else rest)
        found = [(name[1], value)] if name else [_named_call(item) for item in _as_list(value)]
        if value is None or not found or None in found:
            return None
        calls += [call for call in found if call is not None]
        rest = rest.strip().removeprefix("[TOOL_CALLS]").strip()
    return (head.strip(), tuple(calls)) if calls else None


def _bare_json(text: str) -> tuple[str, Calls] | None:
    """Reads a reply that is nothing but `{"name": ..., "parameters": {...}}`, several joined by `;` (Llama 3.1)."""
    rest = text.strip().removeprefix("<|python_tag|>").strip()
    calls = []
    while rest:
        value, rest = _leading_json(rest)
        call = _named_call(value)
        if call is None:
            return None
        calls.append(call)
        rest = rest.strip().lstrip(";").strip()
    return ("", tuple(calls)) if calls else None


def _leading_json(text: str) -> tuple[Any, str]:
    """Returns the JSON value that `text` begins with and the rest; (None, text) where it begins with none."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None, text
    return value, text[end:]


def _named_call(value: Any) -> tuple[str, Any] | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        arguments = read_arguments(arguments)
    return (value["name"], arguments) if isinstance(arguments, dict) else None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _json_or_text(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str) else value
