"""Turns of a chat as people write them: OpenAI's role/content, ShareGPT's from/value, typed content parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from luthier.records.fields import Fields, described, unquoted
from luthier.records.messages import ROLES, Message, Role, ToolCall

ROLE_NAMES: dict[str, str] = {role: role for role in ROLES} | {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
}
_CALLERS = ("function_call", "tool_call")
_KEYS = {
    "role",
    "from",
    "content",
    "value",
    "weight",
    "loss_weight",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "reasoning_content",
    "refusal",
}
_KNOWN = ", ".join(dict.fromkeys(ROLE_NAMES))
_MEDIA = "remove such parts: only text is tuned"


def read_turns(fields: Fields, name: str, values: Sequence[Any]) -> tuple[Message, ...]:
    """Returns the turns of one list; what is wrong with them is noted in `fields` under `name[index]`."""
    return _Turns(fields).read(name, values)


def is_turn(value: Any) -> bool:
    """Returns whether a value looks like one turn: an object with a role and a content."""
    return isinstance(value, Mapping) and ("role" in value or "from" in value)


def are_turns(value: Any) -> bool:
    """Returns whether a value looks like a list of turns (also when it is written as text)."""
    found = unquoted(value)
    return isinstance(found, list | tuple) and bool(found) and all(is_turn(turn) for turn in found)


def read_tools(fields: Fields) -> tuple[Mapping[str, Any], ...]:
    """Returns the tools of a row in OpenAI's form, from `tools` or the older `functions`; JSON text is read."""
    name, values = "tools", fields.find("tools")[1]
    if values is None:
        name, values = "functions", fields.find("functions")[1]
    if isinstance(values, str) and not values.strip():
        return ()
    values = unquoted(values)
    if isinstance(values, Mapping):
        values = [values]
    if values is not None and not isinstance(values, list | tuple):
        fields.problem(name, f"is {described(values)}, not a list of tools", "give a list of JSON schemas")
        return ()
    return tuple(_tool(fields, f"{name}[{index}]", value) for index, value in enumerate(values or ()))


def _tool(fields: Fields, where: str, value: Any) -> Mapping[str, Any]:
    tool = unquoted(value)
    if isinstance(tool, Mapping) and "function" not in tool:
        tool = {"type": "function", "function": tool}
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        fields.problem(where, f"is {described(value)}, not a function with a name", 'give {"name": ..., ...}')
        return {}
    return dict(tool)


