"""Sequences laid end to end for one forward pass, and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from luthier.tokens.token_rows import TokenRow


@dataclass(frozen=True, slots=True)
class Batch:
    """One forward pass: `tokens` (T,), `positions` (T,) that restart at 0 with each segment, int64.

    `segments` are the starts of the segments and T at the end. `label_positions` (L,) are the places whose next token
    is a labelled target, `targets` (L,) those tokens. `rows` names the row of each segment.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    segments: tuple[int, ...]
    label_positions: torch.Tensor
    targets: torch.Tensor
    rows: tuple[int, ...]

    def to(self, device: torch.device | str) -> Batch:
        """Returns the batch with its tensors on `device`."""
        return replace(
            self,
            tokens=self.tokens.to(device),
            positions=self.positions.to(device),
            label_positions=self.label_positions.to(device),
            targets=self.targets.to(device),
        )


def pack_rows(rows: Sequence[TokenRow]) -> Batch:
    """Returns the rows as one batch, in their order. `labels[0]` of a row must be False: nothing comes before it."""
    tokens = np.concatenate([row.tokens for row in rows]).astype(np.int64)
    labels = np.concatenate([row.labels for row in rows])
    segments = np.concatenate([[0], np.cumsum([len(row.tokens) for row in rows])])
    assert not labels[segments[:-1]].any(), "the first token of a row cannot carry loss"
    positions = np.concatenate([np.arange(len(row.tokens)) for row in rows])
    labelled = np.flatnonzero(labels)
    return Batch(
        tokens=torch.from_numpy(tokens),
        positions=torch.from_numpy(positions),
        segments=tuple(segments.tolist()),
        label_positions=torch.from_numpy(labelled - 1),
        targets=torch.from_numpy(tokens[labelled]),
        rows=tuple(row.row for row in rows),
    )


def unpack_rows(batch: Batch) -> list[TokenRow]:
    """Returns the rows that `pack_rows` laid end to end."""
    labels = np.zeros(len(batch.tokens), dtype=np.bool_)
    labels[batch.label_positions.cpu().numpy() + 1] = True
    tokens = batch.tokens.cpu().numpy().astype(np.int32)
    spans = zip(batch.segments[:-1], batch.segments[1:], batch.rows, strict=True)
    return [TokenRow(tokens[start:end], labels[start:end], row) for start, end, row in spans]
