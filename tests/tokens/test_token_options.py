"""Options of the tokens room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import luthier
from luthier.config import bind, fields
from luthier.errors import SpecError
from luthier.tokens.options import TokenOptions


def test_names() -> None:
    assert [field.name for field in fields(TokenOptions)] == [
        *("max_length", "truncate", "drop_long", "train_on", "completion_style")
    ]
    assert all(field.description for field in fields(TokenOptions))


def test_one_policy_only() -> None:
    with pytest.raises(SpecError, match="truncate and drop_long contradict"):
        bind(TokenOptions, {"truncate": "end", "drop_long": True}, where="tune")


def test_names_from_elsewhere_are_pointed_out() -> None:
    with pytest.raises(SpecError, match="write max_length"):
        bind(TokenOptions, {"max_seq_length": 512}, where="tune")


def test_options_are_light() -> None:
    code = "import luthier.tokens.options, sys; print({'torch', 'transformers', 'numpy'} & set(sys.modules))"
    source = str(Path(luthier.__file__).parents[1])
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": source})
    assert ran.stdout == "set()\n", ran.stderr
