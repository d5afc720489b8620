"""Resources: found by id and project, listed page by page, gone with the blobs that nothing else uses."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import NotFoundError, StateError, StoreError
from luthier.store.blobs import Blob, Blobs
from luthier.store.database import Database
from luthier.store.resources import Holder, Page, Resources


@pytest.fixture
def resources(database: Database, blobs: Blobs, clock: Any) -> Resources:
    return Resources(database, blobs, clock)


def _ids(page: Page) -> list[str]:
    return [item.id for item in page.items]


def _fill(resources: Resources, count: int, **given: Any) -> list[str]:
    ids = [f"f{number}" for number in range(count)]
    for id in ids:
        resources.add("file", id, "p", {}, **given)
    return ids


def test_a_row_comes_back_as_it_was_put(resources: Resources) -> None:
    body = {"name": "é 日本", "nested": {"a": [1, 2.5, None, True]}}
    assert resources.add("file", "a", "p", body, parent="b", expires_at=2_000_000) == resources.get("file", "a", "p")
    assert resources.get("file", "a", None).body == body


def test_an_id_is_given_once(resources: Resources) -> None:
    resources.add("file", "a", "p", {})
    with pytest.raises(StateError, match="is there"):
        resources.add("file", "a", "q", {})
    resources.delete("file", "a", "p")
    with pytest.raises(StateError, match="deleted"):
        resources.add("file", "a", "p", {})


def test_an_id_from_elsewhere_is_given_once_though_many_ask(resources: Resources) -> None:
    refused: list[str] = []
    ids = [f"f{number}" for number in range(25)]
    together = threading.Barrier(4)

    def ask() -> None:
        for id in ids:
            together.wait(30)
            try:
                resources.add("file", id, "p", {})
            except StateError:
                refused.append(id)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(refused) == sorted(3 * ids)
    assert _ids(resources.list("file", "p", limit=100)) == ids


def test_a_row_from_elsewhere_keeps_its_time(resources: Resources) -> None:
    assert resources.add("file", "a", "p", {}, created_at=17).created_at == 17
    assert resources.get("file", "a", "p").created_at == 17


def test_who_has_an_id_is_told_whatever_became_of_it(resources: Resources) -> None:
    assert resources.holder("a") is None
    resources.add("file", "a", "p", {})
    assert resources.holder("a") == Holder("file", "p", deleted=False)
    resources.delete("file", "a", "p")
    assert resources.holder("a") == Holder("file", "p", deleted=True)


def test_a_row_is_found_by_its_kind_and_project_alone(resources: Resources) -> None:
    resources.add("file", "a", "p", {})
    for kind, id, project in (("file", "a", "q"), ("model", "a", "p"), ("file", "b", "p")):
        with pytest.raises(NotFoundError, match=f"no {kind} '{id}'"):
            resources.get(kind, id, project)
    assert _ids(resources.list("file", "q")) == []
    assert _ids(resources.list("file", None)) == ["a"]


@pytest.mark.parametrize("descending", [False, True])
def test_pages_after_a_row_give_every_row_once(resources: Resources, descending: bool) -> None:
    ids = _fill(resources, 7)
    seen, after = [], None
    for expected_more in (True, True, True, False):
        page = resources.list("file", "p", after=after, limit=2, descending=descending)
        assert page.has_more is expected_more
        seen += _ids(page)
        after = seen[-1]
    assert seen == (ids[::-1] if descending else ids)


@pytest.mark.parametrize("descending", [False, True])
def test_pages_before_a_row_give_the_rows_next_to_it(resources: Resources, descending: bool) -> None:
    ids = _fill(resources, 5)[:: -1 if descending else 1]
    page = resources.list("file", "p", before=ids[4], limit=2, descending=descending)
    assert (_ids(page), page.has_more) == (ids[2:4], True)
    assert _ids(resources.list("file", "p", after=ids[0], before=ids[4], descending=descending)) == ids[1:4]


def test_a_list_goes_on_after_a_row_that_was_deleted(resources: Resources) -> None:
    ids = _fill(resources, 5)
    seen: list[str] = []
    while (page := resources.list("file", "p", after=seen[-1] if seen else None, limit=2)).items:
        seen += [resources.delete("file", id, "p").id for id in _ids(page)]
    assert seen == ids
    assert _ids(resources.list("file", "p")) == []


def test_a_list_after_an_unknown_row_is_an_error(resources: Resources) -> None:
    resources.add("file", "a", "p", {})
    for name in ("after", "before"):
        for id, project in (("b", "p"), ("a", "q")):
            with pytest.raises(NotFoundError, match=f"^{name}: no file '{id}'"):
                resources.list("file", project, **{name: id})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["plain", 'a "quoted" one', "dots.and[0]", "it's", "日本", "$", "\\", "%"])
def test_rows_are_found_by_their_labels(resources: Resources, name: str) -> None:
    resources.add("file", "a", "p", {}, labels={name: "1", "purpose": "x"})
    resources.add("file", "b", "p", {}, labels={name: "2", "purpose": "x"})
    resources.add("file", "c", "p", {})
    assert _ids(resources.list("file", "p", labels={name: "1"})) == ["a"]
    assert _ids(resources.list("file", "p", labels={"purpose": "x"})) == ["a", "b"]
    assert _ids(resources.list("file", "p", labels={"purpose": "x", name: "2"})) == ["b"]
    assert _ids(resources.list("file", "p", labels={name: "1", "other": "2"})) == []
    resources.change("file", "a", "p", lambda body: body, labels={name: "3"})
    assert _ids(resources.list("file", "p", labels={name: "3"})) == ["a"]
    assert _ids(resources.list("file", "p", labels={"purpose": "x"})) == ["b"]


def test_changes_at_once_do_not_lose_each_other(resources: Resources) -> None:
    resources.add("file", "a", "p", {"count": 0})

    def work() -> None:
        for _ in range(10):
            resources.change("file", "a", "p", lambda body: {"count": body["count"] + 1})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert resources.get("file", "a", "p").body == {"count": 40}


def test_what_has_expired_is_gone(resources: Resources, blobs: Blobs, clock: Any) -> None:
    blob = blobs.put([b"x"])
    resources.add("file", "a", "p", {"secret": 1}, expires_at=int(clock.now) + 10, parts={"": blob})
    clock.now += 9
    assert resources.get("file", "a", "p")
    clock.now += 1
    with pytest.raises(NotFoundError):
        resources.get("file", "a", "p")
    assert _ids(resources.list("file", "p")) == []
    clock.now += 50
    resources.sweep(expired_for_s=50, forget_after_s=100)
    assert not blobs.holds(blob.sha256)
    clock.now += 101
    resources.sweep(expired_for_s=50, forget_after_s=100)
    with pytest.raises(NotFoundError):
        resources.list("file", "p", after="a")


def test_a_clock_that_was_wrong_for_a_while_takes_nothing_for_good(
    resources: Resources, blobs: Blobs, clock: Any
) -> None:
    blob = blobs.put([b"x"])
    resources.add("file", "a", "p", {"n": 1}, expires_at=int(clock.now) + 60, parts={"": blob})
    clock.now += 3600
    with pytest.raises(NotFoundError):
        resources.get("file", "a", "p")
    resources.sweep(expired_for_s=3600, forget_after_s=100)
    clock.now -= 3600
    assert resources.get("file", "a", "p").body == {"n": 1}
    assert blobs.holds(blob.sha256)
    clock.now += 3660
    resources.sweep(expired_for_s=3600, forget_after_s=100)
    assert not blobs.holds(blob.sha256)


def test_blobs_go_with_the_last_row_that_uses_them(resources: Resources, blobs: Blobs) -> None:
    one, two = blobs.put([b"one"]), blobs.put([b"two"])
    resources.add("model", "a", "p", {}, parts={"x": one, "y": two})
    resources.add("model", "b", "p", {}, parts={"x": one})
    assert resources.parts("a") == {"x": one, "y": two}
    resources.delete("model", "a", "p")
    assert resources.parts("a") == {}
    assert blobs.holds(one.sha256)
    assert not blobs.holds(two.sha256)
    resources.delete("model", "b", "p")
    assert not blobs.holds(one.sha256)


def test_parts_are_added_and_replaced(resources: Resources, blobs: Blobs) -> None:
    one, two = blobs.put([b"one"]), blobs.put([b"two"])
    resources.add("model", "a", "p", {}, parts={"x": one})
    resources.change("model", "a", "p", lambda body: body | {"done": True}, parts={"x": two, "y": one})
    assert resources.parts("a") == {"x": two, "y": one}


def test_a_row_never_points_at_bytes_that_are_not_there(resources: Resources) -> None:
    with pytest.raises(StoreError, match="send it again"):
        resources.add("file", "a", "p", {}, parts={"": Blob("0" * 64, 1)})
    with pytest.raises(NotFoundError):
        resources.get("file", "a", "p")


def test_rows_put_and_deleted_at_once_keep_their_bytes(resources: Resources, blobs: Blobs) -> None:
    """Every row that was put can be read, whoever deletes another one with the same bytes meanwhile."""
    lost: list[str] = []

    def work(name: str) -> None:
        for number in range(12):
            id = f"{name}-{number}"
            while True:
                try:
                    resources.add("file", id, "p", {}, parts={"": blobs.put([b"the same"])})
                    break
                except StoreError:
                    continue
            if not all(blobs.holds(part.sha256) for part in resources.parts(id).values()):
                lost.append(id)
            resources.delete("file", id, "p")

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.integers(1, 5))
def test_pages_are_the_list_cut_up(tmp_path_factory: pytest.TempPathFactory, deleted: list[str], limit: int) -> None:
    folder = tmp_path_factory.mktemp("pages")
    database = Database.open(f"sqlite:///{folder / 'x.db'}")
    resources = Resources(database, Blobs(str(folder / "blobs"), folder / "cache"))
    for id in "abcdef":
        resources.add("file", id, "p", {})
    for id in sorted(set(deleted)):
        resources.delete("file", id, "p")
    seen: list[str] = []
    more = True
    while more:
        page = resources.list("file", "p", after=seen[-1] if seen else None, limit=limit)
        seen, more = [*seen, *_ids(page)], page.has_more
    assert seen == [id for id in "abcdef" if id not in deleted]
    database.close()
