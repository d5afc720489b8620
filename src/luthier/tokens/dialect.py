"""What a chat template can express, found by rendering small probes, and messages fitted to it.

Training and serving fit messages with the same function, so what a template cannot say is said the same way in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luthier.errors import ModelError
from luthier.records.messages import Message, ToolCall
from luthier.tokens.tool_calls import call_json

Turns = Sequence[Mapping[str, Any]]
Render = Callable[[Turns, Sequence[Mapping[str, Any]], bool], str]
"""Renders (turns, tools, whether the assistant's header is appended) to text; raises `TemplateRefusal`."""

FOLDED = "system text goes in front of the next user turn (the template has no system role)"
RENAMED = "developer turns are written as system turns (the template has no developer role)"
NO_TOOLS = "the tools on offer are not shown to the model (the template has no place for them)"
NO_REASONING = "reasoning_content is left out (the template has no place for it)"

PROBE_NAME = "probe_weather"
PROBE_ARGUMENTS = {"probe_city": "Reykjavik"}
PROBE_REPLY = "Probe reply quartz."
_ASK, _SYSTEM, _RESULT, _THOUGHT = "Probe question agate.", "Probe rule basalt.", "Probe result flint.", "Probe opal"
_TOOL = {
    "type": "function",
    "function": {
        "name": PROBE_NAME,
        "description": "Probe description",
        "parameters": {
            "type": "object",
            "properties": {"probe_city": {"type": "string", "description": "Probe city"}},
            "required": ["probe_city"],
        },
    },
}


class TemplateRefusal(Exception):
    """The template's own message about messages it does not render."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one chat template can express."""

    parts: bool
    """Whether contents are lists of parts (`[{"type": "text", ...}]`) instead of text."""
    system: bool
    developer: bool
    tools: bool
    calls: bool
    results: bool
    arguments_as_text: bool
    short_ids: bool
    reasoning: bool

    def fit(self, messages: Sequence[Message]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        """Returns the turns as the template takes them, and what had to be said differently."""
        notes: dict[str, None] = {}
        turns = [self._turn(message, notes) for message in messages]
        if not self.developer:
            turns = _merge_system(turns)
        if not self.system:
            turns = _fold_system(turns, notes)
        if self.parts:
            turns = [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in turns]
        return turns, tuple(notes)

    def _turn(self, message: Message, notes: dict[str, None]) -> dict[str, Any]:
        turn: dict[str, Any] = {"role": message.role, "content": message.content or ""}
        if message.role == "developer" and not self.developer:
            turn["role"] = "system"
            notes[RENAMED] = None
        if message.tool_calls:
            turn["tool_calls"] = [self.call(call) for call in message.tool_calls]
        if message.tool_call_id:
            turn["tool_call_id"] = self.call(ToolCall(message.tool_call_id, "", ""))["id"]
        if message.name:
            turn["name"] = message.name
        if message.reasoning_content:
            turn["reasoning_content"] = message.reasoning_content
            if not self.reasoning:
                notes[NO_REASONING] = None
        return turn

    def call(self, call: ToolCall) -> dict[str, Any]:
        """Returns a tool call as the template takes it."""
        return call_json(call, as_text=self.arguments_as_text, short_ids=self.short_ids)


def find_dialect(render: Render, source: str) -> Dialect:
    """Returns what the template can express; `source` is its text.

    `ModelError` when it does not even render a question and an answer.
    """
    parts = _find_parts(render)

    def says(turns: Turns, *words: str, tools: Sequence[Mapping[str, Any]] = ()) -> bool:
        texts = [{**turn, "content": _content(turn["content"], parts)} for turn in turns]
        return _says(render, texts, *words, tools=tools)

    ask = {"role": "user", "content": _ASK}
    calls = [
        (as_text, short)
        for short in (False, True)
        for as_text in (False, True)
        if says(_call_turns(as_text, short), PROBE_NAME, "Reykjavik")
    ]
    as_text, short = calls[0] if calls else (False, False)
    return Dialect(
        parts=parts,
        system=says([{"role": "system", "content": _SYSTEM}, ask], _SYSTEM, _ASK),
        developer="developer" in source and says([{"role": "developer", "content": _SYSTEM}, ask], _SYSTEM, _ASK),
        tools=says([ask], PROBE_NAME, tools=[_TOOL]),
        calls=bool(calls),
        results=says(_result_turns(as_text, short), _RESULT),
        arguments_as_text=as_text,
        short_ids=short,
        reasoning=says([ask, {"role": "assistant", "content": PROBE_REPLY, "reasoning_content": _THOUGHT}], _THOUGHT),
    )


def probe_question(dialect: Dialect) -> list[dict[str, Any]]:
    """Returns a chat of one user turn."""
    return dialect.fit([Message("user", _ASK)])[0]


def probe_chat(dialect: Dialect, *, call: bool, goes_on: bool) -> list[dict[str, Any]]:
    """Returns a chat that ends with the probe reply (or the probe call), or goes on with one turn after it."""
    calls = (ToolCall("call_probe1", PROBE_NAME, '{"probe_city": "Reykjavik"}'),) if call else ()
    messages = [Message("user", _ASK), Message("assistant", None if call else PROBE_REPLY, calls)]
    if goes_on and call:
        messages.append(Message("tool", _RESULT, tool_call_id="call_probe1", name=PROBE_NAME))
    elif goes_on:
        messages.append(Message("user", _ASK))
    return dialect.fit(messages)[0]


def _find_parts(render: Render) -> bool:
    for parts in (False, True):
        turns = [
            {"role": "user", "content": _content(_ASK, parts)},
            {"role": "assistant", "content": _content(PROBE_REPLY, parts)},
        ]
        if _says(render, turns, _ASK, PROBE_REPLY):
            return parts
    try:
        text = render([{"role": "user", "content": _ASK}, {"role": "assistant", "content": PROBE_REPLY}], (), False)
        problem = f"the chat template leaves out the text of a plain question or answer: {text!r}"
    except TemplateRefusal as refusal:
        problem = f"the chat template does not render a plain question and answer: {refusal}"
    raise ModelError(problem, remedy="use a model with a chat template for text, or remove the template to get ours")


def _says(render: Render, turns: Turns, *words: str, tools: Sequence[Mapping[str, Any]] = ()) -> bool:
    try:
        text = render(turns, tools, False)
    except TemplateRefusal:
        return False
    return all(word in text for word in words)


def _content(text: str, parts: bool) -> Any:
    return [{"type": "text", "text": text}] if parts else text


def _call_turns(as_text: bool, short: bool) -> list[dict[str, Any]]:
    call = ToolCall("call_probe1", PROBE_NAME, '{"probe_city": "Reykjavik"}')
    calls = [call_json(call, as_text=as_text, short_ids=short)]
    return [{"role": "user", "content": _ASK}, {"role": "assistant", "content": "", "tool_calls": calls}]


def _result_turns(as_text: bool, short: bool) -> list[dict[str, Any]]:
    turns = _call_turns(as_text, short)
    identifier = turns[1]["tool_calls"][0]["id"]
    return [*turns, {"role": "tool", "content": _RESULT, "tool_call_id": identifier, "name": PROBE_NAME}]


def _merge_system(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Joins neighbouring system turns: where developer becomes system, a template would refuse the second one."""
    out: list[dict[str, Any]] = []
    for turn in turns:
        if out and turn["role"] == out[-1]["role"] == "system":
            out[-1] = out[-1] | {"content": f"{out[-1]['content']}\n\n{turn['content']}"}
        else:
            out.append(turn)
    return out


def _fold_system(turns: list[dict[str, Any]], notes: dict[str, None]) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    held: list[str] = []
    for index, turn in enumerate(turns):
        if turn["role"] == "system" and any(later["role"] == "user" for later in turns[index + 1 :]):
            held.append(turn["content"])
            notes[FOLDED] = None
        elif turn["role"] == "user" and held:
            out.append(turn | {"content": "\n\n".join([*held, turn["content"]])})
            held = []
        else:
            out.append(turn)
    return out
