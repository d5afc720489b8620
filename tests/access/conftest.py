"""Every test of access that needs a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest

from luthier.store.database import Database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Yields an empty, migrated database."""
    url = f"sqlite:///{tmp_path / 'luthier.db'}"
    if request.param == "postgres":
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    opened = Database.open(url)
    yield opened
    opened.close()


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
