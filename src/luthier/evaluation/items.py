"""Held-out rows as questions with a reference, and the replies of systems to them."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from luthier.errors import LuthierError, SpecError
from luthier.evaluation.metrics.metric import Answer
from luthier.records.messages import Message, Reply, Sampling, ToolCall


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a system is asked: `messages` and `tools`, or `text` that it goes on from as it stands."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    text: str | None = None

    def shown(self) -> str:
        """Returns the prompt as a person reads it."""
        if self.text is not None:
            return self.text
        return "\n".join(f"{message.role}: {_said(message)}" for message in self.messages)


@dataclass(frozen=True, slots=True)
class Item:
    """One held-out row: `index` counts the rows as given, `fingerprint` names its content, `origin` its place."""

    index: int
    fingerprint: str
    prompt: Prompt
    reference: Message
    group: str = ""
    origin: str = ""

    def answer(self) -> Answer:
        """Returns the reference as metrics read it."""
        return Answer(self.reference.content or "", self.reference.tool_calls)

    def reference_text(self) -> str:
        """Returns the reference as a person reads it, calls included."""
        return _said(self.reference)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a system said to one item. `error` is why it said nothing; then `finish_reason` is "failed"."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    error: str = ""

    @classmethod
    def of(cls, reply: Reply | LuthierError) -> Answered:
        if isinstance(reply, LuthierError):
            return cls(finish_reason="failed", error=str(reply))
        used = reply.usage
        return cls(reply.text, reply.tool_calls, reply.finish_reason, used.prompt_tokens, used.completion_tokens)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"text": self.text}
        if self.tool_calls:
            out["tool_calls"] = [call.to_json() for call in self.tool_calls]
        out |= {"finish_reason": self.finish_reason, "prompt_tokens": self.prompt_tokens, "tokens": self.tokens}
        return out | ({"error": self.error} if self.error else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Answered:
        calls = Message.from_json({"role": "assistant", "tool_calls": value.get("tool_calls")}).tool_calls
        plain = {name: value[name] for name in ("text", "finish_reason", "prompt_tokens", "tokens")}
        return cls(tool_calls=calls, error=value.get("error", ""), **plain)


OnReply = Callable[[int, Reply | LuthierError], None]


class System(Protocol):
    """One way of answering: a model with its template, retrieval around one, a remote endpoint."""

    name: str

    def answer(
        self, prompts: Sequence[Prompt], sampling: Sampling, on_reply: OnReply, between: Callable[[], None]
    ) -> None:
        """Calls `on_reply(number of the prompt, reply or error)` once for each of `prompts`, in any order.

        A prompt that cannot be answered is answered with its error. `between` is called often; what it raises ends
        the work.
        """


def items_of(
    rows: Iterable[Any], *, limit: int | None = None, seed: int = 0, plain_completions: bool = False
) -> tuple[list[Item], Counter[str]]:
    """Returns the questions in `rows` (at most `limit`, drawn by `seed`), and how many rows hold none, by reason.

    A conversation's reference is its last trained assistant turn, its prompt the turns before that. A completion is a
    user's question, or with `plain_completions` text to go on from. `SpecError` for rows of other kinds.
    """
    items: list[Item] = []
    skipped: Counter[str] = Counter()
    for index, row in enumerate(rows):
        found = _question(row, plain_completions)
        if isinstance(found, str):
            skipped[found] += 1
            continue
        prompt, reference = found
        items.append(Item(index, _fingerprint(prompt, reference), prompt, reference, row.group, str(row.origin)))
    if limit is not None and limit < len(items):
        chosen = sorted(random.Random(seed).sample(range(len(items)), limit))
        items = [items[place] for place in chosen]
    return items, skipped


def reply_limit(reference_tokens: Sequence[int]) -> int:
    """Returns the tokens a reply may have when nobody says: room for half as much again as the longest reference.

    Room beyond the longest reference is at most 512 tokens, for a model that has not learnt to stop uses all of it.
    """
    longest = max(reference_tokens, default=0)
    return longest + min(512, longest // 2 + 16)


def _question(row: Any, plain: bool) -> tuple[Prompt, Message] | str:
    if row.kind == "completion":
        reference = Message("assistant", row.completion)
        return (Prompt(text=row.prompt) if plain else Prompt((Message("user", row.prompt),))), reference
    if row.kind != "conversation":
        raise SpecError(
            f"rows of kind {row.kind!r} hold no question with a reference answer",
            where=str(row.origin) or "data",
            remedy="give conversations, or prompts with completions",
        )
    turns = enumerate(row.messages)
    last = max((place for place, turn in turns if turn.role == "assistant" and turn.weight != 0), default=None)
    if last is None:
        return "no assistant turn"
    if not any(turn.role == "user" for turn in row.messages[:last]):
        return "no user turn before the reference"
    return Prompt(tuple(row.messages[:last]), tuple(row.tools)), row.messages[last]


def _fingerprint(prompt: Prompt, reference: Message) -> str:
    content = [[turn.to_json() for turn in prompt.messages], list(prompt.tools), prompt.text, reference.to_json()]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _said(message: Message) -> str:
    calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
    return "\n".join([*([message.content] if message.content else []), *calls])
