"""Token sequences with labels as flat arrays, in memory or in files, and the count of what became of the rows."""

from __future__ import annotations

import io
import os
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, overload

import numpy as np
import numpy.typing as npt

COUNTED = 1 << 24
"""Labels that are counted at once."""
_FILES: dict[str, Any] = {"tokens": np.int32, "labels": np.bool_, "offsets": np.int64, "rows": np.int64}


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One sequence: `tokens` (n,) int32, `labels` (n,) bool, and the index of the `row` it came from.

    `labels[i]` says that token i is predicted from the tokens before it and carries loss; `labels[0]` is never True.
    """

    tokens: npt.NDArray[np.int32]
    labels: npt.NDArray[np.bool_]
    row: int


class FileArray:
    """A flat array in a file, read span by span: unlike a mapped one, what was read once does not count as memory."""

    def __init__(self, file: Path, dtype: type[np.generic]) -> None:
        self._file = os.open(file, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._dtype = np.dtype(dtype)
        self._count = file.stat().st_size // self._dtype.itemsize

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, span: slice) -> npt.NDArray[Any]:
        start, end, step = span.indices(self._count)
        size = self._dtype.itemsize
        data = os.pread(self._file, max(0, end - start) * size, start * size)
        return np.frombuffer(data, self._dtype)[::step]


@dataclass(frozen=True, slots=True)
class TokenRows(Sequence[TokenRow]):
    """Sequences in flat arrays: `tokens` (N,), `labels` (N,), `offsets` (R+1,) and `rows` (R,), the row of each."""

    tokens: npt.NDArray[np.int32] | FileArray
    labels: npt.NDArray[np.bool_] | FileArray
    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    @classmethod
    def open(cls, folder: Path) -> TokenRows:
        """Returns the sequences that were written to `folder`; tokens and labels are read when they are asked for."""
        large = {name: FileArray(folder / f"{name}.bin", _FILES[name]) for name in ("tokens", "labels")}
        small = {name: np.fromfile(folder / f"{name}.bin", _FILES[name]) for name in ("offsets", "rows")}
        return cls(large["tokens"], large["labels"], small["offsets"], small["rows"])

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> TokenRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[TokenRow]: ...

    def __getitem__(self, index: int | slice) -> TokenRow | list[TokenRow]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        span = slice(int(self.offsets[place]), int(self.offsets[place + 1]))
        return TokenRow(self.tokens[span], self.labels[span], int(self.rows[place]))

    def __iter__(self) -> Iterator[TokenRow]:
        return (self[index] for index in range(len(self)))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The number of tokens of each sequence, (R,)."""
        return np.diff(self.offsets)

    @property
    def label_count(self) -> int:
        """The number of labelled tokens."""
        starts = range(0, len(self.labels), COUNTED)
        return sum(int(np.count_nonzero(self.labels[start : start + COUNTED])) for start in starts)


class TokenWriter:
    """Takes sequences one after the other and returns them as `TokenRows`; with a folder, memory does not grow."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._streams: dict[str, BinaryIO] = {
            name: io.BytesIO() if folder is None else (folder / f"{name}.bin").open("wb") for name in _FILES
        }
        self._end = 0
        self._write("offsets", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams.values():
            stream.close()

    def add(self, tokens: npt.NDArray[np.int32], labels: npt.NDArray[np.bool_], row: int) -> None:
        """Appends one sequence."""
        self._end += len(tokens)
        self._write("tokens", tokens)
        self._write("labels", labels)
        self._write("offsets", self._end)
        self._write("rows", row)

    def finish(self) -> TokenRows:
        """Returns all sequences."""
        if self._folder is not None:
            for stream in self._streams.values():
                stream.close()
            return TokenRows.open(self._folder)
        streams = {name: stream for name, stream in self._streams.items() if isinstance(stream, io.BytesIO)}
        return TokenRows(**{name: np.frombuffer(streams[name].getvalue(), kind) for name, kind in _FILES.items()})

    def _write(self, name: str, values: Any) -> None:
        self._streams[name].write(np.asarray(values, dtype=_FILES[name]).tobytes())


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What became of the rows.

    A row is counted as truncated, dropped or split once, however many of its sequences were. `cut_labels` are the
    labelled tokens lost by truncation, `dropped_labels` those of dropped sequences. `lengths` is a histogram of the
    sequences that are left, as (at most this many tokens, sequences); `notes` says what the template could not express,
    as (what, rows).
    """

    rows: int
    sequences: int
    tokens: int
    labelled: int
    longest: int
    truncated_rows: int
    cut_tokens: int
    cut_labels: int
    dropped_rows: int
    dropped_labels: int
    split_rows: int
    lengths: tuple[tuple[int, int], ...]
    notes: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the counts as plain JSON values."""
        return asdict(self)


def length_histogram(lengths: Counter[int]) -> tuple[tuple[int, int], ...]:
    """Returns (edge, count) for the powers of two that hold `lengths`, empty bins between included."""
    bins: Counter[int] = Counter()
    for length, count in lengths.items():
        bins[max(length - 1, 0).bit_length()] += count
    return tuple((1 << power, bins[power]) for power in range(min(bins), max(bins) + 1)) if bins else ()
