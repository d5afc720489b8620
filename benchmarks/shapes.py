"""The models and the rows that both sides train on: drawn from a seed, so that both processes hold the same."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS = 1000
BATCH = 8
CONTEXT = 1024
SHAPES: dict[str, dict[str, Any]] = {
    "29M": {
        "hidden_size": 384,
        "intermediate_size": 1280,
        "num_hidden_layers": 8,
        "num_attention_heads": 6,
        "num_key_value_heads": 6,
        "vocab_size": 32_000,
    },
    "135M": {  # SmolLM 135M
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49_152,
    },
    "two layers": {
        "hidden_size": 128,
        "intermediate_size": 352,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "vocab_size": 4_096,
    },
}
LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LORA_RANK, LORA_ALPHA = 16, 32


def same_adapter(model: Any) -> None:
    """Draws the adapter's first matrices by the names of their layers, so that both sides start from the same ones."""
    import torch

    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            layer = name.partition("layers.")[2].partition(".lora_A")[0]
            generator = torch.Generator().manual_seed(zlib.crc32(layer.encode()))
            with torch.no_grad():
                parameter.copy_(0.02 * torch.randn(parameter.shape, generator=generator))


@dataclass(frozen=True)
class Example:
    """One row: the tokens of a prompt, and those of the completion, which carry the loss."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]

    @property
    def tokens(self) -> int:
        return len(self.prompt) + len(self.completion)


def build_model(shape: str) -> Any:
    """Returns a Llama of the shape with seeded random weights, fp32, tied embeddings."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        **SHAPES[shape],
    )
    config._attn_implementation = "sdpa"
    return LlamaForCausalLM(config)


def examples(vocabulary: int, count: int = ROWS, seed: int = 0) -> list[Example]:
    """Returns rows with the lengths of chats: prompts of 120 tokens in the median, completions of 60.

    Both are log-normal (8 to 900, 4 to 1,000), together at most 1,024. The tokens are random: speed is not theirs.
    """
    random = np.random.default_rng(seed)

    def length(median: int, sigma: float, low: int, high: int) -> int:
        return int(min(high, max(low, random.lognormal(math.log(median), sigma))))

    found = []
    for _ in range(count):
        prompt, completion = length(120, 0.85, 8, 900), length(60, 1.0, 4, 1000)
        completion = min(completion, max(4, CONTEXT - prompt))
        tokens = random.integers(4, vocabulary, prompt + completion).tolist()
        found.append(Example(tuple(tokens[:prompt]), tuple(tokens[prompt:])))
    return found


def batches(rows: list[Example], order: str) -> list[list[Example]]:
    """Returns the rows as batches of 8: "random" as they were drawn, "grouped" of like lengths, as the trainers' own
    length grouping makes them (sorted within 50 batches), in an order in which every few batches hold all lengths."""
    if order == "random":
        return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    made: list[list[Example]] = []
    for start in range(0, len(rows), 50 * BATCH):
        pool = sorted(rows[start : start + 50 * BATCH], key=lambda row: -row.tokens)
        made += [pool[place : place + BATCH] for place in range(0, len(pool), BATCH)]
    shuffled = np.random.default_rng(0).permutation(len(made))
    return [made[place] for place in shuffled]


def word_tokenizer(vocabulary: int) -> Any:
    """Returns a tokenizer of as many words as the vocabulary has tokens, for random tokens that nobody reads."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    special = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3}
    words = special | {f"w{number}": number for number in range(4, vocabulary)}
    fast: Any = PreTrainedTokenizerFast
    return fast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="<unk>")),
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )
