"""What a plan says against what the run took: `python -m benchmarks.forecast`. Time and memory, run by run."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.blocks import ENVIRONMENT
from benchmarks.growth import write_model, write_rows
from benchmarks.suites import RESULTS

ROWS = 400
RUNS = (
    ("two layers", "full", "bf16", 60),
    ("29M", "full", "bf16", 20),
    ("29M", "full", "fp32", 10),
    ("29M", "lora", "bf16", 20),
    ("29M", "lora", "fp32", 10),
    ("135M", "lora", "bf16", 4),
)
MEMORY_SHARE, MEMORY_BYTES = 0.2, 300e6
FACTOR = 1.5


def measure(shape: str, train: str, precision: str, steps: int, place: Path) -> dict[str, Any]:
    """Tunes for a few steps in a process of its own; returns what its run.json says."""
    run = place / f"run-{shape}-{train}-{precision}".replace(" ", "-")
    command = [sys.executable, "-m", "luthier", "tune", str(place / "rows.jsonl"), "--model", str(place / shape)]
    command += ["--train", train, "--precision", precision, "--max-steps", str(steps), "--output", str(run)]
    command += ["--validation-fraction", "0", "--test-fraction", "0", "--save-steps", str(steps)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | ENVIRONMENT)
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return {
        "run": f"{shape}, {train}, {precision}, {steps} steps",
        "planned_seconds": said["plan"]["seconds"],
        "seconds": said["state"]["seconds"],
        "planned_bytes": said["plan"]["memory_bytes"],
        "peak_bytes": said["peak_bytes"],
    }


def table(found: Sequence[dict[str, Any]]) -> str:
    """Returns the figures as Markdown, each with its verdict."""
    lines = ["| run | planned | took | | planned memory | peak | |", "|---|---|---|---|---|---|---|"]
    for one in found:
        ratio = one["seconds"] / one["planned_seconds"]
        near = 1 / FACTOR <= ratio <= FACTOR
        off = abs(one["planned_bytes"] - one["peak_bytes"])
        held = off <= max(MEMORY_SHARE * one["peak_bytes"], MEMORY_BYTES)
        time = f"{one['planned_seconds']:.0f} s | {one['seconds']:.0f} s | {ratio:.2f}{'' if near else ' FAR'}"
        memory = f"{one['planned_bytes'] / 1e9:.2f} GB | {one['peak_bytes'] / 1e9:.2f} GB"
        lines.append(f"| {one['run']} | {time} | {memory} | {'holds' if held else 'MISSED'} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs all, prints and keeps the figures."""
    argparse.ArgumentParser(prog="python -m benchmarks.forecast").parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_rows(place / "rows.jsonl", ROWS)
        for shape in dict.fromkeys(run[0] for run in RUNS):
            write_model(place / shape, shape)
        for run in RUNS:
            found.append(measure(*run, place))
            print(table(found[-1:]).splitlines()[-1], flush=True)
    (RESULTS / "forecast.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n" + table(found))


if __name__ == "__main__":
    main()
