"""A PostgreSQL of Debian's packages, started for the tests on loopback and ended with them."""

from __future__ import annotations

import getpass
import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa

_NUMBERS = itertools.count()


def programs() -> Path | None:
    """Returns the folder of initdb and postgres; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else Path(shutil.which("initdb") or "/nowhere")
    return initdb.parent if initdb.exists() and (initdb.parent / "postgres").exists() else None


@dataclass
class Postgres:
    """A server with its data in `folder`; it can be stopped, started again, and made to hang."""

    bin_folder: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://luthier@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Makes the empty data folder."""
        if owner := _owner():
            shutil.chown(self.folder, **owner)
        words = ["--pgdata", self.folder / "data", "--username", "luthier", "--auth", "trust", "--no-sync"]
        self._run("initdb", *words, check=True)

    def start(self) -> None:
        """Returns once it takes connections."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": 200,
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [self.bin_folder / "postgres", "-D", self.folder / "data", *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **_owner(),
        )
        ready = [self.bin_folder / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(self.port)]
        for _ in range(300):
            if subprocess.run(ready).returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError("PostgreSQL did not start within 30 s")

    def stop(self, mode: str = "fast") -> None:
        """Ends it; "fast" ends connections in an orderly way, "immediate" as a crash does."""
        if self.process is not None:
            self._run("pg_ctl", "stop", "-D", self.folder / "data", "-m", mode)
            self.process.wait(30)
            self.process = None

    @contextmanager
    def hung(self) -> Iterator[None]:
        """While this lasts, the server takes connections and says nothing."""
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        every = [main, *main.children(recursive=True)]
        for one in every:
            one.suspend()
        try:
            yield
        finally:
            for one in every:
                one.resume()

    def _run(self, program: str, *words: object, check: bool = False) -> None:
        command = [str(word) for word in (self.bin_folder / program, *words)]
        subprocess.run(command, check=check, capture_output=True, cwd=self.folder, **_owner())


def _owner() -> dict[str, str]:
    """Returns who runs it: PostgreSQL does not run as root, so root becomes `postgres`."""
    return {"user": "postgres", "group": "postgres"} if getpass.getuser() == "root" else {}


@contextmanager
def running(bin_folder: Path) -> Iterator[Postgres]:
    """Yields a server whose data is gone afterwards."""
    server = Postgres(bin_folder, Path(tempfile.mkdtemp(prefix="luthier-postgres-")), _free_port())
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(server.folder, ignore_errors=True)


def new_database(server: str) -> str:
    """Returns the URL of an empty database of the server at that URL."""
    name = f"test_{next(_NUMBERS)}"
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+pg8000"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
