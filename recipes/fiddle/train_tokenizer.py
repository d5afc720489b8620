"""Trains the tokenizer of the embedded model: `python -m recipes.fiddle.train_tokenizer --output DIR [--corpus DIR]`.

Byte-level BPE with digits and spaces apart: a number is copied digit by digit, and a word has the same tokens wherever
it stands (after a space, a quote, a line break), so that copying it is copying tokens. A text on its own starts with
<|begin|>; the chat template writes that token itself. The same arguments give the same file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from recipes.fiddle import generate, prose

VOCABULARY = 4096
PAD, BEGIN, END = "<|pad|>", "<|begin|>", "<|end|>"
SPECIAL_TOKENS = (PAD, BEGIN, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
TAGS = ("<tool_call>", "</tool_call>")  # one token each, but text that a reader of the reply must see
TEMPLATE = Path(__file__).parents[2] / "src/luthier/tokens/default.jinja"
CONTEXT_LENGTH = 2048
PARAGRAPHS = 60_000


def texts(rows_per_stage: int, paragraphs: Sequence[str]) -> Iterator[str]:
    """Yields what the tokenizer is trained on: the text of generated rows, then prose."""
    for stage in generate.STAGES:
        for row in generate.rows(stage, rows_per_stage, seed=7):
            for message in row["messages"]:
                yield message["content"] or message["tool_calls"][0]["function"]["arguments"]
            if "tools" in row:
                yield json.dumps(row["tools"])
    yield from paragraphs


def train(source: Iterator[str], vocabulary: int = VOCABULARY):
    """Returns a transformers tokenizer trained on `source`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(" ", behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(TAGS),
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(source, trainer)
    begin = f"{BEGIN} $A"
    bpe.post_processor = processors.TemplateProcessing(
        single=begin, pair=f"{begin} {BEGIN}:1 $B:1", special_tokens=[(BEGIN, SPECIAL_TOKENS.index(BEGIN))]
    )
    bpe.add_tokens([AddedToken(tag, normalized=False) for tag in TAGS])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(SPECIAL_TOKENS[3:]),
        model_max_length=CONTEXT_LENGTH,
        clean_up_tokenization_spaces=False,
        chat_template=TEMPLATE.read_text(encoding="utf-8"),
    )


def name_class(file: Path) -> None:
    """Writes the class name that every transformers release knows into a tokenizer's configuration."""
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings.pop("backend", None)
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, trains and saves."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.train_tokenizer")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=8_000, help="generated rows of each stage")
    parser.add_argument("--corpus", type=Path, help="folder of texts; without it only generated rows are used")
    given = parser.parse_args(arguments)
    paragraphs = prose.paragraphs(given.corpus, PARAGRAPHS)[0] if given.corpus else []
    tokenizer = train(texts(given.rows, paragraphs))
    tokenizer.save_pretrained(given.output)
    name_class(given.output / "tokenizer_config.json")
    print(f"{len(tokenizer)} tokens, {len(paragraphs)} paragraphs of prose -> {given.output}")


if __name__ == "__main__":
    main()
