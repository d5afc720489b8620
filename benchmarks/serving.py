"""Serving beside transformers: `python -m benchmarks.serving SUITE... [--blocks N]`.

Both sides answer the same requests, one thread each, in alternating blocks; what counts is tokens of replies per
CPU-second. A ratio is the median over the blocks, with a 90 % interval. `memory` and `equality` are checks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.blocks import ENVIRONMENT
from benchmarks.served import WORKS
from benchmarks.suites import Bound, Suite, command_line, keep, measure

ENGINE = ("", "the engine as it comes")
CONTINUOUS = ("--peer continuous", "continuous batching, pages of 64 tokens, a cache of 16,384, passes of 512")
ALONE = ("--peer generate --batch 1", "`generate`, one request at a time")
FIDDLE = "--shape fiddle"
MOST_OVERHEAD = 1.08
"""The time of replies with a grammar by that of replies of as many tokens without."""
TOGETHER = ("--peer generate --batch 8", "`generate`, all requests of a block at once")


def _suite(
    what: str,
    work: str,
    sides: dict[str, tuple[str, str]],
    *bounds: Bound,
    common: str = "--shape 29M",
    blocks: int = 7,
) -> Suite:
    return Suite(
        what=what,
        sides=sides,
        bounds=bounds,
        steps=1,
        blocks=blocks,
        common=f"{common} --work {work}",
        work=WORKS[work].said,
        tokens="reply tokens",
    )


def _precisions() -> dict[str, tuple[str, str]]:
    return {
        "Luthier bf16": ("--precision bf16", "the engine, bf16"),
        "generate bf16": (f"{TOGETHER[0]} --precision bf16", f"{TOGETHER[1]}, bf16"),
        "generate fp32": (f"{TOGETHER[0]} --precision fp32", f"{TOGETHER[1]}, fp32"),
    }


def _against_transformers() -> dict[str, Suite]:
    continuous = {"Luthier": ENGINE, "continuous batching": CONTINUOUS}
    alone = {"Luthier": ENGINE, "one by one": ALONE}
    uniform = {"Luthier": ENGINE, "generate": TOGETHER}
    to_continuous = Bound("Luthier", "continuous batching", speed=0.9, aim=1.5)
    to_alone = Bound("Luthier", "one by one", speed=3, aim=5)
    to_uniform = Bound("Luthier", "generate", speed=1, aim=1.3)
    to_bf16, to_fp32 = (Bound("Luthier bf16", f"generate {one}", aim=2) for one in ("bf16", "fp32"))
    ragged, equal = "fp32, ragged requests", "fp32, equal requests"
    return {
        "ragged": _suite(f"29M, {ragged}", "ragged", continuous, to_continuous),
        "alone": _suite(f"29M, {ragged}", "ragged", alone, to_alone),
        "uniform": _suite(f"29M, {equal}", "uniform", uniform, to_uniform),
        "uniform-bf16": _suite("29M, equal requests", "uniform", _precisions(), to_bf16, to_fp32),
        "ragged-fiddle": _suite(f"Fiddle, {ragged}", "ragged", continuous, to_continuous, common=FIDDLE),
        "alone-fiddle": _suite(f"Fiddle, {ragged}", "ragged", alone, to_alone, common=FIDDLE),
        "uniform-fiddle": _suite(f"Fiddle, {equal}", "uniform", uniform, to_uniform, common=FIDDLE),
    }


def _adapters() -> dict[str, Suite]:
    sides = {
        "Luthier adapters": ("--adapters", "eight adapters in turn"),
        "Luthier": ("", "the same requests of the base"),
        "PEFT mixed": ("--peer generate --batch 32 --adapters", "`generate` with `adapter_names`, 32 at once"),
    }
    ragged = sides | {
        "PEFT mixed": (
            "--peer generate --batch 8 --adapters",
            "`generate` with `adapter_names`, 8 of like length at once",
        )
    }
    bounds = (
        Bound("Luthier adapters", "Luthier", speed=0.65, aim=0.9),
        Bound("Luthier adapters", "PEFT mixed", speed=1.4),
    )
    what = "29M, fp32, 8 adapters of rank 16"
    return {
        "adapters": _suite(f"{what}, equal requests", "even", sides, *bounds),
        "adapters-ragged": _suite(f"{what}, ragged requests", "ragged", ragged, *bounds),
    }


def _own() -> dict[str, Suite]:
    grammar = {
        "with a grammar": ("--subwords --grammar", "JSON of a schema"),
        "without": ("--subwords", "free replies"),
    }
    overhead = Bound("with a grammar", "without", speed=1 / MOST_OVERHEAD)
    prefix = {
        "Luthier": ENGINE,
        "no reuse": ("--no-reuse", "reuse=False"),
        "continuous batching": (CONTINUOUS[0], f"{CONTINUOUS[1]}, which shares pages of equal prefixes too"),
    }
    to_none, to_continuous = Bound("Luthier", "no reuse", speed=3), Bound("Luthier", "continuous batching")
    return {
        "grammar": _suite("29M, fp32, a grammar of 32,000 tokens", "even", grammar, overhead),
        "grammar-fiddle": _suite("Fiddle, fp32, a grammar of 4,096 tokens", "even", grammar, overhead, common=FIDDLE),
        "prefix": _suite("29M, fp32, prompts that start alike", "prefix", prefix, to_none, to_continuous),
    }


SUITES = _against_transformers() | _adapters() | _own()


CHECKS = {"memory": "benchmarks.budget", "equality": "benchmarks.equality"}
"""What holds or does not, by name: modules of their own, with no other side."""


def _command(arguments: str, suite: Suite) -> list[str]:
    module = "benchmarks.worker_generate" if "--peer" in arguments else "benchmarks.worker_engine"
    return [sys.executable, "-m", module, *suite.common.split(), *arguments.split()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, runs the suites, prints and keeps their figures; fails where a check does not hold."""
    given = command_line("benchmarks.serving", [*SUITES, *CHECKS], arguments)
    failed = []
    for name in given.suites or [*SUITES, *CHECKS]:
        if name in SUITES:
            keep(measure(name, SUITES[name], _command, blocks=given.blocks))
        elif subprocess.run([sys.executable, "-m", CHECKS[name]], check=False, env=os.environ | ENVIRONMENT).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"not held: {', '.join(failed)}")


if __name__ == "__main__":
    main()
