"""Attention of the new tokens of a pass to their texts' rows, as products over tensors: the way of a CPU.

Texts with one new token whose rows are neighbours share two matrix products; a longer piece is attended on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from luthier.generation.memory import Row, Slab
from luthier.models.attention import attention


@dataclass(slots=True)
class Run:
    """Texts with one new token each in neighbouring rows `low` to `high` of a slab; theirs are the tokens from `first`
    on. `starts` (n,) are the columns of the new tokens."""

    slab: Slab
    low: int
    high: int
    first: int
    starts: Tensor
    columns: int
    even: bool
    rows: Tensor
    hidden: dict[tuple[int | None, int], Tensor | None] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Sequence[tuple[Row, int]], first: int, device: torch.device) -> Run:
        """Returns the run of texts, told by their rows and where their new tokens stand."""
        low, high = texts[0][0].index, texts[-1][0].index
        starts = [start for _, start in texts]
        return cls(
            texts[0][0].slab,
            low,
            high,
            first,
            torch.tensor(starts, device=device),
            max(starts) + 1,
            min(starts) == max(starts),
            torch.arange(low, high + 1, device=device),
        )

    def bias(self, window: int | None, heads: int, like: Tensor) -> Tensor | None:
        """Returns -inf at columns a text does not see, 0 elsewhere, (n * heads, 1, columns); None where all see all."""
        key = (window, heads)
        if key not in self.hidden:
            seen = self.seen(window)
            bias = None
            if seen is not None:
                zeros = torch.zeros(seen.shape, dtype=like.dtype, device=like.device)
                bias = zeros.masked_fill_(~seen, float("-inf")).repeat_interleave(heads, 0)[:, None]
            self.hidden[key] = bias
        return self.hidden[key]

    def seen(self, window: int | None) -> Tensor | None:
        """Returns which columns each text sees, (n, columns); None where all see all."""
        if self.even and (window is None or self.columns <= window):
            return None
        places = torch.arange(self.columns, device=self.starts.device)
        seen = places <= self.starts[:, None]
        return seen if window is None else seen & (places > self.starts[:, None] - window)


@dataclass(frozen=True, slots=True)
class Piece:
    """A text with several new tokens: those from `first` on."""

    row: Row
    first: int
    start: int
    end: int

    def seen(self, window: int | None, device: torch.device) -> Tensor | None:
        """Returns which columns each new token sees, (1, 1, count, columns); None where that is plainly causal."""
        if self.start == 0 and (window is None or self.end <= window):
            return None
        places = torch.arange(self.end, device=device)
        own = places[self.start :, None]
        seen = places <= own
        return (seen if window is None else seen & (places > own - window))[None, None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What attention does in one pass."""

    runs: Sequence[Run]
    pieces: Sequence[Piece]

    def attend(
        self,
        layer: int,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        softcap: float | None,
        sinks: Tensor | None,
        window: int | None,
    ) -> Tensor:
        """Writes key and value (1, K, T, D) to their rows; returns attention (T, H, D) of query (1, H, T, D)."""
        new_keys, new_values = key[0].transpose(0, 1), value[0].transpose(0, 1)  # (T, K, D)
        out = value.new_empty(query.shape[2], query.shape[1], value.shape[-1])  # (T, H, D)
        for run in self.runs:
            end = run.first + len(run.rows)
            keys, values = run.slab.layers[layer]
            keys[run.rows, :, run.starts] = new_keys[run.first : end]
            values[run.rows, :, run.starts] = new_values[run.first : end]
            own = query[0, :, run.first : end].transpose(0, 1)  # (n, H, D)
            if softcap is None and sinks is None:
                out[run.first : end] = _attend_run(run, own, keys, values, scaling, window)
            else:
                out[run.first : end] = _attend_capped(run, own, keys, values, scaling, softcap, sinks, window)
        for piece in self.pieces:
            end, row = piece.first + piece.end - piece.start, piece.row.index
            keys, values = (part[row : row + 1] for part in piece.row.slab.layers[layer])
            keys[:, :, piece.start : piece.end] = key[:, :, piece.first : end]
            values[:, :, piece.start : piece.end] = value[:, :, piece.first : end]
            seen = piece.seen(window, query.device)
            own = query[:, :, piece.first : end]
            keys, values = keys[:, :, : piece.end], values[:, :, : piece.end]
            done = attention(own, keys, values, seen, scaling, 0.0, softcap, sinks)  # (1, H, c, D)
            out[piece.first : end] = done[0].transpose(0, 1)
        return out


def _attend_run(
    run: Run, query: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
) -> Tensor:
    """Returns attention (n, H, D) of one query (n, H, D) a row, as products over all rows and heads."""
    count, heads, width = query.shape
    shared = keys.shape[1]
    scale = width**-0.5 if scaling is None else scaling
    grouped = query.reshape(count * shared, heads // shared, width)
    keys, values = (part[run.low : run.high + 1].flatten(0, 1)[:, : run.columns] for part in (keys, values))
    bias = run.bias(window, shared, query)
    if bias is None:
        scores = torch.bmm(grouped * scale, keys.transpose(1, 2))
    else:
        scores = torch.baddbmm(bias, grouped, keys.transpose(1, 2), alpha=scale)  # (n * K, H / K, columns)
    return torch.bmm(scores.softmax(-1), values).view(count, heads, -1)


def _attend_capped(
    run: Run,
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scaling: float | None,
    softcap: float | None,
    sinks: Tensor | None,
    window: int | None,
) -> Tensor:
    """Returns the same where scores are bounded (Gemma 2) or some weight goes nowhere (gpt-oss)."""
    keys, values = (part[run.low : run.high + 1, :, : run.columns] for part in (keys, values))
    seen = run.seen(window)
    mask = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=query.device) if seen is None else seen[:, None, None]
    return attention(query[:, :, None], keys, values, mask, scaling, 0.0, softcap, sinks)[:, :, 0]
