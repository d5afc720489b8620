"""What every test shares: one thread, no network, a fresh process, the command line, a PostgreSQL."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import hypothesis
import postgres
import pytest
from house import ROOT, Run

# As `make test` sets them: workers share the cores, and no test may reach a hub. Children inherit them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"

# The same examples every time, so that a red build is a change's own doing; `make soak` looks further.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """Returns the top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def fresh_python() -> Run:
    """Returns a function that runs code in a new interpreter, without what this one has imported or patched."""

    def run(code: str, *args: str, cwd: Path | None = None, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        return _run([sys.executable, "-c", code, *args], cwd=cwd, timeout_s=timeout_s)

    return run


@pytest.fixture(scope="session")
def luthier_command() -> Run:
    """Returns a function that runs `luthier ARGS` as a person would: in a process of its own, output captured."""

    def run(
        *args: str, cwd: Path | None = None, timeout_s: float = 300, before: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        return _run([*before, sys.executable, "-m", "luthier", *args], cwd=cwd, timeout_s=timeout_s)

    return run


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """Returns where PostgreSQL's programs are; skips where there are none, unless LUTHIER_NEED_POSTGRES asks for it."""
    programs = postgres.programs()
    if programs is None:
        if os.environ.get("LUTHIER_NEED_POSTGRES"):
            pytest.fail("PostgreSQL is not installed, and LUTHIER_NEED_POSTGRES asks for it")
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return programs


@pytest.fixture(scope="session")
def postgres_server(postgres_programs: Path) -> Iterator[str]:
    """Yields the URL of a PostgreSQL that every test shares."""
    with postgres.running(postgres_programs) as server:
        yield server.url


@pytest.fixture(scope="module")
def own_postgres(postgres_programs: Path) -> Iterator[postgres.Postgres]:
    """Yields a PostgreSQL that the tests of a module may stop, if they start it again."""
    with postgres.running(postgres_programs) as server:
        yield server


@pytest.fixture
def small_rows(tmp_path: Path) -> Path:
    """Returns a file of 40 short chat rows, no two alike, that the smallest model can be tuned on in seconds."""
    draw, file = random.Random(7), tmp_path / "rows.jsonl"
    words = ["".join(draw.choices("aeioubdgklmnprst", k=5)) for _ in range(400)]

    def row() -> str:
        question, answer = " ".join(draw.sample(words, 8)), " ".join(draw.sample(words, 4))
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return json.dumps({"messages": turns}) + "\n"

    file.write_text("".join(row() for _ in range(40)), encoding="utf-8")
    return file


def _run(command: list[str], *, cwd: Path | None, timeout_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=_environment(os.environ), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def _environment(outer: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), *filter(None, [outer.get("PYTHONPATH")])])
    return {**outer, "PYTHONPATH": path, "COLUMNS": "120"}
