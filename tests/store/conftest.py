"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa

from luthier.store.blobs import Blobs
from luthier.store.database import Database

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Yields the URL of a PostgreSQL; skips where none is installed, unless LUTHIER_NEED_POSTGRES asks for it."""
    programs = postgres.programs()
    if programs is None:
        if os.environ.get("LUTHIER_NEED_POSTGRES"):
            pytest.fail("PostgreSQL is not installed, and LUTHIER_NEED_POSTGRES asks for it")
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with postgres.running(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Returns the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'luthier.db'}"
    server = request.getfixturevalue("postgres_server")
    name = f"test_{next(_NUMBERS)}"
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+pg8000"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Yields an empty, migrated database."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """Returns blobs in a folder."""
    return Blobs(str(tmp_path / "blobs"), tmp_path / "cache")


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
