"""Fixtures of the server's tests: servers on SQLite and on PostgreSQL, each started once, when first asked for.

What is marked `both_databases` runs on each of them; what keeps no state runs on SQLite alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import postgres
import pytest
from openai import OpenAI
from serving import Running, ended, rows, serve, upload


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs every test on both databases that is marked so; `soak=True` leaves the second one to the soak."""
    mark = metafunc.definition.get_closest_marker("both_databases")
    if "database_kind" in metafunc.fixturenames and mark:
        second = pytest.param("postgres", marks=[pytest.mark.soak] if mark.kwargs.get("soak") else [])
        metafunc.parametrize("database_kind", ["sqlite", second])


@pytest.fixture
def database_kind() -> str:
    """Returns where a test that is not marked runs."""
    return "sqlite"


class Served:
    """A server, a client of it, and a job of it that has ended, once that is asked for."""

    def __init__(self, running: Running) -> None:
        self.running, self.client = running, running.client()

    @cached_property
    def tuned(self) -> Any:
        return _tuned(self.client)


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(serve(tmp_path_factory.mktemp("sqlite") / "home"))
    yield served
    served.running.end()


@pytest.fixture(scope="session")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("postgres") / "home"
    served = Served(serve(home, "--database", postgres.new_database(postgres_server)))
    yield served
    served.running.end()


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yields a server without workers, whose model is loaded: jobs are taken, and wait."""
    running = serve(tmp_path_factory.mktemp("idle") / "home", "--workers", "0", "--request-timeout-s", "20")
    running.client(timeout=120).completions.create(model="fiddle", prompt="x", max_tokens=1)
    yield running
    running.end()


@pytest.fixture
def database(request: pytest.FixtureRequest, database_kind: str) -> tuple[str, ...]:
    """Returns the words that keep a server's state in an empty database."""
    if database_kind == "sqlite":
        return ()
    return ("--database", postgres.new_database(request.getfixturevalue("postgres_server")))


@pytest.fixture
def served(request: pytest.FixtureRequest, database_kind: str) -> Served:
    found: Served = request.getfixturevalue(f"on_{database_kind}")
    return found


@pytest.fixture
def server(served: Served) -> Running:
    """Returns the server for every test that leaves it as it was."""
    return served.running


@pytest.fixture
def client(served: Served) -> OpenAI:
    return served.client


@pytest.fixture
def tuned(served: Served) -> Any:
    """Returns a job that has succeeded, with a validation file, two epochs and metadata."""
    return served.tuned


def _tuned(client: OpenAI) -> Any:
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
