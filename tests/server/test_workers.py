"""Three workers on one store: each job is run once, the oldest first, and nobody waits for ever."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from house import ROOT
from serving import AS_OWNER, Running, rows, serve, upload, wait_until

TAKEN = re.compile(r"job (\S+) \((\w+)\), attempt (\d+)")


@contextmanager
def worker(home: Path, *words: str, env: dict[str, str] | None = None) -> Iterator[Path]:
    """Yields the file with what a worker process says."""
    said = home.parent / f"worker-{len(list(home.parent.glob('worker-*')))}.txt"
    command = [sys.executable, "-m", "luthier", "worker", "--home", str(home), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"} | (env or {})
    with said.open("w") as stream:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        wait_until(lambda: "takes jobs from" in said.read_text())
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.mark.both_databases(soak=True)
@pytest.mark.parametrize("count", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_three_workers_share_the_jobs(tmp_path: Path, database: tuple[str, ...], count: int) -> None:
    home = tmp_path / "home"
    running = serve(home, *database)
    try:
        with worker(home, *database) as first, worker(home, *database) as second:
            file = upload(running.client(), rows(8))
            ids = [_add(running, file.id, count) for _ in range(count)]
            jobs = [wait_until(lambda id=id: _ended(running, id), within_s=600) for id in ids]  # type: ignore[misc]
            served = next(home.parent.glob("home-*.log"))
            taken = [TAKEN.findall(path.read_text()) for path in (served, first, second)]
    finally:
        running.end()
    print(f"jobs taken: {[len(one) for one in taken]}")
    assert {job["status"] for job in jobs} == {"succeeded"}
    assert Counter(id for one in taken for id, _, _ in one) == Counter(ids)
    assert {attempt for one in taken for _, _, attempt in one} == {"1"}
    assert all(taken), "each worker got some"
    started = [job["started_at"] for job in jobs]
    assert started == sorted(started), "the oldest goes first"


def _add(running: Running, file_id: str, count: int) -> str:
    """Returns a new job: a look at some rows, or a short run where many are asked for."""
    spec: dict[str, Any] = {"rows": [file_id]}
    kind = "data"
    if count > 3:
        kind, spec = "tune", spec | {"max_steps": 2, "answer_rows": 0, "test_fraction": 0.0}
    answer = httpx.post(f"{running.url}/luthier/jobs", json={"kind": kind, "spec": spec}, headers=AS_OWNER)
    assert answer.status_code == 200, answer.text
    return str(json.loads(answer.text)["id"])


def _ended(running: Running, id: str) -> Any:
    job = httpx.get(f"{running.url}/luthier/jobs/{id}", headers=AS_OWNER).raise_for_status().json()
    return job if job["finished_at"] else None
