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
from pathlib import Path

import sqlalchemy as sa

_NUMBERS = itertools.count()


def programs() -> Path | None:
    """Returns the folder of initdb and postgres; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else Path(shutil.which("initdb") or "/nowhere")
    return initdb.parent if initdb.exists() and (initdb.parent / "postgres").exists() else None


@contextmanager
def running(bin_folder: Path) -> Iterator[str]:
    """Yields the URL of a server whose data is gone afterwards. It does not run as root, so root becomes `postgres`."""
    as_owner = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    folder = Path(tempfile.mkdtemp(prefix="luthier-postgres-"))
    if as_owner:
        shutil.chown(folder, "postgres")
    port, data = _free_port(), folder / "data"
    make = [bin_folder / "initdb", "--pgdata", data, "--username", "luthier", "--auth", "trust", "--no-sync"]
    subprocess.run([*as_owner, *make], check=True, capture_output=True, cwd=folder)
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "max_connections": 200,
    }
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [*as_owner, bin_folder / "postgres", "-D", data, *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _wait(port)
        yield f"postgresql://luthier@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*as_owner, bin_folder / "pg_ctl", "stop", "-D", data, "-m", "immediate"], capture_output=True)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


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


def _wait(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not start within 30 s")
