"""Rows: the typed records that training and evaluation read.

Each record is frozen and knows `to_json`, `from_json`, `check` and `plain_text`. `kind` names it in files and errors.
Readers of the formats people have are in `records.formats`; they fill `origin` so that every later message can name
file and line. Rows that compare answers or texts are in `records.comparisons`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from luthier.records.messages import ROLES, Message


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row came from.

    `line` counts from 1: the line of a text file, the item of a JSON list, the row of a Parquet table.
    """

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


UNKNOWN = Origin()


@dataclass(frozen=True, slots=True)
class Problem:
    """What `check` finds wrong with a record: the field, the problem with its value, the remedy."""

    field: str
    problem: str
    remedy: str


class Record(Protocol):
    """One frozen row."""

    kind: ClassVar[str]

    @property
    def group(self) -> str:
        """What the row belongs to (a document, a customer); rows of one group are never split. Empty = none."""

    @property
    def origin(self) -> Origin:
        """Where the row came from."""

    def to_json(self) -> dict[str, Any]:
        """Returns the row in its canonical JSON form; `group` is the last key, left out when empty."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = ...) -> Self:
        """Returns the row that `to_json` wrote."""

    def check(self) -> Iterator[Problem]:
        """Yields what is wrong with the row; nothing when it can be used."""

    def plain_text(self) -> str:
        """Returns what tells this row from others: what was said, without system prompts and tools."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat: `messages` with roles, and the `tools` (JSON schemas) offered to the assistant."""

    kind: ClassVar[str] = "conversation"
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    parallel_tool_calls: bool | None = None
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"messages": [message.to_json() for message in self.messages]}
        if self.tools:
            out["tools"] = [dict(tool) for tool in self.tools]
        if self.parallel_tool_calls is not None:
            out["parallel_tool_calls"] = self.parallel_tool_calls
        return with_group(out, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        return cls(
            messages=messages_from_json(value["messages"]),
            tools=tuple(value.get("tools") or ()),
            parallel_tool_calls=value.get("parallel_tool_calls"),
            group=value.get("group", ""),
            origin=origin,
        )

    def check(self) -> Iterator[Problem]:
        if not self.messages:
            yield Problem("messages", "is empty", "give at least one user and one assistant message")
            return
        yield from check_messages("messages", self.messages)
        if not any(message.role == "assistant" and message.weight != 0 for message in self.messages):
            yield Problem("messages", "no assistant message is trained", "add one, or set its weight to 1")

    def plain_text(self) -> str:
        return spoken(self.messages)


@dataclass(frozen=True, slots=True)
class Completion:
    """A raw prompt and its continuation, both exactly as given; no chat template is laid over them."""

    kind: ClassVar[str] = "completion"
    prompt: str
    completion: str
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        return with_group({"prompt": self.prompt, "completion": self.completion}, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        return cls(value["prompt"], value["completion"], group=value.get("group", ""), origin=origin)

    def check(self) -> Iterator[Problem]:
        yield from check_text("completion", self.completion)

    def plain_text(self) -> str:
        return f"{self.prompt}\n{self.completion}"


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text exactly as given, for language modelling."""

    kind: ClassVar[str] = "text"
    text: str
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        return with_group({"text": self.text}, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        return cls(text=value["text"], group=value.get("group", ""), origin=origin)

    def check(self) -> Iterator[Problem]:
        yield from check_text("text", self.text)

    def plain_text(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with one `label`, or with any number of `labels` (then `label` is None)."""

    kind: ClassVar[str] = "labelled"
    text: str
    label: str | None = None
    labels: tuple[str, ...] | None = None
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"text": self.text}
        if self.label is not None:
            out["label"] = self.label
        if self.labels is not None:
            out["labels"] = list(self.labels)
        return with_group(out, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        labels = value.get("labels")
        return cls(
            text=value["text"],
            label=value.get("label"),
            labels=None if labels is None else tuple(labels),
            group=value.get("group", ""),
            origin=origin,
        )

    def check(self) -> Iterator[Problem]:
        yield from check_text("text", self.text)
        if (self.label is None) == (self.labels is None):
            found = "both label and labels" if self.labels is not None else "neither label nor labels"
            yield Problem("label", f"has {found}", "give exactly one of the two")
        if self.labels is not None and len(set(self.labels)) < len(self.labels):
            yield Problem("labels", f"names a label twice: {list(self.labels)!r}", "name each label once")

    def plain_text(self) -> str:
        return self.text


def with_group(row: dict[str, Any], group: str) -> dict[str, Any]:
    """Returns `row` with its group as the last key, or as it is when there is none."""
    return row | {"group": group} if group else row


def messages_from_json(values: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Returns the turns that `Message.to_json` wrote."""
    return tuple(Message.from_json(value) for value in values)


def spoken(messages: Sequence[Message]) -> str:
    """Returns what was said in a chat, turn by turn, without the system prompt that many rows share."""
    parts: list[str] = []
    for message in messages:
        if message.role not in ("system", "developer"):
            parts += [message.content or "", *(f"{call.name} {call.arguments}" for call in message.tool_calls)]
    return "\n".join(part for part in parts if part)


def check_text(name: str, text: str) -> Iterator[Problem]:
    """Yields a problem when `text` is blank."""
    if not text.strip():
        yield Problem(name, f"is blank: {text!r}", "give some text or remove the row")


def check_messages(name: str, messages: Sequence[Message], *, trained: bool = True) -> Iterator[Problem]:
    """Yields what is wrong with each turn, and the tool results that answer no call.

    Assistant turns that are not `trained` (they are part of a prompt) may be blank.
    """
    called: set[str] = set()
    for index, message in enumerate(messages):
        where = f"{name}[{index}]"
        yield from _check_message(where, message)
        if trained and message.role == "assistant" and message.weight != 0:
            yield from _check_reply(where, message)
        for number, call in enumerate(message.tool_calls):
            called.add(call.id)
            yield from _check_arguments(f"{where}.tool_calls[{number}].function.arguments", call.arguments)
        if message.tool_call_id is not None and message.tool_call_id not in called:
            yield Problem(
                f"{where}.tool_call_id",
                f"{message.tool_call_id!r} answers no call before it",
                "give the id of one of the tool_calls above",
            )


def _check_message(where: str, message: Message) -> Iterator[Problem]:
    if message.role not in ROLES:
        yield Problem(f"{where}.role", f"{message.role!r} is not a role", f"use one of {', '.join(ROLES)}")
    if message.content is None and not message.tool_calls:
        yield Problem(f"{where}.content", "is missing", "give the text of the turn, or its tool_calls")
    if message.weight not in (None, 0, 1):
        yield Problem(f"{where}.weight", f"{message.weight!r} is neither 0 nor 1", "use 0 or 1")
    if message.role != "assistant":
        if message.weight not in (None, 0):
            yield Problem(f"{where}.weight", f"is {message.weight!r} on a {message.role} turn", "only assistants learn")
        if message.tool_calls:
            yield Problem(f"{where}.tool_calls", f"stand on a {message.role} turn", "only assistants call tools")


def _check_reply(where: str, message: Message) -> Iterator[Problem]:
    said = (message.content or "").strip() or message.reasoning_content or message.tool_calls
    if message.content is not None and not said:
        yield Problem(f"{where}.content", f"is blank: {message.content!r}", "give a reply, or set its weight to 0")


def _check_arguments(where: str, arguments: str) -> Iterator[Problem]:
    try:
        fine = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        fine = False
    if not fine:
        shown = arguments if len(arguments) <= 60 else f"{arguments[:57]}..."
        yield Problem(where, f"is not a JSON object: {shown!r}", 'write the arguments as JSON text, such as {"x": 1}')
