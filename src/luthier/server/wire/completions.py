"""Completions of plain text on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from luthier.records.messages import Ranked, Usage
from luthier.server.wire.body import Refused
from luthier.server.wire.chat import FINGERPRINT, SamplingIn
from luthier.server.wire.logprobs import LEAST, TokenBytes
from luthier.server.wire.values import Token

MOST_TOKENS = 1_000_000
MOST_STOPS = 16
"""More than the four of chats: what tasks that are written for base models end their replies at."""
ItemT = TypeVar("ItemT")
Many = Annotated[list[ItemT], Field(min_length=1, max_length=MOST_TOKENS, fail_fast=True)]


class CreateCompletion(SamplingIn):
    """A completion as it is asked for: the prompt is text or tokens, or several of either."""

    prompt: str | Many[Token] | Many[str] | Many[Many[Token]]
    stop: str | Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=MOST_STOPS)] | None = None
    max_tokens: int | None = Field(default=16, ge=0, le=1_000_000)
    logprobs: int | None = Field(default=None, ge=0, le=20)
    echo: bool | None = None
    best_of: int | None = Field(default=None, ge=1, le=20)
    refused: ClassVar[Mapping[str, Refused]] = {
        "suffix": Refused("the models here write what follows, not what stands in between"),
    }


def prompts_of(asked: CreateCompletion) -> list[str | list[int]]:
    """Returns the prompts of a request, one by one."""
    if isinstance(asked.prompt, str):
        return [asked.prompt]
    tokens = [part for part in asked.prompt if isinstance(part, int)]
    return [tokens] if tokens else [part for part in asked.prompt if not isinstance(part, int)]


class Scored:
    """A token of a completion with its log-probability (None for the first token of a prompt) and the likeliest."""

    __slots__ = ("logprob", "ranked", "token")

    def __init__(self, token: int, logprob: float | None, ranked: Ranked) -> None:
        self.token, self.logprob, self.ranked = token, logprob, ranked


def choice_json(
    index: int, text: str, scored: Sequence[Scored] | None, bytes_of: TokenBytes, reason: str | None, *, offset: int = 0
) -> dict[str, Any]:
    """Returns one choice; `offset` is where its first token stands in the whole text."""
    return {
        "index": index,
        "text": text,
        "logprobs": None if scored is None else _logprobs(scored, bytes_of, offset),
        "finish_reason": reason,
    }


def completion_json(
    id: str, created: int, model: str, choices: Sequence[Mapping[str, Any]], usage: Usage | None
) -> dict[str, Any]:
    """Returns a completion, or a piece of a streamed one when there is no `usage`."""
    out = {
        "id": id,
        "object": "text_completion",
        "created": created,
        "model": model,
        "choices": list(choices),
        "system_fingerprint": FINGERPRINT,
    }
    if usage is not None:
        out["usage"] = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
    return out


def shown(content: bytes) -> str:
    """Returns a token's text; the bytes themselves where they are no whole characters."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in content)


def _logprobs(scored: Sequence[Scored], bytes_of: TokenBytes, offset: int) -> dict[str, Any]:
    texts, offsets = [], []
    for one in scored:
        content = bytes_of(one.token)
        texts.append(shown(content))
        offsets.append(offset)
        offset += 0 if one.token in bytes_of.special else len(content.decode(errors="ignore"))
    return {
        "tokens": texts,
        "token_logprobs": [None if one.logprob is None else max(one.logprob, LEAST) for one in scored],
        "top_logprobs": [
            None if one.logprob is None else {shown(bytes_of(token)): max(value, LEAST) for token, value in one.ranked}
            for one in scored
        ],
        "text_offset": offsets,
    }
