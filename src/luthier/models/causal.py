"""Causal attention in plain matrix products, block by block, for half precision on a CPU.

PyTorch's fused attention (2.13) is slow there: blocks of plain products take half to four fifths of its time, and keep
less: query, key and value; the weights are computed again. Keys after a block's last query are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

BLOCK = 128
"""Queries of a block: the quickest of 64 to 1,024."""
LONGEST = 2048
"""Tokens of a row up to which this is quicker than the fused kernel: measured from 32 to 4,096."""


class _Causal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(query, key, value)
        ctx.scale = scale
        out = torch.empty_like(query)
        for start, end in _blocks(query.shape[1]):
            weights = _weights(query[:, start:end], key[:, :end], scale)
            torch.bmm(weights, value[:, :end], out=out[:, start:end])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        query, key, value = ctx.saved_tensors
        to_query = torch.empty_like(query)
        exact = torch.promote_types(query.dtype, torch.float32)
        to_key, to_value = (torch.zeros_like(states, dtype=exact) for states in (key, value))
        for start, end in _blocks(query.shape[1]):
            q, g = query[:, start:end], grads[0][:, start:end]
            weights = _weights(q, key[:, :end], ctx.scale)  # (N, B, K)
            to_value[:, :end] += weights.transpose(1, 2) @ g
            to_weights = g @ value[:, :end].transpose(1, 2)
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, query.dtype).mul_(ctx.scale)
            torch.bmm(to_scores, key[:, :end], out=to_query[:, start:end])
            to_key[:, :end] += to_scores.transpose(1, 2) @ q
        return to_query, to_key.to(key.dtype), to_value.to(value.dtype), None


def causal_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Returns softmax(scale q k^T, causal) v, (n, H, L, D), of states of that shape (Vaswani et al. 2017, eq. 1)."""
    parts = (states.flatten(0, 1) for states in (query, key, value))  # (n * H, L, D)
    out: Tensor = _Causal.apply(*parts, scale)  # type: ignore[no-untyped-call]
    return out.view_as(query)


def _blocks(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, BLOCK):
        yield start, min(start + BLOCK, length)


def _weights(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """Returns the attention weights (N, B, K) of queries (N, B, D), the last of which stands at the last key."""
    hidden = _later(query.shape[1], key.shape[1], query.dtype)
    return torch.baddbmm(hidden, query, key.transpose(1, 2), alpha=scale).softmax(-1)


@functools.lru_cache(maxsize=BLOCK)
def _later(queries: int, keys: int, dtype: torch.dtype) -> Tensor:
    """Returns -inf where a key stands after its query, and 0 elsewhere, (queries, keys)."""
    blank = torch.zeros(queries, keys, dtype=dtype)
    blank[:, keys - queries :] = torch.full((queries, queries), float("-inf"), dtype=dtype).triu(1)
    return blank
