from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from luthier.errors import ModelError, SpecError
from luthier.generation.sample import (
    biased,
    check_sampling,
    draw,
    filtered,
    generator_for,
    is_plain,
    likeliest,
)
from luthier.records.messages import Sampling


def logits_of(seed, rows=4, vocabulary=50):
    return torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed)) * 3


def draw_one(logits, sampling):
    return draw(logits[None], [sampling], [generator_for(sampling)])[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    temperature=st.floats(0.2, 3.0),
    top_k=st.integers(0, 60),
    top_p=st.floats(0.05, 1.0),
    min_p=st.floats(0.0, 0.9),
)
def test_filters_agree_with_transformers(seed, temperature, top_k, top_p, min_p):
    """transformers' processors are the oracle, one after the other in its order."""
    logits = logits_of(seed, rows=2)
    expected = TemperatureLogitsWarper(temperature)(None, logits)
    if top_k:
        expected = TopKLogitsWarper(top_k)(None, expected)
    if top_p < 1:
        expected = TopPLogitsWarper(top_p)(None, expected)
    if min_p > 0:
        expected = MinPLogitsWarper(min_p)(None, expected)
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    kept, tokens = filtered(logits, [sampling] * 2)
    by_token = torch.zeros_like(kept).scatter(1, tokens, kept)
    assert torch.allclose(by_token, torch.softmax(expected, -1), atol=2e-6)


def test_greedy_takes_the_likeliest_and_uses_no_random_numbers():
    logits = logits_of(1)
    drawn = draw(logits, [Sampling()] * 4, [None] * 4)
    assert [one.token for one in drawn] == logits.argmax(-1).tolist()
    assert [(one.logprob, one.ranked) for one in drawn] == [(None, ())] * 4


def test_logprobs_are_those_of_the_model_before_any_filter():
    logits = logits_of(2)
    bias = ((3, 5.0), (7, -100.0))
    sampling = Sampling(temperature=2.0, top_k=3, seed=1, logit_bias=bias, logprobs=True, top_logprobs=4)
    drawn = draw(logits, [sampling] * 4, [generator_for(sampling) for _ in range(4)])
    every = torch.log_softmax(logits, -1)
    for row, one in enumerate(drawn):
        assert one.logprob == pytest.approx(every[row, one.token].item(), abs=1e-6)
        best, names = every[row].topk(4)
        assert [token for token, _ in one.ranked] == names.tolist()
        assert [value for _, value in one.ranked] == pytest.approx(best.tolist(), abs=1e-6)


def test_rows_that_ask_for_different_ranks_get_their_own():
    samplings = [Sampling(), Sampling(logprobs=True), *(Sampling(logprobs=True, top_logprobs=n) for n in (1, 20))]
    drawn = draw(logits_of(5), samplings, [None] * 4)
    assert [len(one.ranked) for one in drawn] == [0, 0, 1, 20]
    assert [one.logprob is None for one in drawn] == [True, False, False, False]


def test_penalties_and_biases_are_those_of_the_equation():
    logits = logits_of(6)
    replies = [[1, 1, 2], [1, 1, 2], [], [4]]
    samplings = [
        Sampling(frequency_penalty=0.5),
        Sampling(frequency_penalty=-1.0, presence_penalty=2.0, logit_bias=((2, -100.0), (9, 3.0), (5_000, 1.0))),
        Sampling(frequency_penalty=2.0),
        Sampling(),
    ]
    expected = logits.clone()
    expected[0, 1] -= 1.0
    expected[0, 2] -= 0.5
    expected[1, 1] -= -2.0 + 2.0
    expected[1, 2] -= -1.0 + 2.0 + 100.0
    expected[1, 9] += 3.0
    assert torch.allclose(biased(logits, samplings, replies), expected)
    assert torch.equal(logits, logits_of(6))
    drawn = draw(logits, samplings, [None] * 4, replies)
    assert [one.token for one in drawn] == expected.argmax(-1).tolist()


