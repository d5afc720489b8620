"""A Postgres that is stopped, refuses or hangs: an error in our words, in time, and on again afterwards."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from postgres import Postgres

from luthier.errors import AwayError
from luthier.store import database as room
from luthier.store.database import Database
from luthier.store.ids import new_id
from luthier.store.jobs import Jobs

ANSWER_S = 1.0
# pg8000 leaves the socket of a connection that timed out to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def database(own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(room, "_ANSWER_S", ANSWER_S)
    opened = Database.open(own_postgres.url)
    yield opened
    opened.close()
    gc.collect()


def write(database: Database) -> str:
    return Jobs(database).add("tune", new_id("job_"), "p", {}).id


def read(database: Database) -> None:
    Jobs(database).list()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_postgres_that_is_stopped_is_an_error_until_it_is_back(
    own_postgres: Postgres, database: Database, mode: str
) -> None:
    def stop() -> None:
        with database.write() as connection:
            connection.execute(sa.text("SELECT 1"))
            own_postgres.stop(mode)
            connection.execute(sa.text("SELECT 1"))  # in the middle of a transaction

    assert "database: cannot be used now" in str(said_within(stop))
    for use in (read, write, lambda _: Database.open(own_postgres.url)):
        with pytest.raises(AwayError):
            use(database)
    own_postgres.start()
    assert said_within(lambda: write(database)) is None
    assert write(database) in [job.id for job in Jobs(database).list()[0]]


def test_a_postgres_that_hangs_is_an_error_until_it_goes_on(own_postgres: Postgres, database: Database) -> None:
    read(database)  # so that a connection is there
    with own_postgres.hung():
        for use in (read, write, lambda _: Database.open(own_postgres.url)):
            assert isinstance(said_within(lambda use=use: use(database)), AwayError)  # type: ignore[misc]
    assert write(database) in [job.id for job in Jobs(database).list()[0]]


def test_a_postgres_that_hangs_in_the_middle_of_a_transaction(own_postgres: Postgres, database: Database) -> None:
    def use() -> None:
        with database.write() as connection:
            connection.execute(sa.text("SELECT 1"))
            with own_postgres.hung():
                connection.execute(sa.text("SELECT 1"))

    assert isinstance(said_within(use), AwayError)
    write(database)


def test_a_connection_that_is_cut_is_replaced(own_postgres: Postgres, database: Database) -> None:
    def cut() -> None:
        with database.read() as connection:
            mine = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            with database.read() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
            connection.execute(sa.text("SELECT 1"))

    assert isinstance(said_within(cut), AwayError)
    write(database)


def said_within(use: Callable[[], object], *, within_s: float = 2 * ANSWER_S + 3) -> Exception | None:
    """Returns the error that `use` ends with, in time."""
    began, error = time.monotonic(), None
    try:
        use()
    except AwayError as caught:
        error = caught
    assert time.monotonic() - began < within_s
    return error
