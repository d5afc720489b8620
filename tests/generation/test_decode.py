"""Every way of decoding gives, row by row, what `model.generate` gives that row alone."""

from __future__ import annotations

import random

import pytest
import torch

from luthier.generation.decode import Forward, prefill, score, without

KINDS = ["llama", "qwen2", "mistral", "gemma2", "gemma3", "gpt2"]
ALL_KINDS = [*KINDS, "hybrid", "cacheless"]


def alone(model, prompt, count):
    tokens = torch.tensor([prompt])
    out = model.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        max_new_tokens=count,
        min_new_tokens=count,
        do_sample=False,
        use_cache=True,
        pad_token_id=0,
        eos_token_id=None,
    )
    return out[0, len(prompt) :].tolist()


def prompts_of(lengths, seed=0):
    numbers = random.Random(seed)
    return [[numbers.randrange(3, 320) for _ in range(length)] for length in lengths]


def greedy(logits):
    return logits.argmax(-1).tolist()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_rows_of_one_length(tiny, kind):
    model, prompts = tiny(kind), prompts_of([9, 9, 9])
    batch, logits = prefill(Forward(model), prompts)
    replies = [[] for _ in prompts]
    for _ in range(14):
        tokens = greedy(logits)
        for reply, token in zip(replies, tokens, strict=True):
            reply.append(token)
        logits = batch.step(tokens)
    assert replies == [alone(model, prompt, 14) for prompt in prompts]


@pytest.mark.parametrize(
    ("kind", "attention"),
    [(kind, "eager" if kind == "gemma2" else "sdpa") for kind in KINDS] + [("llama", "eager"), ("gpt2", "eager")],
)
def test_ragged_rows_that_leave_and_join(tiny, kind, attention):
    model = tiny(kind)
    model.set_attn_implementation(attention)
    forward = Forward(model)
    assert forward.pads
    # (prompt, reply length, step at which it joins): short and long, before and after the window of 8 fills
    counts, joins = [12, 3, 20, 7, 9, 15, 1], [0, 0, 0, 2, 4, 9, 9]
    plan = list(zip(prompts_of([5, 17, 11, 3, 20, 2, 9]), counts, joins, strict=True))
    replies = [[] for _ in plan]
    active, batch, logits, step = [], None, None, 0
    while active or any(not reply for reply in replies):
        joining = [i for i, (_, _, at) in enumerate(plan) if at == step]
        if joining:
            new, first = prefill(forward, [plan[i][0] for i in joining])
            if batch is None:
                batch, logits = new, first
            else:
                assert batch.grows
                batch.admit(new)
                logits = torch.cat([logits, first])
            active += joining
        tokens = greedy(logits)
        for i, token in zip(active, tokens, strict=True):
            replies[i].append(token)
        done = [row for row, i in enumerate(active) if len(replies[i]) == plan[i][1]]
        order = without(done, len(active))
        active, tokens = [active[row] for row in order], [tokens[row] for row in order]
        if active:
            batch.keep(order)
            logits = batch.step(tokens)
        step += 1
    for reply, (prompt, count, _) in zip(replies, plan, strict=True):
        assert reply == alone(model, prompt, count)


def test_padding_common_to_all_rows_is_given_back(tiny):
    model = tiny("llama")
    batch, logits = prefill(Forward(model), prompts_of([40, 4]))
    batch.keep([1])
    assert batch.width == 4
    tokens = greedy(logits)[1:]
    assert greedy(batch.step(tokens)) == alone(model, prompts_of([40, 4])[1], 2)[1:]


def test_stale_slots_cannot_poison_a_new_row(tiny):
    """A masked column enters the weighted sum with weight 0, and 0 * nan is nan."""
    model = tiny("llama")
    batch, logits = prefill(Forward(model), prompts_of([12, 6]))
    for layer in batch._slots.layers:
        for part in layer.slots:
            part[1] = torch.nan
    batch.keep([0])
    new, first = prefill(Forward(model), prompts_of([4], seed=5))
    batch.admit(new)
    assert torch.isfinite(batch.step([*greedy(logits)[:1], *greedy(first)])).all()


@pytest.mark.parametrize("kind", ["hybrid", "cacheless"])
def test_models_that_cannot_pad_say_so(tiny, kind):
    assert not Forward(tiny(kind)).pads


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_score_is_the_log_softmax_at_each_place(tiny, kind):
    model = tiny(kind)
    prompt, continuation = prompts_of([6, 5])
    with torch.no_grad():
        logits = model(torch.tensor([prompt + continuation])).logits[0].float()
    expected = [torch.log_softmax(logits[5 + i], -1)[token].item() for i, token in enumerate(continuation)]
    scored = score(Forward(model), prompt, continuation, ranked=3)
    assert [one.token for one in scored] == list(continuation)
    assert [one.logprob for one in scored] == pytest.approx(expected, abs=1e-5)
    assert all(len(one.ranked) == 3 and one.ranked[0][1] >= one.logprob - 1e-6 for one in scored)


def test_no_gradient_is_kept(tiny):
    _, logits = prefill(Forward(tiny("llama")), prompts_of([3]))
    assert not logits.requires_grad


@pytest.mark.parametrize("finished", [[], [0], [4], [0, 1, 2, 3, 4], [1, 3], [2, 4]])
def test_without_keeps_the_others_and_moves_few(finished):
    order = without(finished, 5)
    assert sorted(order) == [row for row in range(5) if row not in finished]
    assert sum(new != old for new, old in enumerate(order)) <= len(finished)
