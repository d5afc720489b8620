"""Rounded-up lengths change nothing that is computed, and bound what PyTorch compiles and keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_models import KINDS, make_model

from luthier.models import attention
from luthier.models.attention import forward_packed, use_packed_attention
from luthier.models.shapes import PASS, ROW, add_rows, spare
from luthier.objectives import language
from luthier.objectives.language import head_cross_entropy
from luthier.tokens.pack import pack_rows
from luthier.tokens.token_rows import TokenRow


def test_only_half_precision_on_a_cpu_is_rounded_up() -> None:
    half = torch.zeros(1, dtype=torch.bfloat16)
    assert [spare(length, ROW, half) for length in (1, 31, 32, 33)] == [31, 1, 0, 31]
    assert spare(PASS + 1, PASS, half) == PASS - 1
    whole = torch.zeros(1)
    assert spare(5, ROW, whole) == 0
    with torch.autocast("cpu", torch.bfloat16):
        assert spare(5, ROW, whole) == 27
    assert spare(5, ROW, half.to("meta")) == 0
    assert add_rows(torch.ones(2, 3, 4), 2).shape == (2, 5, 4)


def both(compute: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What is computed with lengths rounded up, and as they are."""
    rounded = compute()
    for module in (attention, language):
        monkeypatch.setattr(module, "spare", lambda *_: 0)
    return rounded, compute()


@pytest.mark.parametrize("mixed", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_states_and_gradients_do_not_change(kind: str, mixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(kind).to(torch.float32 if mixed else torch.bfloat16).eval()
    generator = torch.Generator().manual_seed(0)
    tokens = [torch.randint(3, 90, (length,), generator=generator).numpy() for length in (40, 33, 9, 5)]
    rows = [TokenRow(part.astype("int32"), part > 0, index) for index, part in enumerate(tokens)]
    for row in rows:
        row.labels[0] = False
    batch = pack_rows(rows)

    def compute() -> tuple[torch.Tensor, torch.Tensor]:
        model.zero_grad(set_to_none=True)
        with use_packed_attention(model), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            states = forward_packed(model.get_decoder(), batch).last_hidden_state[0]
            states[: len(batch.tokens)].float().square().sum().backward()
        gradients = [p.grad.float().flatten() for p in model.parameters() if p.grad is not None]
        return states, torch.cat(gradients)

    (rounded, gradients), (plain, expected) = both(compute, monkeypatch)
    assert len(plain) == 87
    assert len(rounded) == 128
    assert torch.allclose(rounded[:87].float(), plain.float(), atol=0.05, rtol=0.05)
    assert (gradients - expected).norm() < 0.02 * expected.norm()


def test_head_cross_entropy_does_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(1100, 16, generator=generator).to(torch.bfloat16).requires_grad_()
    weight = torch.randn(50, 16, generator=generator).requires_grad_()
    targets = torch.randint(50, (1100,), generator=generator)

    def compute() -> tuple[torch.Tensor, ...]:
        loss = head_cross_entropy(states, weight, targets, 1 / 1100)
        return (loss.value, loss.correct, *torch.autograd.grad(loss.value, (states, weight)))

    rounded, plain = both(compute, monkeypatch)
    assert rounded[1] == plain[1]
    for found, expected in zip(rounded, plain, strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found.float(), expected.float(), rtol=1e-2, atol=1e-5)


_GROWTH = """
import json, sys, psutil, torch
from transformers import LlamaConfig, LlamaForCausalLM
from luthier.models import attention
from luthier.models.attention import forward_packed, use_packed_attention
from luthier.tokens.pack import pack_rows
from luthier.tokens.token_rows import TokenRow
torch.set_num_threads(1)
if sys.argv[1] == "plain":
    attention.spare = lambda *_: 0
model = LlamaForCausalLM(LlamaConfig(vocab_size=100, hidden_size=64, num_hidden_layers=1, num_attention_heads=2,
                                     intermediate_size=128)).to(torch.bfloat16)
with use_packed_attention(model):
    for length in range(2, 120):
        tokens = torch.ones(length, dtype=torch.int32).numpy()
        batch = pack_rows([TokenRow(tokens, tokens < 0, 0)])
        forward_packed(model.model, batch).last_hidden_state.sum().backward()
        if length == 3:
            before = psutil.Process().memory_info().rss
print(json.dumps(psutil.Process().memory_info().rss - before))
"""


@pytest.mark.slow
def test_many_lengths_of_rows_keep_little_memory() -> None:
    def growth(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", _GROWTH, how], capture_output=True, text=True, check=True)
        return int(json.loads(done.stdout))

    assert growth("rounded") < 0.3 * growth("plain") or growth("plain") < 50e6


def test_the_steps_are_whole_tiles() -> None:
    assert language.CHUNK % PASS == 0
    assert PASS % ROW == 0
