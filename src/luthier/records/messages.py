"""Messages, replies, and the `Model` and `Chat` contracts that every way of answering implements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast, get_args

Role = Literal["system", "developer", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = get_args(Role)
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Ranked = tuple[tuple[int, float], ...]
"""Tokens with their natural log-probabilities, likeliest first."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of function `name`; `arguments` is JSON text, as the OpenAI API writes it."""

    id: str
    name: str
    arguments: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `weight` 0 keeps an assistant turn out of the loss, None leaves the choice to the reader's default."""

    role: Role
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    reasoning_content: str | None = None
    weight: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the turn as the OpenAI API writes it, without the fields that are not set."""
        out: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            out["tool_calls"] = [call.to_json() for call in self.tool_calls]
        for name in ("tool_call_id", "name", "reasoning_content", "weight"):
            value = getattr(self, name)
            if value is not None:
                out[name] = value
        return out

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Message:
        """Returns the turn that `to_json` wrote. Rows from outside are read by `records.formats`, which checks them."""
        calls = tuple(
            ToolCall(call.get("id") or "", call["function"]["name"], call["function"]["arguments"])
            for call in value.get("tool_calls") or ()
        )
        return cls(
            role=cast("Role", value["role"]),
            content=value.get("content"),
            tool_calls=calls,
            tool_call_id=value.get("tool_call_id"),
            name=value.get("name"),
            reasoning_content=value.get("reasoning_content"),
            weight=value.get("weight"),
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn. `temperature` 0 is greedy; `stop` strings end the reply and are not part of it.

    Penalties lower the logit of a token by how often it is in the reply so far (frequency) and once if it is there at
    all (presence); `logit_bias` adds to the logits of tokens. `top_logprobs` likeliest tokens come with each token.
    A `grammar` (llguidance's text, as `luthier.generation.grammar` writes it) is what the reply must follow.
    """

    max_tokens: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in and out of one reply; `cached_tokens` of the prompt had been read for another text."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a reply as it streams; the last one carries `finish_reason` and `usage`.

    `top_logprobs` are, for each token, (token, natural log-probability) of the likeliest ones, likeliest first.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    top_logprobs: tuple[Ranked, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. `logprobs` has one natural log-probability per token of `token_ids`, or is empty."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    finish_reason: FinishReason = "stop"
    usage: Usage = Usage(0, 0)
    top_logprobs: tuple[Ranked, ...] = ()


class Model(Protocol):
    """A language model by tokens or text."""

    async def complete(self, prompt: Sequence[int] | str, sampling: Sampling) -> Reply:
        """Returns the continuation of `prompt`."""

    async def score(self, prompt: Sequence[int] | str, continuation: Sequence[int] | str) -> tuple[float, ...]:
        """Returns the natural log-probability of each token of `continuation` after `prompt`."""

    async def encode(self, text: Sequence[int] | str) -> tuple[float, ...]:
        """Returns the last hidden state at the last token of `text`, one number a dimension of the model."""


class Chat(Protocol):
    """Anything that answers messages: a template over a model, a remote endpoint, retrieval around either."""

    def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> AsyncIterator[Delta]:
        """Yields the reply piece by piece."""
