"""A server that is killed or asked to end while a job runs, how soon it answers, and where it listens."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from acknowledged import losses, tune
from openai import OpenAI
from serving import AS_OWNER, Running, ended, serve, wait_until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def running(home: Path) -> Iterator[list[Running]]:
    """Yields a list to put servers in; what is in it is ended."""
    servers: list[Running] = []
    yield servers
    for server in servers:
        server.end()


def step_of(client: OpenAI, job: Any, step: int) -> Any:
    return lambda: max(losses(client, job.id), default=0) >= step


def test_nothing_runs_on_when_the_server_is_killed(home: Path, running: list[Running]) -> None:
    running.append(server := serve(home))
    client = server.client()
    job = tune(client)
    wait_until(step_of(client, job, 2))
    left = psutil.Process(server.process.pid).children(recursive=True)
    server.end(signal.SIGKILL)
    _, alive = psutil.wait_procs(left, timeout=20)
    assert alive == []


def test_a_server_that_is_asked_to_end_saves_what_runs(home: Path, running: list[Running]) -> None:
    running.append(server := serve(home))
    client = server.client()
    job = tune(client)
    wait_until(step_of(client, job, 5))
    assert server.end(signal.SIGTERM) == 0
    running.append(server := serve(home))
    client = server.client()
    assert client.fine_tuning.jobs.retrieve(job.id).status in {"queued", "running", "validating_files"}
    assert ended(client, job.id).status == "succeeded"
    messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
    assert sum("goes on with the next one" in message for message in messages) == 1


def test_the_server_answers_soon_and_idles_small(home: Path, running: list[Running]) -> None:
    running.append(server := serve(home, env={"OMP_NUM_THREADS": "1"}))
    assert httpx.get(server.url.removesuffix("/v1") + "/health").status_code == 200
    times = psutil.Process(server.process.pid).cpu_times()
    took = times.user + times.system  # of the processor, as other tests share the machine
    client = server.client()
    client.chat.completions.create(model="fiddle", messages=[{"role": "user", "content": "Hi"}], max_tokens=2)
    every = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    memory = sum(process.memory_full_info().pss for process in every)
    print(f"answers after {took:.1f} s, {memory / 1e6:.0f} MB in {len(every)} processes")
    assert took < 2
    assert memory < 600e6


def test_beyond_this_machine_a_key_is_needed(home: Path) -> None:
    with pytest.raises(RuntimeError, match="there is no key"):
        serve(home, "--host", "0.0.0.0", env={"LUTHIER_KEY": ""})


def test_with_a_key_nothing_answers_without_it(home: Path, running: list[Running]) -> None:
    import openai

    from luthier.server.routes import ENDPOINTS

    running.append(server := serve(home, env={"LUTHIER_KEY": "sesame"}))
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace(":path}", "}")
        answer = httpx.request(endpoint.method, f"{server.url}{path}", headers=AS_OWNER)
        assert answer.status_code == 401, (endpoint.method, endpoint.path)
        assert answer.json()["error"]["code"] == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        server.client().models.list()
    assert [one.id for one in server.client(api_key="sesame").models.list()][:1] == ["fiddle"]
    assert httpx.get(server.url.removesuffix("/v1") + "/health").json() == {"status": "ok"}


def test_a_port_that_is_taken_is_said(home: Path, running: list[Running]) -> None:
    running.append(server := serve(home))
    port = server.url.split(":")[-1].removesuffix("/v1")
    with pytest.raises(RuntimeError, match="cannot listen on 127"):
        serve(home.with_name("other"), "--port", port)
