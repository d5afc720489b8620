"""Train, validation and test rows, by a seeded fingerprint of what each row says.

A row's place depends on its own content (or group) and the seed alone, so adding or reordering rows moves no other row,
rows that say the same are never parted, and neither are the rows of a group.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from luthier.errors import RowProblem, RowsError
from luthier.records.duplicates import Overlap, content_key, find_overlaps, overlap_problems
from luthier.records.options import SplitOptions
from luthier.records.rows import Rows

_PARTS = ("train", "validation", "test")
_TRAIN, _VALIDATION, _TEST = 0, 1, 2
_ENOUGH = 10
"""From this many different rows (or groups) on, a part that was asked for gets at least one."""

_REMEDY = (
    "duplicates=move puts them with the rows they repeat, duplicates=keep leaves them; "
    "group_by=COLUMN keeps rows that belong together on one side"
)


@dataclass(frozen=True)
class Split:
    """Rows by part. `moved` counts held-out rows taken out of their part because they repeat a row elsewhere;
    `overlaps` are those left where they were, as asked."""

    train: Rows
    validation: Rows
    test: Rows
    moved: int = 0
    overlaps: tuple[Overlap, ...] = ()


def split_rows(rows: Rows, options: SplitOptions, *, validation: Rows | None = None) -> Split:
    """Returns `rows` divided by `options`; `validation` rows, when given, take the place of the fraction.

    Each part keeps the order of `rows`. The exact share of a part varies around its fraction; from ten different rows
    (or groups) on, no part that was asked for is empty. Raises `RowsError` when nothing is left to train on, and when
    held-out rows (nearly) repeat rows elsewhere and `duplicates` is "refuse".
    """
    places = _places(rows, options.split_seed)
    share = options.validation_fraction if validation is None else 0.0
    parts = _assign(places, share, options.test_fraction)
    if not (parts == _TRAIN).any():
        _nothing_left(rows, "train", "give more rows, or hold out a smaller fraction")
    overlaps = _overlaps(rows, parts)
    moved = 0
    if overlaps and options.duplicates == "refuse":
        problems = [one.problem(*_named(parts, one), "keep one of the two") for one in overlaps]
        raise RowsError(tuple(problems), remedy=_REMEDY)
    if overlaps and options.duplicates == "move":
        moved, overlaps = _move(rows, parts, places, overlaps), ()
        for part, wanted in ((_VALIDATION, share), (_TEST, options.test_fraction)):
            if wanted and len(np.unique(places)) >= _ENOUGH and not (parts == part).any():
                _nothing_left(rows, _PARTS[part], "the rows are too alike: use duplicates=keep")
    train, chosen, test = (rows.select(np.flatnonzero(parts == part)) for part in range(3))
    if validation is None:
        return Split(train, chosen, test, moved, overlaps)
    kept, left_out, repeated = _check_validation(rows, validation, options)
    return Split(train, kept, test, moved + left_out, (*overlaps, *repeated))


def _check_validation(rows: Rows, given: Rows, options: SplitOptions) -> tuple[Rows, int, tuple[Overlap, ...]]:
    """Returns the validation rows of their own files to keep, how many were left out, and the repeats that stayed."""
    if given.kind != rows.kind:
        problem = f"holds {given.kind} rows, the rows to train on are {rows.kind} rows"
        raise RowsError((RowProblem(given.files[0], 0, "", problem, "give validation rows of the same kind"),))
    repeated = find_overlaps(rows, given)
    if repeated and options.duplicates == "refuse":
        raise RowsError(overlap_problems(repeated, "validation", "the other rows"), remedy=_REMEDY)
    if not repeated or options.duplicates == "keep":
        return given, 0, repeated
    gone = {one.row for one in repeated}
    kept = given.select([row for row in range(len(given)) if row not in gone])
    if not len(kept):
        _nothing_left(given, "validation", "every row of it is among the others: give other rows")
    return kept, len(gone), ()


def _places(rows: Rows, seed: int) -> npt.NDArray[np.uint64]:
    """Returns where each row stands from 0 to 2^64 (R,): a hash of the seed and its group, or else its content."""

    def place(row: int) -> int:
        group = rows.group(row)
        key = b"group:" + group.encode() if group else content_key(rows, row)
        return int.from_bytes(hashlib.blake2b(b"%d\0" % seed + key, digest_size=8).digest())

    return np.fromiter((place(row) for row in range(len(rows))), np.uint64, len(rows))


def _assign(places: npt.NDArray[np.uint64], validation: float, test: float) -> npt.NDArray[np.int8]:
    """Returns the part of each row (R,): test rows from the low end, validation rows from the high end."""
    parts = np.full(len(places), _TRAIN, np.int8)
    share = places.astype(np.float64) / 2.0**64
    parts[share < test] = _TEST
    parts[share >= 1 - validation] = _VALIDATION
    if len(np.unique(places)) >= _ENOUGH:
        if validation and not (parts == _VALIDATION).any():
            parts[places == places.max()] = _VALIDATION
        if test and not (parts == _TEST).any():
            parts[places == places.min()] = _TEST
    return parts


def _overlaps(rows: Rows, parts: npt.NDArray[np.int8]) -> tuple[Overlap, ...]:
    """Returns held-out rows that repeat a train row, and validation rows that repeat a test row, by row of `rows`."""
    found = _between(rows, np.flatnonzero(parts == _TRAIN), np.flatnonzero(parts != _TRAIN))
    known = {one.row for one in found}
    both = _between(rows, np.flatnonzero(parts == _TEST), np.flatnonzero(parts == _VALIDATION))
    return tuple(sorted((*found, *(one for one in both if one.row not in known)), key=lambda one: one.row))


def _between(rows: Rows, train: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> list[Overlap]:
    found = find_overlaps(rows.select(train), rows.select(other))
    return [
        Overlap(int(other[one.row]), int(train[one.twin]), one.similarity, one.origin, one.twin_origin, one.text)
        for one in found
    ]


def _move(
    rows: Rows, parts: npt.NDArray[np.int8], places: npt.NDArray[np.uint64], overlaps: tuple[Overlap, ...]
) -> int:
    """Puts rows that repeat others into train, with all of their group, until none is left; returns how many."""
    moved = 0
    while overlaps:
        moving = np.isin(places, places[[one.row for one in overlaps]]) & (parts != _TRAIN)
        parts[moving] = _TRAIN
        moved += int(moving.sum())
        overlaps = tuple(_between(rows, np.flatnonzero(moving), np.flatnonzero(parts != _TRAIN)))
    return moved


def _named(parts: npt.NDArray[np.int8], overlap: Overlap) -> tuple[str, str]:
    return _PARTS[parts[overlap.row]], _PARTS[parts[overlap.twin]]


def _nothing_left(rows: Rows, part: str, remedy: str) -> NoReturn:
    files = ", ".join(dict.fromkeys(rows.files))
    unit = " (a text file is one row unless text_unit says line or paragraph)" if rows.kind == "text" else ""
    raise RowsError((RowProblem(files, 0, "", f"no row is left for {part} of {len(rows)} rows{unit}", remedy),))
