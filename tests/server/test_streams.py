"""Many clients that stream at once, some of whom leave: no error but 429, every stream ends, places are freed."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from serving import AS_OWNER, serve, wait_until

TOKENS = 32
MEMORY = 1.2e9
"""What 200 streams may make of a server that serves the embedded model, in bytes."""


@dataclass
class Seen:
    """What all clients saw: seconds to the first token and to the end, and how calls ended."""

    first_s: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)
    ended: int = 0
    left: int = 0
    busy: int = 0
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> str:
        def of(values: list[float]) -> str:
            cuts = statistics.quantiles(values, n=20, method="inclusive")
            return f"p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s"

        return (
            f"{self.ended} streams ended, {self.left} were left, {self.busy} answers of 429; "
            f"first token {of(self.first_s)}; whole {of(self.whole_s)}"
        )


async def customer(client: httpx.AsyncClient, url: str, seen: Seen, until: float, seed: int) -> None:
    """Asks for one stream after the other; leaves every fifth in the middle."""
    draw = random.Random(seed)
    while time.monotonic() < until:
        said = [{"role": "user", "content": f"Say {draw.random()}"}]
        body = {"model": "fiddle", "messages": said, "stream": True, "max_tokens": TOKENS, "temperature": 1}
        leaves_at = draw.randint(1, 8) if draw.random() < 0.2 else None
        began = time.monotonic()
        try:
            async with client.stream("POST", f"{url}/chat/completions", json=body) as answer:
                if answer.status_code == 429:
                    seen.busy += 1
                    await asyncio.sleep(float(answer.headers["retry-after"]))
                    continue
                if answer.status_code != 200:
                    seen.wrong.append(f"{answer.status_code}: {(await answer.aread())[:200]!r}")
                    continue
                await _read(answer, seen, began, leaves_at)
        except httpx.HTTPError as error:
            seen.wrong.append(repr(error))


async def _read(answer: httpx.Response, seen: Seen, began: float, leaves_at: int | None) -> None:
    pieces, last = 0, ""
    async for line in answer.aiter_lines():
        if not line.startswith("data: "):
            continue
        last = line.removeprefix("data: ")
        if last != "[DONE]" and "error" in json.loads(last):
            seen.wrong.append(last)
        pieces += 1
        if pieces == 2:  # the first says the role alone
            seen.first_s.append(time.monotonic() - began)
        if pieces == leaves_at:
            seen.left += 1
            return
    seen.whole_s.append(time.monotonic() - began)
    if last == "[DONE]":
        seen.ended += 1
    else:
        seen.wrong.append(f"a stream ended with {last!r}")


async def all_at_once(url: str, clients: int, seconds: float) -> Seen:
    seen, until = Seen(), time.monotonic() + seconds
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(headers=AS_OWNER, timeout=120, limits=limits) as client:
        await asyncio.gather(*(customer(client, url, seen, until, seed) for seed in range(clients)))
    return seen


@pytest.mark.parametrize(
    ("clients", "seconds", "words"),
    [
        (24, 2.0, ("--max-queue", "16")),
        pytest.param(200, 60.0, (), marks=pytest.mark.soak),
        pytest.param(200, 60.0, ("--max-queue", "64"), marks=pytest.mark.soak),
    ],
)
def test_many_clients_stream_at_once(tmp_path: Path, clients: int, seconds: float, words: tuple[str, ...]) -> None:
    running = serve(tmp_path / "home", "--workers", "0", *words)
    try:
        process = psutil.Process(running.process.pid)
        chat = running.client().chat.completions
        chat.create(model="fiddle", messages=[{"role": "user", "content": "x"}], max_tokens=1)
        before = process.memory_info().rss
        seen = asyncio.run(all_at_once(running.url, clients, seconds))
        after = process.memory_info().rss
        print(f"\n{clients} clients, {seconds:.0f} s, {words}: {seen.figures()}")
        print(f"memory {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after")
        assert seen.wrong == []
        assert seen.ended > clients
        assert seen.left > 0
        assert (seen.busy > 0) == bool(words)
        assert after < MEMORY
        wait_until(lambda: _under_way(running.url) == 0, within_s=20)
        assert chat.create(model="fiddle", messages=[{"role": "user", "content": "x"}], max_tokens=1).choices
    finally:
        running.end()


def _under_way(url: str) -> float:
    """Returns how many requests are waited for or answered."""
    text = httpx.get(url.removesuffix("/v1") + "/metrics", headers=AS_OWNER).raise_for_status().text
    names = ("luthier_requests_waiting{", "luthier_requests_running{")
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(names))
