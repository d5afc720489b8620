"""Rows that are written while training reads them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from luthier.models.opening import Opened, open_model
from recipes.fiddle import generate, stream

PLAN = "2:32,3:16"
FAST = [
    "--plan",
    PLAN,
    "--shard",
    "8",
    "--batch-size",
    "4",
    "--logging-steps",
    "1",
    "--seed",
    "3",
    "--warmup-steps",
    "2",
]


@pytest.fixture(scope="module")
def opened() -> Opened:
    return open_model("fiddle")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small weights with Fiddle's tokenizer."""
    from transformers import AutoModelForCausalLM

    fiddle, folder = open_model("fiddle"), tmp_path_factory.mktemp("start")
    fiddle.config.num_hidden_layers = 2
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(fiddle.config).save_pretrained(folder)
    fiddle.tokenizer.save_pretrained(folder)
    return folder


def read(folder: Path, opened: Opened, workers: int) -> list[list[int]]:
    """All tokens of the plan, written by so many processes."""
    todo = stream.shards(generate.read_plan(PLAN), 8)
    folder.mkdir()
    writers = stream.Writers(workers, todo, folder, opened, 3, ())
    try:
        items = stream.Stream(folder, todo, writers)
        rows = [items[index].tokens.tolist() for index in range(len(items))]
        assert [len(row) for row in rows] == items.lengths.tolist()
        assert not list(folder.glob("[0-9]*"))
        return rows
    finally:
        writers.close()


def test_rows_do_not_depend_on_the_number_of_processes(tmp_path: Path, opened: Opened) -> None:
    rows = read(tmp_path / "one", opened, 1)
    assert len(rows) == 48
    assert len({tuple(row) for row in rows}) > 40
    assert read(tmp_path / "three", opened, 3) == rows


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(
    tmp_path: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    stream.main(["--start", str(start), *FAST, "--output", str(whole)])
    asked = iter(range(100))
    with monkeypatch.context() as patched:
        patched.setattr(stream.Said, "cancelled", lambda self: next(asked) >= 7)
        stream.main(["--start", str(start), *FAST, "--output", str(parts), "--seconds", "600", "--workers", "2"])
    assert len((parts / "metrics.jsonl").read_text().splitlines()) == 7
    assert (parts / "model/model.safetensors").exists()
    stream.main(["--start", str(start), *FAST, "--output", str(parts), "--resume"])
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    again = [json.loads(line) for line in (parts / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert [line["loss"] for line in again] == [line["loss"] for line in lines]
    assert lines[-1]["learning_rate"] < lines[4]["learning_rate"]
    one, other = (load_file(folder / "model/model.safetensors") for folder in (whole, parts))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["model.embed_tokens.weight"].dtype == torch.bfloat16


def test_a_writer_that_fails_is_told_at_once(tmp_path: Path, opened: Opened) -> None:
    todo = [stream.Shard(0, 99, 8)]  # there is no such stage
    writers = stream.Writers(1, todo, tmp_path, opened, 3, ())
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            stream.Stream(tmp_path, todo, writers)[0]
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(60)
    writers.close()
    assert caught
    assert "failed" in str(caught[0])


def test_a_plan_of_no_whole_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="whole shards"):
        stream.main(["--start", "x", "--plan", "2:3", "--shard", "8", "--batch-size", "4", "--output", str(tmp_path)])
