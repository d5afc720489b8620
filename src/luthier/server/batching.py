"""Runs batches: each line is a request to this server's own application, and its answer a line of the results.

Answers are on disk as they come, in the store's folder. A server that takes over a batch goes on after them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from luthier.errors import AwayError, DiskFullError, NotFoundError, disk_is_full
from luthier.server.app import INSIDE
from luthier.server.state import Server
from luthier.server.wire.batches import (
    WINDOW_S,
    BadLines,
    Request,
    answer_line,
    check_lines,
    lines_of,
    read_line,
    tokens_of,
)
from luthier.store.files import keep_file
from luthier.store.jobs import MAX_ATTEMPTS, Job, LeaseLost, Status

LOG = logging.getLogger("luthier.server")
LOOK_S, BEAT_S = 0.5, 0.5
AT_ONCE = 8
"""Requests of a batch that are under way together: the engine has places left for people who wait."""
TRIES, PAUSE_S = 6, 1.0
AGAIN_S = 5.0
"""Between two looks at a store that is away, or a disk that is full."""
RESULTS = {"output": "output", "errors": "error"}
"""Where answers are written -> what their file is called."""
UNFORESEEN = {"code": "server_error", "message": "The server failed on this request; its log says why."}
EXPIRED = {"code": "batch_expired", "message": "The request was not answered within the completion window."}


class Batches:
    """Takes batches from the store and works on one at a time, in a thread of its own."""

    def __init__(self, server: Server, app: ASGIApp) -> None:
        self._server, self._app = server, app
        self._owner = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)

    def start(self) -> None:
        """Begins to look for batches."""
        self._thread.start()

    def close(self) -> None:
        """Lets go of the batch that is under way, for whoever comes next."""
        self._leaving.set()
        self._thread.join(10)

    def _work(self) -> None:
        with asyncio.Runner() as runner:  # one loop for all of them: connections to other servers belong to a loop
            while not self._leaving.wait(LOOK_S):
                try:
                    job = self._server.store.jobs.lease(self._owner, ["batch"])
                    if job is not None:
                        runner.run(_Batch(self._server, self._app, job, self._owner, self._leaving).run())
                except LeaseLost:
                    continue
                except AwayError as error:  # the lease runs out, and the batch is taken again
                    LOG.warning("batches wait for the store: %s", error)
                    self._leaving.wait(AGAIN_S)
                except Exception:
                    LOG.exception("a batch was let go")


class _NoInput(Exception):
    """The file of requests has been deleted."""


class _Batch:
    """One batch under way."""

    def __init__(self, server: Server, app: ASGIApp, job: Job, owner: str, leaving: threading.Event) -> None:
        self._store, self._app, self._job, self._owner, self._leaving = server.store, app, job, owner, leaving
        self._gate = server.gate
        self._folder = server.store.folder / "batches" / job.id
        self._progress: dict[str, Any] = dict(job.progress)
        self._stop: Literal["left", "lost", "cancelled", "expired", "failed"] | None = None
        if job.wanted == "cancel":
            self._stop = "cancelled"
        elif job.attempts > MAX_ATTEMPTS:
            self._stop = "failed"
        self._files: dict[str, IO[bytes]] = {}

    async def run(self) -> None:
        """Answers what is not answered yet, and ends the job."""
        beat = asyncio.create_task(self._beat())
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            await self._answer_all()
            self._close_files()
            if self._stop == "left":
                self._store.jobs.end(self._job.id, self._owner, "queued", orderly=True)
            elif self._stop != "lost":
                self._progress["finalizing_at"] = int(time.time())
                await self._tell()
                await asyncio.to_thread(self._finish)
        except BadLines as bad:
            self._fail(bad.errors)
        except _NoInput:
            said = f"The file {self._job.spec['input_file_id']} has been deleted."
            self._fail([{"code": "invalid_value", "line": None, "message": said, "param": "input_file_id"}])
        except (OSError, DiskFullError) as error:
            self._wait_for_room(error)
        finally:
            beat.cancel()
            self._close_files()

    def _wait_for_room(self, error: Exception) -> None:
        """Lets the batch be taken again in a while, where the disk is full: what has been answered is kept."""
        if not (isinstance(error, DiskFullError) or disk_is_full(error)):
            raise error
        LOG.warning("batch %s waits for room on the disk", self._job.id)
        self._leaving.wait(AGAIN_S)
        self._store.jobs.end(self._job.id, self._owner, "queued", orderly=True)

    async def _beat(self) -> None:
        """Holds the lease, and hears what is wanted."""
        while True:
            await asyncio.sleep(BEAT_S)
            if self._leaving.is_set():
                self._stop = self._stop or "left"
            try:
                await self._tell()
            except LeaseLost:
                self._stop = "lost"
                return
            except Exception as error:
                LOG.warning("batch %s: %s", self._job.id, error)

    async def _tell(self) -> None:
        wanted = await asyncio.to_thread(
            self._store.jobs.beat, self._job.id, self._owner, progress=dict(self._progress)
        )
        if wanted != "run":
            self._stop = self._stop or "cancelled"

    async def _answer_all(self) -> None:
        path, endpoint = self._input(), self._job.spec["endpoint"]
        total, model = await asyncio.to_thread(_checked, path, endpoint)
        self._store.jobs.remember(self._job.id, self._owner, {"model": model})
        done = await asyncio.to_thread(self._take_up)
        began = self._job.progress.get("in_progress_at") or int(time.time())
        self._progress |= {"total": total, "in_progress_at": began}
        requests = (one for one in _requests(path, endpoint) if one.custom_id not in done)
        transport = httpx.ASGITransport(await asyncio.to_thread(self._as_its_owner))
        async with httpx.AsyncClient(transport=transport, base_url="http://luthier", timeout=None) as client:
            if self._stop is None:
                await self._until_done([asyncio.create_task(self._ask(client, requests)) for _ in range(AT_ONCE)])
        if self._stop == "expired":
            for request in requests:
                self._write("errors", answer_line(request.custom_id, error=EXPIRED))

    def _as_its_owner(self) -> ASGIApp:
        """Returns the application as whoever made the batch sees it, even where that key has been revoked since."""
        key = self._gate.keys.get(self._job.details.get("key"), self._job.project)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._app(dict(scope, **{INSIDE: key}), receive, send)

        return app

    async def _until_done(self, askers: list[asyncio.Task[None]]) -> None:
        """Waits for the askers; ends them when the batch has to stop."""
        waiting = set(askers)
        try:
            while waiting and self._stop is None:
                if time.time() > self._job.created_at + WINDOW_S:
                    self._stop = "expired"
                done, waiting = await asyncio.wait(waiting, timeout=BEAT_S, return_when=asyncio.FIRST_EXCEPTION)
                for asker in done:
                    asker.result()
        finally:
            for asker in waiting:
                asker.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _ask(self, client: httpx.AsyncClient, requests: Iterator[Request]) -> None:
        for request in requests:
            try:
                line = await self._answer(client, request)
            except asyncio.CancelledError:
                if self._stop == "expired":
                    self._write("errors", answer_line(request.custom_id, error=EXPIRED))
                raise
            good = line["response"] is not None and line["response"]["status_code"] < 300
            self._write("output" if good else "errors", line)

    async def _answer(self, client: httpx.AsyncClient, request: Request) -> dict[str, Any]:
        try:
            for attempt in range(1, TRIES + 1):
                response = await client.post(self._job.spec["endpoint"], json=request.body)
                if response.headers.get("x-should-retry") != "true" or attempt == TRIES:
                    break
                await asyncio.sleep(PAUSE_S * 2 ** (attempt - 1))
            id, body = response.headers["x-request-id"], response.json()
        except Exception:  # one request must not end the others
            LOG.exception("batch %s: %r", self._job.id, request.custom_id)
            return answer_line(request.custom_id, error=UNFORESEEN)
        return answer_line(request.custom_id, status=response.status_code, request_id=id, body=body)

    def _write(self, name: str, line: dict[str, Any]) -> None:
        if name not in self._files:
            path = self._folder / f"{name}.{self._owner}"  # two who think that they own a batch write to two files
            self._files[name] = path.open("ab")
            self._files[name].write(b"\n")  # the last line may have been cut off
        self._files[name].write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._files[name].flush()
        self._count(name, line)

    def _count(self, name: str, line: dict[str, Any]) -> None:
        key = "completed" if name == "output" else "failed"
        read, written = tokens_of(line)
        before = self._progress["tokens"]
        self._progress |= {key: self._progress[key] + 1, "tokens": (before[0] + read, before[1] + written)}

    def _take_up(self) -> set[str]:
        """Returns the requests that have been answered."""
        self._progress |= {"completed": 0, "failed": 0, "tokens": (0, 0)}
        done: set[str] = set()
        for name in RESULTS:
            for _, line in self._lines(name, done):
                self._count(name, line)
        return done

    def _lines(self, name: str, done: set[str]) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yields the answers that are not `done` yet, and adds them to it; a line that was cut off is none."""
        for path in sorted(self._folder.glob(f"{name}.*")):
            with path.open("rb") as stream:
                for text in stream:
                    try:
                        line = json.loads(text)
                    except ValueError:
                        continue
                    if line["custom_id"] not in done:
                        done.add(line["custom_id"])
                        yield text.rstrip(b"\n") + b"\n", line

    def _input(self) -> Path:
        try:
            file = self._store.resources.get("file", self._job.spec["input_file_id"], self._job.project)
        except NotFoundError:
            raise _NoInput from None
        return self._store.blobs.path(self._store.resources.parts(file.id)["content"].sha256)

    def _finish(self) -> None:
        details: dict[str, Any] = {"expired": self._stop == "expired"} | self._keep()
        status: Status = self._stop if self._stop in ("cancelled", "failed") else "succeeded"
        error = None
        if status == "failed":
            error = {
                "code": "server_error",
                "message": "The server was killed too often while it worked on this batch.",
            }
        self._store.jobs.end(self._job.id, self._owner, status, error=error, details=details)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self) -> dict[str, str | None]:
        """Returns the ids of the files of results, with what there is; each request is in one of them."""
        done: set[str] = set()
        made: dict[str, str | None] = {}
        for name, kind in RESULTS.items():
            blob = self._store.blobs.put(text for text, _ in self._lines(name, done))
            made[f"{kind}_file_id"] = None
            if blob.size_bytes:
                row = keep_file(
                    self._store,
                    self._job.project,
                    blob,
                    filename=f"{self._job.id}_{kind}.jsonl",
                    purpose="batch_output",
                    expires_after_s=self._job.details.get("output_expires_after_s"),
                )
                made[f"{kind}_file_id"] = row.id
        return made

    def _fail(self, errors: list[dict[str, Any]]) -> None:
        """Ends a batch whose requests cannot be read; answers that are there already are kept."""
        self._close_files()
        said = f"{len(errors)} of the lines cannot be used" if errors[0]["line"] else str(errors[0]["message"])
        error = {"code": errors[0]["code"], "message": said}
        details = {"errors": errors} | self._keep()
        self._store.jobs.end(self._job.id, self._owner, "failed", error=error, details=details)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close_files(self) -> None:
        for stream in self._files.values():
            if not stream.closed:
                with contextlib.suppress(OSError):  # no room: a line that is not whole is asked for again
                    os.fsync(stream.fileno())
                    stream.close()


def _checked(path: Path, endpoint: str) -> tuple[int, str | None]:
    with path.open("rb") as stream:
        return check_lines(stream, endpoint)


def _requests(path: Path, endpoint: str) -> Iterator[Request]:
    with path.open("rb") as stream:
        for _, line in lines_of(stream):
            yield read_line(line, endpoint)
