"""What attention needs to know of the new tokens of a pass to reach their texts' rows, in numbers on the device.

A row is told by numbers, not by tensors: one launch then serves rows of any slab and length, and a graph that was
captured once serves rows that did not exist at the time. Nothing here keeps an address: slabs may come and go.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from luthier.generation.memory import Row
from luthier.models.attention import attention

NUMBERS = 5
"""Numbers of a new token: the token, its place in its text, and its row's offset, stride and capacity."""
FILLING = (0, -1, 0, 0, 0)
"""Those of a token that stands for none: at no place, it sees nothing and is written nowhere."""


class Part(Protocol):
    """Tokens of one text that are new in a pass; see `passes.Part`."""

    @property
    def row(self) -> Row: ...
    @property
    def tokens(self) -> Sequence[int]: ...
    @property
    def start(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """The new tokens of a pass: the first `singles` of them one a text, the others in `tiles` of neighbours.

    `numbers` (NUMBERS, T), int64. Offsets count elements from `anchor`, to the keys of the first layer; a row's values
    are one stride behind its keys, its next layer two; it holds (heads, capacity, width). `tiles` (2, n) are the first
    token of each tile and how many it has, at most `tile`.
    """

    anchor: Tensor
    numbers: Tensor
    singles: int
    tiles: Tensor | None = None
    tile: int = 1


class RowAttention(Protocol):
    """Writes key and value (K, T, D) of new tokens to their rows, and returns attention (T, H, D) of query (H, T, D) to
    what each sees of its row: 0 for filling. `window` is how many tokens one sees, itself among them."""

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        rows: Rows,
        layer: int,
        *,
        scaling: float,
        softcap: float | None,
        sinks: Tensor | None,
        window: int | None,
    ) -> Tensor: ...


def numbers_of(parts: Sequence[Part], anchor: Tensor) -> Tensor:
    """Returns the numbers (NUMBERS, T) of all tokens of `parts`, in their order, on the host."""
    origin, size = anchor.data_ptr(), anchor.element_size()
    tokens: list[int] = []
    places: list[int] = []
    texts: list[tuple[int, int, int]] = []
    for part in parts:
        slab, row = part.row.slab, part.row.index * part.row.slab.row_numbers
        tokens += part.tokens
        places += range(part.start, part.start + len(part.tokens))
        texts.append(((slab.address - origin) // size + row, slab.rows * slab.row_numbers, slab.capacity))
    told = torch.tensor(texts).t()  # (3, parts)
    if len(tokens) > len(texts):
        told = told.repeat_interleave(torch.tensor([len(part.tokens) for part in parts]), 1)  # (3, T)
    return torch.cat([torch.tensor([tokens, places]), told])


def tiles_of(lengths: Sequence[int], first: int, tile: int) -> list[list[int]]:
    """Returns the tiles of texts of so many new tokens, which stand from `first` on: their first tokens and counts."""
    found: list[list[int]] = [[], []]
    for length in lengths:
        for start in range(0, length, tile):
            found[0].append(first + start)
            found[1].append(min(tile, length - start))
        first += length
    return found


def plain(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Rows,
    layer: int,
    *,
    scaling: float,
    softcap: float | None,
    sinks: Tensor | None,
    window: int | None,
) -> Tensor:
    """What the kernels do, token by token on a CPU: their definition, which tests and trials without a GPU go by."""
    heads, _, width = key.shape
    out = query.new_zeros(query.shape[1], query.shape[0], width)  # (T, H, D)
    texts = [_Held.of(rows, token, heads, width, layer) for token in range(query.shape[1])]
    for token, text in enumerate(texts):
        if text.place >= 0:
            text.keys[:, text.place], text.values[:, text.place] = key[:, token], value[:, token]
    for token, text in enumerate(texts):
        low = 0 if window is None else max(0, text.place + 1 - window)
        keys, values = (part[None, :, low : text.place + 1] for part in (text.keys, text.values))  # (1, K, S, D)
        if text.place >= 0:
            seen = torch.ones(1, 1, 1, keys.shape[2], dtype=torch.bool)
            out[token] = attention(query[None, :, token, None], keys, values, seen, scaling, 0.0, softcap, sinks)[
                0, :, 0
            ]
    return out


@dataclass(frozen=True, slots=True)
class _Held:
    """The row of one token's text in one layer: keys and values (K, capacity, D), where they lie."""

    place: int
    keys: Tensor
    values: Tensor

    @classmethod
    def of(cls, rows: Rows, token: int, heads: int, width: int, layer: int) -> _Held:
        _, place, offset, stride, capacity = (int(one) for one in rows.numbers[:, token])
        parts = (offset + (2 * layer + part) * stride for part in (0, 1))
        return cls(place, *(_at(rows.anchor, one, (heads, capacity, width)) for one in parts))


def _at(anchor: Tensor, offset: int, shape: tuple[int, ...]) -> Tensor:
    """Returns a view of the memory that lies `offset` elements from a CPU tensor."""
    if not all(shape):
        return anchor.new_empty(shape)
    size = anchor.element_size()
    count = int(torch.Size(shape).numel())
    memory = (ctypes.c_char * (count * size)).from_address(anchor.data_ptr() + offset * size)
    return torch.frombuffer(memory, dtype=anchor.dtype).view(shape)
