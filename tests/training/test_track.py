"""Numbers reach every sink, and every sink is closed with the reason why the run ended. W&B itself: tests/compat."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

from luthier.errors import Interrupted, SpecError
from luthier.report import ListReport
from luthier.training.track import Tracker, check_report_to, read_metrics
from luthier.workflows import tune


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, dict[str, float]]] = []
        self.ends: list[BaseException | None] = []

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self.lines.append((step, dict(values)))

    def close(self, error: BaseException | None) -> None:
        self.ends.append(error)


def tracker(folder: Path, *, from_step: int = 0) -> tuple[Tracker, Kept]:
    kept = Kept()
    one = Tracker(folder, ListReport(), report_to=(), config={}, from_step=from_step)
    one.sinks.append(kept)
    return one, kept


def test_every_sink_has_every_number_and_is_closed(tmp_path: Path) -> None:
    one, kept = tracker(tmp_path)
    with one:
        one.write(1, {"loss": 2.0})
    assert kept.lines == [(1, {"loss": 2.0})]
    assert kept.ends == [None]
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 1, "loss": 2.0}]


def test_a_sink_is_told_what_ended_the_run(tmp_path: Path) -> None:
    one, kept = tracker(tmp_path)
    stop = Interrupted("stopped")
    with pytest.raises(Interrupted), one:
        raise stop
    assert kept.ends == [stop]


def test_lines_past_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0}\n{"step": 3, "lo')
    one, _ = tracker(tmp_path, from_step=1)
    with one:
        one.write(2, {"loss": 0.5})
    assert [line["loss"] for line in read_metrics(tmp_path / "metrics.jsonl")] == [2.0, 0.5]


@pytest.mark.parametrize("package", ["wandb", "tensorboard"])
def test_what_is_not_installed_is_said_before_anything_is_done(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match=f"report_to: {package} is not installed; pip install {package}, or leave"):
        tune.run(tune.Spec(rows=("rows.jsonl",), output=str(tmp_path / "run"), report_to=(package,)), ListReport())
    assert not (tmp_path / "run").exists()
    check_report_to(())
