"""One engine for many callers: everyone gets what they would get alone, and nobody waits for the others' end."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest

from luthier.errors import BusyError, ModelError
from luthier.generation import service as room
from luthier.generation.engine import Engine
from luthier.generation.service import Service
from luthier.records.messages import Sampling


@pytest.fixture(scope="module")
def engine(tiny, tokenizer):
    return Engine(tiny("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)


@pytest.fixture
def prompts():
    draw = random.Random(0)
    return [[draw.randrange(7, 320) for _ in range(length)] for length in (5, 17, 3, 30, 9)]


@pytest.fixture
def service(engine):
    made = Service(engine, threading.Lock())
    yield made
    made.close()


async def tokens_of(service, prompt, sampling):
    return [token async for delta in service.stream(prompt, sampling) for token in delta.token_ids]


def test_callers_at_once_get_what_they_would_get_alone(service, engine, prompts):
    samplings = [Sampling(max_tokens=5 + row, temperature=row % 2, seed=row) for row in range(len(prompts))]

    async def everyone():
        waiting = []
        for prompt, sampling in zip(prompts, samplings, strict=True):
            waiting.append(asyncio.create_task(tokens_of(service, prompt, sampling)))
            await asyncio.sleep(0.002)
        return await asyncio.gather(*waiting)

    alone = [engine.generate([prompt], sampling)[0] for prompt, sampling in zip(prompts, samplings, strict=True)]
    assert asyncio.run(everyone()) == [list(reply.token_ids) for reply in alone]


def test_a_reply_begins_while_another_is_written(service, prompts):
    banned = tuple((token, -100.0) for token in service.engine.stop_ids)

    async def two():
        long = service.stream(prompts[0], Sampling(max_tokens=60, logit_bias=banned))
        await anext(long)
        short = await tokens_of(service, prompts[1], Sampling(max_tokens=3))
        left = [delta async for delta in long]
        return len(short), len(left)

    assert asyncio.run(two()) == (3, 59)


def test_a_reply_that_nobody_waits_for_is_given_up(service, prompts):
    async def leave():
        stream = service.stream(prompts[0], Sampling(max_tokens=10_000))
        await anext(stream)
        await stream.aclose()
        return await tokens_of(service, prompts[1], Sampling(max_tokens=2))

    assert len(asyncio.run(leave())) == 2
    for _ in range(200):
        if not service._sinks:
            break
        threading.Event().wait(0.01)
    assert service._sinks == {}


def test_a_prompt_that_does_not_fit_is_refused_at_once(service):
    with pytest.raises(ModelError, match="no room"):
        asyncio.run(tokens_of(service, [1] * 100_000, Sampling()))


def test_an_engine_that_breaks_says_so_and_goes_on(service, engine, prompts, monkeypatch):
    def broken(*_):
        raise RuntimeError("a kernel failed")

    monkeypatch.setattr(room.Engine, "_join", broken)
    with pytest.raises(RuntimeError, match="a kernel failed"):
        asyncio.run(tokens_of(service, prompts[0], Sampling(max_tokens=2)))
    monkeypatch.undo()
    assert len(asyncio.run(tokens_of(service, prompts[0], Sampling(max_tokens=2)))) == 2


def test_too_many_waiting_are_refused(service, prompts, monkeypatch):
    monkeypatch.setattr(room, "MOST_WAITING", 0)
    with pytest.raises(BusyError, match="try again"):
        asyncio.run(tokens_of(service, prompts[0], Sampling()))


def test_a_service_that_is_closed_finishes_what_it_has_and_takes_no_more(engine, prompts):
    service = Service(engine)

    async def close_meanwhile():
        stream = service.stream(prompts[0], Sampling(max_tokens=8))
        first = await anext(stream)
        service.close()
        return [first, *[delta async for delta in stream]]

    assert len(asyncio.run(close_meanwhile())) <= 8
    with pytest.raises(BusyError, match="unloaded"):
        asyncio.run(tokens_of(service, prompts[0], Sampling(max_tokens=2)))
    service._thread.join(10)
    assert not service._thread.is_alive()
