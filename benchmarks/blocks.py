"""Blocks of equal work in turns: workers wait for their turn, the driver keeps the clock and the statistics.

A worker is a process that prints one JSON line (`@@{...}`) when it is ready, one after each block, and one at its end.
"""

from __future__ import annotations

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARK = "@@"
COVERAGE = 0.9
ENDING_SECONDS = 10
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "PYTHONWARNINGS": "ignore",
}


class Turn:
    """A worker's side: `step` after every optimizer step, or after all requests of a block; it waits where one ends."""

    def __init__(self, steps_per_block: int = 1) -> None:
        self.steps_per_block = steps_per_block
        self._tokens = 0
        self._losses: list[float] = []
        self._say({"peak_bytes": peak_bytes()})
        self._await()

    def step(self, tokens: int, loss: float = 0.0) -> None:
        """Counts one step; where the block is full, reports it and waits for the next turn."""
        self._tokens += tokens
        self._losses.append(loss)
        if len(self._losses) < self.steps_per_block:
            return
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        self._say({"tokens": self._tokens, "cpu": cpu, "wall": wall, "losses": self._losses})
        self._await()

    def _await(self) -> None:
        if sys.stdin.readline().strip() != "go":
            self._say({"peak_bytes": peak_bytes()})
            sys.stdout.flush()
            os._exit(0)
        self._tokens, self._losses = 0, []
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def _say(self, what: Mapping[str, Any]) -> None:
        print(MARK + json.dumps(what), flush=True)


def peak_bytes() -> int:
    """Returns the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@dataclass
class Side:
    """One contender: its name, its command, and what it reported."""

    name: str
    command: Sequence[str]
    blocks: list[dict[str, Any]] = field(default_factory=list)
    start_bytes: int = 0
    peak_bytes: int = 0

    @property
    def rate(self) -> float:
        """Real tokens per CPU-second over all blocks."""
        return float(sum(block["tokens"] for block in self.blocks) / sum(block["cpu"] for block in self.blocks))


class _Process:
    def __init__(self, side: Side, log: Path) -> None:
        self.side, self.log = side, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                side.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | ENVIRONMENT,
            )

    def ask(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                found: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return found
        self.end()
        raise RuntimeError(f"{self.side.name} ended; the last lines of {self.log} say why:\n{_tail(self.log)}")

    def end(self) -> None:
        """Lets the process come to its end, or ends it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()  # a worker that is told nothing more ends by itself
        try:
            self.process.wait(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(sides: Sequence[Side], blocks: int, *, warm_up: int, log: Path, say: Any = print) -> None:
    """Runs all sides in turns: `warm_up` blocks that are not counted, then `blocks` that are. Changes `sides`."""
    processes: list[_Process] = []
    try:
        processes += [_Process(side, log / f"{side.name.replace(' ', '_')}.log") for side in sides]
        for one in processes:
            one.side.start_bytes = one.answer()["peak_bytes"]
        for number in range(warm_up + blocks):
            for one in processes:
                one.ask("go")
                block = one.answer() | {"load": os.getloadavg()[0]}
                if number >= warm_up:
                    one.side.blocks.append(block)
            counted = "warm-up" if number < warm_up else f"block {number - warm_up + 1} of {blocks}"
            say(f"  {counted}: " + ", ".join(f"{s.name} {s.blocks[-1]['cpu']:.1f}" for s in sides if s.blocks))
        for one in processes:
            one.ask("end")
            one.side.peak_bytes = one.answer()["peak_bytes"]
    finally:
        for one in processes:
            one.end()


@dataclass(frozen=True)
class Ratio:
    """How many times faster `ours` is than `peer` on the same blocks: the median, and its interval."""

    median: float
    low: float
    high: float

    def clears(self, bound: float) -> bool:
        return self.low >= bound

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"


def ratio(ours: Side, peer: Side) -> Ratio:
    """Returns the median of the blocks' ratios in tokens per CPU-second, with a 90 % interval."""
    pairs = list(zip(ours.blocks, peer.blocks, strict=True))
    assert all(one["tokens"] == other["tokens"] for one, other in pairs), "the work of two blocks differs"
    return middle([other["cpu"] / one["cpu"] for one, other in pairs])


def middle(values: Sequence[float]) -> Ratio:
    """Returns the median and the narrowest pair of order statistics that holds the true one in 90 % of all cases, by
    the binomial distribution; with fewer than 5 values, the smallest and the largest."""
    ordered, count = sorted(values), len(values)
    outside = 0
    while outside < (count - 1) // 2 and _coverage(count, outside + 1) >= COVERAGE:
        outside += 1
    return Ratio(statistics.median(ordered), ordered[outside], ordered[count - 1 - outside])


def _coverage(count: int, outside: int) -> float:
    return float(1 - 2 * sum(math.comb(count, k) for k in range(outside + 1)) / 2**count)


def _tail(file: Path, lines: int = 12) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
