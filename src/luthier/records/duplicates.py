"""Rows that repeat others, word for word or nearly: inside one set, and between a set and the one held out from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from luthier.errors import RowProblem
from luthier.records.examples import Origin
from luthier.records.fields import shortened
from luthier.records.rows import Rows
from luthier.records.similarity import NEAR, Shingles, Signatures, batches, jaccard, neighbours, signatures
from luthier.records.spool import canonical

_CACHED_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Overlap:
    """One row that repeats another, its `twin`. `similarity` is 1 when they say the same, word for word."""

    row: int
    twin: int
    similarity: float
    origin: Origin
    twin_origin: Origin
    text: str

    def problem(self, place: str, twin_place: str, remedy: str) -> RowProblem:
        """Returns what to tell about it: `place` and `twin_place` say which sets the two are in."""
        how = "repeats" if self.similarity == 1 else f"nearly repeats ({self.similarity:.2f})"
        text = f"is in {place} and {how} {self.twin_origin}, which is in {twin_place}: {self.text!r}"
        return RowProblem(self.origin.file, self.origin.line, "", text, remedy)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """How many rows repeat an earlier one of the same set, word for word and nearly, and the first few of them."""

    rows: int
    exact: int
    near: int
    examples: tuple[Overlap, ...]


def content_key(rows: Rows, row: int) -> bytes:
    """Returns 16 bytes that stand for what a row says (its group apart); equal rows have equal keys."""
    line = rows.line(row)
    if rows.group(row):
        value = json.loads(line)
        del value["group"]
        line = canonical(value)
    return hashlib.blake2b(line, digest_size=16).digest()


def find_overlaps(train: Rows, other: Rows, *, near: float = NEAR) -> tuple[Overlap, ...]:
    """Returns the rows of `other` that repeat a row of `train`, exactly or with a similarity of at least `near`.

    One twin is named for each, an exact one if there is one. Only `other` is held in memory, as signatures.
    """
    if not len(train) or not len(other):
        return ()
    shingles = Shingles(train, other)
    keys: dict[bytes, list[int]] = {}
    for row in range(len(other)):
        keys.setdefault(content_key(other, row), []).append(row)
    index = Signatures(other, shingles)
    cut = lru_cache(_CACHED_ROWS)(lambda row: shingles(other[row]))
    twins: dict[int, tuple[int, float]] = {}
    for start, batch in batches(train):
        sets = [shingles(record) for record in batch]
        for offset in range(len(batch)):
            for row in keys.get(content_key(train, start + offset), ()):
                if twins.get(row, (0, 0.0))[1] < 2:
                    twins[row] = (start + offset, 2.0)  # above any similarity of rows that differ
        for offset, rows in index.candidates(*signatures(sets)):
            for row in map(int, rows):
                if row not in twins and (alike := jaccard(sets[offset], cut(row))) >= near:
                    twins[row] = (start + offset, alike)
    return tuple(_overlap(train, twin, other, row, min(alike, 1.0)) for row, (twin, alike) in sorted(twins.items()))


def find_duplicates(rows: Rows, *, examples: int = 5, near: float = NEAR) -> Duplicates:
    """Returns how many rows repeat an earlier row, and the first `examples` of them."""
    first = _first_alike(rows)
    exact = {row: int(twin) for row, twin in enumerate(first) if twin != row}
    shingles = Shingles(rows)
    cut = lru_cache(_CACHED_ROWS)(lambda row: shingles(rows[row]))
    close: dict[int, tuple[int, float]] = {}
    for row, twin in neighbours(Signatures(rows, shingles)):
        if row not in exact and row not in close and (alike := jaccard(cut(row), cut(twin))) >= near:
            close[row] = (twin, alike)
    found = sorted([*((row, twin, 1.0) for row, twin in exact.items()), *((r, *pair) for r, pair in close.items())])
    shown = tuple(_overlap(rows, twin, rows, row, alike) for row, twin, alike in found[:examples])
    return Duplicates(len(rows), len(exact), len(close), shown)


def _first_alike(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Returns for each row the first row that says the same (R,)."""
    keys = np.fromiter((int.from_bytes(content_key(rows, row)[:8]) for row in range(len(rows))), np.uint64, len(rows))
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


def _overlap(train: Rows, twin: int, other: Rows, row: int, alike: float) -> Overlap:
    text = shortened(" ".join(other[row].plain_text().split()), 80)
    return Overlap(row, twin, alike, other.origin(row), train.origin(twin), text)


def overlap_problems(overlaps: Sequence[Overlap], place: str, twin_place: str) -> tuple[RowProblem, ...]:
    """Returns one problem per overlap, for a `RowsError`."""
    return tuple(one.problem(place, twin_place, "keep one of the two") for one in overlaps)
