"""Fixtures of the server's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from serving import Running, ended, rows, serve, upload


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yields one server for every test that leaves it as it was."""
    running = serve(tmp_path_factory.mktemp("server") / "home")
    yield running
    running.end()


@pytest.fixture(scope="session")
def client(server: Running) -> OpenAI:
    return server.client()


@pytest.fixture(scope="session")
def tuned(client: OpenAI) -> Any:
    """Returns a job that has succeeded, with a validation file, two epochs and metadata."""
    job = client.fine_tuning.jobs.create(
        model="fiddle",
        training_file=upload(client, rows()).id,
        validation_file=upload(client, rows(8, seed=9)).id,
        suffix="echo",
        seed=7,
        metadata={"team": "strings"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 8}}},
    )
    return ended(client, job.id)
