"""Packed rows come out as they do alone, for hidden states, logits and gradients; models that leak are refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from luthier.errors import ModelError
from luthier.models import varlen
from luthier.models.attention import forward_packed, packing_refusal, use_packed_attention
from luthier.tokens.pack import pack_rows
from luthier.tokens.token_rows import TokenRow

VOCABULARY = 97
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WINDOW = {"sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"]}
MODELS = {
    "llama": SMALL,
    "mistral": SMALL | {"sliding_window": 5},
    "qwen2": SMALL | WINDOW | {"use_sliding_window": True, "max_window_layers": 0},
    "qwen3": SMALL,
    "gemma2": SMALL | WINDOW | {"query_pre_attn_scalar": 24, "attn_logit_softcapping": 1.0},
    "gemma3_text": SMALL | WINDOW | {"query_pre_attn_scalar": 24},
    "gpt2": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "gpt_oss": SMALL | WINDOW | {"num_local_experts": 2, "num_experts_per_tok": 2},
    "gptj": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4, "n_positions": 64},
    "llama4_text": SMALL
    | {"attention_chunk_size": 5, "layer_types": ["chunked_attention", "full_attention"], "num_local_experts": 2}
    | {"intermediate_size_mlp": 48},
}
LENGTHS = (3, 11, 11, 1, 7)


def tiny(kind: str, **changes: object) -> torch.nn.Module:
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **(MODELS[kind] | changes))
    model = AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():  # far from the near-zero start, where every attention looks alike
        torch.nn.init.normal_(parameter, std=0.2) if parameter.ndim > 1 else None
    return model.eval()


def some_rows(lengths: tuple[int, ...] = LENGTHS) -> list[TokenRow]:
    generator = np.random.default_rng(3)
    rows = []
    for number, length in enumerate(lengths):
        labels = np.ones(length, dtype=np.bool_)
        labels[0] = False
        rows.append(TokenRow(generator.integers(3, VOCABULARY, length).astype(np.int32), labels, number))
    return rows


def gradients(model: torch.nn.Module) -> torch.Tensor:
    found = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    return torch.cat(found)


@pytest.mark.parametrize("kind", MODELS)
def test_packed_rows_equal_rows_alone(kind: str) -> None:
    model = tiny(kind)
    rows = some_rows()
    weights = torch.randn(sum(LENGTHS), VOCABULARY, generator=torch.Generator().manual_seed(1)) / 30
    ids = [torch.from_numpy(row.tokens.astype(np.int64))[None] for row in rows]
    alone = [model(input_ids=row, use_cache=False, output_hidden_states=True) for row in ids]
    logits_alone = torch.cat([out.logits[0] for out in alone])
    hidden_alone = torch.cat([out.hidden_states[-1][0] for out in alone])
    (logits_alone * weights).sum().backward()
    wanted = gradients(model)

    batch = pack_rows(rows)
    with use_packed_attention(model) as handle:
        assert handle.per_segment == (kind != "gptj")
        logits = forward_packed(model, batch).logits[0]
        (logits * weights).sum().backward()
        decoder = model.transformer if kind.startswith("gpt") and kind != "gpt_oss" else model.model
        hidden = forward_packed(decoder, batch).last_hidden_state[0]
    got = gradients(model)

    scale = 1 + logits_alone.abs().max().item()
    assert (logits - logits_alone).abs().max() < 1e-6 * scale
    assert (hidden - hidden_alone).abs().max() < 1e-5
    assert (got - wanted).abs().max() < 2e-6 * (1 + wanted.abs().max())


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_recomputed_layers_know_the_segments(kind: str) -> None:
    model = tiny(kind).train()
    batch = pack_rows(some_rows())
    with use_packed_attention(model):
        forward_packed(model, batch).logits.pow(2).mean().backward()
        wanted = gradients(model)
        model.activation_checkpointing_enable()
        forward_packed(model, batch).logits.pow(2).mean().backward()
    torch.testing.assert_close(gradients(model), wanted, rtol=0, atol=1e-6)


def test_the_model_gets_its_own_attention_back() -> None:
    model = tiny("llama")
    ids = torch.arange(3, 20)[None]
    before, implementation = model(ids).logits, model.config._attn_implementation
    with contextlib.suppress(KeyboardInterrupt), use_packed_attention(model):
        assert model.config._attn_implementation != implementation
        raise KeyboardInterrupt
    assert model.config._attn_implementation == implementation
    assert torch.equal(model(ids).logits, before)


def test_any_other_call_is_refused_meanwhile() -> None:
    model = tiny("llama")
    with use_packed_attention(model):
        forward_packed(model, pack_rows(some_rows()))
        with pytest.raises(ModelError, match="another way"):
            model(torch.arange(sum(LENGTHS))[None])
        with pytest.raises(ModelError, match="another way"):
            model(torch.arange(12).reshape(2, 6))


def test_the_check_leaves_the_training_mode_alone() -> None:
    model = tiny("llama")
    model.model.layers[0].train()
    with use_packed_attention(model):
        assert model.model.layers[0].training
        assert not model.model.layers[1].training


def test_a_model_that_leaks_is_found_out_by_trying() -> None:
    """Bloom puts its positions into the attention scores itself, so nothing separates its rows."""
    torch.manual_seed(0)
    config = AutoConfig.for_model("bloom", vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4)
    model = AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    with pytest.raises(ModelError, match="cannot be packed"), use_packed_attention(model):
        pass


HYBRIDS = [
    "mamba",
    "mamba2",
    "falcon_mamba",
    "jamba",
    "bamba",
    "falcon_h1",
    "zamba",
    "zamba2",
    "rwkv",
    "xlstm",
    "recurrent_gemma",
    "nemotron_h",
    "granitemoehybrid",
    "qwen3_next",
    "qwen3_5_text",
    "minimax",
    "t5",
    "bart",
]


@pytest.mark.parametrize("kind", HYBRIDS)
def test_models_that_carry_a_state_are_refused(kind: str) -> None:
    assert packing_refusal(AutoConfig.for_model(kind)) is not None


def test_short_convolutions_are_refused() -> None:
    assert packing_refusal(AutoConfig.for_model("lfm2", full_attn_idxs=[1], num_hidden_layers=3)) is not None


@pytest.mark.parametrize("kind", ["llama", "mixtral", "gemma3", "gpt2", "deepseek_v3", "llama4", "olmo2", "phi3"])
def test_models_of_attention_are_packed(kind: str) -> None:
    assert packing_refusal(AutoConfig.for_model(kind)) is None


def test_a_hybrid_family_without_state_layers_is_packed() -> None:
    config = AutoConfig.for_model("granitemoehybrid", num_hidden_layers=2, layer_types=["attention", "attention"])
    assert packing_refusal(config) is None


def test_using_packed_attention_on_a_refused_model_says_what_to_do() -> None:
    config = AutoConfig.for_model("mamba", vocab_size=50, hidden_size=16, num_hidden_layers=1)
    with pytest.raises(ModelError, match="packing"), use_packed_attention(AutoModelForCausalLM.from_config(config)):
        pass


def rows_by_fused_attention(query, key, value, ends, key_ends, longest, key_longest, *, scale, window_size, **kind):
    """What PyTorch's variable-length kernel computes, (T, H, D), on any device."""
    assert window_size == (-1, 0)
    assert torch.equal(ends, key_ends)
    assert ends.dtype == torch.int32
    assert longest == key_longest == int(ends.diff().max())
    parts = []
    for start, end in zip(ends.tolist(), ends.tolist()[1:], strict=False):
        q, k, v = (states[start:end].transpose(0, 1)[None] for states in (query, key, value))
        out = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scale, enable_gqa=kind.get("enable_gqa", False)
        )
        parts.append(out[0].transpose(0, 1))
    return torch.cat(parts)


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen3", "gemma2", "gpt2"])
def test_the_way_of_cuda_gives_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows in one call of the variable-length kernel; where that does not fit (windows, soft caps), as before."""
    model, batch, calls = tiny(kind), pack_rows(some_rows()), []

    def kernel(*states, scale, window_size, enable_gqa=False):
        calls.append(states[0].shape)
        return rows_by_fused_attention(*states, scale=scale, window_size=window_size, enable_gqa=enable_gqa)

    with use_packed_attention(model):
        expected = forward_packed(model, batch).logits
        monkeypatch.setattr(varlen, "can_attend", lambda query: True)
        monkeypatch.setattr(varlen, "kernel", lambda: kernel)
        found = forward_packed(model, batch).logits
        found.square().sum().backward()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert len(calls) == {"llama": 2, "qwen3": 2, "gpt2": 2, "mistral": 0, "gemma2": 0}[kind]
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad)


def test_a_kernel_that_knows_no_grouped_heads_is_given_as_many_keys_as_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of torch 2.11."""
    query, key, value = (torch.randn(1, heads, 30, 16) for heads in (4, 2, 2))
    rows = varlen.borders([0, 11, 30], torch.device("cpu"))

    def older(*states, scale, window_size):
        assert states[1].shape == states[2].shape == states[0].shape
        return rows_by_fused_attention(*states, scale=scale, window_size=window_size)

    def newer(*states, scale, window_size, enable_gqa=False):
        assert enable_gqa
        return rows_by_fused_attention(*states, scale=scale, window_size=window_size, enable_gqa=True)

    found = []
    for kernel in (older, newer):
        monkeypatch.setattr(varlen, "kernel", lambda kernel=kernel: kernel)
        found.append(varlen.attend(query, key, value, rows, None))
    torch.testing.assert_close(*found)


def test_the_kernel_of_cuda_is_there_and_takes_what_it_is_given() -> None:
    """The call as it is made there, on shapes without data."""
    states = [torch.empty(1, heads, 30, 16, dtype=torch.bfloat16, device="meta") for heads in (4, 2, 2)]
    rows = varlen.borders([0, 11, 30], torch.device("cpu"))
    assert rows.longest == 19
    assert not varlen.can_attend(states[0])
    assert varlen.kernel() is not None
    assert varlen.attend(*states, varlen.Borders(rows.ends.to("meta"), 19), None).shape == (1, 30, 4, 16)
