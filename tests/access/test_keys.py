"""Keys: only their hashes are kept, they belong to a project, and a revoked one is good for nothing."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from luthier.access import keys as room
from luthier.access.keys import FORGOTTEN_S, OF_THE_VARIABLE, Keys, KnownKeys
from luthier.access.options import Limits
from luthier.errors import NotFoundError, StoreError
from luthier.store.database import Database
from luthier.store.tables import KEYS


def test_a_key_opens_its_project_and_is_not_kept(database: Database) -> None:
    keys = Keys(database)
    assert not keys.any()
    key, text = keys.add("shop", "till", Limits(requests_per_minute=3))
    other, _ = keys.add("shop", "back office")
    assert keys.find(text) == key
    assert (key.project, key.name, key.limits.requests_per_minute) == ("shop", "till", 3)
    assert key.id != other.id
    for wrong in ("", text[:-1], text + "x", key.id, key.ending):
        assert keys.find(wrong) is None
    with database.read() as connection:
        kept = str(connection.execute(sa.select(KEYS)).all())
    assert text not in kept
    assert text.removeprefix("sk-luthier-")[:20] not in kept
    assert len(text) > 50


def test_texts_are_not_alike(database: Database) -> None:
    keys = Keys(database)
    texts = {keys.add("a", "b")[1] for _ in range(20)}
    assert len({text[11:19] for text in texts}) == 20


def test_a_revoked_key_is_good_for_nothing(database: Database) -> None:
    keys = Keys(database)
    key, text = keys.add("shop", "till")
    revoked = keys.revoke(key.id)
    assert revoked.revoked_at is not None
    assert keys.find(text) is None
    assert (keys.any(), keys.usable()) == (True, False)
    assert keys.revoke(key.id).revoked_at == revoked.revoked_at
    assert [one.id for one in keys.list("shop")] == [key.id]
    assert keys.list("other") == []
    with pytest.raises(NotFoundError, match="no key 'key_none'"):
        keys.revoke("key_none")
    with pytest.raises(NotFoundError):
        keys.limit("key_none", Limits())


def test_limits_are_replaced_as_a_whole(database: Database) -> None:
    keys = Keys(database)
    key, text = keys.add("shop", "till", Limits(requests_per_minute=3, tokens_per_minute=5))
    keys.limit(key.id, Limits(monthly_budget=2.5))
    found = keys.find(text)
    assert found is not None
    assert found.limits == Limits(monthly_budget=2.5)


def test_who_made_something_is_known_later(database: Database) -> None:
    keys = Keys(database)
    key, _ = keys.add("shop", "till", Limits(monthly_budget=1))
    keys.revoke(key.id)
    assert keys.get(key.id, "shop").limits.monthly_budget == 1
    assert keys.get(key.id, "other").limits == Limits()
    assert keys.get(None, "shop").project == "shop"


def test_a_server_remembers_a_key_for_a_moment(database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUTHIER_KEY", raising=False)
    keys = Keys(database)
    known = KnownKeys(keys, clock)
    key, text = keys.add("shop", "till")
    assert known.recall(text) is None
    assert known.find(text) == key
    keys.revoke(key.id)
    assert known.find(text) == key
    clock.now += FORGOTTEN_S
    assert known.find(text) is None
    assert known.recall(text) is None


def test_a_key_that_was_seen_is_good_while_the_database_is_away(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUTHIER_KEY", raising=False)
    keys = Keys(database)
    known = KnownKeys(keys, clock)
    key, text = keys.add("shop", "till")
    known.find(text)
    _, unseen = keys.add("shop", "new")

    def away(_: str) -> None:
        raise StoreError("away")

    monkeypatch.setattr(keys, "find", away)
    clock.now += 100
    assert known.find(text) == key
    with pytest.raises(StoreError):
        known.find(unseen)


def test_the_variable_is_a_key_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownKeys(Keys(database))
    monkeypatch.setenv("LUTHIER_KEY", "sesam öffne dich")
    assert known.find("sesam öffne dich") == OF_THE_VARIABLE
    assert known.find("sesam") is None
    monkeypatch.setenv("LUTHIER_KEY", "")
    assert known.find("") is None


def test_no_more_keys_are_remembered_than_there_is_room_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_KNOWN", 2)
    known, keys = KnownKeys(Keys(database)), Keys(database)
    texts = [keys.add("a", "b")[1] for _ in range(3)]
    assert all(known.find(text) for text in texts)
    assert [known.recall(text) is None for text in texts] == [True, False, False]
