"""Low-rank linear layers (LoRA, rsLoRA, DoRA) that stand in for a loaded model's own linear layers.

A `LoraLinear` keeps the frozen `weight` and `bias` under their old names and adds `lora_A`, `lora_B` and, for DoRA,
`magnitude`. Hu et al. 2021 (LoRA), eq. 3; Kalajdzievski 2023 (rsLoRA), eq. 5; Liu et al. 2024 (DoRA), eq. 5 and 4.3.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from luthier.errors import ModelError
from luthier.models.shapes import computing_dtype

ADAPTER_PARTS = ("lora_A", "lora_B", "magnitude")
_SMALLEST = 1e-12
"""Row norms are kept above this: a row of zeros stays one, instead of becoming not-a-number."""


@dataclass(frozen=True, slots=True)
class LoraShape:
    """What one low-rank layer is made of; `scale` multiplies B A."""

    r: int
    alpha: float
    dropout: float = 0.0
    use_rslora: bool = True
    use_dora: bool = False

    @property
    def scale(self) -> float:
        return self.alpha / (math.sqrt(self.r) if self.use_rslora else self.r)


class _LowRank(torch.autograd.Function):
    """y = x W^T + b + scale (d A^T) B^T with a frozen W; keeps only d and d A^T for the backward pass.

    x, d (T, in): d is x, or x with dropout (`dropped`, else None). W (out, in), or (in, out) when `transposed`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        dropped: Tensor | None,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scale: float,
        transposed: bool,
    ) -> Tensor:
        d = x if dropped is None else dropped
        w = weight.to(x.dtype)
        shared = None if bias is None else bias.to(x.dtype)
        y = F.linear(x, w.t() if transposed else w, shared)
        xa = d @ a.to(x.dtype).t()  # (T, r)
        y.addmm_(xa, b.to(x.dtype).t(), alpha=scale)
        ctx.save_for_backward(d, weight, a, b, xa)
        ctx.scale, ctx.transposed, ctx.has_dropout = scale, transposed, dropped is not None
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
        d, weight, a, b, xa = ctx.saved_tensors
        g_xa = (g @ b.to(g.dtype)).mul_(ctx.scale)  # (T, r)
        g_a = (g_xa.t() @ d).to(a.dtype)
        g_b = (g.t() @ xa).to(b.dtype).mul_(ctx.scale)
        g_x = g_dropped = None
        if ctx.needs_input_grad[0]:
            w = weight.to(g.dtype)
            g_x = g @ (w.t() if ctx.transposed else w)
            if not ctx.has_dropout:
                g_x.addmm_(g_xa, a.to(g.dtype))
        if ctx.has_dropout and ctx.needs_input_grad[1]:
            g_dropped = g_xa @ a.to(g.dtype)
        return g_x, g_dropped, None, None, g_a, g_b, None, None


_low_rank: Any = _LowRank.apply


