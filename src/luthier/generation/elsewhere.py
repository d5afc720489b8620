"""Many prompts to a model of another server: its replies, and the log-probabilities of given texts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from luthier.errors import RemoteError
from luthier.generation.chat import Prompt
from luthier.generation.findings import COMPLETIONS
from luthier.generation.remote import Remote, RemoteChat
from luthier.generation.together import all_or_none
from luthier.records.messages import Delta, Reply, Sampling, Usage

FoundT = TypeVar("FoundT")
TOGETHER = 4
ABOUT_THE_REQUEST = frozenset({400, 413, 422})


class Served:
    """A model of another server that is asked many things. `between` is called before each request, and may raise."""

    def __init__(self, remote: Remote, between: Callable[[], None] = lambda: None) -> None:
        self.remote, self.chat = remote, RemoteChat(remote)
        self._between = between
        self._logprobs = True

    async def replies(
        self, prompts: Sequence[Prompt], max_tokens: int, told: Callable[[int], None]
    ) -> list[Reply | RemoteError]:
        """Returns the greedy reply to each of `prompts`, or why that one has none; with log-probabilities if it gives
        any. `told` hears how many are there. `RemoteError` when the server itself fails."""
        first = [await self._reply(prompts[0], max_tokens)] if prompts else []  # finds out about log-probabilities
        told(len(first))
        rest = await self._each([self._reply(prompt, max_tokens) for prompt in prompts[1:]], lambda n: told(n + 1))
        return [*first, *rest]

    async def scores(
        self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], told: Callable[[int], None]
    ) -> list[tuple[float, ...]] | None:
        """Returns the log-probability of each token of a continuation after its prompt, both as token ids; None when
        the server does not score prompts."""
        if not pairs or (first := await self._score(*pairs[0])) is None:
            return None
        told(1)
        rest = await self._each([self._score(*pair) for pair in pairs[1:]], lambda n: told(n + 1))
        found = [first, *rest]
        return None if any(one is None for one in found) else [one for one in found if one is not None]

    async def _each(self, work: Sequence[Coroutine[Any, Any, FoundT]], told: Callable[[int], None]) -> list[FoundT]:
        gate, done = asyncio.Semaphore(TOGETHER), 0

        async def one(step: Coroutine[Any, Any, FoundT]) -> FoundT:
            nonlocal done
            async with gate:
                found = await step
            done += 1
            told(done)
            return found

        try:
            return await all_or_none(one(step) for step in work)
        finally:
            for step in work:
                step.close()  # those that had not begun

    async def _reply(self, prompt: Prompt, max_tokens: int) -> Reply | RemoteError:
        self._between()
        sampling = Sampling(max_tokens=max_tokens, logprobs=self._logprobs)
        try:
            return await self._streamed(prompt, sampling)
        except RemoteError as error:
            if error.status not in ABOUT_THE_REQUEST:
                raise
            if not sampling.logprobs:
                return error
        try:
            reply = await self._streamed(prompt, Sampling(max_tokens=max_tokens))
        except RemoteError as error:
            if error.status not in ABOUT_THE_REQUEST:
                raise
            return error
        self._logprobs = False
        return reply

    async def _streamed(self, prompt: Prompt, sampling: Sampling) -> Reply:
        async with aclosing(self.chat.stream(prompt.messages, sampling, prompt.tools)) as pieces:
            deltas: list[Delta] = [delta async for delta in pieces]
        return Reply(
            text="".join(delta.text for delta in deltas),
            tool_calls=deltas[-1].tool_calls,
            token_ids=tuple(token for delta in deltas for token in delta.token_ids),
            logprobs=tuple(value for delta in deltas for value in delta.logprobs),
            finish_reason=deltas[-1].finish_reason or "stop",
            usage=deltas[-1].usage or Usage(0, 0),
        )

    async def _score(self, prompt: Sequence[int], continuation: Sequence[int]) -> tuple[float, ...] | None:
        self._between()
        tokens = [*prompt, *continuation]
        body = {"prompt": tokens, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        try:
            answer = await self.remote.send(COMPLETIONS, body)
            values = answer["choices"][0]["logprobs"]["token_logprobs"][len(prompt) : len(tokens)]
            found = tuple(float(value) for value in values)
        except RemoteError as error:
            if error.status == 0:
                raise
            return None
        except (IndexError, KeyError, TypeError, ValueError):
            return None
        return found if len(found) == len(continuation) else None
