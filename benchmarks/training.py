"""Training beside TRL and transformers' Trainer: `python -m benchmarks.training SUITE... [--blocks N]`.

Both sides train the same model on the same batches, one thread each, in alternating blocks; what counts is real (not
filling) tokens per CPU-second. A ratio is the median over the blocks, with a 90 % interval.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.blocks import Side, ratio, run

PEERS = os.environ.get("LUTHIER_BENCH_PYTHON", ".venv-bench/bin/python")
RESULTS = Path("build/benchmarks")
CHECKPOINTED = "recomputing activations, as by default; rows in random order"
UNCHECKPOINTED = "no recomputation, batches of like length"


@dataclass(frozen=True)
class Bound:
    """What a ratio must clear: `ours` against `peer`, in speed (at least) and in memory (at most)."""

    ours: str
    peer: str
    speed: float | None = None
    memory: float | None = None
    aim: float | None = None


@dataclass(frozen=True)
class Suite:
    """Sides that take turns, by name: the arguments of their workers, with the settings they stand for."""

    what: str
    sides: dict[str, tuple[str, str]]
    bounds: tuple[Bound, ...]
    steps: int = 3
    blocks: int = 9
    common: str = ""


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


def measure(name: str, *, blocks: int | None, say: Any = print) -> dict[str, Any]:
    """Runs one suite and returns its figures as plain JSON values."""
    suite = SUITES[name]
    sides = [Side(side, _command(arguments, suite)) for side, (arguments, _) in suite.sides.items()]
    say(f"{name}: {suite.what}; CPU-seconds of each block of {suite.steps} steps")
    began = os.getloadavg()
    run(sides, blocks or suite.blocks, warm_up=2, log=RESULTS / "log", say=say)
    found = {side.name: side for side in sides}
    return {
        "suite": name,
        "what": suite.what,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread a side",
        "load": [round(one, 1) for one in (*began[:1], *os.getloadavg()[:1])],
        "blocks": blocks or suite.blocks,
        "steps": suite.steps,
        "sides": {
            side.name: {
                "settings": suite.sides[side.name][1],
                "tokens_per_cpu_second": side.rate,
                "peak_bytes": side.peak_bytes,
                "blocks": side.blocks,
            }
            for side in sides
        },
        "ratios": [_judged(bound, found) for bound in suite.bounds],
    }


def _command(arguments: str, suite: Suite) -> list[str]:
    ours = "--trainer" not in arguments
    python, module = (sys.executable, "benchmarks.worker_luthier") if ours else (PEERS, "benchmarks.worker_peer")
    return [python, "-m", module, "--steps", str(suite.steps), *suite.common.split(), *arguments.split()]


def _judged(bound: Bound, sides: dict[str, Side]) -> dict[str, Any]:
    ours, peer = sides[bound.ours], sides[bound.peer]
    speed, memory = ratio(ours, peer), ours.peak_bytes / peer.peak_bytes
    return {
        "ours": bound.ours,
        "peer": bound.peer,
        "speed": speed.median,
        "interval": [speed.low, speed.high],
        "speed_bound": bound.speed,
        "speed_aim": bound.aim,
        "speed_verdict": _verdict(None if bound.speed is None else speed.low >= bound.speed),
        "memory": memory,
        "memory_bound": bound.memory,
        "memory_verdict": _verdict(None if bound.memory is None else memory <= bound.memory),
    }


def _verdict(held: bool | None) -> str:
    return "" if held is None else "holds" if held else "MISSED"


def table(found: dict[str, Any]) -> str:
    """Returns a suite's figures as Markdown."""
    lines = [
        f"### {found['what']} ({found['suite']}, {found['date']})",
        "",
        f"{found['blocks']} blocks of {found['steps']} steps of 8 rows; {found['machine']}; "
        f"load {found['load'][0]} before, {found['load'][1]} after.",
        "",
        "| side | settings | tokens per CPU-second | peak memory |",
        "|---|---|---|---|",
    ]
    for name, side in found["sides"].items():
        rate, peak = side["tokens_per_cpu_second"], side["peak_bytes"] / 1e9
        lines.append(f"| {name} | {side['settings']} | {rate:.0f} | {peak:.2f} GB |")
    lines += ["", "| ratio | speed (90 % interval) | bound | memory | bound |", "|---|---|---|---|---|"]
    for one in found["ratios"]:
        speed = f"{one['speed']:.2f} [{one['interval'][0]:.2f}, {one['interval'][1]:.2f}]"
        wanted = f"at least {one['speed_bound']}: {one['speed_verdict']}" if one["speed_bound"] else ""
        room = f"at most {one['memory_bound']}: {one['memory_verdict']}" if one["memory_bound"] else ""
        lines.append(f"| {one['ours']} / {one['peer']} | {speed} | {wanted} | {one['memory']:.2f} | {room} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, runs the suites, prints and keeps their figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help=f"default: all of {', '.join(SUITES)}")
    parser.add_argument("--blocks", type=int, help="blocks that count; fewer than 7 make no claim")
    given = parser.parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in given.suites or SUITES:
        found = measure(name, blocks=given.blocks)
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print("\n" + table(found), flush=True)


if __name__ == "__main__":
    main()
