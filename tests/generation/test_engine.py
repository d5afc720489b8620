from __future__ import annotations

import asyncio
import random

import pytest
import torch

from luthier.errors import CapacityError, ModelError, SpecError
from luthier.generation.decode import Forward
from luthier.generation.engine import Engine, _usual_memory
from luthier.generation.text import decode
from luthier.records.messages import Sampling


def prompts_of(lengths, seed=0):
    numbers = random.Random(seed)
    return [[numbers.randrange(7, 320) for _ in range(length)] for length in lengths]


LENGTHS = [5, 17, 3, 30, 9, 9, 2, 21, 12]


@pytest.fixture(scope="module")
def engine(tiny, tokenizer):
    return Engine(tiny("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)


def alone(model, prompt, count):
    tokens = torch.tensor([prompt])
    out = model.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        max_new_tokens=count,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=2,
    )
    return tuple(out[0, len(prompt) :].tolist())


def engine_with(model, tokenizer, tokens, **options):
    """An engine whose memory holds `tokens` tokens."""
    size = Engine(model, tokenizer, stop_ids=frozenset({2}), context_length=128).token_bytes
    return Engine(
        model, tokenizer, stop_ids=frozenset({2}), context_length=128, kv_memory_bytes=size * tokens, **options
    )


@pytest.mark.parametrize("kind", ["llama", "gemma3", "hybrid"])
def test_greedy_replies_are_those_of_generate_for_each_prompt_alone(tiny, tokenizer, kind):
    model, prompts = tiny(kind), prompts_of(LENGTHS)
    samplings = [Sampling(max_tokens=3 + 5 * (i % 4)) for i in range(len(prompts))]
    expected = [alone(model, prompt, sampling.max_tokens) for prompt, sampling in zip(prompts, samplings, strict=True)]
    for budget in (64, 200, 10_000):
        engine = engine_with(model, tokenizer, budget)
        assert [reply.token_ids for reply in engine.generate(prompts, samplings)] == expected


@pytest.mark.parametrize("kind", ["llama", "gemma3", "hybrid"])
def test_long_replies_are_the_same_in_rows_that_grow(tiny, tokenizer, kind):
    model, prompts = tiny(kind), prompts_of([5, 40, 3])
    expected = [alone(model, prompt, 85) for prompt in prompts]
    for budget in (128, 10_000):  # the smaller one has room for one reply at its end
        engine = engine_with(model, tokenizer, budget)
        assert [reply.token_ids for reply in engine.generate(prompts, Sampling(max_tokens=85))] == expected


def test_sampled_replies_do_not_depend_on_the_batch(tiny, tokenizer):
    model, prompts = tiny("llama"), prompts_of(LENGTHS)
    samplings = [Sampling(max_tokens=8, temperature=0.9, top_p=0.95, seed=i) for i in range(len(prompts))]
    answers = []
    for budget in (64, 10_000):
        engine = engine_with(model, tokenizer, budget)
        answers.append([reply.token_ids for reply in engine.generate(prompts, samplings)])
    assert answers[0] == answers[1]


def first_token(engine, prompt):
    return engine.generate([prompt], Sampling(max_tokens=1))[0].token_ids[0]


def test_stop_token_counts_but_is_not_text(tiny, tokenizer):
    model, prompt = tiny("llama"), prompts_of([8])[0]
    free = Engine(model, tokenizer, stop_ids=frozenset(), context_length=128)
    tokens = free.generate([prompt], Sampling(max_tokens=6))[0].token_ids
    stop = tokens[3]
    reply = Engine(model, tokenizer, stop_ids=frozenset({stop}), context_length=128).generate(
        [prompt], Sampling(max_tokens=6, logprobs=True)
    )[0]
    end = tokens.index(stop) + 1
    assert reply.finish_reason == "stop"
    assert reply.token_ids == tokens[:end]
    assert len(reply.logprobs) == end
    assert reply.text == decode(tokenizer, tokens[: end - 1])
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (8, end)


def test_stop_text_over_token_borders(engine, tokenizer):
    prompt = prompts_of([8], seed=3)[0]
    whole = engine.generate([prompt], Sampling(max_tokens=12))[0].text
    stop = whole[3:6]
    shown: list[str] = []
    reply = engine.generate([prompt], Sampling(max_tokens=12, stop=(stop,)), lambda _, delta: shown.append(delta.text))[
        0
    ]
    assert reply.text == whole[: whole.index(stop)] == "".join(shown)
    assert reply.finish_reason == "stop"
    quiet = engine.generate([prompt], Sampling(max_tokens=12, stop=(stop,)))[0]
    assert quiet == reply


def test_text_held_back_for_a_stop_text_that_never_comes_is_given_at_the_end(engine):
    prompt = prompts_of([8], seed=3)[0]
    whole = engine.generate([prompt], Sampling(max_tokens=12))[0].text
    reply = engine.generate([prompt], Sampling(max_tokens=12, stop=(whole[-2:] + "never",)))[0]
    assert (reply.text, reply.finish_reason) == (whole, "length")


def test_the_context_ends_a_reply(tiny, tokenizer):
    engine = Engine(tiny("llama"), tokenizer, stop_ids=frozenset(), context_length=16)
    replies = engine.generate(prompts_of([15, 10]), Sampling(max_tokens=50))
    assert [(len(reply.token_ids), reply.finish_reason) for reply in replies] == [(1, "length"), (6, "length")]
    assert len(engine.generate(prompts_of([4]), Sampling())[0].token_ids) == 12


def test_streamed_pieces_are_the_reply(engine):
    prompts = prompts_of([4, 9, 2])
    replies = engine.generate(prompts, Sampling(max_tokens=9, logprobs=True))
    heard: list[list] = [[] for _ in prompts]
    for index, delta in engine.stream(prompts, Sampling(max_tokens=9, logprobs=True)):
        heard[index].append(delta)
    for reply, deltas in zip(replies, heard, strict=True):
        assert "".join(delta.text for delta in deltas) == reply.text
        assert tuple(token for delta in deltas for token in delta.token_ids) == reply.token_ids
        assert tuple(value for delta in deltas for value in delta.logprobs) == pytest.approx(reply.logprobs, abs=1e-5)
        assert [delta.finish_reason for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
        assert (deltas[-1].finish_reason, deltas[-1].usage) == (reply.finish_reason, reply.usage)


def test_logprobs_agree_with_scoring(engine):
    prompt = prompts_of([10])[0]
    reply = engine.generate([prompt], Sampling(max_tokens=8, logprobs=True))[0]
    assert reply.logprobs == pytest.approx(engine.score_tokens(prompt, reply.token_ids), abs=1e-5)
    assert engine.score_tokens(prompt, []) == ()


@pytest.mark.parametrize(
    ("prompts", "match"),
    [
        ([[5], []], "prompt 1: holds no token"),
        ([[5] * 128], "leave no room"),
        ([[5, 320]], "token 320"),
        ([[-1]], "token"),
    ],
)
def test_impossible_prompts_are_refused_before_anything_runs(engine, prompts, match):
    heard = []
    with pytest.raises(ModelError, match=match):
        engine.generate(prompts, Sampling(max_tokens=2), lambda *event: heard.append(event))
    assert not heard
    with pytest.raises(SpecError, match="max_tokens"):
        engine.generate([[5]], Sampling(max_tokens=0))


def test_no_prompts_give_no_replies(engine):
    assert engine.generate([], Sampling()) == []


def test_dropout_is_off_while_answering_and_back_after(tiny, tokenizer):
    model = tiny("gpt2").train()
    engine = Engine(model, tokenizer, stop_ids=frozenset(), context_length=64)
    prompt = prompts_of([6])[0]
    expected = alone(tiny("gpt2"), prompt, 5)
    stream = engine.stream([prompt], Sampling(max_tokens=5))
    next(stream)
    assert not model.training
    stream.close()
    assert model.training
    assert engine.generate([prompt], Sampling(max_tokens=5))[0].token_ids[: len(expected)] == expected


def test_a_listener_that_raises_ends_the_work(engine):
    def stop(index, delta):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.generate([[5, 6]], Sampling(max_tokens=9), stop)


def test_grad_mode_is_the_callers_between_tokens(engine):
    for _ in engine.stream([[5, 6]], Sampling(max_tokens=3)):
        assert torch.is_grad_enabled()


def test_memory_errors_name_the_option(engine, monkeypatch):
    monkeypatch.setattr(Forward, "packed", lambda *_, **__: (_ for _ in ()).throw(torch.OutOfMemoryError("no")))
    with pytest.raises(CapacityError, match="kv_memory"):
        engine.generate([[5]], Sampling(max_tokens=2))


def test_the_model_contract(engine, tokenizer):
    async def both():
        return await engine.complete("the bow", Sampling(max_tokens=4)), await engine.score("the bow", " and")

    reply, scores = asyncio.run(both())
    prompt = tokenizer.encode("the bow")
    assert reply == engine.generate([prompt], Sampling(max_tokens=4))[0]
    assert scores == engine.score_tokens(prompt, tokenizer.encode(" and"))


def test_a_gpu_gives_most_of_what_is_free_to_keys_and_values(monkeypatch):
    monkeypatch.setattr("luthier.generation.engine.free_memory", lambda kind: 10**9)
    on_gpu, on_cpu = (_usual_memory(1000, 4096, torch.device(kind)) for kind in ("cuda", "cpu"))
    assert (on_gpu, on_cpu) == (850_000_000, 16_384 * 1000)
