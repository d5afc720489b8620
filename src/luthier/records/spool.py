"""Rows on disk: canonical JSON lines and an index of where each begins and where it came from.

Only the index of the files' names is held in memory, so memory does not grow with the number of rows.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from luthier.errors import DiskFullError, disk_is_full
from luthier.records.examples import Origin

_INDEX_BUFFER_ROWS = 4096


def canonical(value: Mapping[str, Any]) -> bytes:
    """Returns a record's JSON as one line, without its end; the same record always gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


class SpoolWriter:
    """Writes rows to `folder` (a temporary one when None) and closes into a `Spool`."""

    def __init__(self, folder: Path | None) -> None:
        self.temporary = folder is None
        with _disk(folder or Path(tempfile.gettempdir())):
            self.folder = Path(tempfile.mkdtemp(prefix="luthier-rows-")) if folder is None else folder
            self.folder.mkdir(parents=True, exist_ok=True)
            self._rows = (self.folder / "rows.jsonl").open("wb")
            self._index_file = (self.folder / "rows.index").open("wb")
        self._index, self._at, self.count = array("q"), 0, 0

    def add(self, line: bytes, file: int, number: int) -> None:
        """Writes one canonical row that came from line `number` of file `file`."""
        self._index.extend((self._at, file, number))
        self._at += len(line) + 1
        self.count += 1
        with _disk(self.folder):
            self._rows.write(line)
            self._rows.write(b"\n")
            if len(self._index) >= 3 * _INDEX_BUFFER_ROWS:
                self._index.tofile(self._index_file)
                del self._index[:]

    def close(self, files: Sequence[str]) -> Spool:
        self._index.extend((self._at, 0, 0))  # where the last row ends
        with _disk(self.folder):
            self._index.tofile(self._index_file)
            self._rows.close()
            self._index_file.close()
        return Spool(self.folder, tuple(files), temporary=self.temporary)

    def discard(self) -> None:
        """Closes and removes what was written."""
        for file in (self._rows, self._index_file):
            file.close()
            Path(file.name).unlink(missing_ok=True)
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


class Spool:
    """Rows in a folder, read one by one; a temporary folder is removed with the last reference."""

    def __init__(self, folder: Path, files: tuple[str, ...], *, temporary: bool) -> None:
        self.folder, self.files = folder, files
        self.index: npt.NDArray[np.int64] = np.asarray(np.memmap(folder / "rows.index", np.int64, "r")).reshape(-1, 3)
        descriptor = os.open(folder / "rows.jsonl", os.O_RDONLY)
        self._descriptor = descriptor
        weakref.finalize(self, _release, descriptor, folder if temporary else None)

    def __len__(self) -> int:
        return len(self.index) - 1

    def line(self, row: int) -> bytes:
        """Returns the canonical JSON of one row, without its line end."""
        start, end = int(self.index[row, 0]), int(self.index[row + 1, 0])
        return os.pread(self._descriptor, end - start - 1, start)

    def origin(self, row: int) -> Origin:
        return Origin(self.files[int(self.index[row, 1])], int(self.index[row, 2]))


def fingerprint(lines: Iterable[bytes]) -> str:
    """Returns the SHA-256 (hex) over canonical rows, each with its line end, in their order."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return digest.hexdigest()


def _release(descriptor: int, folder: Path | None) -> None:
    os.close(descriptor)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


class _disk:  # noqa: N801  (reads as a word: with _disk(folder))
    """Turns a full disk into a `DiskFullError` that says where to make room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None and disk_is_full(error):
            remedy = "make room there, or set TMPDIR to a larger disk"
            raise DiskFullError("no space left for the rows", where=str(self.folder), remedy=remedy) from None
