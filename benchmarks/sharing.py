"""Chat beside training on one machine: `python -m benchmarks.sharing`.

A server answers short chat requests one after another, in turns while nothing else runs and while its worker trains a
model. What counts is how much longer the slow replies take, and that the training still gets on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.blocks import middle
from benchmarks.suites import RESULTS

BOUND = 3.0
FEWEST_BLOCKS = 7
REPLY_TOKENS = 32
ALONE_S = 10.0
"""How long the training is looked at by itself before the requests of a block begin."""
PATIENCE_S = 600.0
AS_OWNER = {"authorization": "Bearer benchmark"}
WORDS = ("lighthouse", "keeper", "lamp", "storm", "harbour", "boat", "signal", "night", "coast", "fog")


@dataclass
class Side:
    """The requests of one state, block by block, and the training's steps per second meanwhile."""

    name: str
    blocks: list[list[float]] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)

    def line(self) -> str:
        """Returns the row of the table."""
        every = sorted(one for block in self.blocks for one in block)
        rate = f"{statistics.median(self.steps):.2f}" if self.steps else ""
        return f"| {self.name} | {len(every)} | {quantile(every, 0.5):.0f} | {quantile(every, 0.95):.0f} | {rate} |"


def quantile(values: Sequence[float], share: float) -> float:
    """Returns the value that `share` of `values` do not pass."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


@contextmanager
def serving(home: Path, log: Path) -> Iterator[httpx.Client]:
    """Yields a client of a server of its own, with one worker."""
    words = [sys.executable, "-m", "luthier", "serve", "--port", "0", "--home", str(home)]
    with log.open("w") as said:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=os.environ | {"LUTHIER_KEY": "benchmark"},
        )
    try:
        url = until(lambda: re.search(r"(http://\S+/v1) answers", log.read_text()))[1]
        with httpx.Client(base_url=url, timeout=PATIENCE_S, headers=AS_OWNER) as client:
            yield client
    finally:
        process.terminate()
        process.wait(60)


def until(found: Callable[[], Any]) -> Any:
    """Returns the first true value of `found`."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came in {PATIENCE_S:.0f} s")
        time.sleep(0.1)
    return value


class Training:
    """A tuning job that is longer than the benchmark, let go on and paused."""

    def __init__(self, client: httpx.Client) -> None:
        self._client, draw = client, random.Random(0)

        def row() -> str:
            said = [" ".join(draw.choices(WORDS, k=count)) for count in (30, 20)]
            roles = ("user", "assistant")
            return json.dumps({"messages": [{"role": r, "content": text} for r, text in zip(roles, said, strict=True)]})

        rows = "\n".join(row() for _ in range(400)).encode()
        file = client.post("files", files={"file": ("rows.jsonl", rows)}, data={"purpose": "fine-tune"}).json()["id"]
        spec = {"rows": [file], "validation_fraction": 0.0, "test_fraction": 0.0, "batch_size": 2, "answer_rows": 0}
        spec |= {"max_steps": 100_000, "save_steps": 100_000}
        answer = client.post("luthier/jobs", json={"kind": "tune", "spec": spec})
        self.id = answer.raise_for_status().json()["id"]

    def step(self) -> float:
        """Returns how many steps are done; 0 before the first."""
        job = self._client.get(f"luthier/jobs/{self.id}").json()
        assert job["status"] in {"queued", "running", "paused"}, job["error"]
        progress = job["progress"]
        return float(progress["done"]) if progress.get("task") == "training" else 0.0

    def go_on(self) -> None:
        """Returns once the job makes steps, from where it was."""
        before = self.step()
        self._client.post(f"luthier/jobs/{self.id}/resume")
        until(lambda: self.step() > before)

    def pause(self) -> None:
        """Returns once the job's process has ended."""
        self._client.post(f"luthier/jobs/{self.id}/pause").raise_for_status()
        until(lambda: self._client.get(f"luthier/jobs/{self.id}").json()["status"] == "paused")

    @contextmanager
    def rate(self, into: list[float]) -> Iterator[None]:
        """Adds the steps per second of what is done meanwhile."""
        done, began = self.step(), time.monotonic()
        yield
        into.append((self.step() - done) / (time.monotonic() - began))


def ask(client: httpx.Client, number: int) -> float:
    """Returns how many milliseconds a reply of `REPLY_TOKENS` tokens took."""
    draw = random.Random(number)
    body = {
        "model": "fiddle",
        "messages": [{"role": "user", "content": "Tell me of the " + " ".join(draw.choices(WORDS, k=12))}],
        "max_tokens": REPLY_TOKENS,
        "temperature": 1.5,
        "seed": number,
    }
    began = time.perf_counter()
    client.post("chat/completions", json=body).raise_for_status()
    return (time.perf_counter() - began) * 1000


def measure(client: httpx.Client, blocks: int, requests: int, say: Callable[[str], None]) -> tuple[Side, Side, Side]:
    """Returns the sides: chat alone, chat beside training, training alone; each block asks the same questions."""
    idle, busy, alone = Side("chat alone"), Side("chat beside training"), Side("training alone")
    training = Training(client)
    for number in range(20):
        ask(client, number)
    for number in range(blocks):
        training.go_on()
        with training.rate(alone.steps):
            time.sleep(ALONE_S)
        with training.rate(busy.steps):
            busy.blocks.append([ask(client, one) for one in range(requests)])
        training.pause()
        idle.blocks.append([ask(client, one) for one in range(requests)])
        tail = " and ".join(f"{quantile(side.blocks[-1], 0.95):.0f}" for side in (idle, busy))
        say(f"  block {number + 1} of {blocks}: p95 {tail} ms, {busy.steps[-1]:.2f} of {alone.steps[-1]:.2f} steps/s")
    return idle, busy, alone


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints and keeps the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing")
    parser.add_argument("--blocks", type=int, default=FEWEST_BLOCKS)
    parser.add_argument("--requests", type=int, default=200)
    asked = parser.parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "home", RESULTS / "sharing.log") as client:
        sides = measure(client, asked.blocks, asked.requests, lambda line: print(line, flush=True))
    idle, busy, alone = sides
    tails = [quantile(b, 0.95) / quantile(a, 0.95) for a, b in zip(idle.blocks, busy.blocks, strict=True)]
    found = middle(tails)
    print("\n| | requests | p50 ms | p95 ms | training steps/s |\n|---|---|---|---|---|")
    print("\n".join([idle.line(), busy.line(), f"| {alone.name} | | | | {statistics.median(alone.steps):.2f} |"]))
    held = "no claim: too few blocks" if asked.blocks < FEWEST_BLOCKS else "MISSED"
    if asked.blocks >= FEWEST_BLOCKS and found.high <= BOUND and min(busy.steps) > 0:
        held = "holds"
    print(f"\np95 beside training / alone: {found}; at most {BOUND:.0f} and steps in every block: {held}")
    figures: dict[str, Any] = {
        "ratio": [found.median, found.low, found.high],
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    kept = figures | {side.name: {"blocks": side.blocks, "steps": side.steps} for side in sides}
    (RESULTS / "sharing.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
