"""Models in memory: loaded once, the last few kept, and what has to go is closed."""

from __future__ import annotations

import threading

import pytest

from luthier.server.kept import Kept


def test_each_is_loaded_once_and_the_one_unused_the_longest_goes() -> None:
    loaded: list[str] = []
    closed: list[str] = []
    kept: Kept[str] = Kept(2, threading.Lock(), closed.append)

    def ask(name: str) -> str:
        return kept.get(name, lambda: loaded.append(name) or name.upper())  # type: ignore[func-returns-value]

    assert [ask(name) for name in "aab"] == ["A", "A", "B"]
    assert (loaded, closed) == (["a", "b"], [])
    ask("a")
    ask("c")
    assert closed == ["B"]
    ask("a")
    assert loaded == ["a", "b", "c"]


def test_one_that_cannot_be_loaded_is_tried_again() -> None:
    kept: Kept[str] = Kept(2, threading.Lock(), lambda _: None)
    with pytest.raises(ValueError, match="no"):
        kept.get("a", lambda: str(int("no")))
    assert kept.get("a", lambda: "there") == "there"


def test_many_who_ask_at_once_get_the_same() -> None:
    kept: Kept[object] = Kept(2, threading.Lock(), lambda _: None)
    start = threading.Barrier(8)
    found: list[object] = []

    def ask() -> None:
        start.wait(10)
        found.append(kept.get("a", object))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert len({id(one) for one in found}) == 1
