"""The models that are served and what is asked of them: both sides make the same from the number of a block.

The lengths of a work are the same in every block and its tokens are new: a kept prefix would be found again otherwise.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shapes import LORA_ALPHA, LORA_RANK, LORA_TARGETS, build_model, examples, word_tokenizer

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


def served_tokenizer(shape: str, vocabulary: int, *, subwords: bool = False) -> Any:
    """Returns the embedded model's tokenizer; for random ones words, or `subwords` of this repository."""
    from transformers import AutoTokenizer

    if shape != FIDDLE:
        return subword_tokenizer(vocabulary) if subwords else word_tokenizer(vocabulary)
    return AutoTokenizer.from_pretrained(_fiddle())


def subword_tokenizer(vocabulary: int) -> Any:
    """Returns a byte-level BPE tokenizer of exactly as many tokens, learned from Python and Markdown files at hand.

    Where they hold too few pieces of words, tokens that no text is made of fill the vocabulary up.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train([str(file) for file in _texts()], trainer)
    tokenizer.add_tokens([f"<none{number}>" for number in range(vocabulary - tokenizer.get_vocab_size())])
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def _texts() -> list[Path]:
    """Returns this repository's files and those of the standard library, in an order that does not change."""
    import sysconfig

    root = Path(__file__).parents[1]
    own = [*root.glob("docs/*.md"), *root.glob("src/**/*.py"), *root.glob("tests/**/*.py")]
    return sorted(own) + sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))


def write_adapters(model: Any, folder: Path) -> dict[str, Path]:
    """Writes eight adapters in PEFT's format, all linear layers of attention and MLP, drawn from their names.

    Returns where each is. Their second matrices are not zero: each changes the replies.
    """
    import torch
    from safetensors.torch import save_file

    linears = {
        name: layer.weight.shape
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and name.endswith(LORA_TARGETS)
    }
    found = {}
    for adapter in ADAPTERS:
        generator = torch.Generator().manual_seed(zlib.crc32(adapter.encode()))
        weights = {}
        for name, (outputs, inputs) in linears.items():
            for part, size in (("lora_A", (LORA_RANK, inputs)), ("lora_B", (outputs, LORA_RANK))):
                key = f"base_model.model.{name}.{part}.weight"
                weights[key] = 0.02 * torch.randn(size, generator=generator)
        found[adapter] = folder / adapter
        found[adapter].mkdir()
        save_file(weights, found[adapter] / "adapter_model.safetensors", metadata={"format": "pt"})
        (found[adapter] / "adapter_config.json").write_text(json.dumps(_ADAPTER), encoding="utf-8")
    return found


_ADAPTER = {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "base_model_name_or_path": "",
    "r": LORA_RANK,
    "lora_alpha": LORA_ALPHA,
    "use_rslora": True,
    "target_modules": list(LORA_TARGETS),
    "bias": "none",
    "inference_mode": True,
}


def _fiddle() -> Path:
    import luthier.models.fiddle as fiddle

    return Path(next(iter(fiddle.__path__)))
