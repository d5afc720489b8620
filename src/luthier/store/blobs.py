"""Blobs: bytes under the name of their SHA-256, in a folder or in object storage. What is there is whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO, Any

from luthier.errors import CapacityError, DiskFullError, NotFoundError, StoreError, disk_is_full

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """What was kept: its name (SHA-256, 64 hex digits) and its size."""

    sha256: str
    size_bytes: int


class Blobs:
    """Content-addressed bytes at `url` (a folder, or an fsspec URL such as s3://bucket/folder).

    `cache` is a folder on this machine: new bytes are gathered there before they get their name, and those of an object
    storage are kept there as files once they were asked for.
    """

    def __init__(self, url: str, cache: Path) -> None:
        self._cache = cache
        self._remote: Any = None
        if "://" not in url:
            self._root = str(Path(url).expanduser().absolute())
            Path(self._root).mkdir(parents=True, exist_ok=True)
        else:
            self._remote, self._root = _file_system(url)

    def put(self, pieces: Iterable[bytes], *, limit_bytes: int | None = None) -> Blob:
        """Returns the blob of all `pieces`, which is on disk then. `CapacityError` when they pass `limit_bytes`,
        `DiskFullError` when there is no room for them."""
        with _disk():
            self._cache.mkdir(parents=True, exist_ok=True)
        folder = self._cache if self._remote else Path(self._root)
        partial = folder / f".partial-{os.getpid()}-{secrets.token_hex(8)}"
        try:
            blob = _write(partial, pieces, limit_bytes)
            if self._remote:
                self._send(partial, blob)
            else:
                _rename(partial, Path(self._place(blob.sha256)))
        finally:
            partial.unlink(missing_ok=True)
        return blob

    def put_file(self, path: Path) -> Blob:
        """Returns the blob of a file's bytes."""
        with path.open("rb") as stream:
            return self.put(iter(lambda: stream.read(PIECE), b""))

    @contextlib.contextmanager
    def open(self, sha256: str) -> Iterator[IO[bytes]]:
        """The bytes as a stream. `NotFoundError` when there is no such blob."""
        place = self._place(sha256)
        if not self.holds(sha256):
            raise NotFoundError(f"no blob {sha256}", where="blobs")
        with self._remote.open(place, "rb") if self._remote else Path(place).open("rb") as stream:
            yield stream

    def holds(self, sha256: str) -> bool:
        """Returns whether there is such a blob."""
        place = self._place(sha256)
        return bool(self._remote.exists(place)) if self._remote else Path(place).exists()

    def path(self, sha256: str) -> Path:
        """Returns a file on this machine that holds the bytes; it must not be changed."""
        if not self._remote:
            if not (found := Path(self._place(sha256))).exists():
                raise NotFoundError(f"no blob {sha256}", where="blobs")
            return found
        kept = self._cache / sha256
        if not kept.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            with self.open(sha256) as stream, tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as partial:
                shutil.copyfileobj(stream, partial, PIECE)
            Path(partial.name).replace(kept)
        return kept

    def folder(self, parts: Mapping[str, Blob]) -> Path:
        """Returns a folder on this machine with a file for each of `parts`; it must not be changed. Made once."""
        target = self._folder(parts)
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=".partial-"))
        try:
            for name, blob in parts.items():
                if name in {"", ".", ".."} or "/" in name or "\\" in name:
                    raise StoreError(f"a part is called {name!r}", where="blobs", remedy="use plain file names")
                _link(self.path(blob.sha256), partial / name)
            partial.chmod(0o755)
            with contextlib.suppress(OSError):  # another process was first
                partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    def forget_folder(self, parts: Mapping[str, Blob]) -> None:
        """Removes the folder of `parts`, if it was made here."""
        shutil.rmtree(self._folder(parts), ignore_errors=True)

    def _folder(self, parts: Mapping[str, Blob]) -> Path:
        named = "\n".join(f"{name} {blob.sha256}" for name, blob in sorted(parts.items()))
        return self._cache / "folders" / hashlib.sha256(named.encode()).hexdigest()[:32]

    def delete(self, sha256: str) -> None:
        """Removes a blob if it is there."""
        place = self._place(sha256)
        with contextlib.suppress(FileNotFoundError):
            if self._remote:
                (self._cache / sha256).unlink(missing_ok=True)
                self._remote.rm_file(place)
            else:
                Path(place).unlink()

    def _place(self, sha256: str) -> str:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFoundError(f"no blob {sha256[:80]!r}", where="blobs", remedy="a blob's name is 64 hex digits")
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def _send(self, partial: Path, blob: Blob) -> None:
        place = self._place(blob.sha256)
        try:
            self._remote.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._remote.put_file(str(partial), place)
            size = self._remote.size(place)
        except OSError as error:
            raise StoreError(f"cannot be written: {error}", where="blobs", remedy="check the storage") from None
        if size != blob.size_bytes:
            raise StoreError(f"{size} of {blob.size_bytes} bytes arrived", where="blobs", remedy="try again")


def _file_system(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        system, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise StoreError(str(error), where="blobs", remedy="install what it names, or use a folder") from None
    return system, str(root).rstrip("/")


def _write(path: Path, pieces: Iterable[bytes], limit_bytes: int | None) -> Blob:
    digest, size = hashlib.sha256(), 0
    with _disk():
        stream = path.open("wb", buffering=0)
    with stream:
        for piece in pieces:
            size += len(piece)
            if limit_bytes is not None and size > limit_bytes:
                raise CapacityError(f"more than {limit_bytes:,} bytes", where="file", remedy="split it")
            digest.update(piece)
            with _disk():
                _write_all(stream, piece)
        with _disk():
            os.fsync(stream.fileno())
    return Blob(digest.hexdigest(), size)


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Says in our words what the disk refuses (what `pieces` raise is not the disk's)."""
    try:
        yield
    except OSError as error:
        said = f"cannot be written: {error.strerror}"
        if disk_is_full(error):
            raise DiskFullError(said, where="blobs", remedy="make room on the disk") from None
        raise StoreError(said, where="blobs", remedy="check the disk") from None


def _write_all(stream: FileIO, piece: bytes) -> None:
    """Writes all of `piece`: a disk that gets full takes a part of it first."""
    left = memoryview(piece)
    while left:
        left = left[stream.write(left) :]


def _rename(partial: Path, target: Path) -> None:
    """Gives whole bytes their name, for good."""
    with _disk():
        target.parent.mkdir(exist_ok=True)
        partial.replace(target)
        _sync_folder(target.parent)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
