"""A key-value cache with room to grow, whose rows come and go while a batch is decoded.

transformers' own cache copies the whole past at every token; here a step writes one column, a finished row is
overwritten by the last one, and a new row takes a free slot. Rows are aligned at their last token: the columns
before a shorter row are padding, which the attention mask hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import (
    Cache,
    CacheLayerMixin,
    DummyLayer,
    DynamicCache,
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionCacheLayerMixin,
)

_SPARE_COLUMNS = 64


class GrowingLayer(CacheLayerMixin):  # type: ignore[no-untyped-call, unused-ignore]
    """Keys and values of one full-attention layer: buffers (slots, heads, columns, width), of which `rows` and `length`
    are in use."""

    is_sliding = False

    def __init__(self, filled: Any) -> None:
        self.keys, self.values, self.is_initialized = None, None, True
        self.slots: tuple[Tensor, Tensor] = (filled.keys, filled.values)
        self.rows, self.length = int(filled.keys.shape[0]), int(filled.keys.shape[2])

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        raise AssertionError("a growing layer is made from a prefilled one")

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Returns the keys and values (rows, heads, length, width) after writing those of the new tokens."""
        end = self.length + int(key_states.shape[2])
        if end > self.columns:
            self.resize(self.slots[0].shape[0], end + max(_SPARE_COLUMNS, end // 2), 0)
        for part, states in zip(self.slots, (key_states, value_states), strict=True):
            part[: self.rows, :, self.length : end] = states
        self.length = end
        keys, values = self.slots
        return keys[: self.rows, :, :end], values[: self.rows, :, :end]

    @property
    def columns(self) -> int:
        return int(self.slots[0].shape[2])

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1

    def resize(self, slots: int, columns: int, shift: int) -> None:
        """Moves the rows into buffers of `slots` rows and `columns` columns, `shift` columns to the right."""
        keys, values = self.slots
        self.slots = self._moved(keys, slots, columns, shift), self._moved(values, slots, columns, shift)
        self.length += shift

    def _moved(self, part: Tensor, slots: int, columns: int, shift: int) -> Tensor:
        # zeros, not empty: a masked column still enters the weighted sum with weight 0, and 0 * nan is nan
        out = part.new_zeros((slots, part.shape[1], columns, part.shape[3]))
        start = max(0, -shift)
        out[: self.rows, :, start + shift : self.length + shift] = part[: self.rows, :, start : self.length]
        return out

    def keep(self, order: Sequence[int]) -> None:
        """Row i becomes what row `order[i]` was."""
        for new, old in enumerate(order):
            if new != old:
                for part in self.slots:
                    part[new, :, : self.length] = part[old, :, : self.length]
        self.rows = len(order)

    def admit(self, other: GrowingLayer, shift: int) -> None:
        """Adds the rows of `other`, aligned at the last column, after moving ours `shift` columns to the right."""
        rows = self.rows + other.rows
        if shift or rows > self.slots[0].shape[0]:
            self.resize(max(rows, self.slots[0].shape[0]), self.columns + shift, shift)
        for part, new in zip(self.slots, other.slots, strict=True):
            part[self.rows : rows, :, : self.length - other.length] = 0  # what a row before left there may be nan
            part[self.rows : rows, :, self.length - other.length : self.length] = new[:, :, : other.length]
        self.rows = rows


def recurrent(config: Any) -> bool:
    """Returns whether some layer of the model carries a state from token to token, which padding would change."""
    return any(isinstance(layer, LinearAttentionCacheLayerMixin) for layer in DynamicCache(config=config).layers)


class Slots:
    """The cache of a batch, made from a prefilled one. `grows` tells whether rows can be added later."""

    def __init__(self, prefilled: Cache) -> None:
        given: list[Any] = list(prefilled.layers)
        self.grows = all(_aligned(layer) for layer in given)
        self.layers = [GrowingLayer(layer) if type(layer) is DynamicLayer else layer for layer in given]
        self.cache = Cache(layers=self.layers)

    def keep(self, order: Sequence[int]) -> None:
        """Row i becomes what row `order[i]` was; the others are forgotten."""
        index = torch.tensor(order)
        for layer in self.layers:
            if isinstance(layer, GrowingLayer):
                layer.keep(order)
            elif not isinstance(layer, DummyLayer):
                layer.reorder_cache(index)

    def admit(self, other: Slots, shift: int) -> None:
        """Adds the rows of `other`, aligned at the last column, after moving ours `shift` columns to the right."""
        for ours, new in zip(self.layers, other.layers, strict=True):
            if isinstance(ours, GrowingLayer):
                ours.admit(new, shift)
            elif not isinstance(ours, DummyLayer):
                _admit_sliding(ours, new, shift)

    def trim(self, columns: int) -> None:
        """Forgets the first `columns` columns, which are padding in every row."""
        for layer in self.layers:
            if isinstance(layer, GrowingLayer):
                layer.resize(layer.slots[0].shape[0], layer.columns - columns, -columns)
            elif not isinstance(layer, DummyLayer):
                layer.cumulative_length -= columns
                layer.keys = layer.keys[:, :, -layer.cumulative_length :]
                layer.values = layer.values[:, :, -layer.cumulative_length :]


def _aligned(layer: Any) -> bool:
    return type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) or isinstance(layer, DummyLayer)


def _admit_sliding(ours: Any, new: Any, shift: int) -> None:
    """A sliding layer holds the last columns only, so both sides are padded on the left to the longer of the two."""
    ours.cumulative_length += shift
    width = min(ours.cumulative_length, ours.sliding_window - 1)
    ours.keys = torch.cat([_padded(ours.keys, width), _padded(new.keys, width)])
    ours.values = torch.cat([_padded(ours.values, width), _padded(new.values, width)])


def _padded(part: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(part, (0, 0, width - part.shape[2], 0))
