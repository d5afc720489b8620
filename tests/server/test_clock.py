"""The clock is set an hour forwards and backwards under a server, a second worker and a job."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from acknowledged import losses, tune
from house import ROOT
from serving import ended, serve, upload, wait_until
from test_workers import TAKEN, worker

HOUR_S = 3600
CLOCK = """
import os, time
_real, _file = time.time, os.environ["CLOCK_FILE"]

def _set():
    with open(_file) as stream:
        return _real() + float(stream.read() or 0)

time.time = _set
"""
"""A start-up file of Python: in every process that finds it, the clock is as much ahead as a file says."""


@pytest.mark.soak  # tests/store/test_silence.py has the same with clocks of its own
def test_the_clock_is_set_while_a_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, code = tmp_path / "clock", tmp_path / "code"
    clock.write_text("0")
    code.mkdir()
    (code / "sitecustomize.py").write_text(CLOCK)
    monkeypatch.setenv("CLOCK_FILE", str(clock))
    path = {"PYTHONPATH": os.pathsep.join([str(code), str(ROOT / "src")])}

    def set_clock(ahead_s: int) -> None:
        (tmp_path / "clock.new").write_text(str(ahead_s))
        (tmp_path / "clock.new").replace(clock)

    home = tmp_path / "home"
    running = serve(home, env=path)
    try:
        with worker(home, env=path) as other:
            client = running.client()
            file = upload(client, "kept", purpose="user_data")
            job = tune(client)
            for step, ahead_s in ((5, HOUR_S), (20, -HOUR_S), (35, 0)):
                wait_until(lambda step=step: max(losses(client, job.id), default=0) >= step)  # type: ignore[misc]
                set_clock(ahead_s)
            done = ended(client, job.id)
            said = other.read_text() + "".join(log.read_text() for log in tmp_path.glob("home-*.log"))
        assert done.status == "succeeded", done.error
        assert [(id, attempt) for id, _, attempt in TAKEN.findall(said)] == [(job.id, "1")]
        assert sorted(losses(client, job.id)) == list(range(1, 49))
        assert client.files.content(file.id).read() == b"kept"
    finally:
        running.end()
