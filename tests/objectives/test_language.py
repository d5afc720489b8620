"""The chunked head is exactly cross entropy, in value and in gradient, and the step's share is token-exact."""

import pytest
import torch
from torch.nn import functional as F

from luthier.objectives import language


def inputs(labels: int = 11, hidden: int = 6, vocab: int = 19) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    states = torch.randn(labels, hidden, generator=generator, requires_grad=True)
    weight = torch.randn(vocab, hidden, generator=generator, requires_grad=True)
    return states, weight, torch.randint(0, vocab, (labels,), generator=generator)


@pytest.mark.parametrize("chunk", [1, 4, 11, 100])
@pytest.mark.parametrize("trained", ["both", "hidden", "weight"])
def test_equals_autograd(monkeypatch: pytest.MonkeyPatch, chunk: int, trained: str) -> None:
    monkeypatch.setattr(language, "CHUNK", chunk)
    states, weight, targets = inputs()
    states.requires_grad_(trained != "weight")
    weight.requires_grad_(trained != "hidden")
    wanted = [tensor for tensor in (states, weight) if tensor.requires_grad]
    expected = F.cross_entropy(states @ weight.t(), targets, reduction="sum") / 7
    found = language.head_cross_entropy(states, weight, targets, 1 / 7)
    torch.testing.assert_close(found.value, expected, rtol=1e-6, atol=1e-6)
    for ours, theirs in zip(
        torch.autograd.grad(3 * found.value, wanted), torch.autograd.grad(3 * expected, wanted), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert int(found.correct) == int(((states @ weight.t()).argmax(-1) == targets).sum())


def test_shares_of_a_step_add_up() -> None:
    states, weight, targets = inputs()
    whole = language.head_cross_entropy(states, weight, targets, 1 / 11).value
    parts = sum(
        language.head_cross_entropy(states[a:b], weight, targets[a:b], 1 / 11).value for a, b in ((0, 2), (2, 11))
    )
    torch.testing.assert_close(parts, whole)


def test_gradient_by_finite_differences() -> None:
    states, weight, targets = inputs()
    step = 1e-2

    def value(delta: torch.Tensor) -> float:
        with torch.no_grad():
            return float(language.head_cross_entropy(states + delta, weight, targets, 1.0).value)

    (gradient,) = torch.autograd.grad(language.head_cross_entropy(states, weight, targets, 1.0).value, states)
    for index in ((0, 0), (5, 3), (10, 5)):
        delta = torch.zeros_like(states)
        delta[index] = step
        slope = (value(delta) - value(-delta)) / (2 * step)
        assert slope == pytest.approx(float(gradient[index]), abs=2e-3)


def test_bf16_hidden_states_keep_an_fp32_head_gradient() -> None:
    states, weight, targets = inputs()
    loss = language.head_cross_entropy(states.to(torch.bfloat16), weight, targets, 1.0).value
    loss.backward()
    assert loss.dtype == torch.float32
    assert weight.grad is not None
    assert weight.grad.dtype == torch.float32


def test_without_gradients_nothing_is_kept() -> None:
    states, weight, targets = inputs()
    with torch.no_grad():
        loss = language.head_cross_entropy(states, weight, targets, 1.0)
    assert not loss.value.requires_grad
    torch.testing.assert_close(loss.value, F.cross_entropy(states @ weight.t(), targets, reduction="sum"))


def test_fp16_keeps_the_small_shares_of_a_probability() -> None:
    """A step of many labels over a large vocabulary: p / labels is no number of fp16, p is."""
    torch.manual_seed(0)
    hidden, weight = torch.randn(40, 16), 0.05 * torch.randn(8000, 16)
    targets = torch.arange(40)
    found = {}
    for dtype in (torch.float16, torch.float32):
        h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        with torch.autocast("cpu", dtype=torch.float16, enabled=dtype == torch.float16):
            loss = language.head_cross_entropy(h, w, targets, 1 / 20_000).value
        loss.backward()
        found[dtype] = (h.grad.double(), w.grad.double())
    for half, exact in zip(found[torch.float16], found[torch.float32], strict=True):
        assert (half - exact).norm() < 0.01 * exact.norm()
    untargeted = (found[torch.float16][1][40:], found[torch.float32][1][40:])
    assert (untargeted[0] - untargeted[1]).norm() < 0.05 * untargeted[1].norm()
