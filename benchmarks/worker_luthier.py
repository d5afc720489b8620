"""One side: Luthier's own loop on the shared rows. `python -m benchmarks.worker_luthier --help`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.blocks import Turn
from benchmarks.shapes import (
    BATCH,
    LORA_ALPHA,
    LORA_RANK,
    SHAPES,
    Example,
    batches,
    build_model,
    examples,
    same_adapter,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and trains until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_luthier")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="29M")
    parser.add_argument("--train", choices=("full", "lora"), default="full")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--order", choices=("random", "grouped"), default="random")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--unpacked", action="store_true", help="each row a pass of its own")
    parser.add_argument("--steps", type=int, default=3, help="steps of a block")
    given = parser.parse_args(arguments)
    rows = batches(examples(SHAPES[given.shape]["vocab_size"]), given.order)
    with tempfile.TemporaryDirectory() as folder:
        train(given, [row for batch in rows for row in batch], Path(folder))


def train(given: argparse.Namespace, rows: list[Example], folder: Path) -> None:
    import torch

    from luthier.models.attention import use_packed_attention
    from luthier.models.compiled import compile_blocks
    from luthier.models.options import ParameterOptions
    from luthier.models.parameters import choose_parameters
    from luthier.objectives.language import for_model
    from luthier.training import loop
    from luthier.training.options import TrainingOptions

    lora = given.train == "lora"
    dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[given.precision]
    model = build_model(given.shape)
    if lora:
        model.to(dtype)
    chosen = ParameterOptions(train="lora", lora_r=LORA_RANK, lora_alpha=LORA_ALPHA)
    choose_parameters(model, chosen if lora else ParameterOptions(train="full"), generator_seed=0)
    same_adapter(model)
    if given.compile:
        compile_blocks(model)
    items = Items(rows)
    with use_packed_attention(model):
        job = loop.Job(
            model=model,
            objective=for_model(model, [items[0], items[1]]),
            items=items,
            options=TrainingOptions(
                batch_size=BATCH,
                order="sequential",
                num_train_epochs=100,
                lr_scheduler_type="constant",
                warmup_ratio=0.0,
                save_steps=1_000_000,
                seed=0,
            ),
            peak_learning_rate=1e-4,
            max_tokens_per_pass=4096,
            folder=folder,
            device=torch.device("cpu"),
            compute_dtype=dtype,
            identity={},
            report=Watch(Turn(given.steps)),
            packing=not given.unpacked,
        )
        loop.train(job, resume=False)


class Items:
    """The rows as the loop takes them."""

    def __init__(self, rows: list[Example]) -> None:
        from luthier.tokens.token_rows import TokenRow

        self.rows = [
            TokenRow(
                np.array(row.prompt + row.completion, dtype=np.int32),
                np.arange(row.tokens) >= len(row.prompt),
                number,
            )
            for number, row in enumerate(rows)
        ]
        self.lengths = np.array([row.tokens for row in rows])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


class Watch:
    """A report that hands every step's figures to the driver."""

    def __init__(self, turn: Turn) -> None:
        self.turn, self.tokens = turn, 0.0

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        tokens, self.tokens = values["tokens"] - self.tokens, values["tokens"]
        self.turn.step(int(tokens), values["loss"])

    def progress(self, *_: Any) -> None: ...

    def event(self, *_: Any, **__: Any) -> None: ...

    def cancelled(self) -> bool:
        return False


if __name__ == "__main__":
    main()
