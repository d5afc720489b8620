"""The database goes and comes back while a server, a worker, a job and a batch are at work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest
from acknowledged import answered_once, ask_in_batch, ended_batch, losses, tune
from postgres import Postgres
from serving import AS_OWNER, Running, ended, serve, upload, wait_until

ASK: list[Any] = [{"role": "user", "content": "Say lira"}]
LINES = 40
WITHIN_S = 60.0
"""Thrice what Postgres is given to connect and to answer: the machine may be busy."""


@pytest.fixture
def running(tmp_path: Path, own_postgres: Postgres) -> Iterator[Running]:
    server = serve(tmp_path / "home", "--database", own_postgres.url)
    yield server
    server.end()


def own_processes(running: Running) -> set[int]:
    """Returns the server's process and its worker's."""
    main = psutil.Process(running.process.pid)
    workers = [child for child in main.children() if "server.work" in " ".join(child.cmdline())]
    return {main.pid, *(worker.pid for worker in workers)}


def refused_for_now(running: Running) -> None:
    """Fails unless what needs the database is refused in time, in words, and the rest goes on."""
    client = running.client(timeout=WITHIN_S)
    calls = (
        lambda: client.files.list(),
        lambda: upload(client, "x", purpose="user_data"),
        lambda: client.fine_tuning.jobs.list(),
        lambda: client.batches.list(),
        lambda: client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=2, store=True),
    )
    for call in calls:
        with pytest.raises(openai.InternalServerError, match="database: cannot be used now") as caught:
            call()
        assert caught.value.status_code == 503
        assert caught.value.response.headers["x-should-retry"] == "true"
    assert client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=2).choices
    assert httpx.get(running.url.removesuffix("/v1") + "/health").status_code == 200


@pytest.mark.parametrize(
    "how", ["fast", pytest.param("immediate", marks=pytest.mark.soak), pytest.param("hung", marks=pytest.mark.soak)]
)
def test_what_is_under_way_goes_on_when_the_database_is_back(
    running: Running, own_postgres: Postgres, how: str
) -> None:
    client, before, had = running.client(), own_processes(running), used(running)
    expected = losses(client, ended(client, tune(client).id).id) if how != "fast" else {}
    kept = upload(client, "kept", purpose="user_data")
    job, batch = tune(client), ask_in_batch(client, LINES)
    wait_until(lambda: max(losses(client, job.id), default=0) >= 5)
    if how == "hung":
        with own_postgres.hung():
            refused_for_now(running)
    else:
        own_postgres.stop(how)
        refused_for_now(running)
        time.sleep(3)
        own_postgres.start()
    assert client.files.content(kept.id).read() == b"kept"
    upload(client, "and on", purpose="user_data")
    done = ended(client, job.id, within_s=300)
    assert done.status == "succeeded", done.error
    found = losses(client, job.id)
    assert sorted(found) == list(range(1, 49))
    assert expected in ({}, found)
    answered_once(client, ended_batch(client, batch.id), LINES)
    assert own_processes(running) == before
    wait_until(lambda: used(running) - had >= LINES + 1, within_s=10)
    assert used(running) - had <= LINES + 2  # the chat that was to be stored was answered, if not kept


def used(running: Running) -> int:
    """Returns how many chats were counted."""
    answer = httpx.get(f"{running.url}/luthier/usage", params={"by": "kind"}, headers=AS_OWNER).raise_for_status()
    rows = [row for row in answer.json()["data"] if row["kind"] == "chat"]
    return sum(int(row["requests"]) for row in rows)
