"""A real server process on loopback, and the real client."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from house import ROOT
from openai import OpenAI

KEY = "anything"
"""What the servers of these tests accept."""
AS_OWNER = {"authorization": f"Bearer {KEY}"}
ENDED = {"succeeded", "failed", "cancelled"}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a town",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}


@dataclass
class Running:
    """A server process, and where it answers."""

    process: subprocess.Popen[str]
    url: str
    home: Path
    clients: list[OpenAI] = field(default_factory=list)

    def client(self, **options: Any) -> OpenAI:
        self.clients.append(OpenAI(base_url=self.url, max_retries=0, **{"api_key": KEY} | options))
        return self.clients[-1]

    def end(self, number: int = signal.SIGTERM) -> int:
        for client in self.clients:
            client.close()
        self.process.send_signal(number)
        return self.process.wait(60)


def serve(home: Path, *words: str, env: dict[str, str] | None = None) -> Running:
    """Returns a server that answers; its state is in `home`."""
    log = home.parent / f"{home.name}-{len(list(home.parent.glob('*.log')))}.log"
    begin = ["--port", "0", "--home", str(home), "--precision", "fp32"]
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "luthier", "serve", *begin, *words],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "LUTHIER_KEY": KEY} | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            text=True,
            start_new_session=True,  # its jobs give way to it, not to the other tests
        )
    for _ in range(600):
        found = re.findall(r"(http://\S+/v1) answers", log.read_text())
        if found:
            return Running(process, found[-1], home)
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        time.sleep(0.05)
    raise TimeoutError(log.read_text())


def rows(count: int = 24, seed: int = 0) -> list[dict[str, Any]]:
    """Returns chats whose reply repeats a made-up word."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("aeioubdgklmnprst", k=6)) for _ in range(count)]
    return [
        {"messages": [{"role": "user", "content": f"Say {word}"}, {"role": "assistant", "content": word}]}
        for word in words
    ]


def upload(client: OpenAI, content: Any, *, name: str = "rows.jsonl", purpose: Any = "fine-tune") -> Any:
    """Returns the file object of rows, or of text or bytes as they are."""
    if isinstance(content, list):
        content = "\n".join(json.dumps(row) for row in content)
    data = content.encode() if isinstance(content, str) else content
    return client.files.create(file=(name, io.BytesIO(data)), purpose=purpose)


def wait_until(found: Callable[[], Any], *, within_s: float = 120) -> Any:
    """Returns the first true value of `found`."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError


def ended(client: OpenAI, job_id: str, *, within_s: float = 120) -> Any:
    """Returns the job once it has ended."""

    def look() -> Any:
        job = client.fine_tuning.jobs.retrieve(job_id)
        return job if job.status in ENDED else None

    return wait_until(look, within_s=within_s)
