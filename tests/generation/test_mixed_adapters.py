"""Many adapters in one pass: every text comes out as from a model with its own adapter inserted."""

from __future__ import annotations

import random

import pytest
import torch
from tiny_models import tiny_model

from luthier.errors import CapacityError, ModelError, Unshared
from luthier.generation.engine import Engine
from luthier.models.adapters import load_adapter, save_adapter
from luthier.models.lora import LoraShape, insert_lora, linear_layers
from luthier.records.messages import Sampling

ENDINGS = {
    "llama": ("q_proj", "v_proj", "o_proj", "down_proj", "gate_proj"),
    "gpt2": ("c_attn", "c_proj", "c_fc"),
}


def adapter_in(folder, kind, seed, *, rank=4, endings=None, dora=False):
    """Writes an adapter with weights of its own and returns its folder."""
    model = tiny_model(kind)
    names = [name for name in linear_layers(model) if name.rpartition(".")[2] in (endings or ENDINGS[kind])]
    shape = LoraShape(r=rank, alpha=8.0, use_dora=dora)
    generator = torch.Generator().manual_seed(seed)
    for layer in insert_lora(model, names, shape, generator):
        with torch.no_grad():
            layer.lora_B.copy_(torch.randn(layer.lora_B.shape, generator=generator))
    save_adapter(model, folder, "base")
    return folder


def engine_of(model, tokenizer):
    return Engine(model, tokenizer, stop_ids=frozenset(), context_length=128)


def alone(kind, folder, tokenizer, prompt, sampling):
    model = tiny_model(kind)
    if folder is not None:
        load_adapter(model, folder)
    return engine_of(model, tokenizer).generate([prompt], sampling)[0]


def prompts_of(lengths):
    draw = random.Random(0)
    return [[draw.randrange(7, 320) for _ in range(length)] for length in lengths]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_mixed_adapters_answer_as_each_would_alone(tmp_path, tokenizer, kind):
    ranks, endings = {"a": 4, "b": 2, "c": 8}, {"c": ENDINGS[kind][:1]}
    folders = {
        name: adapter_in(tmp_path / name, kind, seed, rank=rank, endings=endings.get(name))
        for seed, (name, rank) in enumerate(ranks.items())
    }
    engine = engine_of(tiny_model(kind), tokenizer)
    for name, folder in folders.items():
        engine.adapters.add(name, folder)
    prompts = prompts_of([5, 40, 3, 17, 9, 21, 1, 12])
    adapters = ["a", None, "b", "c", "a", "b", None, "c"]
    sampling = Sampling(max_tokens=12, logprobs=True)
    together = engine.generate(prompts, sampling, adapters=adapters)
    for prompt, name, reply in zip(prompts, adapters, together, strict=True):
        expected = alone(kind, folders.get(name), tokenizer, prompt, sampling)
        assert reply.token_ids == expected.token_ids
        assert reply.logprobs == pytest.approx(expected.logprobs, abs=1e-4)


def test_one_prompt_under_two_adapters_shares_no_state(tmp_path, tokenizer):
    folders = {name: adapter_in(tmp_path / name, "llama", seed) for seed, name in enumerate("ab")}
    engine = engine_of(tiny_model("llama"), tokenizer)
    for name, folder in folders.items():
        engine.adapters.add(name, folder)
    prompt = prompts_of([90])[0]
    replies = engine.generate([prompt] * 3, Sampling(max_tokens=6), adapters=["a", "b", None])
    expected = [
        alone("llama", folder, tokenizer, prompt, Sampling(max_tokens=6)) for folder in (*folders.values(), None)
    ]
    assert [reply.token_ids for reply in replies] == [reply.token_ids for reply in expected]
    assert len({reply.token_ids for reply in replies}) == 3


def test_an_adapter_that_is_dropped_leaves_the_model_as_it_was(tmp_path, tokenizer):
    model, prompt = tiny_model("llama"), prompts_of([20])[0]
    engine = engine_of(model, tokenizer)
    before = engine.generate([prompt], Sampling(max_tokens=8))
    engine.adapters.add("a", adapter_in(tmp_path / "a", "llama", 1))
    first = engine.generate([prompt], Sampling(max_tokens=8), adapters=["a"])
    engine.adapters.drop("a")
    assert engine.generate([prompt], Sampling(max_tokens=8)) == before
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(ModelError, match=r"'a' is not loaded"):
        engine.generate([prompt], Sampling(max_tokens=8), adapters=["a"])
    engine.adapters.add("a", adapter_in(tmp_path / "other", "llama", 2))
    assert engine.generate([prompt], Sampling(max_tokens=8), adapters=["a"]) != first


def test_what_cannot_share_the_model_is_refused(tmp_path, tokenizer):
    engine = engine_of(tiny_model("llama"), tokenizer)
    with pytest.raises(Unshared, match="DoRA"):
        engine.adapters.add("d", adapter_in(tmp_path / "d", "llama", 1, dora=True))
    with pytest.raises(Unshared, match="lm_head"):
        engine.adapters.add("h", adapter_in(tmp_path / "h", "llama", 1, endings=("lm_head",)))
    with pytest.raises(ModelError, match="c_attn"):
        engine.adapters.add("g", adapter_in(tmp_path / "g", "gpt2", 1))
    hybrid = engine_of(tiny_model("hybrid"), tokenizer)
    with pytest.raises(Unshared, match="one text at a time"):
        hybrid.adapters.add("a", tmp_path / "d")
    assert engine.adapters.names == ()


def test_there_is_a_limit(tmp_path, tokenizer):
    engine = engine_of(tiny_model("llama"), tokenizer)
    engine.adapters.most = 1
    folder = adapter_in(tmp_path / "a", "llama", 1)
    engine.adapters.add("a", folder)
    with pytest.raises(CapacityError, match="1 adapters are loaded"):
        engine.adapters.add("b", folder)
    with pytest.raises(ModelError, match="loaded already"):
        engine.adapters.add("a", folder)
