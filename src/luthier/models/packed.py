"""Linear layers whose weights lie as oneDNN reads them: on a CPU a few tokens pass in a little over half the time.

PyTorch reorders a weight at every call, which costs as much as the product where few tokens pass. Packed once, it is
read as it is (torch.compile's frozen models do the same). A packed layer cannot be trained.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from luthier.models.lora import linear_layers, replace_module

_DTYPES = (torch.float32, torch.bfloat16)
_TOKENS = 32
"""The number of tokens that the layout is chosen for; 8 to 256 were measured to be equally good for any number."""
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 2e-2}


class PackedLinear(nn.Module):
    """Stands in for a linear layer without its weight: input (..., in), output (..., out)."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.dtype, self.bias = linear.weight.dtype, linear.bias
        self._packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _TOKENS)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], "")
        return out

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


@torch.no_grad()
def pack(model: Any) -> int:
    """Packs the linear layers of a model that is only to answer from here on; returns how many.

    None on other devices than a CPU, and none that does not come out as it was.
    """
    if next(model.parameters()).device.type != "cpu":
        return 0
    count = 0
    for name, layer in linear_layers(model).items():
        if isinstance(layer, nn.Linear) and layer.weight.dtype in _DTYPES and (packed := _packed(layer)) is not None:
            replace_module(model, name, packed)
            count += 1
    return count


def _packed(layer: nn.Linear) -> PackedLinear | None:
    generator = torch.Generator().manual_seed(0)
    probe = torch.randn(3, layer.in_features, generator=generator).to(layer.weight.dtype)
    try:
        packed = PackedLinear(layer)
        found, expected = packed(probe).float(), layer(probe).float()
    except (RuntimeError, AttributeError):  # an operation that this build of torch does not have
        return None
    close = (found - expected).abs().max() <= _TOLERANCE[layer.weight.dtype] * expected.abs().max().clamp_min(1e-30)
    return packed if bool(close) else None
