"""What keeps a folder of immutable files whole: syncing what is new, finding what is damaged, one writer at a time.

LanceDB writes a version's data and then its manifest, and syncs neither. So a writer takes the lock, leaves a mark,
writes, syncs every file that was not there before and takes the mark away; only then is the work acknowledged. After a
power cut the newest manifest, or files that it names, may be empty: whoever opens next puts that manifest aside, which
makes the version before it the newest again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

LOCK, MARK, ASIDE = ".lock", ".writing", ".damaged"
_ENDS = {".lance": b"LANC", ".idx": b"LANC", ".manifest": b"LANC", ".arrow": b"ARROW1"}


@contextlib.contextmanager
def locked(folder: Path, name: str = LOCK, *, wait: bool = True) -> Iterator[bool]:
    """Holds the lock `name` of `folder` against other processes and threads; yields False where another has it and
    `wait` is off. The lock ends with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    number = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(number)


class Synced:
    """The files of a folder that are known to be on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: set[str] = set()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """What is written in the block is on disk when it ends; a block that does not end leaves its mark."""
        mark = self.folder / MARK
        mark.touch()
        _sync(self.folder)
        yield
        self.sync()
        mark.unlink(missing_ok=True)

    def sync(self) -> int:
        """Returns how many files were synced: those that were not there before, with the folders that name them."""
        now = set(_files(str(self.folder)))
        new = {path for path in now - self._known if Path(path).name not in (LOCK, MARK)}
        folders = {path.rpartition("/")[0] for path in new}
        for path in new:
            with contextlib.suppress(FileNotFoundError):  # another process cleaned up
                _sync(Path(path))
        for place in folders | {str(Path(place).parent) for place in folders}:
            with contextlib.suppress(FileNotFoundError):
                _sync(Path(place))
        self._known = now
        return len(new)


def in_doubt(folder: Path) -> bool:
    """Returns whether a writer did not come to its end, or a file in `folder` lacks its own."""
    return (folder / MARK).exists() or any(_cut_off(Path(path)) for path in _files(str(folder)))


def put_aside(versions: Path) -> Path | None:
    """Returns the newest manifest of a table, which no longer counts; None where there is none left. The newest has the
    smallest name: Lance counts down."""
    manifests = sorted(versions.glob("*.manifest"))
    if not manifests:
        return None
    manifests[0].rename(manifests[0].with_suffix(ASIDE))
    _sync(versions)
    return manifests[0]


def size_bytes(folder: Path) -> int:
    """Returns the bytes of the files in `folder`."""
    size = 0
    for path in _files(str(folder)):
        with contextlib.suppress(FileNotFoundError):
            size += Path(path).stat().st_size
    return size


def _cut_off(path: Path) -> bool:
    end = _ENDS.get(path.suffix)
    if end is None:
        return False
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            if stream.tell() < len(end):
                return True
            stream.seek(-len(end), os.SEEK_END)
            return stream.read() != end
    except FileNotFoundError:
        return False


def _files(folder: str) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry.path


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
