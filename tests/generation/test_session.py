"""Any interleaving of requests, cancels, adapters and grammars gives each request what it would get alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_mixed_adapters import adapter_in
from tiny_models import tiny_model

from luthier.errors import ModelError, SpecError
from luthier.generation import session
from luthier.generation.decode import Forward
from luthier.generation.engine import Engine
from luthier.generation.grammar import json_grammar
from luthier.records.messages import Sampling

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"enum": ["x", "yy"]}},
    "required": ["a", "b"],
}
COMMON = [11 + place * 7 % 300 for place in range(50)]


@dataclass(frozen=True)
class Ask:
    """One request: what it asks for, when it comes, and after how many tokens its caller leaves."""

    prompt: tuple[int, ...]
    sampling: Sampling
    adapter: str | None
    scope: str
    at: int
    leaves: int | None


samplings = st.builds(
    Sampling,
    max_tokens=st.integers(1, 12),
    temperature=st.sampled_from([0.0, 0.0, 0.8]),
    top_p=st.sampled_from([1.0, 0.9]),
    top_k=st.sampled_from([0, 5]),
    seed=st.integers(0, 5),
    logprobs=st.booleans(),
    frequency_penalty=st.sampled_from([0.0, 0.5]),
    grammar=st.sampled_from([None, None, json_grammar(SCHEMA)]),
)
prompts = st.builds(
    lambda shared, own: (*COMMON[:shared], *own),
    st.sampled_from([0, 33, 50]),
    st.lists(st.integers(7, 319), min_size=1, max_size=20),
)
asks = st.builds(
    Ask,
    prompt=prompts,
    sampling=samplings,
    adapter=st.sampled_from([None, None, "a", "b"]),
    scope=st.sampled_from("pq"),
    at=st.integers(0, 12),
    leaves=st.sampled_from([None, None, None, 0, 3]),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory, tokenizer):
    """Returns engines of one model with two adapters: by how many tokens their memory holds, and whether they share."""
    root = tmp_path_factory.mktemp("adapters")
    folders = {name: adapter_in(root / name, "llama", seed) for seed, name in enumerate("ab")}

    def make(tokens, **options):
        model = tiny_model("llama")
        size = Engine(model, tokenizer, stop_ids=frozenset({2}), context_length=128).token_bytes
        engine = Engine(
            model, tokenizer, stop_ids=frozenset({2}), context_length=128, kv_memory_bytes=size * tokens, **options
        )
        for name, folder in folders.items():
            engine.adapters.add(name, folder)
        return engine

    return make(4096, reuse=False), [make(128, pass_tokens=16), make(600, pass_tokens=24), make(4096)]


def alone(engine, ask):
    return engine.generate([ask.prompt], ask.sampling, adapters=[ask.adapter])[0]


def interleaved(engine, wishes):
    """Returns the replies (None for those whose caller left) of requests that come and go while passes run."""
    drafts, heard = {}, {}
    with engine.session() as session:
        step = 0
        while step <= max(ask.at for ask in wishes) or not session.is_idle:
            for place, ask in enumerate(wishes):
                if ask.at == step:
                    draft = engine.drafts(
                        [ask.prompt], ask.sampling, streaming=True, adapters=[ask.adapter], scope=ask.scope
                    )[0]
                    drafts[place], heard[place] = draft, 0
                    session.add(draft)
            for request, what in session.step():
                assert not isinstance(what, Exception), what
                place = next(one for one, draft in drafts.items() if draft is request)
                heard[place] += 1
            for place, ask in enumerate(wishes):
                if place in drafts and ask.leaves is not None and heard[place] >= ask.leaves:
                    drafts[place].abandoned = True
            assert session.memory.used_bytes <= session.memory.budget_bytes
            step += 1
        assert not session.scheduler.running
        assert not session.scheduler.waiting
    return [drafts[place].reply() if drafts[place].finish_reason else None for place in range(len(wishes))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wishes=st.lists(asks, min_size=1, max_size=7), which=st.integers(0, 2))
def test_everyone_gets_what_they_would_get_alone(made, wishes, which):
    reference, engines = made
    for ask, reply in zip(wishes, interleaved(engines[which], wishes), strict=True):
        if reply is None:
            assert ask.leaves is not None
            continue
        expected = alone(reference, ask)
        assert reply.token_ids == expected.token_ids
        assert reply.text == expected.text
        assert reply.finish_reason == expected.finish_reason
        assert reply.logprobs == pytest.approx(expected.logprobs, abs=1e-4)
        if ask.sampling.grammar is not None and reply.finish_reason == "stop":
            assert set(json.loads(reply.text)) == {"a", "b"}


def test_scores_after_a_text_that_is_known_are_all_there(tokenizer):
    engine = Engine(tiny_model("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128, pass_tokens=16)
    fresh = Engine(tiny_model("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128, reuse=False)
    requests = [engine.scoring(COMMON[:at], COMMON[at:], 2) for at in (1, 20, 40, 49)]
    encoding = engine.encoding(COMMON)
    with engine.session() as session:
        for request in engine.drafts([COMMON], Sampling(max_tokens=1), streaming=False) + requests + [encoding]:
            session.add(request)
            while not session.is_idle:
                session.step()
    for at, request in zip((1, 20, 40, 49), requests, strict=True):
        expected = fresh.rank_tokens(COMMON[:at], COMMON[at:], 2)
        assert [one.logprob for one in request.found] == pytest.approx([one.logprob for one in expected], abs=1e-5)
    assert encoding.found.tolist() == pytest.approx(fresh.encode_tokens([COMMON])[0].tolist(), abs=1e-4)


def test_requests_for_the_same_prompt_read_it_once(tokenizer):
    engine = Engine(tiny_model("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)
    prompt, figures = COMMON[:48], None
    drafts = engine.drafts([prompt] * 4, Sampling(max_tokens=3), streaming=False)
    with engine.session() as session:
        for draft in drafts:
            session.add(draft)
        while not session.is_idle:
            session.step()
        figures = session.figures
    assert figures.prompt_tokens == 4 * 48
    assert figures.reused_tokens == 3 * 47
    assert figures.completion_tokens == sum(len(draft.tokens) for draft in drafts)
    assert sum(figures.ended.values()) == 4
    assert sum(figures.first_token.counts) == 4
    assert sum(figures.next_token.counts) == figures.completion_tokens - 4


def test_a_text_whose_logits_are_not_numbers_fails_alone(tokenizer, monkeypatch):
    engine = Engine(tiny_model("llama"), tokenizer, stop_ids=frozenset(), context_length=128)
    good, bad = engine.drafts([[5, 6, 7], [9, 9, 9]], Sampling(max_tokens=4), streaming=False)
    original = Forward.packed

    def poisoned(self, tokens, places, kept):
        logits = original(self, tokens, places, kept)
        return torch.where((tokens[kept] == 9)[:, None], torch.nan, logits)

    monkeypatch.setattr(Forward, "packed", poisoned)
    failed = []
    with engine.session() as session:
        session.add(good)
        session.add(bad)
        while not session.is_idle:
            failed += [(request, what) for request, what in session.step() if isinstance(what, Exception)]
    assert [request for request, _ in failed] == [bad]
    assert isinstance(failed[0][1], ModelError)
    assert len(good.tokens) == 4


def test_a_grammar_that_gives_up_fails_alone(tokenizer, monkeypatch):
    engine = Engine(tiny_model("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)
    samplings = [Sampling(max_tokens=4, grammar=grammar) for grammar in (None, json_grammar(SCHEMA))]
    good, bad = engine.drafts([[5, 6, 7], [9, 9, 9]], samplings, streaming=False)
    monkeypatch.setattr(bad.matcher, "mask", lambda: (_ for _ in ()).throw(SpecError("too complex")))
    with engine.session() as running:
        running.add(good)
        running.add(bad)
        events = []
        while not running.is_idle:
            events += running.step()
    assert [request for request, what in events if isinstance(what, SpecError)] == [bad]
    assert len(good.tokens) == 4


def test_masks_are_made_while_the_model_computes(tokenizer, monkeypatch):
    engine = Engine(tiny_model("llama"), tokenizer, stop_ids=frozenset({2}), context_length=128)
    order = []
    submit = session._GRAMMARS.submit

    def asked(*work):
        order.append("mask")
        return submit(*work)

    monkeypatch.setattr(session._GRAMMARS, "submit", asked)
    original = Forward.packed
    monkeypatch.setattr(Forward, "packed", lambda *given: (order.append("pass"), original(*given))[1])
    engine.generate([[5, 6]], Sampling(max_tokens=4, grammar=json_grammar(SCHEMA)))
    assert order[:4] == ["mask", "pass", "mask", "pass"]
