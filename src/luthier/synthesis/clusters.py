"""Documents that say nearly the same are one cluster, which is all on one side of a split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from luthier.records.documents import Document
from luthier.records.similarity import NEAR, Shingles, Signatures, jaccard, neighbours


def clusters(documents: Sequence[Document]) -> list[str]:
    """Returns the cluster of each document: the id of the first one that it is, or nearly is, like."""
    first = list(range(len(documents)))

    def root(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    shingles = Shingles(documents)
    for later, earlier in neighbours(Signatures(documents, shingles)) if documents else ():
        one, other = root(later), root(earlier)
        if one != other and jaccard(shingles(documents[later]), shingles(documents[earlier])) >= NEAR:
            first[max(one, other)] = min(one, other)
    return [documents[root(place)].id for place in range(len(documents))]


def held_out(names: Sequence[str], fraction: float, seed: int) -> frozenset[str]:
    """Returns the clusters held out for the test: by a seeded hash of their names, so that more documents move none.
    From two clusters on at least one is held out, where any is asked for, and at least one never is."""
    places = {name: share("document", name, seed) for name in names}
    order = sorted(places, key=lambda name: (places[name], name))
    chosen = [name for name in order if places[name] < fraction]
    least = 1 if fraction else 0
    return frozenset(order[: min(max(len(chosen), least), len(order) - 1)])


def share(what: str, name: str, seed: int) -> float:
    """Returns where `name` stands from 0 to 1, by a seeded hash."""
    digest = hashlib.blake2b(f"{seed}\0{what}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2.0**64
