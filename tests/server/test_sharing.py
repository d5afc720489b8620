"""Jobs beside a server: they compute with what it leaves, and still end."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from openai import OpenAI
from serving import Running, ended, rows, serve, upload, wait_until

from luthier.server.sharing import NICENESS


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    running = serve(tmp_path / "home")
    yield running
    running.end()


def start(client: OpenAI, epochs: int) -> Any:
    settings = {"hyperparameters": {"n_epochs": epochs, "batch_size": 1}}
    file = upload(client, rows(24)).id
    return client.fine_tuning.jobs.create(
        model="fiddle", training_file=file, seed=3, method={"type": "supervised", "supervised": settings}
    )


def runner(server: Running) -> psutil.Process:
    """Returns the process of the job."""

    def look() -> psutil.Process | None:
        children = psutil.Process(server.process.pid).children(recursive=True)
        return next((child for child in children if "server.runner" in " ".join(child.cmdline())), None)

    found: psutil.Process = wait_until(look)
    return found


def test_a_job_ends_while_replies_are_written_all_the_time(server: Running) -> None:
    client = server.client()
    job, over = start(client, 1), threading.Event()
    counted = []

    def talk() -> None:
        while not over.is_set():
            asked: Any = [{"role": "user", "content": "Go on"}]
            reply = client.chat.completions.create(model="fiddle", messages=asked, max_tokens=16, temperature=1)
            counted.append(reply.usage)

    callers = [threading.Thread(target=talk) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        assert ended(client, job.id).status == "succeeded"
    finally:
        over.set()
        for caller in callers:
            caller.join(60)
    assert counted


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere being nice has to do")
def test_what_computes_for_a_job_steps_back_and_what_holds_its_lease_does_not(server: Running) -> None:
    client = server.client()
    job = start(client, 20)
    process, mine = runner(server), psutil.Process(server.process.pid).nice()
    wait_until(lambda: process.nice() - mine == NICENESS)
    nice = sorted(os.getpriority(os.PRIO_PROCESS, int(one)) - mine for one in os.listdir(f"/proc/{process.pid}/task"))
    assert nice.count(0) == 1, (
        "the lease would be held by a thread that waits for the server, or others do not step back"
    )
    assert os.getsid(process.pid) == os.getsid(server.process.pid), "how nice it is would not count"
    assert os.getpgid(process.pid) != os.getpgid(server.process.pid), "Ctrl-C would reach it"
    client.fine_tuning.jobs.cancel(job.id)
