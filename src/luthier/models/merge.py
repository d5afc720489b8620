"""Merges an adapter into the weights it was trained on, in fp32, and takes it out again to the last bit."""

from __future__ import annotations

from torch import nn

from luthier.errors import ModelError
from luthier.models.lora import lora_layers, replace_module


def merge(model: nn.Module) -> None:
    """Makes every low-rank layer answer with one merged weight, computed in fp32 and kept in the weight's own format.

    The original weights stay beside the merged ones, so `unmerge` is exact; memory grows by the merged layers.
    """
    for layer in lora_layers(model).values():
        layer.merged = layer.merged_weight().to(layer.weight.dtype)


def unmerge(model: nn.Module) -> None:
    """Takes the merged weights out; the layers answer with their three parts again, every bit as before `merge`."""
    for layer in lora_layers(model).values():
        layer.merged = None


def fold(model: nn.Module) -> None:
    """Replaces every low-rank layer by a plain linear layer with the merged weight, for export; cannot be undone.

    Raises `ModelError` when the weights are not fp32: rounding the sum would answer differently from the tuned model.
    """
    for name, layer in lora_layers(model).items():
        if layer.weight.element_size() < 4:
            raise ModelError(
                f"the weights are {layer.weight.dtype}, and merging would round what was learnt",
                where=name,
                remedy="load the model with precision fp32",
            )
        replace_module(model, name, layer.plain(layer.merged_weight()))
