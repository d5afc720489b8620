"""Causal attention of short rows in plain matrix products, for half precision on a CPU.

PyTorch's fused attention (2.13) is slow there in its backward pass: for rows of up to 128 tokens the products alone
take half of its time, and they keep as little: query, key and value; the weights are computed again.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

LONGEST = 128
"""Tokens of a row up to which the plain products are quicker: measured."""


class _Causal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.scale = scale
        return _weights(query, key, scale) @ value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, value = ctx.saved_tensors
        weights = _weights(query, key, ctx.scale)  # (n, H, L, L)
        to_value = weights.transpose(2, 3) @ grads[0]
        to_weights = (grads[0] @ value.transpose(2, 3)).float()
        sums = (to_weights * weights).sum(-1, keepdim=True)  # (n, H, L, 1)
        to_scores = ((to_weights - sums) * weights * ctx.scale).to(query.dtype)
        return to_scores @ key, to_scores.transpose(2, 3) @ query, to_value, None


def causal_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Returns softmax(scale q k^T, causal) v, (n, H, L, D), of states of that shape (Vaswani et al. 2017, eq. 1)."""
    out: Tensor = _Causal.apply(query, key, value, scale)  # type: ignore[no-untyped-call]
    return out


def _weights(query: Tensor, key: Tensor, scale: float) -> Tensor:
    length = query.shape[2]
    scores = torch.baddbmm(
        _above_diagonal(length, query.dtype), query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2), alpha=scale
    )
    return scores.view(*query.shape[:2], length, length).softmax(-1)


@functools.lru_cache(maxsize=LONGEST)
def _above_diagonal(length: int, dtype: torch.dtype) -> Tensor:
    return torch.full((length, length), float("-inf"), dtype=dtype).triu(1)
