"""The official SDK in three generations, each in an environment of its own, against one server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import ROOT
from serving import Running, serve

VERSIONS = re.search(r"^SDKS = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()  # type: ignore[index]
TOUR = Path(__file__).parent / "sdk_tour.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = serve(tmp_path_factory.mktemp("sdk") / "home")
    yield running
    running.end()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_tour_ends_well(server: Running, version: str) -> None:
    python = ROOT / f".venv-openai-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip("make compat makes the environment for this test")
    done = subprocess.run([str(python), str(TOUR), server.url], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"openai {version}: done"
