"""kill -9 at random moments: what was acknowledged is there, jobs end the same, each line of a batch has one answer."""

from __future__ import annotations

import random
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest
from acknowledged import Customer, answered_once, ask_in_batch, ended_batch, losses, tune
from safetensors.torch import load_file
from serving import Running, ended, serve, wait_until

VICTIMS = {
    "job": ("server.runner",),
    "worker": ("server.work",),
    "worker and job": ("server.work", "server.runner"),
    "server": (),
    "all": ("server.work", "server.runner"),
}
WITH_SERVER = {"server", "all"}
KILLS_A_JOB = 3
"""A job that loses five workers is given up."""
LINES = 24


class Served:
    """A server at one address that is started again after it was killed."""

    def __init__(self, home: Path, *words: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self._home, self._words = home, (*words, "--port", port)
        self.running = serve(home, *self._words)
        self.killed: dict[str, int] = {}

    def kill(self, victim: str) -> None:
        """Kills who is called so, as far as they are there."""
        children = psutil.Process(self.running.process.pid).children(recursive=True)
        for words in VICTIMS[victim]:
            for child in children:
                try:
                    if words in " ".join(child.cmdline()):
                        child.kill()
                except psutil.NoSuchProcess:
                    continue
        if victim in WITH_SERVER:
            self.running.end(signal.SIGKILL)
            self.running = serve(self._home, *self._words)
        self.killed[victim] = self.killed.get(victim, 0) + 1


@pytest.mark.both_databases(soak=True)
@pytest.mark.parametrize(
    ("seed", "victims"),
    [
        (11, ["worker and job", "all"]),
        pytest.param(12, 30, marks=pytest.mark.soak, id="30 kills"),
    ],
)
def test_whoever_is_killed_whenever(
    tmp_path: Path, database: tuple[str, ...], seed: int, victims: int | list[str]
) -> None:
    draw, home = random.Random(seed), tmp_path / "home"
    if isinstance(victims, int):
        victims = [draw.choice(list(VICTIMS)) for _ in range(victims)]
    served = Served(home, *database)
    try:
        client = served.running.client()
        whole = ended(client, tune(client).id)
        expected, adapter = losses(client, whole.id), _adapter(home, whole.id)
        for start in range(0, len(victims), KILLS_A_JOB):
            _round(served, draw, victims[start : start + KILLS_A_JOB], expected)
            again = _adapter(home, served.running.client().fine_tuning.jobs.list(limit=1).data[0].id)
            assert all(adapter[name].equal(again[name]) for name in adapter)
    finally:
        print(f"killed: {served.killed}")
        served.running.end()


def _adapter(home: Path, job_id: str) -> dict[str, object]:
    return dict(load_file(home / "runs" / job_id / "run" / "model" / "adapter_model.safetensors"))


def _round(served: Served, draw: random.Random, victims: list[str], expected: dict[int, float]) -> None:
    """Has a job, a batch, uploads and chats disturbed, and looks at what became of them."""
    client, customer = served.running.client(), Customer(served.running.url, draw.randrange(1000))
    job, batch = tune(client), ask_in_batch(client, LINES)
    seen: set[str] = set()
    said: dict[int, float] = {}
    with customer.at_work():
        for victim in victims:
            _wait(served.running, job.id, draw)
            with served.running.client() as looking:
                seen |= {event.id for event in looking.fine_tuning.jobs.list_events(job.id, limit=100)}
                said |= losses(looking, job.id)
            served.kill(victim)
        client = served.running.client()
        again = ended(client, job.id, within_s=300)
        done = ended_batch(client, batch.id)
    assert (again.status, again.error and again.error.message) == ("succeeded", None)
    found = losses(client, job.id)
    assert found == expected
    assert said.items() <= found.items()
    assert seen <= {event.id for event in client.fine_tuning.jobs.list_events(job.id, limit=100)}
    answered_once(client, done, LINES)
    customer.look(client)
    print(f"{victims}: {len(customer.files)} files, {len(customer.chats)} chats, {customer.lost_calls} calls lost")


def _wait(running: Running, job_id: str, draw: random.Random) -> None:
    """Waits for a random moment: some steps later than now, or some seconds."""
    if draw.random() < 0.5:
        time.sleep(draw.uniform(0, 10))
        return
    with running.client() as client:
        steps = max(losses(client, job_id), default=0) + draw.randint(1, 15)
        wait_until(
            lambda: (
                max(losses(client, job_id), default=0) >= steps or client.fine_tuning.jobs.retrieve(job_id).finished_at
            ),
            within_s=300,
        )
    time.sleep(draw.uniform(0, 0.3))
