"""A job on a full disk is tried again, and fails with these words when that was in vain."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from luthier.errors import DiskFullError
from luthier.server import runner
from luthier.server.errors import as_api_error
from luthier.server.job_report import JobReport
from luthier.server.options import WorkerOptions
from luthier.store.files import keep_file
from luthier.store.jobs import MAX_ATTEMPTS
from luthier.store.opened import Store
from luthier.workflows import data

FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    DiskFullError("no space left for the rows"),
    SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(WorkerOptions(home=str(tmp_path / "home")))
    file = keep_file(opened, "default", opened.blobs.put([b'{"text": "a"}\n']), filename="x.jsonl", purpose="fine-tune")
    opened.jobs.add("data", "a", "default", {"rows": [file.id], "model": "fiddle"})
    yield opened
    opened.close()


def attempt(store: Store) -> Any:
    """Returns the job after somebody has worked on it."""
    job = store.jobs.lease("w")
    assert job is not None
    runner.run_job(store, job, "w", WorkerOptions(), JobReport(store, job, "w"))
    return store.jobs.get("a")


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_job_waits_for_room_and_fails_in_words(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(data, "run", run)
    monkeypatch.setattr(runner, "ROOM_S", 0.0)
    for _ in range(MAX_ATTEMPTS - 1):
        assert attempt(store).status == "queued"
    assert "the job is tried again" in store.jobs.events("a")[0][0].message
    failed = attempt(store)
    assert failed.status == "failed"
    assert "room" in failed.error["message"] or "space" in failed.error["message"]


def test_a_job_that_is_cancelled_while_it_waits_for_room_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: Any, report: JobReport) -> Any:
        report.wanted = "cancel"
        raise FULL[0]

    monkeypatch.setattr(data, "run", run)
    assert attempt(store).status == "cancelled"


@pytest.mark.parametrize("error", FULL[:3], ids=lambda error: type(error).__name__)
def test_a_request_that_finds_no_room_is_told_so(error: Exception) -> None:
    told = as_api_error(error)
    assert (told.status, told.headers["x-should-retry"]) == (503, "true")
    assert "disk is full" in told.message or "no space left" in told.message


def test_what_else_a_disk_does_is_not_foreseen() -> None:
    assert as_api_error(OSError(errno.EIO, "Input/output error")).status == 500
