"""The database: migrations, transactions, and what is said when it cannot be used."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from luthier.errors import StoreError
from luthier.store import database as room
from luthier.store.database import Database, shown
from luthier.store.tables import METADATA, RESOURCES


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opening_again_changes_nothing(database: Database, database_url: str) -> None:
    _insert(database, "a")
    again = Database.open(database_url)
    with again.read() as connection:
        assert connection.execute(sa.select(RESOURCES.c.id)).scalars().all() == ["a"]
    again.close()


def test_a_database_of_a_newer_luthier_is_refused(database: Database, database_url: str) -> None:
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer Luthier"):
        Database.open(database_url)


def test_an_older_database_is_brought_up_to_date_with_what_is_in_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(room, "REVISION", "0001")
        first = Database.open(database_url)
        _insert(first, "a")
        with first.read() as connection:
            assert not sa.inspect(connection).has_table("keys")
        first.close()
    again = Database.open(database_url)
    with again.read() as connection:
        assert connection.execute(sa.select(RESOURCES.c.id)).scalars().all() == ["a"]
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    again.close()


def test_processes_that_open_a_new_database_at_once_all_get_it(database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(3) as pool:
        assert pool.map(_open_and_count, [database_url] * 3) == [0, 0, 0]


def _open_and_count(url: str) -> int:
    database = Database.open(url)
    with database.read() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(RESOURCES)).scalar_one()
    database.close()
    return int(count)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.execute(sa.insert(RESOURCES), [_row("a"), _row("b"), _row("a")])
    with database.read() as connection:
        assert connection.execute(sa.select(RESOURCES.c.id)).all() == []


def test_writers_wait_for_each_other(database: Database) -> None:
    threads = [threading.Thread(target=_insert_many, args=(database, str(number))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(RESOURCES)).scalar_one() == 80


def test_sqlite_syncs_every_commit_and_lets_readers_in_meanwhile(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        connection.execute(sa.insert(RESOURCES).values(**_row("a")))
        with database.read() as other:
            assert other.execute(sa.select(RESOURCES.c.id)).all() == []
    database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://u:secret@h/d", "mysql is not supported"),
        ("postgresql://u:secret@127.0.0.1:1/d", "cannot be opened"),
        ("sqlite:////proc/nowhere/x.db", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_used_is_an_error_without_its_password(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Database.open(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"not a database, and long enough to be read as one" * 40)
    with pytest.raises(StoreError, match="cannot be opened: file is not a database"):
        Database.open(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"not a database")


def test_the_password_of_a_url_is_not_shown() -> None:
    assert shown("postgresql://u:secret@h/d") == "postgresql://u:***@h/d"


def test_the_newest_migration_is_the_one_the_code_works_with() -> None:
    steps = sorted((Path(room.__file__).parent / "migrations" / "steps").glob("step_*.py"))
    assert steps[-1].name.startswith(f"step_{room.REVISION}_")


def _row(id: str) -> dict[str, object]:
    return {"id": id, "kind": "file", "project": "p", "parent": "", "created_at": 1, "body": {}}


def _insert(database: Database, id: str) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(RESOURCES).values(**_row(id)))


def _insert_many(database: Database, name: str) -> None:
    for number in range(10):
        _insert(database, f"{name}-{number}")
