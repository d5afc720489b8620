"""How work and memory grow with the rows: `python -m benchmarks.growth`.

Each size is prepared (read, split, tokenised) and batched in a process of its own, and then a two-layer model is
trained for 100 steps; sizes take turns. Rows stay on disk, so that peak memory should not grow, nor the work of a row.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.blocks import MARK, peak_bytes
from benchmarks.shapes import build_model
from benchmarks.suites import RESULTS

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
STEPS = 100
MEMORY_SHARE, MEMORY_BYTES, WORK_SHARE = 0.05, 50e6, 0.15


def write_rows(file: Path, count: int) -> None:
    """Writes chats of random words, log-normal in length: prompts of 35 words in the median, replies of 18."""
    draw, words = random.Random(0), _words()
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(count):
            prompt, reply = (
                " ".join(draw.choices(words, k=min(200, max(4, int(draw.lognormvariate(mean, 0.9))))))
                for mean in (3.55, 2.9)
            )
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
            stream.write(json.dumps({"messages": turns}) + "\n")


def _words() -> list[str]:
    draw = random.Random(1)
    return ["".join(draw.choices("aeioulnrst", k=draw.randint(2, 7))) for _ in range(3000)]


def write_model(folder: Path, shape: str = "two layers") -> None:
    """Writes a model of the shape with the embedded model's tokenizer."""
    from transformers import AutoTokenizer

    import luthier.models.fiddle as fiddle

    build_model(shape).save_pretrained(folder)
    AutoTokenizer.from_pretrained(next(iter(fiddle.__path__))).save_pretrained(folder)


def work(rows: Path, model: Path, folder: Path, *, train: bool) -> None:
    """Prepares and batches the rows, or trains on them, and prints what it took."""
    import torch

    from luthier.report import ListReport
    from luthier.tokens.pack import pack_rows
    from luthier.tokens.plan import plan_passes, plan_steps
    from luthier.training.run import RunFolder
    from luthier.training.setup import plan_run
    from luthier.workflows import tune

    torch.set_num_threads(1)
    spec = tune.Spec(
        rows=(str(rows),),
        model=str(model),
        train="full",
        output=str(folder),
        max_steps=STEPS,
        batch_size=8,
        answer_rows=0,
        validation_fraction=0.0,
        test_fraction=0.0,
        save_steps=STEPS,
        logging_steps=STEPS,
        duplicates="keep",
    )
    began = time.process_time()
    if train:
        tune.run(spec, ListReport())
    else:
        planned = plan_run(spec, RunFolder.claim(str(folder), name="growth", spec=spec, resume=False), ListReport())
        tokens, lengths = planned.rows.train.tokens, planned.rows.train.tokens.lengths
        for step in plan_steps(lengths, batch_size=8, order="random", seed=0, epoch=0):
            chosen = [tokens[int(index)] for index in step]
            for members in plan_passes([len(row.tokens) for row in chosen], 4096):
                pack_rows([chosen[place] for place in members])
    print(MARK + json.dumps({"cpu": time.process_time() - began, "peak_bytes": peak_bytes()}))


def measure(rounds: int) -> list[dict[str, Any]]:
    """Returns each size's CPU-seconds and peak memory, of the median round."""
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        write_model(base / "model")
        for size in SIZES:
            write_rows(base / f"{size}.jsonl", size)
        for turn in range(rounds):
            for what in ("prepare", "train"):
                for size in SIZES:
                    one = _run(what, base / f"{size}.jsonl", base / "model", base / f"{what}-{size}-{turn}")
                    found.setdefault((what, size), []).append(one)
                    print(f"  {what}, {size:,} rows: {one['cpu']:.1f} CPU-seconds, {one['peak_bytes'] / 1e6:.0f} MB")
    return [
        {
            "what": what,
            "rows": size,
            "cpu": statistics.median(one["cpu"] for one in all_of),
            "peak_bytes": statistics.median(one["peak_bytes"] for one in all_of),
        }
        for (what, size), all_of in found.items()
    ]


def _run(what: str, rows: Path, model: Path, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--worker", what, str(rows), str(model), str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{what} of {rows.name} failed:\n{done.stderr[-2000:]}")
    line = next(line for line in done.stdout.splitlines() if line.startswith(MARK))
    found: dict[str, float] = json.loads(line.removeprefix(MARK))
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Returns the figures as Markdown, and whether they hold to the bounds.

    The work of a row is what more rows add to it: the start of a process, which all sizes share, is left out.
    """
    lines = [
        "| what | rows | CPU-seconds | a row, beyond 1,000 rows | peak memory | bounds |",
        "|---|---|---|---|---|---|",
    ]
    for what in ("prepare", "train"):
        sizes = {one["rows"]: one for one in found if one["what"] == what}
        first = sizes[SIZES[0]]
        steps = {size: (sizes[size]["cpu"] - first["cpu"]) / (size - SIZES[0]) for size in SIZES[1:]}
        for size, one in sizes.items():
            limit = first["peak_bytes"] * (1 + MEMORY_SHARE) + MEMORY_BYTES
            verdicts = ["memory holds" if one["peak_bytes"] <= limit else f"memory MISSED ({limit / 1e6:.0f} MB)"]
            cost = ""
            if size in steps:
                cost = f"{1e3 * steps[size]:.3f} ms"
                if what == "prepare" and size == SIZES[-1]:
                    near = abs(steps[size] / steps[SIZES[1]] - 1) <= WORK_SHARE
                    verdicts.append("work holds" if near else "work MISSED")
            peak = f"{one['peak_bytes'] / 1e6:.0f} MB"
            lines.append(f"| {what} | {size:,} | {one['cpu']:.1f} | {cost} | {peak} | {', '.join(verdicts)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, measures, prints and keeps the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--worker", nargs=4, metavar=("WHAT", "ROWS", "MODEL", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.worker:
        what, rows, model, folder = given.worker
        work(Path(rows), Path(model), Path(folder), train=what == "train")
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = measure(given.rounds)
    (RESULTS / "growth.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n" + table(found))


if __name__ == "__main__":
    main()
