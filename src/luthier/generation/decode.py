"""Calls of an unmodified transformers model: many texts in a packed pass, or one at a time with its own cache."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, LinearAttentionCacheLayerMixin

from luthier.generation.adapters import Adapters
from luthier.generation.memory import LayerShape, Row, StateShape


class Part(Protocol):
    """Tokens of one text that are new in a pass; see `passes.Part`."""

    @property
    def row(self) -> Row: ...
    @property
    def tokens(self) -> Sequence[int]: ...
    @property
    def start(self) -> int: ...
    @property
    def kept(self) -> Sequence[int]: ...


class Forward:
    """Calls a model with the arguments its signature knows. `cache_name` is None for the few models without a cache."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        accepted = inspect.signature(model.forward).parameters
        self._accepted = frozenset(accepted)
        named = [name for name in ("past_key_values", "cache_params") if name in accepted]
        self.cache_name = named[0] if named and (named[0] == "past_key_values" or recurrent(model.config)) else None

    def packed(self, tokens: Tensor, places: Tensor, kept: Tensor) -> Tensor:
        """Returns the logits (K, V), in fp32, at `kept` (K,) of a packed row: `tokens` (T,) at `places` (T,)."""
        whole = "logits_to_keep" not in self._accepted
        logits: Tensor = self._call(
            input_ids=tokens[None], position_ids=places[None], use_cache=False, logits_to_keep=kept
        )
        return (logits[0, kept] if whole else logits[0]).float()

    def alone(self, tokens: Tensor, start: int, cache: Cache | None, last: int) -> Tensor:
        """Returns the logits (last, V), in fp32, after one text's last tokens; `tokens` (T,) stand from `start`."""
        places = torch.arange(start, start + len(tokens), device=self.device)
        arguments: dict[str, Any] = {"use_cache": cache is not None, "logits_to_keep": last}
        if cache is not None and self.cache_name:
            arguments[self.cache_name] = cache
        return self._call(input_ids=tokens[None], position_ids=places[None], **arguments)[0, -last:].float()

    def _call(self, **arguments: Any) -> Tensor:
        known = {name: value for name, value in arguments.items() if name in self._accepted}
        logits: Tensor = self.model(**known).logits
        return logits


class Alone:
    """Runs passes of models whose layers keep a state, or attend in a way of their own: one text after the other, each
    with transformers' cache for it. Correct for any model, and slow."""

    chunks = False

    def __init__(self, model: Any) -> None:
        self.model, self._forward = model, Forward(model)
        self.device = self._forward.device
        self.shape = _rough_shape(model)
        self.adapters = Adapters(model, shared=False)
        self._caches: dict[Row, tuple[int, Cache | None, list[int]]] = {}

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Changes nothing; at its end what was kept is dropped."""
        try:
            yield
        finally:
            self._caches.clear()

    @torch.no_grad()
    def __call__(self, parts: Sequence[Part]) -> Tensor:
        """Returns the logits (K, V), in fp32, after the kept places of `parts`, in their order."""
        return torch.cat([self._part(part) for part in parts])

    def forget(self, row: Row) -> None:
        """Drops what is kept for a row that is free now."""
        self._caches.pop(row, None)

    def _part(self, part: Part) -> Tensor:
        cached = self._forward.cache_name is not None
        if part.start == 0:
            self._caches[part.row] = (0, DynamicCache(config=self.model.config) if cached else None, [])
        start, cache, before = self._caches[part.row]
        assert start == part.start, "a text is read in order"
        tokens = list(part.tokens) if cached else [*before, *part.tokens]
        logits = self._forward.alone(
            torch.tensor(tokens, device=self.device), start if cached else 0, cache, len(part.tokens)
        )
        self._caches[part.row] = (start + len(part.tokens), cache, tokens)
        return logits[list(part.kept)]


def recurrent(config: Any) -> bool:
    """Returns whether some layer of the model carries a state from token to token."""
    return any(isinstance(layer, LinearAttentionCacheLayerMixin) for layer in DynamicCache(config=config).layers)


def _rough_shape(model: Any) -> StateShape:
    """Returns about what a token leaves in transformers' cache, by the model's configuration."""
    text = model.config.get_text_config()
    heads = int(getattr(text, "num_key_value_heads", None) or text.num_attention_heads)
    width = int(getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)
    layers = (LayerShape(heads, width, width),) * int(text.num_hidden_layers)
    return StateShape(layers, next(model.parameters()).dtype, "meta")
