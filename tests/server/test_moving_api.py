"""Moving between two real servers: what was made with the client on one is read by its ids, and used, on the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from house import ROOT
from openai import OpenAI
from serving import KEY, Running, ended, rows, serve, upload

pytestmark = pytest.mark.slow
ASK: list[Any] = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Say lira"}]


@dataclass
class Made:
    """What is in the account."""

    url: str
    training: Any
    batch: Any
    job: Any
    events: list[Any]
    checkpoints: list[Any]
    result: bytes
    chats: list[Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A server that stands in for the hosted one, with a tuned job and more chats than a page has."""
    running = serve(tmp_path_factory.mktemp("hosted") / "home")
    client = running.client()
    training = upload(client, rows(12))
    batch = upload(client, "{}", purpose="batch")
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1, "batch_size": 4}}}
    job = client.fine_tuning.jobs.create(
        model="fiddle", training_file=training.id, suffix="echo", seed=7, metadata={"team": "strings"}, method=method
    )
    job = ended(client, job.id)
    chats = [
        client.chat.completions.create(
            model="fiddle", messages=ASK, max_tokens=2, store=True, metadata={"number": str(number)}
        )
        for number in range(3)
    ]
    yield Made(
        running.url,
        training,
        batch,
        job,
        list(client.fine_tuning.jobs.list_events(job.id)),
        list(client.fine_tuning.jobs.checkpoints.list(job.id)),
        client.files.content(job.result_files[0]).read(),
        chats,
    )
    running.end()


def bring(url: str, home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "luthier", "import", "openai", "--url", url, "--home", str(home), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OPENAI_API_KEY": KEY, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def moved(made: Made, tmp_path: Path, database: tuple[str, ...]) -> Iterator[Running]:
    said = bring(made.url, tmp_path / "home", *database)
    assert "answered 404" in said  # a server of ours has no evals
    running = serve(tmp_path / "home", *database)
    yield running
    running.end()


@pytest.mark.both_databases(soak=True)
def test_everything_is_read_by_the_ids_it_had(made: Made, moved: Running) -> None:
    client = moved.client()
    _files_are_there(client, made)
    _job_is_there(client, made)
    for chat in made.chats:
        found = client.chat.completions.retrieve(chat.id)
        assert (found.created, found.choices, found.metadata) == (chat.created, chat.choices, chat.metadata)
        messages = list(client.chat.completions.messages.list(chat.id))
        assert [(one.role, one.content) for one in messages] == [(one["role"], one["content"]) for one in ASK]
    listed = list(client.chat.completions.list(metadata={"number": "1"}))
    assert [one.id for one in listed] == [made.chats[1].id]
    job = client.fine_tuning.jobs.create(
        model="fiddle", training_file=made.training.id, hyperparameters={"n_epochs": 1, "batch_size": 4}
    )
    assert ended(client, job.id).status == "succeeded"


def _files_are_there(client: OpenAI, made: Made) -> None:
    assert client.files.retrieve(made.training.id) == made.training
    assert client.files.retrieve(made.batch.id) == made.batch
    assert client.files.content(made.training.id).read().count(b"\n") == 11
    assert client.files.content(made.job.result_files[0]).read() == made.result
    assert [one.id for one in client.files.list(purpose="batch")] == [made.batch.id]
    client.files.delete(made.batch.id)


def _job_is_there(client: OpenAI, made: Made) -> None:
    found = client.fine_tuning.jobs.retrieve(made.job.id)
    assert found == made.job
    assert found.estimated_finish is None
    assert [one.id for one in client.fine_tuning.jobs.list(metadata={"team": "strings"})] == [made.job.id]
    events = list(client.fine_tuning.jobs.list_events(made.job.id))
    assert [(one.message, one.created_at, one.type) for one in events] == [
        (one.message, one.created_at, one.type) for one in made.events
    ]
    assert list(client.fine_tuning.jobs.checkpoints.list(made.job.id)) == made.checkpoints
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(str(made.job.fine_tuned_model))
    for change in (client.fine_tuning.jobs.cancel, client.fine_tuning.jobs.resume):
        with pytest.raises(openai.BadRequestError):
            change(made.job.id)


def test_another_project_does_not_see_it(made: Made, tmp_path: Path) -> None:
    said = bring(made.url, tmp_path / "home", "--project", "tea")
    assert f"luthier keys create mover --project tea --home {tmp_path / 'home'}" in said
    running = serve(tmp_path / "home")
    try:
        for ask in (running.client().files.retrieve, running.client().files.content):
            with pytest.raises(openai.NotFoundError):
                ask(made.training.id)
        with pytest.raises(openai.NotFoundError):
            running.client().fine_tuning.jobs.retrieve(made.job.id)
        assert not list(running.client().chat.completions.list())
    finally:
        running.end()


def test_a_server_may_run_while_things_come(made: Made, tmp_path: Path) -> None:
    running = serve(tmp_path / "home")
    try:
        bring(made.url, tmp_path / "home")
        client = running.client()
        assert client.fine_tuning.jobs.retrieve(made.job.id).status == "succeeded"
        own = upload(client, rows(3))
        assert next(one.id for one in client.files.list()) == own.id
        bring(made.url, tmp_path / "home")
        assert len(list(client.files.list())) == 4
    finally:
        running.end()


def test_the_command_it_prints_runs_the_job_again(made: Made, tmp_path: Path) -> None:
    said = bring(made.url, tmp_path / "home")
    command = next(line.strip() for line in said.splitlines() if line.strip().startswith("curl"))
    assert "The weights of 1 tuned models stay with the hosted API" in said
    running = serve(tmp_path / "home")
    try:
        here = command.replace("http://127.0.0.1:8000/v1", running.url)
        done = subprocess.run(here, shell=True, env=os.environ | {"LUTHIER_KEY": KEY}, capture_output=True, text=True)
        client = running.client()
        again = next(iter(client.fine_tuning.jobs.list()))
        assert again.id in done.stdout
        assert again.id != made.job.id
        assert (again.seed, again.training_file, again.user_provided_suffix) == (7, made.training.id, "echo")
        assert again.method == made.job.method
        assert ended(client, again.id).status == "succeeded"
    finally:
        running.end()
