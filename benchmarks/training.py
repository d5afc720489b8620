"""Training beside TRL and transformers' Trainer: `python -m benchmarks.training SUITE... [--blocks N]`.

Both sides train the same model on the same batches, one thread each, in alternating blocks; what counts is real (not
filling) tokens per CPU-second. A ratio is the median over the blocks, with a 90 % interval.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from benchmarks.suites import Bound, Suite, command_line, keep, measure

PEERS = os.environ.get("LUTHIER_BENCH_PYTHON", ".venv-bench/bin/python")
CHECKPOINTED = "recomputing activations, as by default; rows in random order"
UNCHECKPOINTED = "no recomputation, batches of like length"


LUTHIER = {
    "Luthier": ("--order random", "as by default"),
    "Luthier grouped": ("--order grouped", "the batches of like length"),
    "Luthier compiled": ("--order grouped --compile", "the same, compile: true"),
}
TRL = ("--trainer trl --order random", CHECKPOINTED)
TRL_TUNED = ("--trainer trl --order grouped --no-checkpointing", UNCHECKPOINTED)
HF = ("--trainer hf --order grouped --no-checkpointing", UNCHECKPOINTED)
HF_COMPILED = ("--trainer hf --order grouped --no-checkpointing --compile", UNCHECKPOINTED + ", torch_compile")


def _pair(name: str) -> dict[str, tuple[str, str]]:
    return {name: LUTHIER[name]}


def _suites() -> dict[str, Suite]:
    defaults = _pair("Luthier") | {"TRL": TRL}
    tuned = _pair("Luthier grouped") | _pair("Luthier compiled")
    full = (
        Bound("Luthier grouped", "TRL tuned", speed=2, memory=0.5),
        Bound("Luthier grouped", "HF Trainer", speed=1.1, memory=0.75, aim=1.5),
        Bound("Luthier compiled", "HF Trainer", speed=1.3, memory=0.75, aim=2),
        Bound("Luthier compiled", "HF Trainer compiled"),
    )
    best = tuned | {"TRL tuned": TRL_TUNED, "HF Trainer": HF}
    lora_best = (
        Bound("Luthier grouped", "HF Trainer", speed=1.3, memory=0.75, aim=2),
        Bound("Luthier compiled", "HF Trainer", speed=1.3, memory=0.75, aim=2),
        Bound("Luthier grouped", "TRL tuned", memory=0.5),
    )
    small, large, lora, exact = "--shape 29M", "--shape 135M", "--train lora", "--shape 29M --precision fp32"
    five, seven = (Bound("Luthier", "TRL", speed=n, memory=0.5) for n in (5, 7))
    return {
        "full-defaults": Suite("29M, full, bf16", defaults, (five,), 3, 9, small),
        "full-best": Suite("29M, full, bf16", best | {"HF Trainer compiled": HF_COMPILED}, full, 4, 9, small),
        "fp32-defaults": Suite("29M, full, fp32", defaults, (Bound("Luthier", "TRL"),), 2, 7, exact),
        "fp32-best": Suite(
            "29M, full, fp32",
            _pair("Luthier grouped") | {"TRL tuned": TRL_TUNED, "HF Trainer": HF},
            (Bound("Luthier grouped", "TRL tuned"), Bound("Luthier grouped", "HF Trainer")),
            3,
            7,
            exact,
        ),
        "lora-defaults": Suite("29M, LoRA, bf16", defaults, (seven,), 3, 9, f"{small} {lora}"),
        "lora-best": Suite("29M, LoRA, bf16", best, lora_best, 4, 9, f"{small} {lora}"),
        "large-full": Suite(
            "135M, full, bf16", _pair("Luthier grouped") | {"HF Trainer": HF}, full[1:2], 1, 7, large
        ),
        "large-full-trl": Suite(  # apart: the three together do not fit 24 GB
            "135M, full, bf16", _pair("Luthier grouped") | {"TRL tuned": TRL_TUNED}, full[:1], 1, 7, large
        ),
        "large-lora": Suite(
            "135M, LoRA, bf16",
            _pair("Luthier grouped") | {"HF Trainer": HF},
            lora_best[:1],
            1,
            7,
            f"{large} {lora}",
        ),
    }  # fmt: skip


SUITES = _suites()


def _command(arguments: str, suite: Suite) -> list[str]:
    ours = "--trainer" not in arguments
    python, module = (sys.executable, "benchmarks.worker_luthier") if ours else (PEERS, "benchmarks.worker_peer")
    return [python, "-m", module, "--steps", str(suite.steps), *suite.common.split(), *arguments.split()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, runs the suites, prints and keeps their figures."""
    given = command_line("benchmarks.training", list(SUITES), arguments)
    for name in given.suites or SUITES:
        keep(measure(name, SUITES[name], _command, blocks=given.blocks))


if __name__ == "__main__":
    main()
