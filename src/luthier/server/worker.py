"""Take jobs from the store and run them, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luthier import workflows
from luthier.errors import AwayError
from luthier.report import Report
from luthier.server.options import WorkerOptions
from luthier.server.sharing import start

if TYPE_CHECKING:
    from luthier.store.jobs import Job, Status
    from luthier.store.opened import Store

POLL_S = 0.25
GRACE_S = 3.0
"""How long a cancelled job may take to end by itself."""
RUNNER = "luthier.server.runner"
AWAY = os.EX_TEMPFAIL
"""What the process of a job ends with when the store was away: nothing is wrong with the job."""


class Spec(WorkerOptions):
    """Which store to take jobs from, and the models that jobs may name."""

    title = "Worker"


@dataclass(frozen=True)
class Result:
    """How many jobs were worked on."""

    jobs: int

    def to_json(self) -> dict[str, Any]:
        return {"jobs": self.jobs}

    def tables(self) -> Sequence[str]:
        return [f"{self.jobs} jobs"]

    def next_commands(self) -> Sequence[str]:
        return []


def run(spec: Spec, report: Report) -> Result:
    """Works until the report says stop; a job that is under way then is saved and goes back to the queue."""
    from luthier.server.upstream import with_model
    from luthier.store.opened import Store

    spec = with_model(spec)
    store = Store.open(spec)
    owner = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
    report.event("info", f"worker {owner} takes jobs from {store.folder}")
    stop, parent = threading.Event(), os.getppid()

    def going() -> bool:
        return not stop.is_set() and not report.cancelled() and os.getppid() == parent

    def read() -> None:
        try:
            _read(spec, f"{owner}-files", report, going)
        finally:
            stop.set()  # one of the two alone would be half a worker

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    try:
        return Result(_take(store, owner, workflows.jobs(), spec, report, going))
    finally:
        stop.set()
        reading.join()
        store.close()


def _read(spec: Spec, owner: str, report: Report, going: Callable[[], bool]) -> None:
    """Takes the jobs that read files into vector stores: they do not wait for those that train."""
    from luthier.store.opened import Store
    from luthier.store.vector_files import INGEST

    store = Store.open(spec)
    try:
        _take(store, owner, [INGEST], spec, report, going)
    finally:
        store.close()


def _take(store: Store, owner: str, kinds: Sequence[str], spec: Spec, report: Report, going: Callable[[], bool]) -> int:
    """Returns how many jobs of some kinds were worked on, one after another, until it is not `going` on."""
    done, store_is = 0, _Reach(report)
    while going():
        job = None
        with store_is.tried():
            job = store.jobs.lease(owner, kinds)
        if job is None:
            time.sleep(POLL_S)
            continue
        report.event("info", f"job {job.id} ({job.kind}), attempt {job.attempts}")
        _Child(store, job, owner, spec).watch(report, store_is)
        with store_is.tried():
            report.event("info", f"job {job.id}: {store.jobs.get(job.id).status}")
        done += 1
    return done


class _Reach:
    """Whether the store can be reached, which is said once each time that this changes."""

    def __init__(self, report: Report) -> None:
        self._report, self.away = report, False

    @contextlib.contextmanager
    def tried(self) -> Iterator[None]:
        """Goes on after what was tried in vain, for the store was away."""
        try:
            yield
        except AwayError as error:
            if not self.away:
                self._report.event("warning", f"the worker waits for the store: {error}")
            self.away = True
        else:
            if self.away:
                self._report.event("info", "the store is back")
            self.away = False


class _Child:
    """The process that runs one job, and what becomes of the job when it dies."""

    def __init__(self, store: Store, job: Job, owner: str, spec: Spec) -> None:
        self._store, self._job, self._owner = store, job, owner
        words = [sys.executable, "-m", RUNNER, job.id, owner]
        self._process = start(words, spec.model_dump_json(include=set(WorkerOptions.model_fields)))
        self._asked_at: float | None = None

    def watch(self, report: Report, store_is: _Reach) -> None:
        """Returns once the process has ended and the job has been let go, or cannot be: its lease runs out then."""
        while (code := self._process.poll()) is None:
            if report.cancelled():
                self._process.terminate()
            with store_is.tried():
                self._end_if_cancelled()
            time.sleep(POLL_S)
        while code != 0:
            with store_is.tried():
                self._let_go(code)
            if not store_is.away or report.cancelled():
                return
            time.sleep(POLL_S)

    def _end_if_cancelled(self) -> None:
        if self._store.jobs.get(self._job.id).wanted != "cancel":
            return
        self._asked_at = self._asked_at or time.monotonic()
        if time.monotonic() - self._asked_at > GRACE_S:
            self._process.kill()

    def _let_go(self, code: int) -> None:
        """Says what becomes of a job whose process ended with `code`, unless it was let go already."""
        from luthier.store.jobs import ENDED, LeaseLost, NewEvent

        job = self._store.jobs.get(self._job.id)
        if job.owner != self._owner or job.status in ENDED:
            return
        status: Status = "queued"
        said, error = f"the process of the job was ended by signal {-code}; the job goes back to the queue", None
        if job.wanted == "cancel":
            status, said = "cancelled", "Job cancelled"
        elif code == AWAY:
            said = "the store could not be used; the job goes back to the queue"
        elif code > 0:
            status, said = "failed", "The job failed: the server's log says why"
            error = {"code": "server_error", "message": "Something unforeseen happened; the server's log says what."}
        try:
            self._store.jobs.end(
                job.id,
                self._owner,
                status,
                error=error,
                events=[NewEvent("info" if error is None else "error", said)],
                orderly=code == AWAY,
            )
        except LeaseLost:
            return


def end(process: subprocess.Popen[bytes], *, within_s: float = 20.0) -> None:
    """Ends a worker process: asks it to, and makes it when it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
