"""Serving beside transformers: `python -m benchmarks.serving SUITE... [--blocks N]`.

Both sides answer the same requests, one thread each, in alternating blocks; what counts is tokens of replies per
CPU-second. A ratio is the median over the blocks, with a 90 % interval.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.served import WORKS
from benchmarks.suites import Bound, Suite, command_line, keep, measure

ENGINE = ("", "the engine as it comes")
CONTINUOUS = ("--peer continuous", "continuous batching, pages of 64 tokens, a cache of 16,384, passes of 512")
ALONE = ("--peer generate --batch 1", "`generate`, one request at a time")
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


def _suites() -> dict[str, Suite]:
    continuous = {"Luthier": ENGINE, "continuous batching": CONTINUOUS}
    alone = {"Luthier": ENGINE, "one by one": ALONE}
    uniform = {"Luthier": ENGINE, "generate": TOGETHER}
    to_continuous = Bound("Luthier", "continuous batching", speed=0.9, aim=1.5)
    to_alone = Bound("Luthier", "one by one", speed=3, aim=5)
    to_uniform = Bound("Luthier", "generate", speed=1, aim=1.3)
    to_bf16, to_fp32 = (Bound("Luthier bf16", f"generate {one}", aim=2) for one in ("bf16", "fp32"))
    fiddle = "--shape fiddle"
    return {
        "ragged": _suite("29M, fp32, ragged requests", "ragged", continuous, to_continuous),
        "alone": _suite("29M, fp32, ragged requests", "ragged", alone, to_alone),
        "uniform": _suite("29M, fp32, equal requests", "uniform", uniform, to_uniform),
        "uniform-bf16": _suite("29M, equal requests", "uniform", _precisions(), to_bf16, to_fp32),
        "ragged-fiddle": _suite("Fiddle, fp32, ragged requests", "ragged", continuous, to_continuous, common=fiddle),
        "alone-fiddle": _suite("Fiddle, fp32, ragged requests", "ragged", alone, to_alone, common=fiddle),
        "uniform-fiddle": _suite("Fiddle, fp32, equal requests", "uniform", uniform, to_uniform, common=fiddle),
    }


SUITES = _suites()


def _command(arguments: str, suite: Suite) -> list[str]:
    module = "benchmarks.worker_generate" if "--peer" in arguments else "benchmarks.worker_engine"
    return [sys.executable, "-m", module, *suite.common.split(), *arguments.split()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, runs the suites, prints and keeps their figures."""
    given = command_line("benchmarks.serving", list(SUITES), arguments)
    for name in given.suites or SUITES:
        keep(measure(name, SUITES[name], _command, blocks=given.blocks))


if __name__ == "__main__":
    main()
