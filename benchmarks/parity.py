"""Equal losses: Luthier and TRL on the same batches in fp32, step by step. `python -m benchmarks.parity`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.blocks import Side, run
from benchmarks.suites import RESULTS
from benchmarks.training import PEERS

STEPS = 16
BOUND = 1e-5
COMMON = ("--shape", "29M", "--precision", "fp32", "--order", "random", "--steps", str(STEPS))


def sides(train: str) -> list[Side]:
    """Returns Luthier packed, Luthier unpacked, and TRL."""
    ours = [sys.executable, "-m", "benchmarks.worker_luthier", *COMMON, "--train", train]
    theirs = [PEERS, "-m", "benchmarks.worker_peer", "--trainer", "trl", *COMMON, "--train", train]
    return [Side("packed", ours), Side("unpacked", [*ours, "--unpacked"]), Side("TRL", theirs)]


def compare(train: str, log: Path) -> dict[str, Any]:
    """Returns the largest differences between losses of the same step, of models trained apart."""
    found = sides(train)
    run(found, 1, warm_up=0, log=log, say=lambda text: print(text, flush=True))
    packed, unpacked, peer = (side.blocks[0]["losses"] for side in found)
    return {
        "train": train,
        "steps": STEPS,
        "first": packed[0],
        "last": packed[-1],
        "to_trl": max(abs(a - b) for a, b in zip(packed, peer, strict=True)),
        "to_unpacked": max(abs(a - b) for a, b in zip(packed, unpacked, strict=True)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the differences, and fails where one is beyond the bound."""
    argparse.ArgumentParser(prog="python -m benchmarks.parity").parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = [compare(train, RESULTS / "log") for train in ("full", "lora")]
    (RESULTS / "parity.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\n| 29M, fp32, {STEPS} steps of 8 rows | loss | largest difference to TRL | packed to unpacked |")
    print("|---|---|---|---|")
    for one in found:
        loss = f"{one['first']:.4f} to {one['last']:.4f}"
        print(f"| {one['train']} | {loss} | {one['to_trl']:.1e} | {one['to_unpacked']:.1e} |")
    missed = [one["train"] for one in found if max(one["to_trl"], one["to_unpacked"]) > BOUND]
    if missed:
        raise SystemExit(f"beyond {BOUND}: {missed}")


if __name__ == "__main__":
    main()
