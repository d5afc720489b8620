"""Operations are counted as torch counts them, and the machine's ceiling is measured."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM, MixtralConfig, MixtralForCausalLM

from luthier.models.operations import Operations, ceiling, operations
from luthier.models.options import ParameterOptions
from luthier.models.parameters import choose_parameters

LENGTH = 48


def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    config._attn_implementation = "eager"
    return LlamaForCausalLM(config)


def counted(made: LlamaForCausalLM, *, train: bool) -> int:
    """Returns what torch counts for one row, every token of which but the first is a label."""
    ids = torch.arange(LENGTH)[None] % 96
    with FlopCounterMode(display=False) as counter:
        out = made(ids, use_cache=False).logits
        if train:
            out.sum().backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("train", ["full", "head"])
def test_the_count_is_torchs(train: str) -> None:
    made = model()
    choose_parameters(made, ParameterOptions(train=train), generator_seed=0)
    made.get_input_embeddings().weight.requires_grad_(True)  # so that every layer has a gradient of its inputs to make
    work = operations(made)
    attention = work.pair * LENGTH**2  # eager attention computes every pair, and three times over with its gradient
    ours = work.reading([LENGTH], LENGTH) - work.pair * LENGTH * (LENGTH + 1) / 2 + attention
    assert ours == pytest.approx(counted(made, train=False), rel=1e-3)
    trained = work.training([LENGTH], LENGTH, recompute=False) - 3.5 * work.pair * LENGTH * (LENGTH + 1) / 2
    assert trained + 3 * attention == pytest.approx(counted(made, train=True), rel=2e-2)


def test_low_rank_weights_are_computed_forth_and_back_and_learn() -> None:
    plain, adapted = (model() for _ in range(2))
    choose_parameters(plain, ParameterOptions(train="head"), generator_seed=0)
    choose_parameters(adapted, ParameterOptions(train="lora", lora_r=4), generator_seed=0)
    frozen, work = operations(plain), operations(adapted)
    assert (work.linear, work.trained, work.head_trained) == (frozen.linear, 0, False)
    assert work.low_rank == sum(parameter.numel() for parameter in adapted.parameters() if parameter.requires_grad)
    more = work.training([9], 0, recompute=False) - frozen.training([9], 0, recompute=False)
    assert more == 9 * 6 * work.low_rank


def test_recomputing_is_another_forward_pass() -> None:
    work = Operations(linear=100, low_rank=0, trained=100, head=10, head_trained=True, pair=4)
    once, again = (work.training([5, 7], 3, recompute=recompute) for recompute in (False, True))
    assert again - once == work.reading([5, 7], 0)


def test_only_the_experts_that_answer_count() -> None:
    shape = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    with torch.device("meta"):
        few, many = (
            operations(MixtralForCausalLM(MixtralConfig(**shape, vocab_size=32, num_local_experts=n))) for n in (2, 8)
        )
    assert many.linear == few.linear
    attention = 4 * 16 * 16
    assert few.linear >= attention + 2 * 3 * 16 * 24  # two experts of three products each


def test_the_ceiling_is_a_rate_of_this_machine() -> None:
    before = torch.get_rng_state()
    assert 1e8 < ceiling(torch.float32, "cpu") < 1e14
    assert torch.equal(torch.get_rng_state(), before), "measuring changed what dropout draws next"


def test_the_ceiling_is_measured_however_busy_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """One product alone can take longer than the measure is meant to."""
    monkeypatch.setattr("luthier.models.operations.CEILING_SECONDS", 0.0)
    assert ceiling(torch.float32, "cpu") > 0
