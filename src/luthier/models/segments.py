"""Packed rows taken apart for attention, and put together again: rows of about the same length go into one call."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the T tokens of a pass stand once its rows are cut into groups (count, length) and filled up to length.

    `take` (P,) names the token at each of the P places, `back` (T,) the place of each token, `blank` the places that
    are filling. The three are None where nothing is filled: the tokens then stand in their order.
    """

    groups: tuple[tuple[int, int], ...]
    take: Tensor | None = None
    back: Tensor | None = None
    blank: Tensor | None = None

    def apart(self, states: Tensor) -> list[Tensor]:
        """Returns states (1, H, T, D) as one (count, H, length, D) per group."""
        rows = states[0].transpose(0, 1)  # (T, H, D)
        if self.take is not None:
            rows = _rows(rows, self.take, self.back, None)  # (P, H, D)
        parts = torch.split(rows, [count * length for count, length in self.groups])
        return [
            part.view(*group, *part.shape[1:]).transpose(1, 2)  # (n, H, L, D)
            for part, group in zip(parts, self.groups, strict=True)
        ]

    def together(self, parts: Sequence[Tensor]) -> Tensor:
        """Returns parts (count, H, length, D), one per group, as (1, T, H, D)."""
        rows = torch.cat([part.transpose(1, 2).flatten(0, 1) for part in parts])  # (P, H, D)
        if self.take is not None:
            rows = _rows(rows, self.back, self.take, self.blank)  # (T, H, D)
        return rows[None]


def lay_out(
    segments: Sequence[int], multiple: int, device: torch.device | str, calls: Sequence[int] | None = None
) -> Layout:
    """Returns the layout of segments (their starts, and the end) whose lengths are rounded up to `multiple`.

    Groups have as many rows as there are, or where `calls` is given (largest first, ending in 1) as many as it names.
    """
    lengths = [end - start for start, end in itertools.pairwise(segments)]
    groups, take, back, places = [], [], [], 0
    for length, run in itertools.groupby(range(len(lengths)), key=lambda row: -(-lengths[row] // multiple) * multiple):
        members = list(run)
        groups += [(count, length) for count in _counts(len(members), calls)]
        for row in members:
            tokens = np.arange(length)
            take.append(np.where(tokens < lengths[row], segments[row] + tokens, -1))
            back.append(places + tokens[: lengths[row]])
            places += length
    if places == segments[-1]:
        return Layout(tuple(groups))
    taken = np.concatenate(take)
    blank = np.flatnonzero(taken < 0)
    made = (np.maximum(taken, 0), np.concatenate(back), blank)
    return Layout(tuple(groups), *(torch.from_numpy(one).to(device) for one in made))


def _counts(rows: int, calls: Sequence[int] | None) -> Iterator[int]:
    """Yields numbers of `calls` that add up to `rows`, few of them."""
    for count in calls or ((rows,) if rows else ()):
        times, rows = divmod(rows, count)
        yield from itertools.repeat(count, times)


class _Rows(torch.autograd.Function):
    """Rows `index` of a tensor. Each row is used once but for filling, so the gradient is taken by the inverse, with no
    scattered sums: what filling (`blank`) is given as a gradient is zero."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, inverse: Tensor, blank: Tensor | None) -> Tensor:
        ctx.save_for_backward(inverse, blank)
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        inverse, blank = ctx.saved_tensors
        out = grads[0].index_select(0, inverse)
        if blank is not None:
            out.index_fill_(0, blank, 0)
        return out, None, None, None


_rows: Any = _Rows.apply
