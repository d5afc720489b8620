"""New models from scratch: a tokenizer trained on a corpus, and a Llama of a wanted size with random weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from luthier.errors import SpecError
from luthier.models.options import ScratchOptions

if TYPE_CHECKING:
    from transformers import LlamaConfig, PreTrainedTokenizerFast

PAD, BEGIN, END = "<|pad|>", "<|begin|>", "<|end|>"
SPECIAL_TOKENS = (PAD, BEGIN, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
"""The tokens of our own chat template; their ids are 0 to 6 in every tokenizer trained here."""
_ASPECT = 48
"""Preferred width per layer of a model whose shape is searched: between GPT-2 (64) and the deep, thin small models."""


@dataclass(frozen=True, slots=True)
class LlamaSizes:
    """The sizes of a Llama with tied embeddings."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    intermediate_size: int

    @property
    def parameters(self) -> int:
        """How many numbers the model holds."""
        h = self.hidden_size
        keys = 2 * h * (h // self.num_attention_heads) * self.num_key_value_heads
        layer = 2 * h * h + keys + 3 * h * self.intermediate_size + 2 * h
        return self.vocab_size * h + self.num_hidden_layers * layer + h


def train_tokenizer(texts: Iterable[str], options: ScratchOptions) -> PreTrainedTokenizerFast:
    """Returns a byte-level BPE tokenizer trained on `texts`: no text is unknown to it, and each digit is a token.

    A text on its own starts with <|begin|>; our chat template writes that token itself, once per conversation.
    A small corpus gives fewer tokens than `vocab_size`; `SpecError` when there is no text at all.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    wrapper: Any = PreTrainedTokenizerFast
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=options.vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_some(texts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A {BEGIN}:1 $B:1", special_tokens=[(BEGIN, SPECIAL_TOKENS.index(BEGIN))]
    )
    trained: PreTrainedTokenizerFast = wrapper(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(SPECIAL_TOKENS[3:]),
        model_max_length=options.max_position_embeddings,
        clean_up_tokenization_spaces=False,
    )
    return trained


def choose_sizes(options: ScratchOptions, vocab_size: int) -> LlamaSizes:
    """Returns the sizes of a new model; those not given follow from `parameters`, or from `hidden_size`.

    `SpecError` when sizes do not divide each other, or when no shape comes within a tenth of `parameters`.
    """
    if options.parameters is None:
        if options.hidden_size is None or options.num_hidden_layers is None:
            raise SpecError(
                "the size of the new model is not given",
                where="parameters",
                remedy="give parameters, or hidden_size and num_hidden_layers",
            )
        return _sizes(options, vocab_size, options.hidden_size, options.num_hidden_layers)
    found = min(_candidates(options, vocab_size), key=lambda sizes: _distance(sizes, options.parameters or 0))
    if abs(found.parameters / options.parameters - 1) > 0.1:
        raise SpecError(
            f"no model with {vocab_size:,} tokens and the sizes given has {options.parameters:,} parameters; "
            f"the nearest has {found.parameters:,}",
            where="parameters",
            remedy="change parameters, vocab_size or the sizes",
        )
    return found


def new_config(options: ScratchOptions, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """Returns the configuration of a new Llama for `tokenizer`."""
    from transformers import LlamaConfig

    sizes = choose_sizes(options, len(tokenizer))
    vocabulary = tokenizer.get_vocab()
    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        num_hidden_layers=sizes.num_hidden_layers,
        num_attention_heads=sizes.num_attention_heads,
        num_key_value_heads=sizes.num_key_value_heads,
        intermediate_size=sizes.intermediate_size,
        max_position_embeddings=options.max_position_embeddings,
        tie_word_embeddings=True,
        bos_token_id=vocabulary[BEGIN],
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[PAD],
    )


def random_model(config: Any, seed: int) -> Any:
    """Returns the causal model of any configuration with random fp32 weights: the same weights for the same seed."""
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return loader.from_config(config, dtype=torch.float32)


def _some(texts: Iterable[str]) -> Iterator[str]:
    """Yields the texts, and refuses when there are none."""
    empty = True
    for text in texts:
        empty = empty and not text.strip()
        yield text
    if empty:
        raise SpecError("there is no text to train a tokenizer on", where="rows", remedy="give rows with text")


def _sizes(options: ScratchOptions, vocab_size: int, hidden: int, layers: int) -> LlamaSizes:
    heads = options.num_attention_heads or _heads(hidden)
    groups = options.num_key_value_heads or _key_value_heads(heads)
    if hidden % heads or (hidden // heads) % 2:
        raise SpecError(
            f"hidden_size {hidden} cannot be cut into {heads} heads of an even width",
            where="num_attention_heads",
            remedy="use a number that divides hidden_size / 2",
        )
    if heads % groups:
        raise SpecError(
            f"{groups} does not divide the {heads} attention heads",
            where="num_key_value_heads",
            remedy="use a divisor of num_attention_heads",
        )
    # 8/3 of the width makes a gated MLP as large as a plain one of 4 times the width (Shazeer 2020)
    wide = options.intermediate_size or max(32, 32 * round(hidden * 8 / 3 / 32))
    return LlamaSizes(vocab_size, hidden, layers, heads, groups, wide)


def _heads(hidden: int) -> int:
    """Returns a number of heads about 64 wide (32 in narrow models) that divides the width."""
    wanted = max(1, hidden // (64 if hidden >= 256 else 32))
    return next((count for count in range(wanted, 0, -1) if hidden % (2 * count) == 0), 1)


def _key_value_heads(heads: int) -> int:
    """Returns a third to a half of the heads where that divides them, else all of them."""
    return next((heads // share for share in (3, 2) if heads % share == 0 and heads > share), heads)


def _candidates(options: ScratchOptions, vocab_size: int) -> Iterator[LlamaSizes]:
    """Yields, for every width, the two depths whose counts lie around the wanted one."""
    wanted = options.parameters or 0
    searched = [*range(16, 256, 16), *range(256, 1024, 32), *range(1024, 16385, 128)]
    for hidden in [options.hidden_size] if options.hidden_size else searched:
        heads = options.num_attention_heads
        if options.hidden_size is None and heads and hidden % (2 * heads):
            continue
        one, two = (_sizes(options, vocab_size, hidden, layers).parameters for layers in (1, 2))
        exact = 1 + (wanted - one) / (two - one)
        depths = {min(max(1, math.floor(exact)), 256), min(max(1, math.ceil(exact)), 256)}
        for layers in [options.num_hidden_layers] if options.num_hidden_layers else sorted(depths):
            yield _sizes(options, vocab_size, hidden, layers)


def _distance(sizes: LlamaSizes, wanted: int) -> tuple[float, float]:
    """How far a shape is off: first by count beyond a tenth, then by count and width per layer together."""
    off = abs(math.log(sizes.parameters / wanted))
    aspect = abs(math.log(sizes.hidden_size / sizes.num_hidden_layers / _ASPECT))
    return (0.0 if abs(sizes.parameters / wanted - 1) <= 0.1 else off), 10 * off + aspect
