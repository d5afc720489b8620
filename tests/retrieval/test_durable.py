"""What the index has acknowledged is there after a power cut, a kill, damaged files, and while others write."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import index_process
import pytest
from house import ROOT
from index_process import PASSAGES, SHAPE, entry

from luthier.errors import StoreError
from luthier.retrieval import durable
from luthier.retrieval.durable import MARK, locked
from luthier.retrieval.lance import LanceIndex

Damage = Callable[[Path], None]


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def halved(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def filled(folder: Path, documents: int = 3) -> LanceIndex:
    index = LanceIndex.open(folder, SHAPE)
    for number in range(documents):
        index.put([entry(number)])
    return index


def newest(folder: Path, pattern: str) -> Path:
    files = folder.glob(f"passages.lance/{pattern}")
    return max(files, key=lambda file: (file.stat().st_mtime_ns, -int(file.stem) if file.stem.isdigit() else 0))


def names(count: int) -> set[str]:
    return {f"doc_{number}" for number in range(count)}


@pytest.mark.parametrize("damage", [emptied, halved, zeroed])
@pytest.mark.parametrize("pattern", ["_versions/*.manifest", "data/*.lance"])
def test_a_damaged_newest_version_gives_way_to_the_one_before(tmp_path: Path, pattern: str, damage: Damage) -> None:
    filled(tmp_path)
    damage(newest(tmp_path, pattern))
    heard: list[str] = []
    index = LanceIndex.open(tmp_path, SHAPE, heard.append)
    assert len(heard) == 1
    assert "manifest" in heard[0]
    assert set(index.documents()) == names(2)
    index.put([entry(2), entry(3)])
    assert set(LanceIndex.open(tmp_path, SHAPE, heard.append).documents()) == names(4)
    assert len(heard) == 1
    assert len(index.by_text("unique3", 10)) == PASSAGES


@pytest.mark.parametrize("damage", [emptied, halved])
def test_damaged_search_files_are_noticed_when_it_opens(tmp_path: Path, damage: Damage) -> None:
    filled(tmp_path).optimise()
    for file in (tmp_path / "passages.lance" / "_indices").rglob("*.lance"):
        damage(file)
    heard: list[str] = []
    index = LanceIndex.open(tmp_path, SHAPE, heard.append)
    assert heard
    have = index.documents()
    assert set(have) <= names(3)
    index.put([entry(number) for number in range(3)])  # what a refresh does
    assert len(index.by_text("unique2", 10)) == PASSAGES


def test_where_nothing_can_be_read_it_says_what_to_do(tmp_path: Path) -> None:
    filled(tmp_path)
    for file in (tmp_path / "passages.lance").rglob("*.manifest"):
        emptied(file)
    with pytest.raises(StoreError, match="--rebuild"):
        LanceIndex.open(tmp_path, SHAPE)


def test_an_index_whose_making_was_cut_off_is_made(tmp_path: Path) -> None:
    (tmp_path / "passages.lance" / "data").mkdir(parents=True)
    (tmp_path / MARK).touch()
    assert LanceIndex.open(tmp_path, SHAPE).count() == 0
    assert not (tmp_path / MARK).exists()


def test_all_that_was_written_is_on_disk_when_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk after a power cut: what was not synced is empty. Each state opens with all that was acknowledged."""
    synced: set[int] = set()
    real = os.fsync

    def fsync(number: int) -> None:
        real(number)
        synced.add(os.fstat(number).st_ino)

    monkeypatch.setattr(durable.os, "fsync", fsync)
    index = LanceIndex.open(tmp_path / "index", SHAPE)
    for number in range(6):
        if number == 4:
            index.optimise()
        if number == 5:
            index.put([entry(0, "2", 2)])
        index.put([entry(number)])
        after = tmp_path / f"after{number}"
        shutil.copytree(tmp_path / "index", after)
        for file in (tmp_path / "index").rglob("*"):
            if file.stat().st_ino not in synced:
                assert not file.is_dir(), file
                emptied(after / file.relative_to(tmp_path / "index"))
        heard: list[str] = []
        assert set(LanceIndex.open(after, SHAPE, heard.append).documents()) == names(number + 1)
        assert heard == []


