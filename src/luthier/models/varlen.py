"""Causal attention of all packed rows in one call of PyTorch's variable-length kernel (FlashAttention), on CUDA.

The CPU and other devices, and what the kernel cannot do, go another way (`models.attention`).
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from luthier.models.shapes import computing_dtype

WIDEST = 256
"""Head dimensions that the kernel takes."""


@dataclass(frozen=True, slots=True)
class Borders:
    """Where the rows of a pass begin and end on the device, (R + 1,) int32, and the longest of them."""

    ends: Tensor
    longest: int


def borders(segments: Sequence[int], device: torch.device) -> Borders:
    """Returns the borders of segments (their starts, and the end)."""
    longest = max(end - start for start, end in itertools.pairwise(segments))
    return Borders(torch.tensor(segments, dtype=torch.int32).to(device, non_blocking=True), longest)


def can_attend(query: Tensor) -> bool:
    """Returns whether the kernel takes queries (1, H, T, D): half precision, CUDA, an Ampere card or newer."""
    if query.device.type != "cuda" or computing_dtype(query) not in (torch.bfloat16, torch.float16):
        return False
    ampere = torch.cuda.get_device_capability(query.device) >= (8, 0)
    return ampere and query.shape[-1] <= WIDEST and query.shape[-1] % 8 == 0 and kernel() is not None


def attend(query: Tensor, key: Tensor, value: Tensor, rows: Borders, scale: float | None) -> Tensor:
    """Returns causal attention per row (1, T, H, D) of query (1, H, T, D) and key, value (1, K, T, D)."""
    dtype, run = computing_dtype(query), kernel()
    assert run is not None, "can_attend said so"
    q, k, v = (states[0].transpose(0, 1).to(dtype) for states in (query, key, value))  # (T, H, D)
    grouped: dict[str, bool] = {}
    if q.shape[1] != k.shape[1] and _knows(run, "enable_gqa"):
        grouped = {"enable_gqa": True}
    elif q.shape[1] != k.shape[1]:
        k, v = (states.repeat_interleave(q.shape[1] // k.shape[1], 1) for states in (k, v))
    out: Tensor = run(
        q, k, v, rows.ends, rows.ends, rows.longest, rows.longest, scale=scale, window_size=(-1, 0), **grouped
    )
    return out[None]


@functools.cache
def kernel() -> Callable[..., Any] | None:
    """Returns PyTorch's function, where this build of it has one that takes what is asked here (torch 2.11)."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn if _knows(varlen_attn, "scale", "window_size") else None


@functools.cache
def _knows(function: Callable[..., Any], *names: str) -> bool:
    return set(names) <= set(inspect.signature(function).parameters)
