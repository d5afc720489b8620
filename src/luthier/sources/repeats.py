"""Documents that repeat an earlier one, word for word or nearly."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

from luthier.records.similarity import NEAR, Shingles, Signatures, Worded, jaccard, neighbours

_CACHED = 256


@dataclass(frozen=True, slots=True)
class Repeat:
    """Document `row` repeats the earlier one `twin`; `similarity` is 1 when they have the same words."""

    row: int
    twin: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Words:
    """A text to compare."""

    text: str

    def plain_text(self) -> str:
        return self.text


class Texts(Sequence[Worded]):
    """`count` texts, each fetched when it is looked at."""

    def __init__(self, count: int, fetch: Callable[[int], str]) -> None:
        self._count, self._fetch = count, fetch

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Worded: ...
    @overload
    def __getitem__(self, index: slice) -> list[Worded]: ...
    def __getitem__(self, index: int | slice) -> Worded | list[Worded]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(self._count))]
        return Words(self._fetch(index))


def find_repeats(texts: Sequence[Worded], *, near: float = NEAR) -> list[Repeat]:
    """Returns each text that repeats an earlier one, in order: spaces and case apart the same, or `near` alike by the
    word triples they share."""
    first: dict[bytes, int] = {}
    found: dict[int, Repeat] = {}
    for row in range(len(texts)):
        words = " ".join(texts[row].plain_text().lower().split())
        twin = first.setdefault(hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=16).digest(), row)
        if twin != row:
            found[row] = Repeat(row, twin, 1.0)
    if len(first) < 2:
        return [found[row] for row in sorted(found)]
    shingles = Shingles(texts)
    cut = lru_cache(_CACHED)(lambda row: shingles(texts[row]))
    same = {repeat.row: repeat.twin for repeat in found.values()}
    for row, near_by in neighbours(Signatures(texts, shingles)):
        twin = same.get(near_by, near_by)  # the first of those with the same words
        if row not in found and (alike := jaccard(cut(row), cut(twin))) >= near:
            found[row] = Repeat(row, twin, min(alike, 1.0))
    return [found[row] for row in sorted(found)]
