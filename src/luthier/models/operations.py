"""How many floating-point operations training takes, and how many the machine does in a second.

A product of (m, k) and (k, n) takes 2 m k n of them; what is not a matrix product is left out of the count.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from luthier.models.lora import linear_layers, lora_layers

CEILING_SIZE = {"cpu": 1536}
DEVICE_SIZE = 8192
CEILING_SECONDS = 0.3
STACKED = 3  # dimensions of the weights of experts


@dataclass(frozen=True, slots=True)
class Operations:
    """What one token, one label and one pair of tokens of a row cost in a model, its training as chosen.

    `linear` and `low_rank` are weights of linear layers but the head's, all of them and those that are adapters',
    `trained` those of `linear` that are trained; `head` are the weights of the head, and `head_trained` whether they
    learn. `pair` are a forward pass's operations for a token and one that it may see, over all layers.
    """

    linear: int
    low_rank: int
    trained: int
    head: int
    head_trained: bool
    pair: int

    def training(self, lengths: Sequence[int] | np.ndarray[Any, Any], labelled: int, *, recompute: bool) -> float:
        """Returns the operations of one epoch over rows of these lengths, `labelled` tokens of which carry loss."""
        tokens, pairs = _sums(lengths)
        forward, to_inputs = 2 * (self.linear + self.low_rank), 2 * (self.linear + self.low_rank)
        to_weights = 2 * (self.trained + self.low_rank)
        each_token = forward * (2 if recompute else 1) + to_inputs + to_weights
        each_label = 2 * self.head * (3 if self.head_trained else 2)
        each_pair = self.pair * (4.5 if recompute else 3.5)  # backward: the weights once more, and four products
        return float(tokens * each_token + labelled * each_label + pairs * each_pair)

    def reading(self, lengths: Sequence[int] | np.ndarray[Any, Any], labelled: int) -> float:
        """Returns the operations of a pass over rows without training: of a held-out loss."""
        tokens, pairs = _sums(lengths)
        return float(tokens * 2 * (self.linear + self.low_rank) + labelled * 2 * self.head + pairs * self.pair)


def _sums(lengths: Sequence[int] | np.ndarray[Any, Any]) -> tuple[int, float]:
    """Returns the tokens of rows, and their pairs of a token and one not after it."""
    sizes = np.asarray(lengths, dtype=np.float64)
    return int(sizes.sum()), float((sizes * (sizes + 1) / 2).sum())


def operations(model: Any) -> Operations:
    """Returns what a model costs whose trained parameters are chosen (it may be without weights, on "meta")."""
    config = model.config.get_text_config()
    head = model.get_output_embeddings()
    weights = [layer.weight for layer in linear_layers(model).values() if layer is not head]
    adapted = lora_layers(model)
    weights += [layer.weight for layer in adapted.values() if layer is not head]
    experts = [weight for weight in model.parameters() if weight.ndim == STACKED]  # only some answer for a token
    heads = getattr(config, "num_attention_heads", 0) or 0
    width = (getattr(config, "head_dim", None) or config.hidden_size // max(1, heads)) * heads
    return Operations(
        linear=_count(weights) + sum(weight[0].numel() for weight in experts) * _answering(config),
        low_rank=_count([part for layer in adapted.values() for part in (layer.lora_A, layer.lora_B)]),
        trained=_count([weight for weight in weights if weight.requires_grad])
        + sum(weight[0].numel() for weight in experts if weight.requires_grad) * _answering(config),
        head=0 if head is None else head.weight.numel(),
        head_trained=head is not None and bool(head.weight.requires_grad),
        pair=4 * width * (getattr(config, "num_hidden_layers", 0) or 0),
    )


def _answering(config: Any) -> int:
    """Returns how many experts answer for a token."""
    return int(getattr(config, "num_experts_per_tok", None) or getattr(config, "moe_topk", None) or 1)


def _count(weights: Sequence[Tensor | nn.Parameter]) -> int:
    return sum(weight.numel() for weight in weights)


def ceiling(dtype: torch.dtype, device: torch.device | str) -> float:
    """Returns the operations per second of plain products of large square matrices here and now, with the threads that
    torch is set to: the most that training could reach. Takes under a second."""
    kind = torch.device(device).type
    size = CEILING_SIZE.get(kind, DEVICE_SIZE)
    own = torch.Generator().manual_seed(0)  # the run's own random numbers are left alone
    left, right = (torch.randn(size, size, generator=own).to(device, dtype) for _ in range(2))
    best, began = 0.0, time.perf_counter()
    left @ right
    while not best or time.perf_counter() - began < CEILING_SECONDS:  # on a busy machine the first takes it all
        _wait(kind)
        start = time.perf_counter()
        left @ right
        _wait(kind)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def _wait(kind: str) -> None:
    if kind == "cuda":
        torch.cuda.synchronize()
    elif kind == "mps":
        torch.mps.synchronize()