class _Turns:
    """Reads one chat: ids of calls that have none are made up, and results without an id answer calls in order."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.made = 0
        self.open: list[str] = []

    def read(self, name: str, values: Sequence[Any]) -> tuple[Message, ...]:
        return tuple(self._turn(f"{name}[{index}]", value) for index, value in enumerate(values))

    def _turn(self, where: str, value: Any) -> Message:
        if not isinstance(value, Mapping):
            self.fields.problem(where, f"is {described(value)}, not a turn", 'write {"role": ..., "content": ...}')
            return Message("user", "")
        said = _first(value, "role", "from")
        role = cast("Role", self._role(where, said))
        parts = _Parts(self.fields, where, _first(value, "content", "value", "refusal"))
        calls = self._calls(where, value) + self._written_calls(where, parts.calls)
        content = parts.content
        if said in _CALLERS and content is not None:
            calls += self._written_calls(where, [content])
            content = None
        self.fields.ignored.update(f"messages[].{key}" for key in value if key not in _KEYS and value[key])
        return Message(
            role=role,
            content=content,
            tool_calls=calls,
            tool_call_id=self._answered(where, role, value),
            name=self._text(where, value, "name"),
            reasoning_content=parts.reasoning or self._text(where, value, "reasoning_content"),
            weight=self._weight(where, role, value),
        )

    def _role(self, where: str, said: Any) -> str:
        role = ROLE_NAMES.get(said) if isinstance(said, str) else None
        if role is None:
            problem = "is missing" if said is None else f"{described(said)} is not a role"
            self.fields.problem(f"{where}.role", problem, f"use one of {_KNOWN}")
        return role or "user"

    def _text(self, where: str, value: Mapping[str, Any], key: str) -> str | None:
        text = value.get(key)
        if text is None or isinstance(text, str):
            return text or None
        self.fields.problem(f"{where}.{key}", f"is {described(text)}, not text", "write it as text")
        return None

    def _weight(self, where: str, role: str, value: Mapping[str, Any]) -> float | None:
        key = "weight" if value.get("weight") is not None else "loss_weight"
        weight = value.get(key)
        if weight is None:
            return None
        if not isinstance(weight, int | float) or weight not in (0, 1):
            self.fields.problem(f"{where}.{key}", f"is {described(weight)}, neither 0 nor 1", "use 0 or 1")
            return None
        if role != "assistant" and weight:
            self.fields.problem(f"{where}.{key}", f"is 1 on a {role} turn", "only assistant turns are trained; use 0")
        return int(weight) if role == "assistant" else None

    def _answered(self, where: str, role: str, value: Mapping[str, Any]) -> str | None:
        if role != "tool":
            return None
        given = self._text(where, value, "tool_call_id")
        if given is not None and given in self.open:
            self.open.remove(given)
        return given or (self.open.pop(0) if self.open else None)

    def _calls(self, where: str, value: Mapping[str, Any]) -> tuple[ToolCall, ...]:
        calls = value.get("tool_calls")
        legacy = value.get("function_call")
        if calls is not None and not isinstance(calls, list | tuple):
            self.fields.problem(f"{where}.tool_calls", f"is {described(calls)}, not a list", "give a list of calls")
            calls = None
        found = [self._call(f"{where}.tool_calls[{index}]", call) for index, call in enumerate(calls or ())]
        if legacy:
            found.append(self._call(f"{where}.function_call", legacy))
        return tuple(call for call in found if call is not None)

    def _written_calls(self, where: str, texts: Sequence[Any]) -> tuple[ToolCall, ...]:
        """Returns the calls that a turn's text holds as JSON: one object, or a list of them."""
        found: list[ToolCall | None] = []
        for text in texts:
            value = unquoted(text)
            found += [self._call(f"{where}.value", call) for call in (value if isinstance(value, list) else [value])]
        return tuple(call for call in found if call is not None)

    def _call(self, where: str, value: Any) -> ToolCall | None:
        function = (value.get("function") or value) if isinstance(value, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            remedy = 'write {"name": "f", "arguments": {...}}'
            self.fields.problem(where, f"is {described(value)}, not a call of a named function", remedy)
            return None
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments if arguments is not None else {}, ensure_ascii=False)
        given = value.get("id")
        if given is not None and not isinstance(given, str):
            self.fields.problem(f"{where}.id", f"is {described(given)}, not text", "write it as text")
        self.made += 1
        call = ToolCall(
            given if isinstance(given, str) and given else f"call{self.made:05d}",
            function["name"],
            arguments.strip() or "{}",
        )
        self.open.append(call.id)
        return call


class _Parts:
    """The content of one turn: text, or a list of typed parts whose texts are put together without anything between."""

    def __init__(self, fields: Fields, where: str, value: Any) -> None:
        self.fields, self.where = fields, f"{where}.content"
        self.content: str | None = None
        self.reasoning: str | None = None
        self.calls: list[Any] = []
        if value is None or isinstance(value, str):
            self.content = value
        elif isinstance(value, list | tuple):
            for index, part in enumerate(value):
                self._add(f"{self.where}[{index}]", part)
        else:
            fields.problem(self.where, f"is {described(value)}, not text", "write the turn as text")
            self.content = ""

    def _add(self, where: str, part: Any) -> None:
        kind = part.get("type") if isinstance(part, Mapping) else None
        text = _first(part, "text", "value", "refusal", "thinking") if isinstance(part, Mapping) else part
        if kind in ("reasoning", "thinking"):
            self.reasoning = (self.reasoning or "") + str(text or "")
        elif kind == "tool_call":
            self.calls.append(text)
        elif kind not in ("text", "input_text", "output_text", "refusal", None) or not isinstance(text, str):
            if kind == "text" or kind is None:
                self.fields.problem(where, f"is {described(part)}, not a text part", 'write {"type": "text", ...}')
            else:
                self.fields.problem(where, f"is a part of type {described(kind)}", _MEDIA)
            self.content = self.content or ""
        else:
            self.content = (self.content or "") + text


def _first(value: Mapping[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)
