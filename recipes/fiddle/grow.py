"""Adds layers to trained weights: `python -m recipes.fiddle.grow MODEL --after 1 2 --output DIR`.

A new layer is a copy of the one it follows whose two outputs are zero, so that the model computes what it did, and
learns to use the layer from there (Net2Net, Chen et al. 2016; stacking, Gong et al. 2019). Copying is learned with few
layers, which are quick; finding the right sentence takes more.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUTPUTS = ("self_attn.o_proj", "mlp.down_proj")


def grow(model: Any, after: Sequence[int]) -> Any:
    """Returns the model with one more layer behind each of those named, that does nothing yet."""
    import torch

    layers = []
    for number, layer in enumerate(model.model.layers):
        layers.append(layer)
        for _ in range(list(after).count(number)):
            added = copy.deepcopy(layer)
            for name in OUTPUTS:
                torch.nn.init.zeros_(added.get_submodule(name).weight)
            layers.append(added)
    for number, layer in enumerate(layers):
        layer.self_attn.layer_idx = number
    model.model.layers = torch.nn.ModuleList(layers)
    model.config.num_hidden_layers = len(layers)
    return model


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and writes the model."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.grow")
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--after", type=int, nargs="+", required=True, help="layers to be followed by a new one, from 0"
    )
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = grow(AutoModelForCausalLM.from_pretrained(given.model, dtype="float32"), given.after)
    model.save_pretrained(given.output)
    AutoTokenizer.from_pretrained(given.model).save_pretrained(given.output)
    print(f"{model.config.num_hidden_layers} layers, {model.num_parameters():,} parameters -> {given.output}")


if __name__ == "__main__":
    main()
