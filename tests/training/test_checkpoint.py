"""Checkpoints are written whole, checked when read, and never mixed between runs."""

import errno
from pathlib import Path

import pytest
import torch

from luthier.errors import CapacityError, CheckpointError
from luthier.training import checkpoint as saved
from luthier.training.checkpoint import State

IDENTITY = {"learning_rate": 1e-3, "rows": "abc"}


def tensors(value: float = 1.0) -> dict[str, torch.Tensor]:
    return {"model.w": torch.full((3, 2), value), "optimizer.w.step": torch.tensor(4.0)}


def write(folder: Path, step: int, value: float = 1.0) -> Path:
    return saved.save_checkpoint(folder, State(step=step, best_step=step), tensors(value), IDENTITY)


def test_a_checkpoint_reads_back_bit_for_bit(tmp_path: Path) -> None:
    path = write(tmp_path, 7, value=0.1)
    found, damaged = saved.latest_checkpoint(tmp_path, IDENTITY)
    assert (found, damaged) == (path, [])
    assert saved.read_state(path)[0] == State(step=7, best_step=7)
    back = saved.load_tensors(path)
    assert all(torch.equal(back[name], value) for name, value in tensors(0.1).items())


@pytest.mark.parametrize("damage", ["flip", "cut", "no tensors", "no state", "bad state"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path, damage: str) -> None:
    first, last = write(tmp_path, 1), write(tmp_path, 2)
    file = last / saved.TENSORS
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
        file.write_bytes(content)
    elif damage == "cut":
        file.write_bytes(content[:-5])
    elif damage == "no tensors":
        file.unlink()
    elif damage == "no state":
        (last / "state.json").unlink()
    else:
        (last / "state.json").write_text("{")
    found, damaged = saved.latest_checkpoint(tmp_path, IDENTITY)
    assert found == first
    assert len(damaged) == 1
    assert "step-00000002" in str(damaged[0])
    assert "damaged" in str(damaged[0])


def test_only_damaged_checkpoints_is_an_error_that_names_them(tmp_path: Path) -> None:
    (write(tmp_path, 2) / saved.TENSORS).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no undamaged checkpoint is left.*step-00000002"):
        saved.latest_checkpoint(tmp_path, IDENTITY)


def test_another_runs_checkpoint_is_refused_and_the_difference_named(tmp_path: Path) -> None:
    write(tmp_path, 3)
    with pytest.raises(CheckpointError, match=r"another run \(learning_rate: 0.001 there, 0.002 here\)"):
        saved.latest_checkpoint(tmp_path, IDENTITY | {"learning_rate": 2e-3})


def test_an_interrupted_write_leaves_no_checkpoint(tmp_path: Path) -> None:
    partial = tmp_path / ".step-00000005.partial"
    partial.mkdir()
    (partial / "state.json").write_text("{}")
    assert saved.checkpoints(tmp_path) == []
    assert saved.latest_checkpoint(tmp_path, IDENTITY) == (None, [])
    write(tmp_path, 5)
    assert not partial.exists()


def test_no_space_is_said_and_the_earlier_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(tmp_path, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saved, "save_file", full)
    with pytest.raises(CapacityError, match=r"step 2 could not be written.*No space left.*--resume"):
        write(tmp_path, 2)
    assert sorted(tmp_path.iterdir()) == [first]


def test_too_little_space_is_seen_before_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(CapacityError, match="0 MB are free"):
        write(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_prune_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        write(tmp_path, step)
    saved.prune(tmp_path, keep=2, best_step=1)
    assert [path.name for path in saved.checkpoints(tmp_path)] == ["step-00000001", "step-00000003", "step-00000004"]


def test_a_checkpoint_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, rename = saved._sync, Path.rename

    def spy(path: Path) -> None:
        order.append(f"sync {path.name}")
        sync(path)

    def named(path: Path, target: Path) -> Path:
        order.append("rename")
        return rename(path, target)

    monkeypatch.setattr(saved, "_sync", spy)
    monkeypatch.setattr(Path, "rename", named)
    write(tmp_path, 1)
    before, after = order[: order.index("rename")], order[order.index("rename") + 1 :]
    assert {"sync state.json", f"sync {saved.TENSORS}", "sync .step-00000001.partial"} <= set(before)
    assert after == [f"sync {tmp_path.name}"]
