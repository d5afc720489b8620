"""Completions of plain text: what likelihood tasks score, and what older code calls."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from luthier.access.gate import Meter
from luthier.generation.together import all_or_none
from luthier.records.messages import Delta, Sampling, Usage
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.forwarding import forward
from luthier.server.sse import streamed
from luthier.server.wire.completions import (
    CreateCompletion,
    Scored,
    choice_json,
    completion_json,
    prompts_of,
)
from luthier.store.ids import new_id

if TYPE_CHECKING:
    from luthier.generation.served import ServedChat

MOST_REPLIES = 2048
"""Prompts times choices of one request."""


@dataclass(frozen=True)
class _One:
    """One reply to be written: to a prompt's tokens, with a seed of its own."""

    index: int
    prompt: list[int]
    echoed: str
    sampling: Sampling


@dataclass(frozen=True)
class _Asked:
    """A request that has been read."""

    body: CreateCompletion
    chat: ServedChat
    meter: Meter
    ones: tuple[_One, ...]
    tried: int
    id: str
    created: int

    @property
    def scored(self) -> bool:
        return self.body.logprobs is not None

    def usage(self, replies: Sequence[Usage | None]) -> Usage:
        """Returns the usage of the whole request: each prompt counts once, every reply that was written in full."""
        prompts = sum(len(one.prompt) for one in self.ones if one.index % self.tried == 0)
        return Usage(prompts, sum(usage.completion_tokens for usage in replies if usage is not None))

    def count(self, one: _One, usage: Usage) -> None:
        """Notes what a reply took; a prompt counts with the first of its replies."""
        first = one.index % self.tried == 0
        read, known = (usage.prompt_tokens, usage.cached_tokens) if first else (0, 0)
        self.meter.add(self.body.model, read, usage.completion_tokens, known)


async def create(call: Call) -> Any:
    if (remote := call.server.answering.remote(call.body.model)) is not None:
        return await forward(remote, "/completions", call)
    asked = await run_in_threadpool(_read, call)
    if asked.body.stream:
        return await streamed(_stream(asked), call.deadline)
    found = await all_or_none(_whole(asked, one) for one in asked.ones)
    kept = _best(asked, found)
    usage = asked.usage([deltas[-1].usage for deltas, _ in found])
    choices = [_choice(asked, index, one, deltas, echo) for index, (one, deltas, echo) in enumerate(kept)]
    return completion_json(asked.id, asked.created, asked.body.model, choices, usage)


def _read(call: Call) -> _Asked:
    body: CreateCompletion = call.body
    kept = body.value("n")
    tried = max(kept, body.best_of or 1)
    if body.best_of is not None and body.best_of < kept:
        raise ApiError(
            f"best_of: must be at least n, {kept}. Got {body.best_of}.", code="invalid_value", param="best_of"
        )
    if body.stream and tried > kept:
        raise ApiError("best_of cannot be streamed.", code="invalid_value", param="best_of")
    chat = call.server.answering.here(body.model, call.project)
    prompts = prompts_of(body)
    if len(prompts) * tried > MOST_REPLIES:
        raise ApiError(
            f"{len(prompts)} prompts with {tried} replies each are more than {MOST_REPLIES} at once.",
            code="invalid_value",
            param="prompt",
        )
    limit = body.value("max_tokens")
    logprobs = 0 if tried > kept and body.logprobs is None else body.logprobs
    sampling = body.sampling(max_tokens=max(1, limit), top_logprobs=logprobs)
    ones = []
    for number, prompt in enumerate(prompts):
        tokens = chat.plain(prompt)
        chat.service.engine.check(tokens, f"prompt {number}", room=1 if limit else 0)
        for place in range(tried):
            seed = None if sampling.seed is None else sampling.seed + place
            echoed = prompt if isinstance(prompt, str) else chat.text(tokens)
            ones.append(_One(number * tried + place, tokens, echoed, replace(sampling, seed=seed)))
    return _Asked(body, chat, call.meter, tuple(ones), tried, new_id("cmpl-"), int(time.time()))


