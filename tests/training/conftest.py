"""The fixture of the training tests: a job over a tiny model."""

from pathlib import Path
from typing import Any

import pytest
from small_jobs import MakeJob, make_job

from luthier.training.loop import Job


@pytest.fixture(name="make_job")
def _make_job(tmp_path: Path) -> MakeJob:
    def make(folder: str = "run", **changes: Any) -> Job:
        return make_job(tmp_path / folder, **changes)

    return make
