"""Blobs: whole or not there, in a folder and in object storage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from luthier.errors import CapacityError, DiskFullError, NotFoundError, StoreError
from luthier.store.blobs import Blobs

CONTENT = b"one" * 1000


@pytest.fixture(params=["folder", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    url = str(tmp_path / "blobs") if request.param == "folder" else f"memory://{tmp_path.name}"
    return Blobs(url, tmp_path / "cache")


def test_bytes_come_back_under_their_hash(kept: Blobs) -> None:
    blob = kept.put([CONTENT[:7], CONTENT[7:]])
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(CONTENT).hexdigest(), 3000)
    with kept.open(blob.sha256) as stream:
        assert stream.read() == CONTENT
    assert kept.path(blob.sha256).read_bytes() == CONTENT
    assert kept.holds(blob.sha256)


def test_the_same_bytes_are_kept_once(kept: Blobs, tmp_path: Path) -> None:
    assert kept.put([CONTENT]) == kept.put([CONTENT])
    if (tmp_path / "blobs").exists():
        assert len([file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]) == 1


def test_a_file_is_kept(kept: Blobs, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    assert kept.put_file(tmp_path / "file").sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_what_is_deleted_is_gone(kept: Blobs) -> None:
    blob = kept.put([CONTENT])
    kept.path(blob.sha256)
    kept.delete(blob.sha256)
    kept.delete(blob.sha256)
    assert not kept.holds(blob.sha256)
    with pytest.raises(NotFoundError), kept.open(blob.sha256):
        pass
    with pytest.raises(NotFoundError):
        kept.path(blob.sha256)


def test_too_many_bytes_are_refused_and_leave_nothing(kept: Blobs, tmp_path: Path) -> None:
    with pytest.raises(CapacityError, match="more than 2,999 bytes"):
        kept.put([CONTENT], limit_bytes=2999)
    assert kept.put([CONTENT], limit_bytes=3000)
    assert not list(tmp_path.rglob(".partial*"))


def test_bytes_that_stop_coming_leave_nothing(kept: Blobs, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield CONTENT
        raise ConnectionError

    with pytest.raises(ConnectionError):
        kept.put(broken())
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63, "a" * 65])
def test_a_name_that_is_no_hash_reaches_no_file(kept: Blobs, name: str) -> None:
    for reach in (kept.holds, kept.path, kept.delete):
        with pytest.raises(NotFoundError):
            reach(name)


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    blobs = Blobs(str(tmp_path / "blobs"), tmp_path / "cache")
    monkeypatch.setattr("luthier.store.blobs.os.fsync", full)
    with pytest.raises(DiskFullError, match="No space left on device; make room"):
        blobs.put([CONTENT])
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_storage_that_is_not_installed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="blobs"):
        Blobs("nosuchstorage://bucket", tmp_path)
