"""Where the keys and values of texts are kept: rows of a few lengths, in slabs, within a budget of bytes.

A text has one row, as long as the next of a few lengths (64, 96, 128, 192, ...), and moves to a longer one when it has
filled it. Rows of one length stand side by side in one tensor per layer, so that attention for many of them is one
product and nothing is copied for it. Slabs are made when they are needed and given up when another length needs the
memory: what is in use, filled or not, is never more than the budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from luthier.errors import CapacityError

SHORTEST = 64
_SLABS = {"cpu": (4096, 16), "cuda": (16_384, 256)}
"""By device: a slab holds about so many tokens, in at most so many rows; one row at least. Where making one and walking
over many costs more than the work in them, slabs are large."""
_FEWEST_SLABS = 16
"""A large slab takes at most this part of the budget, so that rows of other lengths find room."""


@dataclass(frozen=True, slots=True)
class LayerShape:
    """Keys and values of one token in one layer: (heads, key_width) and (heads, value_width)."""

    heads: int
    key_width: int
    value_width: int


@dataclass(frozen=True, slots=True)
class StateShape:
    """Keys and values of one token in every layer, and the numbers that hold them."""

    layers: tuple[LayerShape, ...]
    dtype: torch.dtype = torch.float32
    device: torch.device | str = "cpu"

    @property
    def token_bytes(self) -> int:
        """Bytes of one token."""
        numbers = sum(layer.heads * (layer.key_width + layer.value_width) for layer in self.layers)
        return numbers * self.dtype.itemsize


class Slab:
    """Rows of one capacity side by side: per layer keys and values (rows, heads, capacity, width).

    They are views of `stores`, one for the parts of each shape, (parts, rows, heads, capacity, width): keys, values,
    keys of the next layer and so on. `address` is where the first begins, `row_numbers` how many numbers a row has
    there.
    """

    def __init__(self, shape: StateShape, number: int, rows: int, capacity: int) -> None:
        self.number, self.rows, self.capacity = number, rows, capacity
        self.free = list(range(rows))  # in order, the lowest first: rows in use stand side by side
        self.bytes = rows * capacity * shape.token_bytes
        sizes = [(one.heads, width) for one in shape.layers for width in (one.key_width, one.value_width)]
        # zeros, not empty: a hidden column still enters the weighted sum with weight 0, and 0 * nan is nan
        stores = {
            (heads, width): torch.zeros(count, rows, heads, capacity, width, dtype=shape.dtype, device=shape.device)
            for (heads, width), count in Counter(sizes).items()
        }
        self.stores = tuple(stores.values())
        left = {size: iter(store.unbind()) for size, store in stores.items()}
        parts = [next(left[size]) for size in sizes]
        self.layers: list[tuple[Tensor, Tensor]] = list(zip(parts[::2], parts[1::2], strict=True))
        self.address, self.row_numbers = self.stores[0].data_ptr(), self.stores[0][0, 0].numel()


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One text's place: row `index` of `slab`."""

    slab: Slab
    index: int

    @property
    def capacity(self) -> int:
        return self.slab.capacity

    @property
    def place(self) -> tuple[int, int]:
        """By which rows are ordered so that neighbours are neighbours in memory."""
        return self.slab.number, self.index


class StateMemory:
    """Gives out rows and takes them back. `used_bytes` counts whole slabs; it never passes `budget_bytes`."""

    def __init__(self, shape: StateShape, budget_bytes: int, longest: int) -> None:
        self.shape, self.budget_bytes = shape, budget_bytes
        self.longest = min(longest, budget_bytes // max(1, shape.token_bytes))
        """Tokens of the longest row there can be."""
        if self.longest < min(SHORTEST, longest):
            raise CapacityError(
                f"{budget_bytes:,} bytes hold {self.longest} tokens, of {shape.token_bytes:,} bytes each",
                where="kv_memory",
                remedy=f"give at least {SHORTEST * shape.token_bytes:,} bytes",
            )
        self.used_bytes = self.peak_bytes = self.filled_rows = 0
        self._slab_tokens, self._slab_rows = _slab_size(shape, budget_bytes)
        self._slabs: dict[int, list[Slab]] = {}
        self._numbers = 0

    def capacity(self, tokens: int) -> int:
        """Returns the length of the row that `tokens` tokens take."""
        if tokens > self.longest:
            raise ValueError(f"no row is as long as {tokens} tokens; the longest is {self.longest}")
        size = SHORTEST
        while size < tokens:
            size = size * 3 // 2 if size & (size - 1) == 0 else size // 3 * 4  # 64, 96, 128, 192, 256, ...
        return min(size, self.longest)

    def take(self, tokens: int) -> Row | None:
        """Returns a row for `tokens` tokens; None where there is no memory for one now."""
        capacity = self.capacity(tokens)
        slab = next((slab for slab in self._slabs.get(capacity, ()) if slab.free), None)
        if slab is None:
            slab = self._add(capacity)
        if slab is None:
            return None
        self.filled_rows += 1
        return Row(slab, slab.free.pop(0))

    def give_back(self, row: Row) -> None:
        """Frees a row; what is in it may be overwritten."""
        row.slab.free.append(row.index)
        row.slab.free.sort()
        self.filled_rows -= 1

    def copy(self, source: Row, target: Row, tokens: int) -> None:
        """Copies the first `tokens` tokens of one row to another."""
        for there, here in zip(source.slab.stores, target.slab.stores, strict=True):
            here[:, target.index, :, :tokens] = there[:, source.index, :, :tokens]

    def clear(self, rows: Sequence[Row]) -> None:
        """Makes numbers of rows that hold what is not a number zero again: hidden ones count for nothing only then."""
        for row in rows:
            for store in row.slab.stores:
                store[:, row.index] = 0

    def _add(self, capacity: int) -> Slab | None:
        row_bytes = capacity * self.shape.token_bytes
        wanted = max(1, min(self._slab_rows, self._slab_tokens // capacity))
        if self.used_bytes + wanted * row_bytes > self.budget_bytes:
            self._drop_empty()
        rows = min(wanted, (self.budget_bytes - self.used_bytes) // max(1, row_bytes))
        if rows < 1:
            return None
        self._numbers += 1
        slab = Slab(self.shape, self._numbers, rows, capacity)
        self._slabs.setdefault(capacity, []).append(slab)
        self.used_bytes += slab.bytes
        self.peak_bytes = max(self.peak_bytes, self.used_bytes)
        return slab

    def _drop_empty(self) -> None:
        for capacity, slabs in self._slabs.items():
            kept = [slab for slab in slabs if len(slab.free) < slab.rows]
            self.used_bytes -= sum(slab.bytes for slab in slabs if slab not in kept)
            self._slabs[capacity] = kept


def _slab_size(shape: StateShape, budget_bytes: int) -> tuple[int, int]:
    """Returns how many tokens and rows a slab has at most."""
    usual, _ = _SLABS["cpu"]
    tokens, rows = _SLABS.get(torch.device(shape.device).type, _SLABS["cpu"])
    return max(usual, min(tokens, budget_bytes // max(1, shape.token_bytes) // _FEWEST_SLABS)), rows
