"""One engine for many callers: everyone gets what they would get alone, and nobody waits for the others' end."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest
from test_mixed_adapters import adapter_in

from luthier.errors import BusyError, EngineError, ModelError
from luthier.generation import service as room
from luthier.generation.engine import Engine
from luthier.generation.passes import Passes
from luthier.generation.service import Service
from luthier.records.messages import Sampling


def until(holds, timeout_s=10.0):
    """Waits until `holds()`, and fails where it does not."""
    for _ in range(int(timeout_s / 0.01)):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to that")


@pytest.fixture
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


def test_callers_at_once_get_what_they_would_get_alone(service, tiny, tokenizer, prompts):
    engine = Engine(tiny("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)
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
    until(lambda: service.waiting == 0)


def test_a_prompt_that_does_not_fit_is_refused_at_once(service):
    with pytest.raises(ModelError, match="no room"):
        asyncio.run(tokens_of(service, [1] * 100_000, Sampling()))


def break_passes(monkeypatch):
    def broken(*_):
        raise RuntimeError("a kernel failed")

    monkeypatch.setattr(Passes, "__call__", broken)


def test_an_engine_that_breaks_tells_everyone_and_begins_again(service, prompts, monkeypatch):
    monkeypatch.setattr(room, "AGAIN_S", 0.05)
    before = asyncio.run(tokens_of(service, prompts[0], Sampling(max_tokens=3)))

    async def several():
        asked = [tokens_of(service, prompt, Sampling(max_tokens=40)) for prompt in prompts]
        return await asyncio.gather(*asked, return_exceptions=True)

    with monkeypatch.context() as patched:
        break_passes(patched)
        failed = asyncio.run(several())
        assert all(isinstance(one, EngineError) and "has stopped" in str(one) for one in failed)
        assert service.down is not None
        with pytest.raises(EngineError, match="begins again"):
            asyncio.run(tokens_of(service, prompts[0], Sampling()))
    until(lambda: service.down is None)
    assert service.is_alive
    assert asyncio.run(tokens_of(service, prompts[0], Sampling(max_tokens=3))) == before


def test_an_engine_that_stays_broken_stays_down(service, prompts, monkeypatch):
    monkeypatch.setattr(room, "AGAIN_S", 0.01)
    break_passes(monkeypatch)
    with pytest.raises(EngineError):
        asyncio.run(tokens_of(service, prompts[0], Sampling(max_tokens=2)))
    threading.Event().wait(0.2)
    assert service.down is not None
    assert service.is_alive


def test_too_many_waiting_are_refused(engine, prompts):
    service = Service(engine, most_waiting=1)

    async def two():
        first = service.stream(prompts[0], Sampling(max_tokens=50))
        await anext(first)
        with pytest.raises(BusyError, match="try again"):
            await tokens_of(service, prompts[1], Sampling())
        await first.aclose()

    asyncio.run(two())
    service.close()


def test_adapters_come_and_go_with_those_who_ask(engine, prompts, tmp_path):
    folders = [str(adapter_in(tmp_path / name, "llama", seed)) for seed, name in enumerate("abc")]
    engine.adapters.most = 2
    service = Service(engine)

    async def through(folder):
        return [
            token
            async for delta in service.stream(prompts[0], Sampling(max_tokens=4), adapter=folder)
            for token in delta.token_ids
        ]

    async def story():
        replies = [await through(folder) for folder in (*folders[:2], folders[0], folders[2])]
        assert engine.adapters.names == (folders[0], folders[2]), "the one unused the longest went"
        assert replies[0] == replies[2]
        assert await through(folders[1]) == replies[1]
        with pytest.raises(ModelError):
            await through(str(tmp_path / "nothing"))
        assert await through(folders[1]) == replies[1], "only the one who asked was told"

    asyncio.run(story())
    service.close()


def test_scores_and_states_are_told_beside_replies(service, tiny, tokenizer, prompts):
    other = Engine(tiny("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)

    async def all_at_once():
        return await asyncio.gather(
            tokens_of(service, prompts[0], Sampling(max_tokens=20)),
            asyncio.to_thread(service.rank, prompts[1][:1], prompts[1][1:], 3),
            asyncio.to_thread(service.encode, prompts[2]),
        )

    _, ranked, state = asyncio.run(all_at_once())
    expected = other.rank_tokens(prompts[1][:1], prompts[1][1:], 3)
    assert [one.logprob for one in ranked] == pytest.approx([one.logprob for one in expected], abs=1e-5)
    assert state == pytest.approx(other.encode_tokens([prompts[2]])[0].tolist(), abs=1e-5)


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
