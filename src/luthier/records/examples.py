"""Rows: the typed records that training and evaluation read.

Each record is frozen and knows `to_json`, `from_json` and `check`. `kind` names it in files and errors. Readers of the
formats people have are in `records.formats`; they fill `origin` so that every later message can name file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from luthier.records.messages import ROLES, Message


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row came from. `line` counts from 1: a line of text, an item of a JSON list, a row of a table."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """What `check` finds wrong with a record: the field, the problem with its value, the remedy."""

    field: str
    problem: str
    remedy: str


class Record(Protocol):
    """One frozen row."""

    kind: ClassVar[str]
    origin: Origin

    def to_json(self) -> dict[str, Any]:
        """Returns the row in its canonical JSON form."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = ...) -> Self:
        """Returns the row that `to_json` wrote."""

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the row; nothing when it can be used."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat: `messages` with roles, and the `tools` (JSON schemas) offered to the assistant."""

    kind: ClassVar[str] = "conversation"
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    parallel_tool_calls: bool | None = None
    group: str = ""
    origin: Origin = field(default=Origin(), compare=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"messages": [message.to_json() for message in self.messages]}
        if self.tools:
            out["tools"] = [dict(tool) for tool in self.tools]
        if self.parallel_tool_calls is not None:
            out["parallel_tool_calls"] = self.parallel_tool_calls
        return out | ({"group": self.group} if self.group else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = Origin()) -> Self:
        return cls(
            messages=tuple(Message.from_json(message) for message in value["messages"]),
            tools=tuple(value.get("tools") or ()),
            parallel_tool_calls=value.get("parallel_tool_calls"),
            group=value.get("group", ""),
            origin=origin,
        )

    def check(self) -> Iterator[Problem]:
        if not self.messages:
            yield Problem("messages", "is empty", "give at least one user and one assistant message")
        for index, message in enumerate(self.messages):
            yield from _check_message(f"messages[{index}]", message)
        if self.messages and not any(message.role == "assistant" and message.weight != 0 for message in self.messages):
            yield Problem("messages", "no assistant message is trained", "add one, or set its weight to 1")


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, for language modelling."""

    kind: ClassVar[str] = "text"
    text: str
    group: str = ""
    origin: Origin = field(default=Origin(), compare=False)

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text} | ({"group": self.group} if self.group else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = Origin()) -> Self:
        return cls(text=value["text"], group=value.get("group", ""), origin=origin)

    def check(self) -> Iterator[Problem]:
        if not self.text.strip():
            yield Problem("text", f"is blank: {self.text!r}", "give some text or remove the row")


def _check_message(field_name: str, message: Message) -> Iterator[Problem]:
    if message.role not in ROLES:
        yield Problem(f"{field_name}.role", f"{message.role!r} is not a role", f"use one of {', '.join(ROLES)}")
    if message.content is None and not message.tool_calls:
        yield Problem(f"{field_name}.content", "is missing", "give the text of the turn, or its tool_calls")
    if message.weight not in (None, 0, 1):
        yield Problem(f"{field_name}.weight", f"{message.weight!r} is neither 0 nor 1", "use 0 or 1")