async def _deltas(asked: _Asked, one: _One) -> AsyncIterator[Delta]:
    """Yields the pieces of a reply. The token that ends it is no part of the text, but it has its log-probability:
    likelihood tasks ask for one token after the prompt, and leave out the last."""
    if asked.body.max_tokens == 0:
        asked.count(one, Usage(len(one.prompt), 0))
        yield Delta(finish_reason="length", usage=Usage(len(one.prompt), 0))
        return
    usage, written = None, 0
    try:
        async with aclosing(asked.chat.reply(one.prompt, one.sampling, scope=asked.meter.key.project)) as pieces:
            async for delta in pieces:
                usage, written = delta.usage or usage, written + len(delta.token_ids)
                yield delta
    finally:
        if usage is not None or written:
            asked.count(one, usage or Usage(len(one.prompt), written))


async def _whole(asked: _Asked, one: _One) -> tuple[list[Delta], list[Scored]]:
    """Returns the reply's pieces, and the prompt's tokens with their log-probabilities where both are asked for."""
    deltas = [delta async for delta in _deltas(asked, one)]
    return deltas, await run_in_threadpool(_echo, asked, one)


def _echo(asked: _Asked, one: _One) -> list[Scored]:
    if not (asked.body.echo and asked.scored):
        return []
    ranked = asked.chat.rank(one.prompt, asked.body.logprobs or 0, scope=asked.meter.key.project)
    return [Scored(one.prompt[0], None, ()), *(Scored(each.token, each.logprob, each.ranked) for each in ranked)]


def _best(asked: _Asked, found: list[tuple[list[Delta], list[Scored]]]) -> list[tuple[_One, list[Delta], list[Scored]]]:
    """Returns the replies that are shown: of each prompt's, the n with the highest mean log-probability."""
    kept = []
    for start in range(0, len(found), asked.tried):
        group = [(asked.ones[place], *found[place]) for place in range(start, start + asked.tried)]
        if asked.tried > (asked.body.n or 1):
            group.sort(key=lambda one: -_mean([value for delta in one[1] for value in delta.logprobs]))
        kept += group[: asked.body.n or 1]
    return kept


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _choice(asked: _Asked, index: int, one: _One, deltas: list[Delta], echo: list[Scored]) -> dict[str, Any]:
    text = "".join(delta.text for delta in deltas)
    scored = [*echo, *_scored(deltas)] if asked.scored else None
    offset = 0 if asked.body.echo else len(one.echoed)
    return choice_json(
        index,
        one.echoed + text if asked.body.echo else text,
        scored,
        asked.chat.token_bytes,
        deltas[-1].finish_reason,
        offset=offset,
    )


def _scored(deltas: list[Delta]) -> list[Scored]:
    return [
        Scored(token, value, ranked)
        for delta in deltas
        for token, value, ranked in zip(
            delta.token_ids, delta.logprobs, delta.top_logprobs or [()] * len(delta.logprobs), strict=True
        )
    ]


async def _stream(asked: _Asked) -> AsyncIterator[dict[str, Any]]:
    usages = []
    for one in asked.ones:
        offset = len(one.echoed)
        if asked.body.echo:
            echo = await run_in_threadpool(_echo, asked, one)
            choice = choice_json(one.index, one.echoed, echo if asked.scored else None, asked.chat.token_bytes, None)
            yield completion_json(asked.id, asked.created, asked.body.model, [choice], None)
        async with aclosing(_deltas(asked, one)) as deltas:  # type: ignore[type-var]
            async for delta in deltas:
                scored = _scored([delta]) if asked.scored else None
                choice = choice_json(
                    one.index, delta.text, scored, asked.chat.token_bytes, delta.finish_reason, offset=offset
                )
                offset += len(delta.text)
                yield completion_json(asked.id, asked.created, asked.body.model, [choice], None)
                usages.append(delta.usage)
    if asked.body.stream_options is not None and asked.body.stream_options.include_usage:
        yield completion_json(asked.id, asked.created, asked.body.model, [], asked.usage(usages))


ENDPOINTS = (Endpoint("POST", "/completions", create, CreateCompletion, counted="completions"),)
