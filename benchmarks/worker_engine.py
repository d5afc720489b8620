"""One side: Luthier's engine on the requests of serving. `python -m benchmarks.worker_engine --help`."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.blocks import Turn
from benchmarks.served import (
    CONTEXT,
    FIDDLE,
    WORKS,
    Request,
    counted,
    requests,
    served_model,
    served_tokenizer,
    write_adapters,
)
from benchmarks.shapes import SHAPES

END = 2
SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "minItems": 1000,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 24},
            "count": {"type": "integer", "minimum": 0, "maximum": 99_999},
            "kind": {"enum": ["part", "tool", "service"]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 12}, "minItems": 1, "maxItems": 3},
        },
        "required": ["name", "count", "kind", "tags"],
        "additionalProperties": False,
    },
}
"""Longer than any reply may be, so that replies have the same lengths with it and without."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and answers until it is told to end."""
    given = options().parse_args(arguments)
    blocks = answered(given)
    next(blocks)
    turn = Turn()
    for tokens in blocks:
        turn.step(tokens)


def options() -> argparse.ArgumentParser:
    """Returns the reader of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_engine")
    parser.add_argument("--shape", choices=[*sorted(SHAPES), FIDDLE], default="29M")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="fp32")
    parser.add_argument("--work", choices=sorted(WORKS), default="ragged")
    parser.add_argument("--adapters", action="store_true", help="eight adapters, in turn")
    parser.add_argument("--grammar", action="store_true", help="replies are JSON of a schema")
    parser.add_argument("--subwords", action="store_true", help="a tokenizer of real pieces of words, as grammars want")
    parser.add_argument("--no-reuse", action="store_true", help="prefixes are not kept")
    return parser


def answered(given: argparse.Namespace) -> Iterator[int]:
    """Yields 0 when the engine is ready, and then the tokens of one block's replies after another."""
    settings: dict[str, Any] = {"reuse": False} if given.no_reuse else {}
    if given.grammar:
        settings["stop_ids"] = frozenset({END})  # a grammar wants one to end by, which a schema this long never is
    engine = open_engine(given.shape, given.precision, subwords=given.subwords, **settings)
    with tempfile.TemporaryDirectory() as folder:
        if given.adapters:
            for name, place in write_adapters(served_model(given.shape, given.precision), Path(folder)).items():
                engine.adapters.add(name, place)
        asks: dict[str, Any] = {"grammar": _grammar()} if given.grammar else {}
        yield 0
        for block in itertools.count():
            asked = requests(given.work, engine.model.config.vocab_size, block, adapters=given.adapters)
            yield counted(asked, [len(reply.token_ids) for reply in answer(engine, asked, **asks)])


def open_engine(shape: str, precision: str = "fp32", *, subwords: bool = False, **settings: Any) -> Any:
    """Returns the engine of a shape, whose replies end by their lengths alone; `settings` are the engine's own."""
    import torch

    from luthier.generation.engine import Engine

    torch.set_num_threads(1)
    model = served_model(shape, precision)
    tokenizer = served_tokenizer(shape, model.config.vocab_size, subwords=subwords)
    asked: dict[str, Any] = {"stop_ids": frozenset(), "context_length": CONTEXT, "owned": True} | settings
    return Engine(model, tokenizer, **asked)


def answer(engine: Any, asked: Sequence[Request], **asks: Any) -> list[Any]:
    """Returns the replies to a block's requests: greedy, of the lengths asked for; `asks` are fields of `Sampling`."""
    prompts, samplings = _asked(asked, asks)
    replies: list[Any] = engine.generate(prompts, samplings, adapters=[one.adapter for one in asked])
    return replies


def drafted(engine: Any, asked: Sequence[Request]) -> list[Any]:
    """Returns the replies to a block's requests before anything of them is written."""
    drafts: list[Any] = engine.drafts(*_asked(asked, {}), streaming=False)
    return drafts


def _asked(asked: Sequence[Request], asks: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    from luthier.records.messages import Sampling

    return [one.prompt for one in asked], [Sampling(max_tokens=one.length, **asks) for one in asked]


def _grammar() -> str:
    from luthier.generation.grammar import json_grammar

    return json_grammar(SCHEMA)


if __name__ == "__main__":
    main()