class LoraLinear(nn.Module):
    """A linear layer (nn.Linear, or GPT-2's Conv1D) with a frozen weight and trained low-rank matrices.

    Input (..., in), output (..., out), computed in the input's number format, or in autocast's; A (r, in) and
    B (out, r) are fp32. `merged`, when set, is the weight that answers instead of the three parts.
    """

    merged: Tensor | None

    def __init__(self, linear: nn.Linear | Conv1D, shape: LoraShape, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.shape, self.transposed, self.enabled = shape, isinstance(linear, Conv1D), True
        self.weight, self.bias = linear.weight, linear.bias
        self.weight.requires_grad_(False)
        if self.bias is not None:
            self.bias.requires_grad_(False)
        outs, ins = self.weight.shape[::-1] if self.transposed else self.weight.shape
        self.in_features, self.out_features = ins, outs
        device = self.weight.device
        a = torch.empty(shape.r, ins)
        nn.init.kaiming_uniform_(a, a=math.sqrt(5), generator=generator)  # drawn on the CPU: same on every device
        self.lora_A = nn.Parameter(a.to(device))
        self.lora_B = nn.Parameter(torch.zeros(outs, shape.r, device=device))
        self.magnitude = nn.Parameter(self._norms()) if shape.use_dora else None
        self.register_buffer("merged", None, persistent=False)
        self._norms_kept: Tensor | None = None
        self._norms_key: tuple[int, ...] = ()

    def forward(self, x: Tensor) -> Tensor:
        if self.merged is not None or not self.enabled:
            weight = self.weight if self.merged is None else self.merged
            return F.linear(x, weight.t() if self.transposed else weight, self.bias)
        dtype = computing_dtype(x)
        flat = x.reshape(-1, self.in_features).to(dtype)  # (T, in)
        drop = self.training and self.shape.dropout > 0
        dropped = F.dropout(flat, self.shape.dropout) if drop else None
        bias = None if self.shape.use_dora else self.bias
        y: Tensor = _low_rank(
            flat, dropped, self.weight, bias, self.lora_A, self.lora_B, self.shape.scale, self.transposed
        )
        if self.magnitude is not None:
            y = y * (self.magnitude / self._direction()).to(dtype)  # (T, out)
            y = y if self.bias is None else y + self.bias.to(dtype)
        return y.view(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        kind = "dora" if self.shape.use_dora else "lora"
        return f"in={self.in_features}, out={self.out_features}, {kind}, r={self.shape.r}, scale={self.shape.scale:g}"

    @torch.no_grad()
    def merged_weight(self) -> Tensor:
        """Returns W + scale B A, rows rescaled for DoRA, computed in fp32: (out, in), or (in, out) for Conv1D."""
        weight = self.weight.float()
        weight = weight.t() if self.transposed else weight
        full = torch.addmm(weight, self.lora_B.float(), self.lora_A.float(), alpha=self.shape.scale)
        if self.magnitude is not None:
            full *= (self.magnitude.float() / torch.linalg.vector_norm(full, dim=1).clamp_min_(_SMALLEST)).unsqueeze(1)
        return full.t().contiguous() if self.transposed else full

    def plain(self, weight: Tensor | None = None) -> nn.Linear | Conv1D:
        """Returns the layer this one replaced, with its own weight or the one given."""
        ins, outs = self.in_features, self.out_features
        kind: Any = Conv1D
        layer: nn.Linear | Conv1D
        with torch.device("meta"):
            layer = kind(outs, ins) if self.transposed else nn.Linear(ins, outs, bias=self.bias is not None)
        layer.weight = self.weight if weight is None else nn.Parameter(weight, requires_grad=False)
        layer.bias = self.bias
        return layer

    def _direction(self) -> Tensor:
        """Returns the row norms of W + scale B A, (out,) fp32: a constant for the gradient (DoRA, section 4.3).

        Generation reuses them from token to token. Any pass with gradients forgets them, for an optimizer step may
        follow, and fused optimizers change weights without raising their version.
        """
        if torch.is_grad_enabled():
            self._norms_kept = None
            return self._norms().clamp_min_(_SMALLEST)
        parts = (self.lora_A, self.lora_B, self.weight)
        key = tuple(figure for part in parts for figure in (part._version, part.data_ptr()))
        if self._norms_kept is None or key != self._norms_key:
            self._norms_kept, self._norms_key = self._norms().clamp_min_(_SMALLEST), key
        return self._norms_kept

    @torch.no_grad()
    def _norms(self) -> Tensor:
        """|W + s B A|^2 by rows = |W|^2 + 2 s (W A^T . B) + s^2 (B A A^T . B), without an (out, in) product."""
        weight = self.weight.float()
        weight = weight.t() if self.transposed else weight
        a, b, scale = self.lora_A.float(), self.lora_B.float(), self.shape.scale
        cross = ((weight @ a.t()) * b).sum(1)
        square = ((b @ (a @ a.t())) * b).sum(1)
        return (weight.square().sum(1) + 2 * scale * cross + scale**2 * square).clamp_min(0).sqrt()


def lora_layers(model: nn.Module) -> dict[str, LoraLinear]:
    """Returns the low-rank layers of a model by name, in the model's order."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def linear_layers(model: nn.Module) -> dict[str, nn.Linear | Conv1D]:
    """Returns every plain linear layer of a model by name, the head included, in the model's order."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, Conv1D) or (isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward)
    }


def insert_lora(
    model: nn.Module, names: Sequence[str], shape: LoraShape, generator: torch.Generator | None = None
) -> list[LoraLinear]:
    """Puts new low-rank layers in the place of the named linear layers, and returns them.

    `ModelError` when a name is not a linear layer of the model.
    """
    layers, inserted = linear_layers(model), []
    for name in names:
        if name not in layers:
            raise ModelError("is not a linear layer of the model", where=name, remedy="name another layer")
        replace_module(model, name, layer := LoraLinear(layers[name], shape, generator))
        inserted.append(layer)
    return inserted


def remove_lora(model: nn.Module) -> None:
    """Puts the model's own linear layers back, with their bits untouched; what was learnt is dropped."""
    for name, layer in lora_layers(model).items():
        replace_module(model, name, layer.plain())


def replace_module(model: nn.Module, name: str, module: nn.Module) -> None:
    """Puts `module` at the dotted `name` of the model."""
    parent, _, child = name.rpartition(".")
    module.train(model.training)
    model.get_submodule(parent).register_module(child, module)


@contextlib.contextmanager
def adapter_disabled(model: nn.Module) -> Iterator[None]:
    """Lets the model answer as its base does, for as long as the context lasts."""
    layers = [layer for layer in lora_layers(model).values() if layer.enabled]
    if any(layer.merged is not None for layer in layers):
        raise ModelError("the adapter is merged into the weights", remedy="unmerge the model first")
    for layer in layers:
        layer.enabled = False
    try:
        yield
    finally:
        for layer in layers:
            layer.enabled = True
