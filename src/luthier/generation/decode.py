"""The decode loop's arithmetic: prefill, step, and rows that leave and join, over an unmodified transformers model.

Prompts of a batch are aligned at their last token (left padding) and carry their true positions, so every row gets
the logits it would get alone, up to the rounding of sums.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache

from luthier.generation.cache import Slots, recurrent
from luthier.generation.sample import Drawn, with_logprobs

_SCORED_AT_ONCE = 256


class Forward:
    """Calls a model with the arguments its signature knows. `pads` tells whether rows of unequal length may share a
    pass; `cache_name` is None for the few models without a cache, whose whole text is read again at every token."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        accepted = inspect.signature(model.forward).parameters
        self._accepted = frozenset(accepted)
        state = recurrent(model.config)
        named = [name for name in ("past_key_values", "cache_params") if name in accepted]
        self.cache_name = named[0] if named and (named[0] == "past_key_values" or state) else None
        self.pads = {"position_ids", "attention_mask"} <= self._accepted and not state and self.cache_name is not None

    def new_cache(self) -> DynamicCache | None:
        return DynamicCache(config=self.model.config) if self.cache_name else None

    @torch.no_grad()
    def __call__(
        self, tokens: Tensor, positions: Tensor, mask: Tensor | None, cache: Cache | None, *, last: int = 1
    ) -> Tensor:
        """Returns the logits (B, last, V) after the last tokens of `tokens` (B, T) at `positions` (B, T).

        `mask` (B, columns) is true at every column that is not padding; None when there is none.
        """
        arguments: dict[str, Any] = {"input_ids": tokens, "position_ids": positions, "attention_mask": mask}
        arguments |= {"use_cache": cache is not None, "logits_to_keep": last}
        arguments = {name: value for name, value in arguments.items() if name in self._accepted}
        if cache is not None and self.cache_name:
            arguments[self.cache_name] = cache
        logits: Tensor = self.model(**arguments).logits
        return logits[:, -last:]


class Batch:
    """Rows being decoded together. `lengths` are their true lengths in tokens, `width` the columns of the cache."""

    def __init__(self, forward: Forward, slots: Slots | None, lengths: list[int], width: int, tokens: Tensor) -> None:
        self._forward, self._slots = forward, slots
        self.lengths, self.width = lengths, width
        self._tokens = tokens  # (B, width): read again by models without a cache, else unused

    @property
    def grows(self) -> bool:
        """Whether new rows can join before this batch has ended."""
        return self._slots is not None and self._slots.grows

    def step(self, tokens: Sequence[int]) -> Tensor:
        """Returns the logits (B, V), in fp32, after one more token of each row."""
        new = torch.tensor(tokens, device=self._forward.device)[:, None]  # (B, 1)
        positions = torch.tensor(self.lengths, device=self._forward.device)[:, None]  # (B, 1)
        self.lengths = [length + 1 for length in self.lengths]
        self.width += 1
        if self._slots is not None:
            return self._forward(new, positions, self._mask(), self._slots.cache)[:, -1].float()
        self._tokens = torch.cat([self._tokens, new], dim=1)  # (B, width)
        positions = torch.arange(self.width, device=self._forward.device).expand(len(tokens), -1)
        return self._forward(self._tokens, positions, None, None)[:, -1].float()

    def keep(self, order: Sequence[int]) -> None:
        """Row i becomes what row `order[i]` was; the others are forgotten."""
        self.lengths = [self.lengths[old] for old in order]
        if self._slots is None:
            self._tokens = self._tokens[list(order)]
            return
        self._slots.keep(order)
        padding = self.width - max(self.lengths)
        if self._slots.grows and padding * 4 > self.width:
            self._slots.trim(padding)
            self.width -= padding

    def admit(self, other: Batch) -> None:
        """Adds the rows of `other`, which has just been prefilled."""
        assert self._slots is not None
        assert other._slots is not None
        shift = max(0, other.width - self.width)
        self._slots.admit(other._slots, shift)
        self.width += shift
        self.lengths = self.lengths + other.lengths

    def _mask(self) -> Tensor | None:
        if min(self.lengths) == self.width:
            return None
        padding = torch.tensor([self.width - length for length in self.lengths], device=self._forward.device)
        return torch.arange(self.width, device=padding.device) >= padding[:, None]  # (B, width)


def prefill(forward: Forward, prompts: Sequence[Sequence[int]]) -> tuple[Batch, Tensor]:
    """Returns a batch that has read `prompts`, and the logits (B, V), in fp32, after each."""
    lengths = [len(prompt) for prompt in prompts]
    width = max(lengths)
    assert forward.pads or min(lengths) == width, "this model takes prompts of one length at a time"
    tokens = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=forward.device)
    padding = torch.tensor([width - length for length in lengths], device=forward.device)[:, None]  # (B, 1)
    columns = torch.arange(width, device=forward.device)  # (T,)
    mask = columns >= padding if min(lengths) < width else None  # (B, T)
    cache = forward.new_cache()
    logits = forward(tokens, (columns - padding).clamp(min=0), mask, cache)
    return Batch(forward, Slots(cache) if cache is not None else None, lengths, width, tokens), logits[:, -1].float()


def score(forward: Forward, prompt: Sequence[int], continuation: Sequence[int], ranked: int = 0) -> list[Drawn]:
    """Returns each token of `continuation` with its natural log-probability after `prompt`, from logits in fp32, and
    the `ranked` likeliest tokens in its place."""
    tokens = torch.tensor([[*prompt, *continuation]], device=forward.device)  # (1, T)
    positions = torch.arange(tokens.shape[1], device=forward.device)[None]
    count = len(continuation)
    logits = forward(tokens, positions, None, None, last=count + 1)[0, :-1]  # (L, V)
    targets = tokens[0, -count:]  # (L,)
    parts = zip(torch.split(logits, _SCORED_AT_ONCE), torch.split(targets, _SCORED_AT_ONCE), strict=True)
    return [one for part, target in parts for one in with_logprobs(part, target, ranked)]


def without(finished: Sequence[int], rows: int) -> list[int]:
    """Returns which row each place holds after `finished` rows leave: the last rows fill the holes, so few move."""
    gone = set(finished)
    left = rows - len(gone)
    movers = iter([row for row in range(left, rows) if row not in gone])
    return [next(movers) if row in gone else row for row in range(left)]