def test_a_row_is_drawn_alike_in_every_batch():
    logits = logits_of(3, rows=6)
    samplings = [Sampling(temperature=0.3 * (row + 1), top_p=0.9, min_p=0.01, seed=row) for row in range(6)]
    together = draw(logits, samplings, [generator_for(sampling) for sampling in samplings])
    assert together == [draw_one(row, sampling) for row, sampling in zip(logits, samplings, strict=True)]


def test_draws_follow_the_probabilities():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2, 1e-9]]))
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(4)
    for _ in range(3000):
        counts[draw(logits, [Sampling(temperature=1.0)], [generator])[0].token] += 1
    assert counts[3] == 0
    assert (counts / 3000)[:3].tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_a_seed_repeats_and_no_seed_varies():
    logits = torch.zeros(1, 10_000)
    assert draw_one(logits[0], Sampling(temperature=1.0, seed=7)) == draw_one(
        logits[0], Sampling(temperature=1.0, seed=7)
    )
    assert len({draw_one(logits[0], Sampling(temperature=1.0)).token for _ in range(5)}) > 1
    assert draw_one(logits[0], Sampling(temperature=1.0, seed=-3)).token >= 0


def test_huge_vocabulary_keeps_its_tail():
    """Sums of many small probabilities round above 1; top_p 1 must still drop nothing."""
    kept, _ = filtered(logits_of(0, rows=1, vocabulary=200_000) / 3, [Sampling(temperature=1.0)])
    assert (kept > 0).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_not_numbers_are_refused(bad):
    logits = logits_of(4)
    logits[1, 5] = bad
    with pytest.raises(ModelError, match="not numbers"):
        draw(logits, [Sampling()] * 4, [None] * 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_p", -0.1),
        ("top_p", 1.5),
        ("top_k", -1),
        ("min_p", 2.0),
        ("max_tokens", 0),
        ("stop", ("a", "")),
    ],
)
def test_impossible_sampling_is_refused_by_name(name, value):
    with pytest.raises(SpecError, match=name) as caught:
        check_sampling(Sampling(**{name: value}))
    assert caught.value.param == name


@given(
    seed=st.integers(0, 1000),
    spread=st.sampled_from([0.1, 1.0, 5.0]),
    temperature=st.sampled_from([0.5, 1.0, 2.0]),
    top_k=st.sampled_from([0, 1, 5, 8, 9, 40, 64, 100]),
    top_p=st.sampled_from([0.1, 0.5, 0.9, 0.99, 1.0]),
    min_p=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_few_candidates_are_filtered_as_all_tokens_would_be(seed, spread, temperature, top_k, top_p, min_p):
    logits = (torch.randn(2, 64, generator=torch.Generator().manual_seed(seed)) * spread).round(decimals=1)  # with ties
    asked = [
        Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p),
        Sampling(temperature=1.0, top_k=3),
    ]
    spreads = []
    for candidates in (8, 64):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("luthier.generation.sample._CANDIDATES", candidates)
            probabilities, tokens = filtered(logits, asked)
        spreads.append(torch.zeros(2, 64).scatter(1, tokens, probabilities))
    assert torch.allclose(spreads[0], spreads[1], atol=1e-6)


def test_the_likeliest_tokens_are_told_beside_which_rows_are_numbers():
    logits = torch.tensor([[0.0, 3.0, 1.0], [math.nan, 0.0, 0.0], [2.0, 2.0, math.inf], [5.0, 5.0, -math.inf]])
    sound, tokens = likeliest(logits)
    assert sound == [True, False, False, True]
    assert (tokens[0], tokens[3]) == (1, 0)


@pytest.mark.parametrize(
    ("sampling", "plain"),
    [
        (Sampling(), True),
        (Sampling(max_tokens=5, stop=("x",), top_p=0.5), True),
        (Sampling(temperature=0.5), False),
        (Sampling(logprobs=True), False),
        (Sampling(logit_bias=((3, 1.0),)), False),
        (Sampling(frequency_penalty=0.1), False),
        (Sampling(presence_penalty=-0.1), False),
    ],
)
def test_plain_is_what_takes_the_likeliest_token_and_asks_for_nothing_else(sampling, plain):
    assert is_plain(sampling) is plain
