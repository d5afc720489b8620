"""The models that are served and what is asked of them: both sides make the same from the number of a block.

The lengths of a work are the same in every block and its tokens are new: a kept prefix would be found again otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shapes import build_model, examples, word_tokenizer

FIDDLE = "fiddle"
CONTEXT = 2048
ADAPTERS = tuple(f"adapter{number}" for number in range(8))
PREFIX, TAIL = 1000, 20
SPECIAL = 4
"""Tokens that requests are not made of: the first ones mark starts and ends."""


@dataclass(frozen=True)
class Request:
    """One prompt, the length its reply is to have, and the adapter that is to answer, if any."""

    prompt: tuple[int, ...]
    length: int
    adapter: str | None = None


@dataclass(frozen=True)
class Work:
    """The (prompt, reply) lengths of a block's requests; `shared` first tokens are the same in all its prompts."""

    lengths: tuple[tuple[int, int], ...]
    shared: int = 0

    @property
    def said(self) -> str:
        """What a block is, in words."""
        prompts, replies = (sum(numbers) for numbers in zip(*self.lengths, strict=True))
        return f"{len(self.lengths)} requests ({prompts:,} tokens of prompts, {replies:,} of replies)"


def _ragged(count: int, seed: int) -> tuple[tuple[int, int], ...]:
    return tuple((len(row.prompt), len(row.completion)) for row in examples(100, count, seed))


def _tails() -> tuple[tuple[int, int], ...]:
    tails = np.random.default_rng(0).integers(TAIL - 8, TAIL + 9, 32).tolist()
    return tuple((PREFIX + tail, 16) for tail in tails)


WORKS = {
    "ragged": Work(_ragged(32, seed=0)),
    "uniform": Work(((64, 128),) * 8),
    "even": Work(((64, 64),) * 32),
    "prefix": Work(_tails(), shared=PREFIX),
    "few": Work(((9, 5), (17, 12), (5, 8))),
}


def requests(work: str, vocabulary: int, block: int, *, adapters: bool = False) -> list[Request]:
    """Returns the requests of a block: random tokens; with `adapters`, one of eight to each in turn."""
    random = np.random.default_rng(block + 1)
    found = WORKS[work]
    shared = random.integers(SPECIAL, vocabulary, found.shared).tolist()
    made = []
    for prompt, reply in found.lengths:
        own = random.integers(SPECIAL, vocabulary, prompt - found.shared).tolist()
        made.append(Request((*shared, *own), reply))
    if adapters:
        return [replace(one, adapter=ADAPTERS[place % len(ADAPTERS)]) for place, one in enumerate(made)]
    return made


def counted(asked: Sequence[Request], lengths: Sequence[int]) -> int:
    """Returns how many tokens came; `RuntimeError` where a reply has not the length that was asked for."""
    wrong = [place for place, (one, length) in enumerate(zip(asked, lengths, strict=True)) if one.length != length]
    if wrong:
        first = f"reply {wrong[0]} has {lengths[wrong[0]]} tokens instead of {asked[wrong[0]].length}"
        raise RuntimeError(f"{len(wrong)} of {len(asked)} replies are not as long as they should be: {first}")
    return sum(lengths)


def served_model(shape: str, precision: str = "fp32") -> Any:
    """Returns the model of a shape, or the embedded one by its name, ready to answer and with no token that ends it."""
    import torch

    if shape == FIDDLE:
        from transformers import AutoModelForCausalLM

        loader: Any = AutoModelForCausalLM
        model = loader.from_pretrained(_fiddle(), dtype=torch.float32, attn_implementation="sdpa")
    else:
        model = build_model(shape)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.to({"bf16": torch.bfloat16, "fp32": torch.float32}[precision]).eval().requires_grad_(False)


def served_tokenizer(shape: str, vocabulary: int) -> Any:
    """Returns the embedded model's tokenizer, or words for the random models."""
    if shape != FIDDLE:
        return word_tokenizer(vocabulary)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(_fiddle())


def _fiddle() -> Path:
    import luthier.models.fiddle as fiddle

    return Path(next(iter(fiddle.__path__)))
