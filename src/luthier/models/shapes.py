"""Lengths rounded up where PyTorch compiles code for every length it meets, and keeps it.

In half precision on a CPU (torch 2.13), a new length of row costs about 5 MB in attention's backward pass, and a new
length of pass 0.8 MB per matrix product: gigabytes for rows of many lengths. Rounded up, a few lengths serve.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ROW = 32
"""Tokens that attention's rows are rounded up to."""
CALLS = (16, 4, 1)
"""How many rows of one length a call of attention takes: code is kept for each of these numbers, too."""
PASS = 64
"""Tokens, or label rows, that matrix products are rounded up to."""


def computing_dtype(states: Tensor) -> torch.dtype:
    """Returns the number format that matrix products with these states are computed in."""
    kind = states.device.type
    mixed = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
    return torch.get_autocast_dtype(kind) if mixed else states.dtype


def spare(length: int, multiple: int, states: Tensor) -> int:
    """Returns how much to add to a length of a computation with `states`: nothing where nothing is compiled."""
    if states.device.type != "cpu":
        return 0
    return -length % multiple if computing_dtype(states) in (torch.bfloat16, torch.float16) else 0


def add_rows(states: Tensor, count: int) -> Tensor:
    """Returns states (..., L, d) with `count` rows of zeros after the last: (..., L + count, d)."""
    return F.pad(states, (0, 0, 0, count)) if count else states
