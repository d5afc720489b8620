"""Finds out what another server does: small requests, a few at a time, each with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

from luthier.errors import RemoteError
from luthier.generation import checks
from luthier.generation.checks import CHECKS, HOT, LIMIT, MESSAGES, PROMPT, Check, Place, Said, Seen
from luthier.generation.findings import CHAT, COMPLETIONS, EMBEDDINGS, Finding, Findings, State
from luthier.generation.remote import Remote
from luthier.generation.together import all_or_none

REQUEST_S, WHOLE_S = 30.0, 90.0
"""How long one request may take, and all of them."""
TOGETHER = 4
MOST = 120
"""Characters of what a server says that are kept."""
QUESTIONS: Mapping[str, Mapping[str, Any]] = {CHAT: {"messages": MESSAGES}, COMPLETIONS: {"prompt": PROMPT}}
BUSY = frozenset({0, 408, 429, 502, 503, 504})
"""Answers that say nothing about what was asked: none at all, or that it was too much at once."""
Told = Callable[[int, int], None]


async def probe(
    remote: Remote, told: Told = lambda done, total: None, *, request_s: float = REQUEST_S, whole_s: float = WHOLE_S
) -> Findings:
    """Returns what the model of `remote` was seen to do. `told` hears (experiments done, of how many), and may raise.

    `RemoteError` when the server does not answer, does not know the key or the model, or writes no text.
    """
    work = _Probe(remote, told, request_s)
    try:
        return await work.run(whole_s)
    finally:
        await remote.close()


class _Probe:
    """One probing of one model: what was found so far."""

    def __init__(self, remote: Remote, told: Told, request_s: float) -> None:
        self.remote, self.told, self.request_s = remote, told, request_s
        self.found: dict[tuple[str, str], Finding] = {}
        self.done = 0
        self.total = 2 + sum(len(some) for some in CHECKS.values())
        self.gate = asyncio.Semaphore(TOGETHER)

    async def run(self, whole_s: float) -> Findings:
        deadline = asyncio.get_running_loop().time() + whole_s
        self.told(0, self.total)
        places = await self._places(whole_s)
        pairs = [(place, check) for place in places for check in CHECKS[place.path]]
        pairs.sort(key=lambda pair: CHECKS[pair[0].path].index(pair[1]))  # each endpoint in turn
        work = [self._note("stream with usage", CHAT, (), self._stream()) for one in places if one.path == CHAT]
        await self._all([*work, *(self._check(place, check) for place, check in pairs)], deadline)
        return Findings(self.remote.model, tuple(self.found.values()))

    async def _places(self, whole_s: float) -> list[Place]:
        """Returns the endpoints that answer. `RemoteError` when there is none, or when they are out of reach."""
        vectors = self._note("embeddings", EMBEDDINGS, (), self._vectors())
        asked = asyncio.gather(*(self._place(path) for path in CHECKS), vectors, return_exceptions=True)
        try:
            async with asyncio.timeout(whole_s):
                outcomes = await asked
        except TimeoutError:
            raise self._late(whole_s) from None
        places: list[Place] = []
        refused: list[RemoteError] = []
        for path, outcome in zip(CHECKS, outcomes, strict=False):
            if isinstance(outcome, Place):
                places.append(outcome)
            elif isinstance(outcome, RemoteError) and outcome.status not in BUSY | {401, 403}:
                refused.append(outcome)
                self._away(path, outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
        if not places and self.found["embeddings", EMBEDDINGS].state != "honoured":
            raise refused[0]
        return places

    async def _all(self, work: list[Any], deadline: float) -> None:
        """Does the work within the time there is; what is left by then is unclear."""
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            while tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
                done, _ = await asyncio.wait(tasks, timeout=min(left, 0.5), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                tasks = [task for task in tasks if not task.done()]
                self.told(self.done, self.total)  # also in quiet moments: it may want to stop
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.told(self.total, self.total)

    async def _place(self, path: str) -> Place:
        """Returns an endpoint with what it answers to nothing in particular. `RemoteError` when it does not answer."""

        async def say(**keys: Any) -> Said:
            return await self._say(path, keys)

        first, second = await all_or_none([say(), say()])
        drawn: tuple[Said, ...] = ()
        try:
            drawn = tuple(await all_or_none(say(seed=seed, temperature=HOT) for seed in (1, 1, 2)))
        except RemoteError as error:
            if error.status in BUSY:
                raise
        return Place(path, self._limit_key(path), say, (first, second), drawn)

    async def _say(self, path: str, keys: Mapping[str, Any]) -> Said:
        body = {**QUESTIONS[path], self._limit_key(path): LIMIT, "temperature": 0, **keys}
        return Said.of(await self._send(path, body))

    async def _send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self.gate:
            answer: dict[str, Any] = await self._within(self.remote.send(path, body))
            return answer

    async def _within(self, work: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self.request_s):
                return await work
        except TimeoutError:
            raise self._late(self.request_s) from None

    def _late(self, seconds: float) -> RemoteError:
        return RemoteError(
            f"does not answer within {seconds:g} s",
            where=self.remote.label,
            remedy="check that it runs, or wait longer",
        )

    def _limit_key(self, path: str) -> str:
        return self.remote.limit_key if path == CHAT else "max_tokens"

    async def _check(self, place: Place, check: Check) -> None:
        name, keys, experiment = check
        if name == "max_tokens":
            keys = (place.limit_key,)
        if experiment is checks.seed and not place.drawn:
            experiment = _again
        await self._note(name, place.path, keys, experiment(place))

    async def _note(self, name: str, path: str, keys: tuple[str, ...], work: Awaitable[Seen]) -> None:
        self._keep(name, path, keys, "unclear", "there was no time for it")
        try:
            state, detail = await work
        except RemoteError as error:
            state = "unclear" if error.status in BUSY else "refused"
            detail = error.problem[:MOST]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            state, detail = "unclear", "the answer has another form"
        self._keep(name, path, keys, state, detail)
        self.done += 1

    def _keep(self, name: str, path: str, keys: tuple[str, ...], state: State, detail: str) -> None:
        self.found[name, path] = Finding(name, path, keys, state, detail)

    def _away(self, path: str, error: RemoteError) -> None:
        """Notes that an endpoint is not there; nothing more is asked of it, and what asks it gets its own words."""
        self._keep("answers at all", path, (), "refused", error.problem[:MOST])
        self.done += len(CHECKS[path])

    async def _vectors(self) -> Seen:
        answer = await self._send(EMBEDDINGS, {"input": "a fiddle"})
        return ("honoured", "") if answer["data"][0]["embedding"] else ("ignored", "no vector came")

    async def _stream(self) -> Seen:
        body = {
            "messages": MESSAGES,
            self.remote.limit_key: 4,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

        async def read() -> list[dict[str, Any]]:
            async with aclosing(self.remote.events(CHAT, body)) as events:
                return [event async for event in events]

        async with self.gate:
            events = await self._within(read())
        if not any(event.get("choices") for event in events):
            return "ignored", "the answer does not come in pieces"
        counted = any(event.get("usage") for event in events)
        return ("honoured", "") if counted else ("ignored", "the stream does not say its usage")


async def _again(place: Place) -> Seen:
    """Asks with a seed once more, where that was refused, to hear why."""
    await place.say(seed=1, temperature=HOT)
    return "unclear", "it was refused and then taken"
