from __future__ import annotations

import pytest
import torch
from small_models import KINDS, make_model, train_adapter

from luthier.errors import ModelError
from luthier.models.lora import LoraShape, insert_lora, linear_layers, lora_layers
from luthier.models.merge import fold, merge, unmerge


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_merge_answers_the_same_and_unmerge_restores_every_bit(kind: str, dora: bool, tokens: torch.Tensor) -> None:
    model = make_model(kind)
    insert_lora(model, [name for name in linear_layers(model) if name != "lm_head"], LoraShape(4, 8.0, use_dora=dora))
    train_adapter(model)
    bits = {name: value.clone() for name, value in model.state_dict().items()}
    tuned = model(tokens).logits
    merge(model)
    torch.testing.assert_close(model(tokens).logits, tuned, rtol=1e-5, atol=2e-5)
    assert all(layer.merged is not None for layer in lora_layers(model).values())
    unmerge(model)
    after = model.state_dict()
    assert after.keys() == bits.keys()
    assert all(torch.equal(value, bits[name]) for name, value in after.items())
    assert torch.equal(model(tokens).logits, tuned)


def test_merging_bf16_weights_is_reversible_to_the_bit(tokens: torch.Tensor) -> None:
    model = make_model("llama").to(torch.bfloat16)
    insert_lora(model, ["model.layers.1.self_attn.q_proj"], LoraShape(4, 8.0))
    train_adapter(model)
    weight = lora_layers(model)["model.layers.1.self_attn.q_proj"].weight.clone()
    tuned = model(tokens).logits
    merge(model)
    merged = lora_layers(model)["model.layers.1.self_attn.q_proj"].merged
    assert merged is not None
    assert merged.dtype == torch.bfloat16
    unmerge(model)
    assert torch.equal(lora_layers(model)["model.layers.1.self_attn.q_proj"].weight, weight)
    assert torch.equal(model(tokens).logits, tuned)
    with pytest.raises(ModelError, match="precision fp32"):
        fold(model)


@pytest.mark.parametrize("kind", KINDS)
def test_fold_leaves_a_plain_model_that_answers_the_same(kind: str, tokens: torch.Tensor) -> None:
    model, plain = make_model(kind), make_model(kind)
    insert_lora(model, [name for name in linear_layers(model) if name != "lm_head"], LoraShape(4, 8.0, use_dora=True))
    train_adapter(model)
    tuned = model(tokens).logits
    fold(model)
    torch.testing.assert_close(model(tokens).logits, tuned, rtol=1e-5, atol=2e-5)
    assert {name: value.shape for name, value in model.state_dict().items()} == {
        name: value.shape for name, value in plain.state_dict().items()
    }
    assert [type(module) for module in model.modules()] == [type(module) for module in plain.modules()]
