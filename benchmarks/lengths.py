"""What a token costs in rows of 256 to 4,096 tokens: `python -m benchmarks.lengths`.

The same number of tokens is trained in rows of each length, in turns; beside it what the count of operations predicts:
attention grows with the row, everything else does not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.shapes import SHAPES, build_model
from benchmarks.suites import RESULTS

LENGTHS = (256, 512, 1024, 2048, 4096)
TOKENS = 4096
BLOCKS = 7
SHAPE = "29M"


def measure(blocks: int, precision: str) -> list[dict[str, Any]]:
    """Returns the CPU-seconds per token of each length, of the median block, and what operations predict."""
    import torch

    from luthier.models.attention import use_packed_attention
    from luthier.models.operations import operations
    from luthier.objectives.language import for_model
    from luthier.tokens.token_rows import TokenRow
    from luthier.training.loop import computing_in

    torch.set_num_threads(1)
    dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]
    device, model = torch.device("cpu"), build_model(SHAPE)
    model.config.max_position_embeddings = max(LENGTHS)
    draw = np.random.default_rng(0)
    labels = np.arange(max(LENGTHS)) % 8 == 1
    seconds: dict[int, list[float]] = {length: [] for length in LENGTHS}
    with use_packed_attention(model):
        rows = {
            length: [
                TokenRow(
                    draw.integers(4, SHAPES[SHAPE]["vocab_size"], length).astype(np.int32), labels[:length], number
                )
                for number in range(TOKENS // length)
            ]
            for length in LENGTHS
        }
        objective = for_model(model, rows[LENGTHS[0]][:2])
        for block in range(blocks + 1):
            for length in LENGTHS:
                began = time.process_time()
                batch = objective.collate(rows[length])
                with computing_in(device, dtype):
                    loss = objective.loss(model, batch, objective.count(rows[length]))
                loss.value.backward()  # type: ignore[no-untyped-call]
                model.zero_grad(set_to_none=True)
                if block:  # the first one sets libraries up
                    seconds[length].append((time.process_time() - began) / TOKENS)
    work = operations(model)
    cost = {n: work.training([n] * (TOKENS // n), TOKENS // 8, recompute=False) / TOKENS for n in LENGTHS}
    middle = {length: statistics.median(seconds[length]) for length in LENGTHS}
    first = LENGTHS[0]
    return [
        {
            "precision": precision,
            "length": length,
            "microseconds_per_token": 1e6 * middle[length],
            "measured": middle[length] / middle[first],
            "predicted": cost[length] / cost[first],
        }
        for length in LENGTHS
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, measures, prints and keeps the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lengths")
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    given = parser.parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = [one for precision in ("bf16", "fp32") for one in measure(given.blocks, precision)]
    (RESULTS / "lengths.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"| {SHAPE}, full | row | CPU-microseconds per token | against rows of {LENGTHS[0]} | operations predict |")
    print("|---|---|---|---|---|")
    for one in found:
        cost = f"{one['microseconds_per_token']:.0f} | {one['measured']:.2f} | {one['predicted']:.2f}"
        print(f"| {one['precision']} | {one['length']:,} | {cost} |")


if __name__ == "__main__":
    main()
