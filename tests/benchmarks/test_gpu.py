"""The benchmark for a GPU, tried on a CPU with stand-ins for kernels and graphs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import gpu
from benchmarks.gpu import Section, Work


def test_a_dry_run_checks_measures_and_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    gpu.main(["--dry", "--check", "--no-peer", "--batches", "1", "3", "--seconds", "1", "--floor", "1"])
    said = capsys.readouterr().out
    assert "CHECK" in said
    assert "40 replies" in said
    assert said.count("RESULT tiny") == 2
    kept = json.loads((tmp_path / "gpu.json").read_text())
    assert [one["work"]["prompts"] for one in kept] == [1, 3]
    assert all(len(one["ours_alone"]) == gpu.OWN_BLOCKS for one in kept)


def test_the_other_side_may_fail_and_ours_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def broken(*given: object, **options: object) -> None:
        raise RuntimeError("out of pages")

    monkeypatch.setattr(gpu, "RESULTS", tmp_path)
    monkeypatch.setattr(gpu, "Continuous", broken)
    gpu.main(["--dry", "--batches", "2", "--seconds", "1", "--floor", "1"])
    assert "out of pages" in capsys.readouterr().out
    (kept,) = json.loads((tmp_path / "gpu.json").read_text())
    assert kept["ours_alone"]
    assert "out of pages" in kept["error"]


def test_a_ratio_is_said_with_its_blocks() -> None:
    section = Section("8B", Work(2, 5, 10), ours=[1.0, 2.0, 1.0], theirs=[2.0, 4.0, 3.0], peer="graphs")
    assert "ratio 2.00 [2.00, 3.00], 3 blocks; fewer than 7: no claim" in section.said
    assert "Luthier 20 tokens/s" in section.said


def test_prompts_are_new_in_every_block() -> None:
    work = Work(3, 7, 2)
    assert work.drawn(1, 99) == work.drawn(1, 99) != work.drawn(2, 99)
    assert [len(one) for one in work.drawn(0, 99)] == [7, 7, 7]
