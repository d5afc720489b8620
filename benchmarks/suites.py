"""What benchmarks in turns share: sides by name, bounds, the figures of a suite, its table and its command line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.blocks import Side, ratio, run

RESULTS = Path("build/benchmarks")
FEWEST = 7
"""Blocks below which a ratio is no claim."""


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
    """Sides that take turns, by name: the arguments of their workers, with the settings they stand for.

    `work` says what a block is, where it is not `steps` optimizer steps; `tokens` which tokens are counted.
    """

    what: str
    sides: dict[str, tuple[str, str]]
    bounds: tuple[Bound, ...]
    steps: int = 3
    blocks: int = 9
    common: str = ""
    work: str = ""
    tokens: str = "tokens"


Command = Callable[[str, Suite], list[str]]


def measure(
    name: str, suite: Suite, command: Command, *, blocks: int | None = None, say: Any = print
) -> dict[str, Any]:
    """Runs one suite and returns its figures as plain JSON values; `command` makes a worker's from its arguments."""
    sides = [Side(side, command(arguments, suite)) for side, (arguments, _) in suite.sides.items()]
    work = suite.work or f"{suite.steps} steps of 8 rows"
    say(f"{name}: {suite.what}; CPU-seconds of each block of {work}")
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
        "work": work,
        "tokens": suite.tokens,
        "sides": {
            side.name: {
                "settings": suite.sides[side.name][1],
                "tokens_per_cpu_second": side.rate,
                "peak_bytes": side.peak_bytes,
                "blocks": side.blocks,
            }
            for side in sides
        },
        "ratios": [judged(bound, found) for bound in suite.bounds],
    }


def judged(bound: Bound, sides: Mapping[str, Side]) -> dict[str, Any]:
    """Returns a ratio of two sides and whether it clears its bound, as plain JSON values."""
    ours, peer = sides[bound.ours], sides[bound.peer]
    speed, memory = ratio(ours, peer), ours.peak_bytes / peer.peak_bytes
    return {
        "ours": bound.ours,
        "peer": bound.peer,
        "speed": speed.median,
        "interval": [speed.low, speed.high],
        "speed_bound": bound.speed,
        "speed_aim": bound.aim,
        "speed_verdict": _verdict(None if bound.speed is None else speed.clears(bound.speed)),
        "memory": memory,
        "memory_bound": bound.memory,
        "memory_verdict": _verdict(None if bound.memory is None else memory <= bound.memory),
    }


def _verdict(held: bool | None) -> str:
    return "" if held is None else "holds" if held else "MISSED"


def table(found: Mapping[str, Any]) -> str:
    """Returns a suite's figures as Markdown."""
    claim = "" if found["blocks"] >= FEWEST else f" Fewer than {FEWEST} blocks: no claim."
    lines = [
        f"### {found['what']} ({found['suite']}, {found['date']})",
        "",
        f"{found['blocks']} blocks of {found['work']}; {found['machine']}; "
        f"load {found['load'][0]} before, {found['load'][1]} after.{claim}",
        "",
        f"| side | settings | {found['tokens']} per CPU-second | peak memory |",
        "|---|---|---|---|",
    ]
    for name, side in found["sides"].items():
        rate, peak = side["tokens_per_cpu_second"], side["peak_bytes"] / 1e9
        lines.append(f"| {name} | {side['settings']} | {rate:.0f} | {peak:.2f} GB |")
    lines += ["", "| ratio | speed (90 % interval) | bound | memory | bound |", "|---|---|---|---|---|"]
    for one in found["ratios"]:
        speed = f"{one['speed']:.2f} [{one['interval'][0]:.2f}, {one['interval'][1]:.2f}]"
        room = f"at most {one['memory_bound']}: {one['memory_verdict']}" if one["memory_bound"] else ""
        lines.append(f"| {one['ours']} / {one['peer']} | {speed} | {_wanted(one)} | {one['memory']:.2f} | {room} |")
    return "\n".join(lines) + "\n"


def _wanted(one: Mapping[str, Any]) -> str:
    aim = f"aim {one['speed_aim']:.3g}" if one["speed_aim"] else ""
    if not one["speed_bound"]:
        return aim
    return f"at least {one['speed_bound']:.3g}{aim and f' ({aim})'}: {one['speed_verdict']}"


def keep(found: Mapping[str, Any]) -> None:
    """Leaves a suite's figures as JSON in the folder of results, and prints their table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{found['suite']}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n" + table(found), flush=True)


def command_line(name: str, suites: Sequence[str], arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns which `suites` to run and how many `blocks` of each, as the command line of module `name` says."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("suites", nargs="*", choices=[*suites, []], help=f"default: all of {', '.join(suites)}")
    parser.add_argument("--blocks", type=int, help=f"blocks that count; fewer than {FEWEST} make no claim")
    return parser.parse_args(arguments)
