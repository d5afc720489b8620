"""Use: summed up by the hour, added to from many threads, and never lost because the database was away."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from luthier.access.gate import Gate, Meter
from luthier.access.keys import Key, Keys
from luthier.access.options import Limits
from luthier.access.usage import KNOWN_S, Recorder, Usage, Used, Whose, day_at
from luthier.errors import LimitError, SpecError, StoreError
from luthier.store.database import Database
from luthier.store.tables import PARCELS

MINE = Whose("shop", "key_a", "chat", "oak")
NUMBERS = itertools.count()


def add(usage: Usage, used: dict[tuple[int, Whose], Used]) -> None:
    """Adds it as a parcel of its own."""
    usage.add(used, f"parcel_{next(NUMBERS)}")


def test_use_of_an_hour_is_one_row(database: Database, clock: Any) -> None:
    usage = Usage(database, clock)
    for _ in range(3):
        add(usage, {(usage.hour(), MINE): Used(1, 100, 20, 10, 0.5)})
    clock.now += 3600
    add(usage, {(usage.hour(), MINE): Used(1, 1, 0, 1, 0.25)})
    assert [used for _, used in usage.summed(["hour"])] == [Used(3, 300, 60, 30, 1.5), Used(1, 1, 0, 1, 0.25)]
    assert usage.summed(["project", "model"]) == [(("shop", "oak"), Used(4, 301, 60, 31, 1.75))]


def test_it_is_summed_up_by_what_is_asked_for(database: Database, clock: Any) -> None:
    usage = Usage(database, clock)
    clock.now = day_at("2026-10-31", where="test") + 23 * 3600
    key, _ = Keys(database).add("shop", "till")
    first = usage.hour()
    add(
        usage,
        {
            (first, MINE): Used(1, 10),
            (first, Whose("shop", key.id, "embeddings", "ash")): Used(2, 20),
            (first + 3600, Whose("home", "key_c", "chat", "oak")): Used(4, 40),
        },
    )
    by = lambda *names, **only: [(group, used.requests) for group, used in usage.summed(names, **only)]  # noqa: E731
    assert by("month") == [(("2026-10",), 3), (("2026-11",), 4)]
    assert by("day", "kind") == [
        (("2026-10-31", "chat"), 1),
        (("2026-10-31", "embeddings"), 2),
        (("2026-11-01", "chat"), 4),
    ]
    assert by("key") == [(("key_a",), 1), (("key_c",), 4), (("till",), 2)]
    assert by("model", project="shop") == [(("ash",), 2), (("oak",), 1)]
    assert by("model", key=key.id) == [(("ash",), 2)]
    assert by("project", since=first + 3600) == [(("home",), 4)]
    assert by("project", until=first + 3600) == [(("shop",), 3)]
    with pytest.raises(SpecError, match="'tomorrow' is no day; write it as 2026-11-27"):
        day_at("tomorrow", where="--since")


def test_money_is_that_of_the_month(database: Database, clock: Any) -> None:
    usage = Usage(database, clock)
    clock.now = day_at("2026-10-31", where="test") + 23 * 3600
    add(usage, {(usage.hour(), MINE): Used(1, cost=5.0)})
    assert usage.spent("key_a") == 5.0
    clock.now += 3600
    assert usage.spent("key_a") == 0.0
    add(usage, {(usage.hour(), MINE): Used(1, cost=1.5)})
    assert (usage.spent("key_a"), usage.spent("key_b")) == (1.5, 0.0)


def test_many_threads_and_recorders_add_up(database: Database) -> None:
    recorders = [Recorder(Usage(database)) for _ in range(3)]
    with ThreadPoolExecutor(6) as threads:
        for number in range(600):
            threads.submit(recorders[number % 3].add, MINE, Used(1, 2, 0, 1, 0.5))
    for recorder in recorders:
        recorder.close()
    assert [used for _, used in Usage(database).summed(["model"])] == [Used(600, 1200, 0, 600, 300.0)]


def test_what_cannot_be_written_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = Usage(database)
    tried, write, away = threading.Event(), usage.add, [True]

    def write_if_there(used: Any, parcel: str) -> None:
        tried.set()
        if away[0]:
            raise StoreError("away")
        write(used, parcel)

    monkeypatch.setattr(usage, "add", write_if_there)
    recorder = Recorder(usage)
    recorder.add(MINE, Used(1, 5, cost=2.0))
    assert tried.wait(10)
    assert recorder.spent("key_a") == 2.0
    recorder.add(MINE, Used(1, 5))
    away[0] = False
    recorder.close()
    assert [used for _, used in usage.summed(["model"])] == [Used(2, 10, 0, 0, 2.0)]


def test_what_arrived_without_a_word_is_counted_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection broke after the database had kept it, and more was used before it was there again."""
    usage = Usage(database)
    tried, write, away = threading.Event(), usage.add, [True]

    def write_and_break(used: Any, parcel: str) -> None:
        write(dict(used), parcel)
        tried.set()
        if away[0]:
            raise StoreError("the connection broke")

    monkeypatch.setattr(usage, "add", write_and_break)
    recorder = Recorder(usage)
    recorder.add(MINE, Used(1, 5, cost=2.0))
    assert tried.wait(10)
    recorder.add(MINE, Used(1, 7))
    away[0] = False
    recorder.close()
    assert [used for _, used in usage.summed(["model"])] == [Used(2, 12, 0, 0, 2.0)]


def test_what_was_counted_is_known_for_days(database: Database, clock: Any) -> None:
    usage = Usage(database, clock)
    for _ in range(3):
        usage.add({(usage.hour(), MINE): Used(1)}, "job_1")
        clock.now += 20 * 3600
    assert [used.requests for _, used in usage.summed(["model"])] == [1]
    clock.now += KNOWN_S
    add(usage, {(usage.hour(), MINE): Used(1)})
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(PARCELS)).scalar() == 1


def test_a_request_is_counted_once_for_each_of_its_models(database: Database) -> None:
    gate = Gate(database)
    key = Key("key_a", "shop", "till", "", 0, None, Limits(tokens_per_minute=100))
    meter = Meter(key, "chat", gate, lambda model: (model.removesuffix("-alias"), 2.0, 8.0))
    meter.add("oak", 500_000, 0, 100)
    meter.add("oak-alias", 0, 250_000)
    meter.add("ash", 10, 0)
    gate.close()
    found = dict(gate.usage.summed(["model"]))
    assert found[("oak",)] == Used(1, 500_000, 100, 250_000, 3.0)
    assert found[("ash",)].requests == 1
    assert meter.total.cost == pytest.approx(3.00002)
    with pytest.raises(LimitError, match="100 tokens a minute are used up"):
        gate.admit(key, counted=True)


def test_a_budget_is_spent_before_it_is_written(database: Database) -> None:
    gate = Gate(database)
    key = Key("key_a", "shop", "till", "", 0, None, Limits(monthly_budget=1.0))
    gate.admit(key, counted=True)
    Meter(key, "chat", gate, lambda model: (model, 0.0, 10.0)).add("oak", 0, 100_000)
    with pytest.raises(LimitError, match=r"the budget of 1 for this month is spent \(1\)") as caught:
        gate.admit(key, counted=True)
    assert caught.value.what == "money"
    gate.admit(key, counted=False)
    gate.close()
    with pytest.raises(LimitError):
        gate.admit(key, counted=True)
