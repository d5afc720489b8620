from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import KINDS, make_model, train_adapter
from torch import nn
from transformers.pytorch_utils import Conv1D

from luthier.errors import ModelError
from luthier.models.lora import (
    LoraLinear,
    LoraShape,
    adapter_disabled,
    insert_lora,
    linear_layers,
    lora_layers,
    remove_lora,
)
from luthier.models.merge import merge


def layer(*, dora: bool = False, dropout: float = 0.0, bias: bool = True, conv: bool = False, r: int = 3) -> LoraLinear:
    torch.manual_seed(0)
    made: Any = Conv1D
    linear = made(5, 7) if conv else nn.Linear(7, 5, bias=bias)
    lora = LoraLinear(linear, LoraShape(r, 6.0, dropout, use_dora=dora), torch.Generator().manual_seed(1))
    with torch.no_grad():
        lora.lora_B.normal_()
        if lora.bias is not None:
            lora.bias.normal_()
        if lora.magnitude is not None:
            lora.magnitude.mul_(1.3)
    return lora


def plain_lora(lora: LoraLinear, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The definition, written out, in the number format of its inputs."""
    weight = (lora.weight.t() if lora.transposed else lora.weight).to(x.dtype)
    full = weight + lora.shape.scale * b @ a
    if lora.magnitude is not None:
        full = full * (lora.magnitude.to(x.dtype) / full.detach().norm(dim=1)).unsqueeze(1)
    return nn.functional.linear(x, full, None if lora.bias is None else lora.bias.to(x.dtype))


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("conv", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_output_and_gradients_are_those_of_the_definition(dora: bool, conv: bool, bias: bool) -> None:
    lora = layer(dora=dora, conv=conv, bias=bias)
    x = torch.randn(2, 4, 7, requires_grad=True)
    parts = [x, lora.lora_A, lora.lora_B] + ([lora.magnitude] if lora.magnitude is not None else [])
    wanted = plain_lora(lora, x, lora.lora_A, lora.lora_B)
    weights = torch.randn_like(wanted)
    expected = torch.autograd.grad((wanted * weights).sum(), parts)
    got = torch.autograd.grad((lora(x) * weights).sum(), parts)
    torch.testing.assert_close(lora(x), wanted)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_new_layer_answers_as_the_old_one() -> None:
    for use_dora in (False, True):
        linear = nn.Linear(7, 5)
        x = torch.randn(3, 7)
        lora = LoraLinear(linear, LoraShape(2, 4.0, use_dora=use_dora))
        torch.testing.assert_close(lora(x), linear(x))
        assert lora.lora_A.abs().max() <= 7**-0.5


def test_scale_is_alpha_over_root_r_with_rslora_and_over_r_without() -> None:
    assert LoraShape(16, 32.0).scale == pytest.approx(8.0)
    assert LoraShape(16, 32.0, use_rslora=False).scale == pytest.approx(2.0)


def test_dropout_acts_on_the_low_rank_path_only_and_only_in_training() -> None:
    lora = layer(dropout=0.5)
    x = torch.randn(64, 7)
    lora.eval()
    torch.testing.assert_close(lora(x), plain_lora(lora, x, lora.lora_A, lora.lora_B))
    lora.train()
    x.requires_grad_()
    torch.manual_seed(5)
    out = lora(x)
    torch.manual_seed(5)
    dropped = nn.functional.dropout(x, 0.5)
    wanted = (
        nn.functional.linear(x, lora.weight, lora.bias) + lora.shape.scale * dropped @ lora.lora_A.t() @ lora.lora_B.t()
    )
    torch.testing.assert_close(out, wanted)
    parts = [x, lora.lora_A, lora.lora_B]
    for ours, theirs in zip(
        torch.autograd.grad(out.square().sum(), parts), torch.autograd.grad(wanted.square().sum(), parts), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dora", [False, True])
def test_computes_in_bf16_with_fp32_adapter_weights_and_gradients(dora: bool) -> None:
    lora = layer(dora=dora)
    x = torch.randn(6, 7)
    wanted = lora(x)
    with torch.autocast("cpu", torch.bfloat16):
        under_autocast = lora(x)
    lora.weight.data = lora.weight.data.to(torch.bfloat16)
    lora.bias.data = lora.bias.data.to(torch.bfloat16)
    stored = lora(x.to(torch.bfloat16))
    for out in (under_autocast, stored):
        assert out.dtype == torch.bfloat16
        torch.testing.assert_close(out.float(), wanted, rtol=0.05, atol=0.1)
    stored.float().sum().backward()
    assert lora.lora_A.grad is not None
    assert lora.lora_A.grad.dtype == lora.lora_A.dtype == torch.float32
    assert lora.weight.grad is None


def test_keeps_only_the_input_and_its_low_rank_image_for_the_backward_pass() -> None:
    lora = layer()
    x = torch.randn(50, 7, requires_grad=True)
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        lora(x)
    own = {id(t) for t in (lora.weight, lora.lora_A, lora.lora_B)}
    shapes = [tuple(t.shape) for t in kept if id(t) not in own and t.numel() > 35]
    assert sorted(shapes) == [(50, 3), (50, 7)]


@pytest.mark.parametrize("fused", [False, True])
def test_dora_norms_follow_the_optimizer(fused: bool) -> None:
    lora = layer(dora=True)
    x = torch.randn(4, 7)
    optimizer = torch.optim.AdamW([p for p in lora.parameters() if p.requires_grad], lr=0.1, fused=fused)

    def check() -> None:
        with torch.no_grad():
            for _ in range(2):
                torch.testing.assert_close(lora(x), plain_lora(lora, x, lora.lora_A, lora.lora_B))

    for _ in range(2):
        check()
        lora(x).square().sum().backward()
        optimizer.step()
    check()
    lora.load_state_dict({name: value * 1.1 for name, value in lora.state_dict().items()})
    check()


def test_dora_leaves_a_row_of_zeros_alone() -> None:
    linear = nn.Linear(4, 3)
    with torch.no_grad():
        linear.weight[1] = 0
    lora = LoraLinear(linear, LoraShape(2, 4.0, use_dora=True))
    x = torch.randn(2, 4)
    torch.testing.assert_close(lora(x), linear(x))
    torch.testing.assert_close(lora.merged_weight(), linear.weight)


@pytest.mark.parametrize("kind", KINDS)
def test_insert_disable_and_remove_on_a_model(kind: str, tokens: torch.Tensor) -> None:
    model = make_model(kind)
    base = model(tokens).logits
    before = {name: (type(module), module.weight) for name, module in linear_layers(model).items()}
    state = {name: value.clone() for name, value in model.state_dict().items()}
    insert_lora(model, [name for name in before if name != "lm_head"], LoraShape(4, 8.0, use_dora=True))
    torch.testing.assert_close(model(tokens).logits, base)
    train_adapter(model)
    tuned = model(tokens).logits
    assert (tuned - base).abs().max() > 0.01
    with adapter_disabled(model):
        assert torch.equal(model(tokens).logits, base)
    assert torch.equal(model(tokens).logits, tuned)
    remove_lora(model)
    assert not lora_layers(model)
    assert torch.equal(model(tokens).logits, base)
    assert {name: (type(module), module.weight) for name, module in linear_layers(model).items()} == before
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_same_seed_same_start() -> None:
    starts = []
    for seed in (1, 1, 2):
        model = make_model("llama")
        insert_lora(model, ["model.layers.0.mlp.up_proj"], LoraShape(4, 8.0), torch.Generator().manual_seed(seed))
        starts.append(lora_layers(model)["model.layers.0.mlp.up_proj"].lora_A)
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_refuses_what_is_not_linear_and_a_merged_model() -> None:
    model = make_model("llama")
    with pytest.raises(ModelError, match=r"model\.norm: is not a linear layer"):
        insert_lora(model, ["model.norm"], LoraShape(2, 4.0))
    insert_lora(model, ["model.layers.0.mlp.up_proj"], LoraShape(2, 4.0))
    merge(model)
    with pytest.raises(ModelError, match="merged"), adapter_disabled(model):
        pass
