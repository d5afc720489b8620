"""What tests import from each other: where the checkout is, and what has to be there for a test to run."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from luthier.workflows import verbs

ROOT = Path(__file__).resolve().parents[1]

Run = Callable[..., subprocess.CompletedProcess[str]]

needs_command_line = pytest.mark.skipif(
    importlib.util.find_spec("luthier.cli") is None or "tune" not in verbs(),
    reason="there is no command line yet",
)
