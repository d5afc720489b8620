"""The cache of vectors: by embedder and text, bounded, and no loss when it is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from luthier.retrieval import vectors
from luthier.retrieval.vectors import VectorCache, key_of


def test_what_is_put_is_there_for_the_same_embedder(tmp_path: Path) -> None:
    made = {key_of(f"text {at}"): np.arange(4, dtype=np.float32) + at for at in range(1200)}
    with VectorCache(tmp_path / "deep" / "vectors.db") as cache:
        cache.put("one", made)
    with VectorCache(tmp_path / "deep" / "vectors.db") as cache:
        found = cache.get("one", [*made, key_of("other")])
        assert set(found) == set(made)
        assert all(np.array_equal(found[key], made[key]) for key in made)
        assert cache.get("two", list(made)) == {}


def test_what_was_used_longest_ago_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "AT_ONCE", 1)
    now = [1000.0]
    monkeypatch.setattr(vectors.time, "time", lambda: now[0])
    names = [key_of(f"{at}") for at in range(40)]
    with VectorCache(tmp_path / "vectors.db", largest_bytes=40 * 80) as cache:
        for at, name in enumerate(names):
            now[0] += 1
            cache.put("one", {name: np.full(16, at, np.float32)})  # 64 bytes and 64 beside
        now[0] += 1
        cache.get("one", names[:3])
    with VectorCache(tmp_path / "vectors.db") as cache:
        left = cache.get("one", names)
    assert set(names[:3]) <= set(left)
    assert names[-1] in left
    assert names[4] not in left
    assert len(left) <= 25


def test_a_cache_that_cannot_be_opened_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "vectors.db").mkdir()
    with VectorCache(tmp_path / "vectors.db") as cache:
        cache.put("one", {b"a": np.ones(2, np.float32)})
        assert set(cache.get("one", [b"a", b"b"])) == {b"a"}
    assert (tmp_path / "vectors.db").is_dir()


def test_a_damaged_cache_is_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "vectors.db"
    file.write_bytes(b"this is no database" * 100)
    with VectorCache(file) as cache:
        cache.put("one", {b"a": np.ones(2, np.float32)})
        assert set(cache.get("one", [b"a", b"b"])) == {b"a"}
