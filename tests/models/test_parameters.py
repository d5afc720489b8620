from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import KINDS, make_model, train_adapter
from transformers import AutoModelForCausalLM, LlamaConfig

from luthier.errors import ModelError
from luthier.models.lora import lora_layers
from luthier.models.options import ParameterOptions
from luthier.models.parameters import choose_parameters, decoder_layers


def choose(model: Any, seed: int = 0, **options: Any) -> Any:
    return choose_parameters(model, ParameterOptions(**options), generator_seed=seed)


def trained(model: Any) -> list[str]:
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def test_rank_64_on_q_and_v_of_llama_2_7b_trains_33_554_432_parameters() -> None:
    shape = LlamaConfig(
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
        vocab_size=32000,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(shape)
    chosen = choose(model, lora_r=64, target_modules=("q_proj", "v_proj"))
    assert chosen.count == 33_554_432
    assert chosen.total == 6_738_415_616 + 33_554_432


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", ["lora", "dora"])
def test_all_linear_means_attention_and_mlp_but_not_the_head(kind: str, train: str, tokens: torch.Tensor) -> None:
    model = make_model(kind)
    before = model(tokens).logits
    chosen = choose(model, train=train)
    assert list(chosen.names) == trained(model)
    assert {name.rpartition(".")[2] for name in chosen.names} == {"lora_A", "lora_B"} | (
        {"magnitude"} if train == "dora" else set()
    )
    layers = {name.rpartition(".")[2] for name in lora_layers(model)}
    assert layers == (
        {"c_attn", "c_proj", "c_fc"}
        if kind == "gpt2"
        else {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    )
    torch.testing.assert_close(model(tokens).logits, before)


def test_counts_are_the_numbers_that_are_trained() -> None:
    model = make_model("llama")
    whole = sum(parameter.numel() for parameter in model.parameters())
    chosen = choose(model, train="full")
    assert (chosen.count, chosen.total) == (whole, whole)
    chosen = choose(model, lora_r=2, target_modules=("q_proj",))
    assert (chosen.count, chosen.total) == (2 * 2 * (32 + 32), whole + 2 * 2 * (32 + 32))


@pytest.mark.parametrize("kind", KINDS)
def test_last_layers_take_the_last_blocks_and_the_norm_behind_them(kind: str) -> None:
    model = make_model(kind)
    path, _ = decoder_layers(model)
    names = choose(model, train="last_layers", num_layers_to_train=1).names
    norm = "transformer.ln_f." if kind == "gpt2" else "model.norm."
    assert all(name.startswith((f"{path}.1.", norm)) for name in names)
    assert any(name.startswith(norm) for name in names)
    assert len([n for n in names if n.startswith(f"{path}.1.")]) == len(
        list(model.get_submodule(f"{path}.1").parameters())
    )
    assert trained(model) == list(names)
    with pytest.raises(ModelError, match="has 2 layers, not 3"):
        choose(model, train="last_layers", num_layers_to_train=3)


def test_named_parameters_by_module_suffix_and_pattern() -> None:
    model = make_model("llama")
    assert choose(model, train="named", trainable_modules=("model.norm",)).names == ("model.norm.weight",)
    assert choose(model, train="named", trainable_modules=("norm",)).names == ("model.norm.weight",)
    assert len(choose(model, train="named", trainable_modules=("layers.1.mlp",)).names) == 3
    assert len(choose(model, train="named", trainable_modules=("q_proj",)).names) == 2
    assert len(choose(model, train="named", trainable_modules=("layers.*.*norm",)).names) == 4
    with pytest.raises(ModelError, match=r"'q_prj' names no parameter.*'q_proj'"):
        choose(model, train="named", trainable_modules=("model.norm", "q_prj"))


def test_head_and_embeddings() -> None:
    model = make_model("llama")
    assert choose(model, train="head").names == ("lm_head.weight",)
    assert choose(model, train="head").notes == ()
    assert choose(model, train="embeddings").names == ("model.embed_tokens.weight",)


def test_a_tied_head_says_that_the_embeddings_are_trained_too() -> None:
    for train in ("head", "embeddings"):
        model = make_model("llama", tied=True)
        chosen = choose(model, train=train)
        assert chosen.names == ("model.embed_tokens.weight",)
        assert "same weights" in chosen.notes[0]
        assert model.lm_head.weight.requires_grad
    model = make_model("llama", tied=True)
    with pytest.raises(ModelError, match="shares its weights with the embeddings"):
        choose(model, target_modules=("lm_head",))
    assert choose(make_model("llama"), target_modules=("lm_head",)).count == 16 * (32 + 320)


def test_unknown_targets_name_the_nearest() -> None:
    with pytest.raises(ModelError, match="'q_prj'; did you mean 'q_proj'"):
        choose(make_model("llama"), target_modules=("q_prj",))
    with pytest.raises(ModelError, match="no linear layer is called 'proj'"):
        choose(make_model("llama"), target_modules=("proj",))
    with pytest.raises(ModelError, match="mixes"):
        choose(make_model("llama"), target_modules=("all-linear", "q_proj"))
    assert choose(make_model("llama"), target_modules=("layers.1.mlp.up_proj",)).count == 16 * (32 + 48)


def test_an_adapter_goes_on_being_trained_as_it_is() -> None:
    model = make_model("llama")
    first = choose(model, lora_r=4)
    train_adapter(model)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    again = choose(model, seed=9, lora_r=16)
    assert again.names == first.names
    assert "goes on" in again.notes[0]
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    with pytest.raises(ModelError, match="merge the adapter first"):
        choose(model, train="full")


def test_experts_that_are_left_out_are_said() -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    shape = MixtralConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=2,
    )
    chosen = choose(MixtralForCausalLM(shape))
    assert "experts" in chosen.notes[0]
    assert {name.split(".")[-2] for name in chosen.names} == {"q_proj", "k_proj", "v_proj", "o_proj"}


def test_the_seed_decides_the_new_weights() -> None:
    starts = []
    for seed in (1, 1, 2):
        model = make_model("llama")
        choose(model, seed=seed)
        starts.append(torch.cat([layer.lora_A.flatten() for layer in lora_layers(model).values()]))
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])
