"""The database: one connection pool, transactions that read and transactions that write, and its migrations."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from luthier.errors import AwayError, LuthierError, StoreError

REVISION = "0004"
"""The migration this code works with: the newest one."""
_WRITES = "luthier_writes"
_MIGRATION_LOCK = 0x4C55_5448
_BUSY_MS = 30_000
_ANSWER_S = 10.0
"""How long Postgres may take to be connected to, and to answer a statement: where it hangs, nobody else should."""


class Database:
    """SQLite (write-ahead log, every commit synced) or Postgres. Safe to use from many threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.dialect = engine.dialect.name

    @classmethod
    def open(cls, url: str) -> Database:
        """Returns the database at `url` (sqlite:///FILE or postgresql://...), made and migrated if need be.

        `AwayError` when it cannot be reached, `StoreError` when it cannot be used or was written by a newer Luthier.
        """
        engine = _engine(url)
        try:
            _make_folder(engine.url)
            _migrate(engine)
        except LuthierError:
            engine.dispose()
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            engine.dispose()
            kind = AwayError if _away(error) else StoreError
            raise kind(_reason(error), where=shown(url), remedy="check that it is there and may be used") from None
        return cls(engine)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One transaction that changes nothing: what it reads belongs together."""
        with self._reached(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that is kept whole or not at all; on disk when the block has ended."""
        writing = {_WRITES: True}
        with (
            self._reached(),
            self._engine.connect().execution_options(**writing) as connection,
            connection.begin(),
        ):
            yield connection

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Makes an `AwayError` of what the database cannot do now: it is away, locked or full."""
        try:
            yield
        except (DBAPIError, OSError) as error:
            if not _away(error):
                raise
            raise AwayError(_reason(error, "cannot be used now"), where="database", remedy="try again") from error
        except PoolTimeout as error:
            raise AwayError("has no connection left", where="database", remedy="try again") from error

    def lock(self, connection: sa.Connection, name: str) -> None:
        """Waits until no other write that locked `name` is under way. (SQLite has one write at a time anyhow.)"""
        if self.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))

    def close(self) -> None:
        """Closes the pool's connections."""
        self._engine.dispose()


def shown(url: str) -> str:
    """Returns `url` without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "database"


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except SQLAlchemyError:
        raise StoreError(
            "not a database URL",
            where="database",
            remedy="write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql":
            return _postgres(parsed.set(drivername="postgresql+pg8000"), within_s=_ANSWER_S)
    raise StoreError(
        f"{parsed.get_backend_name()} is not supported", where="database", remedy="use sqlite or postgresql"
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=8, max_overflow=32)

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, as SQLite needs to know which will write
        for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    def begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


def _make_folder(url: sa.URL) -> None:
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _postgres(url: sa.URL, within_s: float | None) -> sa.Engine:
    patience = {"timeout": within_s}
    try:
        return sa.create_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True, connect_args=patience)
    except ModuleNotFoundError:
        raise StoreError("Postgres needs pg8000", where="database", remedy="pip install 'luthier[postgres]'") from None


def _migrate(engine: sa.Engine) -> None:
    """Brings the tables to `REVISION`, one process at a time."""
    with engine.connect() as connection, connection.begin():
        if _revision(connection) == REVISION:
            return
    postgres = engine.dialect.name == "postgresql"
    patient = _postgres(engine.url, within_s=None) if postgres else engine  # steps over large tables take their time
    try:
        with patient.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            if postgres:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            if _revision(connection) != REVISION:
                upgrade(connection)
    finally:
        if patient is not engine:
            patient.dispose()


def upgrade(connection: sa.Connection) -> None:
    """Runs the migrations that `connection`'s database lacks. `StoreError` when it is ahead of this code."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.set_main_option("version_locations", str(folder / "steps"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, REVISION)
    except CommandError:
        raise StoreError(
            f"was written by a newer Luthier (revision {_revision(connection)}; this one knows {REVISION})",
            where="database",
            remedy="update Luthier, or name another database",
        ) from None


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return revision


_AWAY = ("08", "53", "57")
"""Classes of Postgres' error codes: no connection, no resources, ended by an operator."""


def _away(error: Exception) -> bool:
    """Returns whether an error is the database's, and not the statement's."""
    if isinstance(error, OSError):  # pg8000 lets some of its socket's through; those after one timed out have no number
        return isinstance(error, TimeoutError | ConnectionError) or error.errno is None
    if not isinstance(error, DBAPIError):
        return False
    detail = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    code = str(detail.get("C", "")) if isinstance(detail, dict) else ""
    known = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    return code.startswith(_AWAY) or (known and not code)


def _reason(error: Exception, what: str = "cannot be opened") -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    detail = cause.args[0] if cause.args else cause
    text = detail.get("M", detail) if isinstance(detail, dict) else detail  # Postgres sends a map of fields
    return f"{what}: {' '.join(str(text).split())}"
