"""How alike rows are: the share of word triples they have in common (Jaccard), searched for by MinHash.

Broder, "On the resemblance and containment of documents" (1997). Triples that a tenth of the rows share (a prompt
written around every row) do not count: they tell no two rows apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

NEAR = 0.8
"""From this share of common word triples on, two rows are near duplicates."""

_BATCH_ROWS = 256
_SAMPLE_ROWS = 1000
_SHARED_BY, _SHARED_BY_ROWS = 0.1, 10
_PERMUTATIONS, _BANDS = 120, 24
"""24 bands of 5: rows 0.8 alike meet in a band with probability 1 - (1 - 0.8^5)^24 = 0.9999, rows 0.3 alike 0.06."""

_MOST_IN_BAND = 32
ESTIMATE = 0.68
"""Pairs whose signatures agree less are not compared in full: 3 standard errors, sqrt(0.8 * 0.2 / 120), below."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")  # scripts without spaces count a character as a word

Bands = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


class Worded(Protocol):
    """A record, a document: whatever says its words."""

    def plain_text(self) -> str:
        """Returns its words, without what is only structure."""


class Shingles:
    """Cuts rows into word triples, without the ones that many of `rows` share."""

    def __init__(self, *rows: Sequence[Worded]) -> None:
        counts: Counter[str] = Counter()
        sampled = 0
        for some in rows:
            step = max(1, len(some) // _SAMPLE_ROWS)
            for row in range(0, len(some), step):
                counts.update(triples(some[row].plain_text()))
                sampled += 1
        least = max(_SHARED_BY_ROWS, _SHARED_BY * sampled)
        self.shared = frozenset(triple for triple, count in counts.items() if count >= least)

    def __call__(self, record: Worded) -> frozenset[str]:
        found = triples(record.plain_text())
        return (found - self.shared) or found


def triples(text: str) -> frozenset[str]:
    """Returns the word triples of a text in lower case; a text of one or two words is one triple."""
    words = _WORD.findall(text.lower())
    if len(words) < 3:
        return frozenset((" ".join(words),) if words else ())
    return frozenset(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Returns the share of triples that two rows have in common, from 0 to 1; 0 when neither has any."""
    both = len(first & second)
    return both / (len(first) + len(second) - both) if both else 0.0


def signatures(sets: Sequence[frozenset[str]]) -> tuple[Bands, Bytes]:
    """Returns band keys (R, 24) and the low byte of each minimum (R, 120) of R sets of triples."""
    from rensa import RMinHash

    digests = np.asarray(
        RMinHash.digests_from_token_sets([list(one) for one in sets], num_perm=_PERMUTATIONS, seed=1), dtype=np.uint32
    ).reshape(-1, _PERMUTATIONS)
    parts = digests.reshape(len(digests), _BANDS, -1).astype(np.uint64)  # (R, 24, 5)
    keys = np.zeros(parts.shape[:2], dtype=np.uint64)  # (R, 24)
    for column in range(parts.shape[2]):
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + parts[:, :, column]
    return keys, digests.astype(np.uint8)


def batches(rows: Sequence[Worded]) -> Iterator[tuple[int, list[Worded]]]:
    """Yields (first row, rows) of consecutive batches."""
    for start in range(0, len(rows), _BATCH_ROWS):
        yield start, [rows[row] for row in range(start, min(start + _BATCH_ROWS, len(rows)))]


class Signatures:
    """The signatures of a set of rows, by which those that may be near duplicates are found (312 bytes a row)."""

    def __init__(self, rows: Sequence[Worded], shingles: Shingles) -> None:
        self._sorted: list[tuple[Bands, npt.NDArray[np.int64]]] | None = None
        self.keys = np.empty((_BANDS, len(rows)), np.uint64)
        self.low = np.empty((len(rows), _PERMUTATIONS), np.uint8)
        for start, batch in batches(rows):
            keys, low = signatures([shingles(record) for record in batch])
            self.keys[:, start : start + len(batch)] = keys.T
            self.low[start : start + len(batch)] = low

    def bands(self) -> Iterator[tuple[Bands, npt.NDArray[np.int64]]]:
        """Yields the sorted keys (R,) and the row of each (R,), band by band."""
        for keys in self.keys:
            order = np.argsort(keys, kind="stable")
            yield keys[order], order

    def candidates(self, keys: Bands, low: Bytes) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
        """Yields (query, rows that may be near duplicates of it) of Q queries given by their signatures."""
        found: list[list[npt.NDArray[np.int64]]] = [[] for _ in range(len(keys))]
        if self._sorted is None:
            self._sorted = list(self.bands())
        for band, (column, order) in enumerate(self._sorted):
            starts = np.searchsorted(column, keys[:, band], side="left")
            ends = np.searchsorted(column, keys[:, band], side="right")
            for query in np.flatnonzero(ends > starts).tolist():
                end = min(ends[query], starts[query] + _MOST_IN_BAND)
                found[query].append(order[starts[query] : end])
        for query, parts in enumerate(found):
            if parts:
                rows = np.unique(np.concatenate(parts))
                alike = (self.low[rows] == low[query]).mean(axis=1)
                yield query, rows[alike >= ESTIMATE]


def neighbours(index: Signatures) -> Iterator[tuple[int, int]]:
    """Yields (later row, earlier row) of pairs that may be near duplicates: in each band, neighbours and run heads."""
    for column, order in index.bands():
        same = np.flatnonzero(column[1:] == column[:-1]) + 1  # places whose key is that of the place before
        heads = np.searchsorted(column, column[same], side="left")
        for places in (same - 1, heads):
            later, earlier = order[same], order[places]
            alike = (index.low[later] == index.low[earlier]).mean(axis=1)
            for at in np.flatnonzero(alike >= ESTIMATE):
                yield int(later[at]), int(earlier[at])
