"""Muon: matrices of hidden layers are moved along the orthogonal factor of their momentum, the rest by AdamW.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks" (the iteration and its coefficients);
Liu et al. 2025, "Muon is scalable for LLM training", eq. 4 (the size of a step, so that AdamW's learning rates and
decay serve for both).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_STEP_SIZE = 0.2
"""Root mean square of AdamW's usual step beside its learning rate."""


def orthogonal_factor(matrices: Tensor) -> Tensor:
    """Returns matrices (n, r, c), r <= c, with all singular values brought near 1, in fp32, by Newton and Schulz."""
    a, b, c = _COEFFICIENTS
    x = matrices.bfloat16()
    x = x / (torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        square = x @ x.mT  # (n, r, r)
        x = a * x + (b * square + c * (square @ square)) @ x
    out: Tensor = x.float()
    return out


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """Returns the trained matrices of a model but for those of its embeddings and its head."""
    outer = [part for part in (_part(model, "get_input_embeddings"), _part(model, "get_output_embeddings")) if part]
    apart = {id(parameter) for part in outer for parameter in part.parameters()}
    return [one for one in model.parameters() if one.requires_grad and one.ndim == 2 and id(one) not in apart]


def _part(model: Any, name: str) -> nn.Module | None:
    found: nn.Module | None = getattr(model, name, lambda: None)()
    return found


class Muon(torch.optim.Optimizer):
    """Muon for `hidden`, matrices of hidden layers, and `rest` for all else: one `step`, one `state`, all groups."""

    def __init__(
        self, hidden: Sequence[nn.Parameter], rest: torch.optim.AdamW, *, lr: float, decay: float, momentum: float
    ) -> None:
        super().__init__([{"params": list(hidden)}], {"lr": lr, "weight_decay": decay, "momentum": momentum})
        self._rest = rest
        rest.state = self.state
        self.param_groups += rest.param_groups
        self.found_inf: Tensor | None = None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Takes one step, or none where `found_inf` says that the gradients are not numbers."""
        assert closure is None
        if self.found_inf is not None and bool(self.found_inf):
            return
        self._rest.step()
        group = self.param_groups[0]
        by_shape: dict[tuple[int, int], list[tuple[nn.Parameter, Tensor]]] = {}
        for parameter in group["params"]:
            if parameter.grad is not None:
                wide = self._direction(parameter, group["momentum"])
                by_shape.setdefault((wide.shape[0], wide.shape[1]), []).append((parameter, wide))
        for shape, members in by_shape.items():
            factors = orthogonal_factor(torch.stack([wide for _, wide in members]))
            rate = group["lr"] * _STEP_SIZE * max(shape) ** 0.5
            for (parameter, _), factor in zip(members, factors, strict=True):
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(factor if factor.shape == parameter.shape else factor.mT, alpha=-rate)

    def _direction(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """Returns the momentum after this gradient, one step ahead (Nesterov); wide matrices stay, tall ones turn."""
        state: dict[str, Any] = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        gradient = parameter.grad
        assert gradient is not None
        state["momentum"].lerp_(gradient, 1 - momentum)
        ahead = gradient.lerp(state["momentum"], momentum)
        return ahead.mT if ahead.shape[0] > ahead.shape[1] else ahead
