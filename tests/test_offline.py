"""Demo and tune with no network at all: in a namespace that has no interface but an unplugged loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from house import Run

ALONE = ("unshare", "-rn")

ONLY_LOOPBACK = "import socket, sys; sys.exit([name for _, name in socket.if_nameindex()] != ['lo'])"
UNPLUGGED = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=5)"


def why_not() -> str:
    """Returns why no such namespace can be had here, or "" when it can."""
    if not shutil.which("unshare"):
        return "unshare is not installed"
    tried = subprocess.run([*ALONE, sys.executable, "-c", ONLY_LOOPBACK], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"the kernel refuses it: {tried.stderr.strip() or tried.returncode}"


REASON = why_not()
alone = pytest.mark.skipif(bool(REASON), reason=f"no namespace without interfaces: {REASON}")


@alone
def test_the_namespace_reaches_nothing() -> None:
    tried = subprocess.run([*ALONE, sys.executable, "-c", UNPLUGGED], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in tried.stderr


@alone
@pytest.mark.slow
def test_tune_needs_no_network(luthier_command: Run, small_rows: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = ["--model", "fiddle", "--max-steps", "2", "--batch-size", "4", "--output", str(run)]
    done = luthier_command("tune", str(small_rows), *settings, before=ALONE, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (run / "model").is_dir()
    assert (run / "report.html").is_file()
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["status"]


@alone
@pytest.mark.slow
def test_demo_needs_no_network(luthier_command: Run, tmp_path: Path) -> None:
    run = tmp_path / "demo"
    done = luthier_command("demo", "--max-steps", "2", "--output", str(run), before=ALONE, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (run / "report.html").is_file()