def test_an_unfinished_write_is_looked_at_when_it_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = filled(tmp_path)
    monkeypatch.setattr(durable.Synced, "sync", lambda self: (_ for _ in ()).throw(OSError("the power went")))
    with pytest.raises(StoreError, match="the power went"):
        index.put([entry(7)])
    monkeypatch.undo()
    assert (tmp_path / MARK).exists()
    again = LanceIndex.open(tmp_path, SHAPE)
    assert names(3) <= set(again.documents())
    assert not (tmp_path / MARK).exists()


def test_a_lock_is_had_by_one(tmp_path: Path) -> None:
    with (
        locked(tmp_path) as mine,
        locked(tmp_path, wait=False) as theirs,
        locked(tmp_path, "other", wait=False) as other,
    ):
        assert (mine, theirs, other) == (True, False, True)
    with locked(tmp_path, wait=False) as mine:
        assert mine


def test_it_opens_and_is_read_while_another_writes(tmp_path: Path) -> None:
    filled(tmp_path)
    with locked(tmp_path):
        assert LanceIndex.open(tmp_path, SHAPE).count() == 3 * PASSAGES


def test_maintenance_has_one_owner(tmp_path: Path) -> None:
    index = filled(tmp_path)
    with locked(tmp_path, ".maintenance"):
        assert not index.optimise()
    assert index.optimise()


def started(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, index_process.__file__, *map(str, words)]
    places = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": places})


def said(process: subprocess.Popen[str]) -> list[int]:
    return [int(line) for line in process.communicate(timeout=120)[0].split()]


def kill_at(folder: Path, draw: random.Random) -> None:
    """A writer is killed at some moment after its first acknowledgement; what it acknowledged is there, and whole."""
    process = started("write", folder, 0, 10_000)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline())]
    until = time.monotonic() + draw.uniform(0.02, 1.0)
    while time.monotonic() < until:
        acknowledged.append(int(process.stdout.readline()))
    process.kill()
    acknowledged += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    index = LanceIndex.open(folder, SHAPE)
    have = index.documents()
    assert {f"doc_{number}" for number in acknowledged} <= set(have)
    for number in acknowledged[-3:]:
        assert len(index.by_text(f"unique{number}", 20)) == PASSAGES - (have[f"doc_{number}"] == "2")
    fewer = sum(version == "2" for version in have.values())
    assert index.count() == PASSAGES * len(have) - fewer
    index.put([entry(77_777)])
    assert index.optimise()
    assert index.count() == PASSAGES * (len(have) + 1) - fewer


@pytest.mark.parametrize("seed", range(2))
def test_a_writer_that_is_killed_loses_nothing(tmp_path: Path, seed: int) -> None:
    kill_at(tmp_path, random.Random(seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_writers_that_are_killed_lose_nothing(tmp_path: Path, seed: int) -> None:
    for _ in range(3):
        kill_at(tmp_path / str(_), random.Random(seed * 10 + _))


def both_write(folder: Path, count: int) -> None:
    LanceIndex.open(folder, SHAPE)
    writers = [started("write", folder, first, count) for first in (0, 100_000)]
    total = 2 * count * PASSAGES - sum(fewer(range(first, first + count)) for first in (0, 100_000))
    reader = started("read", folder, total)
    assert [said(writer) for writer in writers] == [list(range(first, first + count)) for first in (0, 100_000)]
    counts = said(reader)
    assert counts[-1] == total
    index = LanceIndex.open(folder, SHAPE)
    found = index._table.search().select(["id"]).to_arrow()["id"].to_pylist()
    assert len(found) == len(set(found)) == total
    assert [writer.returncode for writer in (*writers, reader)] == [0, 0, 0]


def fewer(numbers: Sequence[int]) -> int:
    """Returns how many passages a writer of these documents takes away again."""
    return sum(number % 7 == 6 and number > numbers[0] for number in numbers)


def test_two_processes_write_and_one_reads(tmp_path: Path) -> None:
    both_write(tmp_path, 15)


@pytest.mark.soak
def test_two_processes_write_for_long_and_one_reads(tmp_path: Path) -> None:
    both_write(tmp_path, 400)
