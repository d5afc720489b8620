"""Rows on disk as a sequence of records, and what is known about where they came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from luthier.errors import RowProblem
from luthier.records.examples import Origin, Record
from luthier.records.kinds import RECORDS
from luthier.records.spool import Spool, fingerprint


@dataclass(frozen=True)
class Source:
    """What was read: the kind and format of the rows, the files, and all that is not among the rows."""

    kind: str
    format: str
    files: tuple[str, ...]
    skipped_files: tuple[str, ...] = ()
    """Files of a named folder or data set that hold no rows for this."""
    unused_columns: Mapping[str, int] = field(default_factory=dict)
    """Columns the format does not use, and how many rows have them."""
    bad_rows: tuple[RowProblem, ...] = ()
    """What is wrong with the rows that were left out, as asked."""


class Rows(Sequence[Record]):
    """Rows on disk, or a view of some of them. Reading one row reads only that row."""

    def __init__(self, spool: Spool, source: Source, indices: npt.NDArray[np.int64] | None = None) -> None:
        self._spool, self.source, self._indices = spool, source, indices
        self._record = RECORDS[source.kind]

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def format(self) -> str:
        return self.source.format

    @property
    def files(self) -> tuple[str, ...]:
        return self.source.files

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the canonical rows in their order."""
        return fingerprint(self.line(row) for row in range(len(self)))

    def __len__(self) -> int:
        return len(self._spool) if self._indices is None else len(self._indices)

    @overload
    def __getitem__(self, row: int) -> Record: ...
    @overload
    def __getitem__(self, row: slice) -> Rows: ...
    def __getitem__(self, row: int | slice) -> Record | Rows:
        if isinstance(row, slice):
            return self.select(range(*row.indices(len(self))))
        at = self._at(row)
        return self._record.from_json(json.loads(self._spool.line(at)), self._spool.origin(at))

    def __iter__(self) -> Iterator[Record]:
        return (self[row] for row in range(len(self)))

    def select(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> Rows:
        """Returns a view of the rows at `indices`, in that order."""
        chosen = np.asarray(indices, dtype=np.int64).reshape(-1)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise IndexError(f"indices must be from 0 to {len(self) - 1}")
        return Rows(self._spool, self.source, chosen if self._indices is None else self._indices[chosen])

    def line(self, row: int) -> bytes:
        """Returns one row as canonical JSON, without its line end."""
        return self._spool.line(self._at(row))

    def origin(self, row: int) -> Origin:
        """Returns where one row came from."""
        return self._spool.origin(self._at(row))

    def group(self, row: int) -> str:
        """Returns the group of one row, "" when it has none."""
        line = self.line(row)
        return json.loads(line).get("group", "") if b',"group":' in line else ""

    def _at(self, row: int) -> int:
        length = len(self)
        if not -length <= row < length:
            raise IndexError(row)
        row %= length
        return row if self._indices is None else int(self._indices[row])
