from __future__ import annotations

import subprocess
import sys

import pytest

from luthier.config import bind, fields
from luthier.errors import SpecError
from luthier.records.formats import FORMATS
from luthier.records.options import RowsOptions, SplitOptions


def test_every_option_is_described_and_paths_reach_outside() -> None:
    for options in (RowsOptions, SplitOptions):
        assert all(field.description for field in fields(options))
    outside = {field.name for options in (RowsOptions, SplitOptions) for field in fields(options) if field.outside}
    assert outside == {"rows", "validation_rows"}
    assert [field.name for field in fields(RowsOptions) if field.positional] == ["rows"]


def test_options_are_bound_from_the_command_line() -> None:
    rows = bind(RowsOptions, {"rows": ["a.jsonl"], "columns": ["text=A"]}, where="luthier data", source="argv")
    assert (rows.rows, rows.columns, rows.text_unit) == (("a.jsonl",), ("text=A",), "file")
    split = bind(SplitOptions, {"validation_fraction": "0.2", "split_seed": "3"}, where="luthier tune", source="argv")
    assert (split.validation_fraction, split.split_seed) == (0.2, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on: make their sum below 1"),
        ({"validation_fraction": 1.0}, "less than 1"),
        ({"duplicates": "moved"}, "'moved' is not allowed; did you mean 'move'"),
        ({"val_size": 0.1}, "unknown key 'val_size'; write validation_fraction"),
    ],
)
def test_wrong_options_say_what_to_write(values: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        bind(SplitOptions, values, where="luthier.tune")


def test_the_formats_named_in_the_help_exist() -> None:
    text = next(field.description for field in fields(RowsOptions) if field.name == "format")
    assert [name for name in FORMATS.names() if name in text] == ["openai-chat", "sharegpt", "alpaca"]


def test_options_load_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "numpy", "pyarrow", "rensa"}
    code = f"import luthier.records.options, sys; print(*{heavy} & set(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"}
    )
    assert out.stdout.split() == []
