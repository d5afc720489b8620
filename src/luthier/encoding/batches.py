"""What every encoder does with texts: how long one may be, and which are computed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from luthier.models.opening import context_length


def longest_text(model: Any, tokenizer: Any) -> int:
    """Returns how many tokens `model` reads at once, with those that it puts around a text."""
    limit = context_length(model.config.to_dict(), tokenizer.model_max_length)
    for name, module in model.named_modules():
        first = getattr(module, "padding_idx", None)
        if name.endswith("position_embeddings") and first is not None:
            limit = min(limit, module.num_embeddings - first - 1)  # RoBERTa counts its places from after the padding
    known = tokenizer.model_max_length
    return int(min(limit, known)) if known else limit


def by_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Yields the places of rows to be computed together, short ones first: `most` places in a batch, filling counted.

    A row that is longer than `most` is alone.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= most:
            stop += 1
        yield order[start:stop]
        start = stop
