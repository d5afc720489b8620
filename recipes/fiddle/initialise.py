"""Writes the starting weights: `python -m recipes.fiddle.initialise --output DIR`.

A new transformer spends most of a small budget before it copies anything: the two attention layers that copying takes
(Olsson et al. 2022, "In-context Learning and Induction Heads") must be found together. So they are there at the start,
and training begins with a model that continues a repeated text (Trockman and Kolter 2023, "Mimetic Initialization",
begin from structured weights for the same reason):

- every embedding has a part in common, u; in layer 0 heads 0 and 1 turn u, by the phases of the rotary embedding, into
  attention to the token one and two places back, and write what stands there into spaces of their own;
- in layer 1 every head compares (this token, the token before it) with what layer 0 wrote at each place (the token
  before it, the one before that), in the slow pairs of the rotary embedding, and copies what it finds.

All is plain Llama: nothing but numbers in its matrices, which training changes as it likes.
"""

from __future__ import annotations

import argparse
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FIDDLE = Path(__file__).parents[2] / "src/luthier/models/fiddle"
COMMON, SHARP, MATCH = 0.5, 100.0, 20.0
"""Size of u beside an embedding; scores of the layer-0 heads; scores of a match in layer 1."""
SHIFTED, COPIED = 2.0, 4.0
"""How loudly layer 0 writes the tokens before, and layer 1 the copied token, beside an embedding."""
OTHERS, KEPT = 0.1, 0.3
"""What the other weights are multiplied with: outputs to the residual stream, and what the heads had before."""
SLOW = 0.04
"""Rotary frequencies (radians per token) below which content is compared nearly without regard to distance."""


@torch.no_grad()
def install_copying(model: Any, generator: torch.Generator) -> None:
    """Writes the two layers into a Llama model of at least two layers, with heads of 32 or more and tied embeddings."""
    config = model.config
    width, head = config.hidden_size, config.head_dim
    scale = config.initializer_range
    for layer in model.model.layers:
        layer.mlp.down_proj.weight *= OTHERS / math.sqrt(2 * config.num_hidden_layers)
        layer.self_attn.o_proj.weight *= OTHERS / math.sqrt(2 * config.num_hidden_layers)
    frequencies = 1 / config.rope_parameters["rope_theta"] ** (torch.arange(0, head, 2) / head)
    common = torch.nn.functional.normalize(torch.randn(width, generator=generator), dim=0)  # u
    embedding = model.get_input_embeddings().weight  # (V, d)
    embedding -= (embedding @ common)[:, None] * common
    embedding += COMMON * scale * math.sqrt(width) * common
    read, write = _orthogonal(width, generator), _orthogonal(width, generator)
    _look_back(model.model.layers[0].self_attn, common, frequencies, read, write, scale)
    _match(model.model.layers[1].self_attn, frequencies, read, write, generator)
    value = _orthogonal(width, generator)
    second = model.model.layers[1].self_attn
    second.v_proj.weight.copy_(value @ (torch.eye(width) - torch.outer(common, common)))
    second.o_proj.weight.copy_(COPIED * scale * value.T)


def _look_back(attention: Any, common: Tensor, frequencies: Tensor, read: Tensor, write: Tensor, scale: float) -> None:
    """Layer 0: head j reads the token j + 1 places back and writes it into its own space."""
    width, head = common.shape[0], attention.head_dim
    strength = COMMON * math.sqrt(width) / math.sqrt(1 + COMMON**2)  # u in the normed embedding
    size = math.sqrt(SHARP) / strength * (head / 32) ** 0.25 * (0.72 if head == 64 else 1.0)
    fast = 6 * head // 32
    for number in (0, 1):
        rows = slice(number * head, (number + 1) * head)
        query, key = torch.zeros(head), torch.zeros(head)
        query[:fast] = size
        key[:fast] = size * torch.cos(frequencies[:fast] * (number + 1))
        key[head // 2 : head // 2 + fast] = size * torch.sin(frequencies[:fast] * (number + 1))
        for projection, part in ((attention.q_proj, query), (attention.k_proj, key)):
            projection.weight[rows] = torch.outer(part, common) + KEPT * projection.weight[rows]
        attention.v_proj.weight[rows] = read[:head]
        attention.o_proj.weight[:, rows] = SHIFTED * scale * write[rows].T


def _match(attention: Any, frequencies: Tensor, read: Tensor, write: Tensor, generator: torch.Generator) -> None:
    """Layer 1: every head attends to places whose tokens before are this token and the one before it."""
    head = attention.head_dim
    slow = [pair for pair in range(head // 2) if frequencies[pair] < SLOW]
    places = [*slow, *(pair + head // 2 for pair in slow)]
    half = len(places) // 2
    size = math.sqrt(MATCH * math.sqrt(head) / (0.5 * len(places)))
    for start in range(0, attention.q_proj.weight.shape[0], head):
        rows = slice(start, start + head)
        mix = _orthogonal(head, generator)
        query, key = torch.zeros(head, read.shape[1]), torch.zeros(head, read.shape[1])
        query[places[:half]] = size * (mix[:half] @ read[:head])
        key[places[:half]] = size * (mix[:half] @ write[:head])
        query[places[half:]] = 0.7 * size * (mix[half : len(places)] @ write[:head])
        key[places[half:]] = 0.7 * size * (mix[half : len(places)] @ write[head : 2 * head])
        attention.q_proj.weight[rows] = query + KEPT * attention.q_proj.weight[rows]
        attention.k_proj.weight[rows] = key + KEPT * attention.k_proj.weight[rows]


def _orthogonal(size: int, generator: torch.Generator) -> Tensor:
    return torch.linalg.qr(torch.randn(size, size, generator=generator))[0]


def initialise(folder: Path, seed: int, output: Path) -> int:
    """Writes starting weights of the shape and tokenizer in `folder`; returns the number of parameters."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    install_copying(model, torch.Generator().manual_seed(seed))
    model.save_pretrained(output)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(folder / file, output / file)
    return sum(parameter.numel() for parameter in model.parameters())


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and writes the model."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.initialise")
    parser.add_argument("--shape", type=Path, default=FIDDLE, help="folder with config.json and the tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    print(f"{initialise(given.shape, given.seed, given.output):,} parameters -> {given.output}")


if __name__ == "__main__":
    main()
