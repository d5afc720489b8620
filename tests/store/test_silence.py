"""Leases and the clock: no worker is taken for dead because somebody set the time."""

from __future__ import annotations

from typing import Any

import pytest

from luthier.errors import AwayError
from luthier.store.database import Database
from luthier.store.jobs import Jobs

LEASE_S, BEAT_S, HOUR_S = 15.0, 0.5, 3600.0


class Time:
    """Seconds that pass for everybody, and a wall clock that people set."""

    def __init__(self) -> None:
        self.passed, self.set_by = 50.0, 1_000_000.0

    def ticks(self) -> float:
        return self.passed

    def wall(self) -> float:
        return self.passed + self.set_by


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def workers(database: Database, time: Time) -> tuple[Jobs, Jobs]:
    """Returns the job table as two processes of one machine see it; the first has a job."""
    first, second = (Jobs(database, lease_s=LEASE_S, clock=time.wall, ticks=time.ticks) for _ in range(2))
    first.add("tune", "a", "p", {})
    assert first.lease("w1") is not None
    return first, second


def taken_after(workers: tuple[Jobs, Jobs], time: Time, *, alive: bool, for_s: float = 60.0) -> float | None:
    """Returns after how many seconds the second worker took the job from the first one, which beats while `alive`."""
    began = time.passed
    while time.passed < began + for_s:
        if workers[1].lease("w2") is not None:
            return time.passed - began
        time.passed += BEAT_S
        if alive:
            workers[0].beat("a", "w1")
    return None


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 14.0, -14.0, 1e9])
@pytest.mark.parametrize("watched_before", [True, False])
def test_a_clock_that_jumps_takes_no_job_from_who_works_on_it(
    workers: tuple[Jobs, Jobs], time: Time, jump_s: float, watched_before: bool
) -> None:
    if watched_before:
        assert taken_after(workers, time, alive=True) is None
    time.set_by += jump_s
    assert taken_after(workers, time, alive=True) is None
    time.set_by -= jump_s
    assert taken_after(workers, time, alive=True) is None


@pytest.mark.parametrize("jump_s", [0.0, HOUR_S, -HOUR_S])
def test_a_dead_workers_job_is_taken_whatever_the_clock_says(
    workers: tuple[Jobs, Jobs], time: Time, jump_s: float
) -> None:
    assert taken_after(workers, time, alive=True, for_s=3) is None
    time.set_by += jump_s
    took = taken_after(workers, time, alive=False)
    assert took is not None
    assert LEASE_S / 3 <= took <= LEASE_S + BEAT_S


def test_a_worker_that_was_not_there_waits_no_longer_than_one_that_was(workers: tuple[Jobs, Jobs], time: Time) -> None:
    time.passed += LEASE_S - 5  # nobody looks, and the first is dead
    took = taken_after(workers, time, alive=False)
    assert took == pytest.approx(LEASE_S / 3, abs=2 * BEAT_S)


def test_machines_whose_clocks_differ_respect_each_others_leases(database: Database, time: Time) -> None:
    here = Jobs(database, lease_s=LEASE_S, clock=time.wall, ticks=time.ticks)
    there = Jobs(database, lease_s=LEASE_S, clock=lambda: time.wall() + HOUR_S, ticks=lambda: time.ticks() + 1e6)
    here.add("tune", "a", "p", {})
    assert here.lease("w1") is not None
    assert taken_after((here, there), time, alive=True) is None


def test_nobody_is_dead_for_having_been_silent_while_the_database_was_away(
    workers: tuple[Jobs, Jobs], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workers[1].lease("w2") is None
    time.passed += 100

    def away(*_: Any) -> Any:
        raise AwayError("away")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", away)
        with pytest.raises(AwayError):
            workers[1].lease("w2")
    assert taken_after(workers, time, alive=True) is None
