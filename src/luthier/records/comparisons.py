"""Rows that compare: two answers (preference), one answer and a vote, two texts (pair), three texts (triplet)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from luthier.records.examples import (
    UNKNOWN,
    Origin,
    Problem,
    check_messages,
    check_text,
    messages_from_json,
    spoken,
    with_group,
)
from luthier.records.messages import Message


@dataclass(frozen=True, slots=True)
class Preference:
    """A prompt (`messages`, may be empty) with the answer people chose and the one they rejected."""

    kind: ClassVar[str] = "preference"
    messages: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "messages": [message.to_json() for message in self.messages],
            "chosen": [message.to_json() for message in self.chosen],
            "rejected": [message.to_json() for message in self.rejected],
        }
        if self.tools:
            out["tools"] = [dict(tool) for tool in self.tools]
        return with_group(out, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        return cls(
            messages=messages_from_json(value["messages"]),
            chosen=messages_from_json(value["chosen"]),
            rejected=messages_from_json(value["rejected"]),
            tools=tuple(value.get("tools") or ()),
            group=value.get("group", ""),
            origin=origin,
        )

    def check(self) -> Iterator[Problem]:
        yield from check_messages("messages", self.messages, trained=False)
        yield from _check_answer("chosen", self.chosen)
        yield from _check_answer("rejected", self.rejected)
        if self.chosen and self.chosen == self.rejected:
            yield Problem("rejected", "is the same as chosen", "remove the row: it prefers nothing")

    def plain_text(self) -> str:
        return spoken((*self.messages, *self.chosen, *self.rejected))


@dataclass(frozen=True, slots=True)
class Vote:
    """A prompt (`messages`), one answer to it (`completion`), and whether people found it good (`label`)."""

    kind: ClassVar[str] = "vote"
    messages: tuple[Message, ...]
    completion: tuple[Message, ...]
    label: bool
    tools: tuple[Mapping[str, Any], ...] = ()
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "messages": [message.to_json() for message in self.messages],
            "completion": [message.to_json() for message in self.completion],
            "label": self.label,
        }
        if self.tools:
            out["tools"] = [dict(tool) for tool in self.tools]
        return with_group(out, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        return cls(
            messages=messages_from_json(value["messages"]),
            completion=messages_from_json(value["completion"]),
            label=value["label"],
            tools=tuple(value.get("tools") or ()),
            group=value.get("group", ""),
            origin=origin,
        )

    def check(self) -> Iterator[Problem]:
        yield from check_messages("messages", self.messages, trained=False)
        yield from _check_answer("completion", self.completion)

    def plain_text(self) -> str:
        return spoken((*self.messages, *self.completion))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, and how alike they are (`score`, in the unit of the data); None when they simply belong together."""

    kind: ClassVar[str] = "pair"
    first: str
    second: str
    score: float | None = None
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"first": self.first, "second": self.second}
        if self.score is not None:
            out["score"] = self.score
        return with_group(out, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        score = value.get("score")
        return cls(value["first"], value["second"], score, group=value.get("group", ""), origin=origin)

    def check(self) -> Iterator[Problem]:
        yield from check_text("first", self.first)
        yield from check_text("second", self.second)
        if self.score is not None and not math.isfinite(self.score):
            yield Problem("score", f"is {self.score!r}", "give a finite number")

    def plain_text(self) -> str:
        return f"{self.first}\n{self.second}"


@dataclass(frozen=True, slots=True)
class Triplet:
    """A text (`anchor`), one that belongs to it, and one that does not."""

    kind: ClassVar[str] = "triplet"
    anchor: str
    positive: str
    negative: str
    group: str = ""
    origin: Origin = field(default=UNKNOWN, compare=False)

    def to_json(self) -> dict[str, Any]:
        row = {"anchor": self.anchor, "positive": self.positive, "negative": self.negative}
        return with_group(row, self.group)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], origin: Origin = UNKNOWN) -> Self:
        texts = (value["anchor"], value["positive"], value["negative"])
        return cls(*texts, group=value.get("group", ""), origin=origin)

    def check(self) -> Iterator[Problem]:
        for name, text in (("anchor", self.anchor), ("positive", self.positive), ("negative", self.negative)):
            yield from check_text(name, text)
        if self.positive == self.negative:
            yield Problem("negative", "is the same as positive", "remove the row: it tells nothing apart")

    def plain_text(self) -> str:
        return f"{self.anchor}\n{self.positive}\n{self.negative}"


def _check_answer(name: str, messages: tuple[Message, ...]) -> Iterator[Problem]:
    if not messages:
        yield Problem(name, "is empty", "give the assistant's answer")
        return
    yield from check_messages(name, messages, trained=False)
    for index, message in enumerate(messages):
        if not (message.content or message.reasoning_content or "").strip() and not message.tool_calls:
            yield Problem(
                f"{name}[{index}].content", f"is blank: {message.content!r}", "give an answer, or remove the row"
            )
    if messages[-1].role != "assistant":
        yield Problem(name, f"ends with a {messages[-1].role} turn", "end it with the assistant's answer")
