"""Serve the OpenAI API: files, tuning jobs and models, on this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luthier.access.options import PROJECT, VARIABLE
from luthier.errors import SpecError
from luthier.report import Report
from luthier.server.options import ServerOptions, WorkerOptions
from luthier.server.sharing import start

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from luthier.server.state import Server
    from luthier.store.opened import Store

LOOK_S = 0.2
SWEEP_S, EXPIRED_S, FORGET_S = 600.0, 24 * 3600.0, 7 * 24 * 3600.0
"""Between looks for what has expired; how long that stays on the disk, out of reach, in case the clock is wrong; how
long the place of a deleted row is kept, for lists that go on after it."""
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection: one that the server closes first may lose a request."""
AGAIN_S = 2.0
"""Between the death of a worker process and the next one."""


class Spec(ServerOptions):
    """Where to listen, what to serve, and where to keep it."""

    title = "Serve"


@dataclass(frozen=True)
class Result:
    """Where the server was."""

    url: str

    def to_json(self) -> dict[str, Any]:
        return {"url": self.url}

    def tables(self) -> Sequence[str]:
        return [f"{self.url} has ended"]

    def next_commands(self) -> Sequence[str]:
        return []


def run(spec: Spec, report: Report) -> Result:
    """Serves until the report says stop. `SpecError` when it may not or cannot listen there."""
    from luthier.store.opened import Store

    store = Store.open(spec)
    try:
        _check_host(spec.host, store)
        with _listen(spec) as listener:
            return _serve(spec, store, listener, report)
    finally:
        store.close()


def _serve(spec: Spec, store: Store, listener: socket.socket, report: Report) -> Result:
    from luthier.server import logs
    from luthier.server.app import create_app
    from luthier.server.batching import Batches
    from luthier.server.catalogue import catalogue_of
    from luthier.server.state import Server
    from luthier.server.upstream import Probing, with_model

    url = f"http://{_shown(spec.host)}:{listener.getsockname()[1]}/v1"
    spec = with_model(spec)
    catalogue = catalogue_of(spec)
    logs.begin(spec.log or str(store.folder / "logs" / "server.jsonl"))
    server = Server.of(spec, store, catalogue)
    app = create_app(server)
    web = _web(app, spec)
    probing = Probing(server.answering, catalogue, report)
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    threading.Thread(target=server.answering.warm_up, daemon=True).start()
    batches = Batches(server, app)
    batches.start()
    workers = [_Worker(spec) for _ in range(spec.workers)]
    _say(url, server, report)
    swept = -SWEEP_S
    try:
        while thread.is_alive() and not report.cancelled():
            probing.look(report)
            for worker in workers:
                worker.look(report)
            if time.monotonic() - swept > SWEEP_S:
                swept = time.monotonic()
                _sweep(store, report)
            time.sleep(LOOK_S)
    finally:
        probing.close()
        batches.close()
        web.should_exit = True
        for worker in workers:
            worker.end()
        thread.join(15)
        server.gate.close()
    return Result(url)


def _web(app: ASGIApp, spec: Spec) -> uvicorn.Server:
    import uvicorn

    from luthier.server.patience import protocol

    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol(spec.client_timeout_s),
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=10,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
    )


def _sweep(store: Store, report: Report) -> None:
    """Takes away what has expired; a store that is away for a moment is swept the next time."""
    try:
        store.resources.sweep(expired_for_s=EXPIRED_S, forget_after_s=FORGET_S)
    except Exception as error:
        report.event("warning", f"what has expired could not be taken away: {error}")


class _Worker:
    """A worker process that is started again when it dies."""

    def __init__(self, spec: Spec) -> None:
        options = spec.model_dump_json(include=set(WorkerOptions.model_fields))
        self._words, self._options = [sys.executable, "-m", "luthier.server.work"], options
        self._process = start(self._words, options)
        self._died_at: float | None = None

    def look(self, report: Report) -> None:
        if self._process.poll() is None:
            return
        now = time.monotonic()
        if self._died_at is None:
            self._died_at = now
            report.event("warning", f"a worker process has ended ({self._process.returncode}); starting another")
        elif now - self._died_at > AGAIN_S:
            self._died_at = None
            self._process = start(self._words, self._options)

    def end(self) -> None:
        from luthier.server.worker import end

        if self._process.poll() is None:
            end(self._process)


def _say(url: str, server: Server, report: Report) -> None:
    for kind, line in [*_banner(url, server), *_say_keys(url, server)]:
        report.event(kind, line)


def _banner(url: str, server: Server) -> list[tuple[str, str]]:
    lines = [f"{url} answers; state in {server.store.folder}"]
    for entry in server.catalogue.entries:
        says = f" at {entry.url}" if entry.url else ""
        says += f": {entry.quality}" if entry.quality else ""
        lines.append(f"model {entry.id}{says}")
        if entry.place == "fiddle" and (stood_for := [*entry.aliases, *([] if entry.id == "fiddle" else [entry.id])]):
            lines.append(f"fiddle, a small model for trying Luthier, stands in for {', '.join(stood_for)}")
    return [("info", line) for line in lines]


def _say_keys(url: str, server: Server) -> list[tuple[str, str]]:
    """Returns what to say of keys; the first start of all makes one."""
    keys, export = server.gate.keys, f"export OPENAI_BASE_URL={url} OPENAI_API_KEY="
    if os.environ.get(VARIABLE):
        return [("info", f"{export}${VARIABLE}")]
    if not keys.any():
        _, text = keys.add(PROJECT, "first")
        again = "this key is shown once, and kept as its hash; luthier keys makes others, with limits and projects"
        return [("info", export + text), ("info", again)]
    if not keys.usable():
        return [("warning", "every key has been revoked, and nobody can ask: luthier keys create makes one")]
    return [("info", f"{export}...   (luthier keys lists the keys, and makes others)")]


def _check_host(host: str, store: Store) -> None:
    if os.environ.get(VARIABLE) or host == "localhost":
        return
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    from luthier.access.keys import Keys

    if not inside and not Keys(store.database).usable():
        raise SpecError(
            f"others could reach {host}, and there is no key",
            where="--host",
            remedy=f"make one with luthier keys create, or set {VARIABLE} to a long random text; or listen on "
            "127.0.0.1",
            param="host",
        )


def _listen(spec: Spec) -> socket.socket:
    family = socket.AF_INET6 if ":" in spec.host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where a socket says that it is TCP; else answers wait to be confirmed
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((spec.host, spec.port))
    except OSError as error:
        listener.close()
        raise SpecError(
            f"cannot listen on {spec.host}:{spec.port}: {error.strerror}", where="--port", remedy="name another --port"
        ) from None
    listener.listen(512)
    return listener


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
