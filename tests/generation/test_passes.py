"""Every way of running passes gives, text by text, what the model gives that text alone."""

from __future__ import annotations

import random

import pytest
import torch
from tiny_models import tiny_model

from luthier.errors import ModelError
from luthier.generation.decode import Alone
from luthier.generation.engine import Engine
from luthier.generation.memory import StateMemory
from luthier.generation.passes import Part, Passes
from luthier.generation.steps import STAND_IN
from luthier.models.attention import use_packed_attention

KINDS = ["llama", "qwen2", "mistral", "gemma2", "gemma3", "gpt2"]
ALL_KINDS = [*KINDS, "hybrid", "cacheless"]


def texts_of(lengths, seed=0):
    numbers = random.Random(seed)
    return [[numbers.randrange(3, 320) for _ in range(length)] for length in lengths]


def whole(model, text):
    with torch.no_grad():
        return model(torch.tensor([text])).logits[0].float()


def read(runner, texts, cuts, seed=0):
    """Reads each text in pieces of its own, several texts a pass, and returns the logits after every token."""
    memory = StateMemory(runner.shape, runner.shape.token_bytes * 8192, 128)
    rows = [memory.take(len(text)) for text in texts]
    filled, found = [0] * len(texts), [[] for _ in texts]
    draw = random.Random(seed)
    while any(done < len(text) for done, text in zip(filled, texts, strict=True)):
        open_ = [i for i, text in enumerate(texts) if filled[i] < len(text)]
        chosen = draw.sample(open_, draw.randint(1, len(open_)))
        parts = []
        for i in chosen:
            size = min(draw.choice(cuts), len(texts[i]) - filled[i])
            parts.append(Part(rows[i], texts[i][filled[i] : filled[i] + size], filled[i], range(size)))
        logits = runner(parts)
        for i, part in zip(chosen, parts, strict=True):
            size = len(part.tokens)
            found[i].append(logits[:size].clone())
            logits = logits[size:]
            filled[i] += size
    return [torch.cat(one) for one in found]


@pytest.fixture(params=["tensors", "numbers"])
def way(request, monkeypatch):
    """How attention is told of rows: a CPU's way, and by a stand-in the one of a GPU."""
    if request.param == "numbers":
        monkeypatch.setattr("luthier.generation.passes.way_of", lambda device: STAND_IN)
    return request.param


@pytest.mark.parametrize(
    ("kind", "attention"),  # transformers' sdpa leaves Gemma 2's bound on the scores out
    [(kind, "eager" if kind == "gemma2" else "sdpa") for kind in KINDS] + [("llama", "eager"), ("gpt2", "eager")],
)
def test_texts_read_together_in_pieces_are_as_alone(kind, attention, way):
    model = tiny_model(kind)
    model.set_attn_implementation(attention)
    texts = texts_of([5, 17, 40, 3, 70, 9, 1, 64, 33])
    runner = Passes(model)
    assert runner.eager_because is None
    with runner.attending():
        found = read(runner, texts, cuts=[1, 1, 1, 2, 7, 40])
    for text, logits in zip(texts, found, strict=True):
        expected = whole(model, text)
        assert torch.allclose(logits, expected, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("kind", ["hybrid", "cacheless"])
def test_other_models_read_one_text_at_a_time(kind):
    model = tiny_model(kind)
    with pytest.raises(ModelError):
        Passes(model)
    runner, texts = Alone(model), texts_of([9, 30])
    memory = StateMemory(runner.shape, runner.shape.token_bytes * 512, 128)
    rows = [memory.take(len(text)) for text in texts]
    with runner.attending():
        first = runner([Part(row, text[:8], 0, (7,)) for row, text in zip(rows, texts, strict=True)])
        then = runner([Part(row, text[8:9], 8, (0,)) for row, text in zip(rows, texts, strict=True)])
    for place, text in enumerate(texts):
        expected = whole(model, text[:9])
        assert torch.allclose(torch.stack([first[place], then[place]]), expected[7:9], atol=1e-4)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_score_is_the_log_softmax_at_each_place(kind, tokenizer):
    model = tiny_model(kind)
    prompt, continuation = texts_of([6, 5])
    expected = torch.log_softmax(whole(model, prompt + continuation), -1)
    engine = Engine(model, tokenizer, stop_ids=frozenset(), context_length=128)
    scored = engine.rank_tokens(prompt, continuation, ranked=3)
    assert [one.token for one in scored] == continuation
    wanted = [expected[5 + i, token].item() for i, token in enumerate(continuation)]
    assert [one.logprob for one in scored] == pytest.approx(wanted, abs=1e-5)
    assert all(len(one.ranked) == 3 and one.ranked[0][1] >= one.logprob - 1e-6 for one in scored)


def test_a_half_precision_model_is_read_alike(way):
    model = tiny_model("llama").to(torch.bfloat16)
    texts = texts_of([5, 40, 9])
    runner = Passes(model)
    with runner.attending():
        found = read(runner, texts, cuts=[1, 8])
    for text, logits in zip(texts, found, strict=True):
        expected = whole(model, text)
        assert (logits - expected).abs().max() < 0.05 * expected.abs().max()


def test_what_is_not_a_number_in_a_row_once_used_does_no_harm_after_clearing():
    model, text = tiny_model("llama"), texts_of([20])[0]
    runner = Passes(model)
    memory = StateMemory(runner.shape, runner.shape.token_bytes * 1024, 128)
    row, beside = memory.take(64), memory.take(64)
    for pair in row.slab.layers:
        for part in pair:
            part[row.index] = torch.nan
    memory.clear([row])
    with runner.attending():
        runner([Part(row, text[:4], 0), Part(beside, text[:9], 0)])
        logits = runner([Part(row, text[4:5], 4, (0,)), Part(beside, text[9:10], 9)])
    assert torch.allclose(logits, whole(model, text[:5])[-1:], atol=1e-4)


def test_the_model_has_its_own_attention_back_after():
    model, text = tiny_model("llama"), texts_of([9])[0]
    before = whole(model, text)
    runner = Passes(model)
    assert torch.equal(whole(model, text), before)
    with runner.attending(), pytest.raises(ModelError, match="answering already"), runner.attending():
        pass
    assert torch.equal(whole(model, text), before)
    with use_packed_attention(model):
        pass


def test_no_gradient_is_kept():
    model = tiny_model("llama")
    runner = Passes(model)
    memory = StateMemory(runner.shape, runner.shape.token_bytes * 512, 64)
    with runner.attending():
        assert not runner([Part(memory.take(8), [5, 6, 7], 0, (2,))]).requires_grad


def test_a_model_whose_rows_come_out_otherwise_is_refused(monkeypatch):
    """The trial sees what no list of model types can know."""
    monkeypatch.setattr("luthier.generation.runs.Run.seen", lambda self, window: None)
    with pytest.raises(ModelError, match=r"in rows, the outputs of llama differ by"):
        Passes(tiny_model("llama"))
