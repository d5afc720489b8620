"""One side: Luthier's engine on the requests of serving. `python -m benchmarks.worker_engine --help`."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from typing import Any

from benchmarks.blocks import Turn
from benchmarks.served import CONTEXT, FIDDLE, WORKS, Request, counted, requests, served_model, served_tokenizer
from benchmarks.shapes import SHAPES


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and answers until it is told to end."""
    given = options().parse_args(arguments)
    engine = open_engine(given.shape, given.precision)
    turn = Turn()
    for block in itertools.count():
        asked = requests(given.work, engine.model.config.vocab_size, block)
        turn.step(counted(asked, [len(reply.token_ids) for reply in answer(engine, asked)]))


def options() -> argparse.ArgumentParser:
    """Returns the reader of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_engine")
    parser.add_argument("--shape", choices=[*sorted(SHAPES), FIDDLE], default="29M")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="fp32")
    parser.add_argument("--work", choices=sorted(WORKS), default="ragged")
    return parser


def open_engine(shape: str, precision: str = "fp32") -> Any:
    """Returns the engine of a shape, whose replies end by their lengths alone."""
    import torch

    from luthier.generation.engine import Engine

    torch.set_num_threads(1)
    model = served_model(shape, precision)
    tokenizer = served_tokenizer(shape, model.config.vocab_size)
    return Engine(model, tokenizer, stop_ids=frozenset(), context_length=CONTEXT)


def answer(engine: Any, asked: Sequence[Request]) -> Any:
    """Returns the replies to a block's requests: greedy, of the lengths asked for."""
    from luthier.records.messages import Sampling

    samplings = [Sampling(max_tokens=one.length) for one in asked]
    return engine.generate([one.prompt for one in asked], samplings)


if __name__ == "__main__":
    main()
