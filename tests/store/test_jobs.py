"""Jobs: one worker each, none lost, nothing kept from a worker that lost its lease."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from luthier.errors import NotFoundError, StateError
from luthier.store.database import Database
from luthier.store.jobs import MAX_ATTEMPTS, Jobs, LeaseLost, NewEvent


@pytest.fixture
def jobs(database: Database, clock: Any) -> Jobs:
    return Jobs(database, lease_s=10, clock=clock, ticks=clock)


def _add(jobs: Jobs, id: str = "a", kind: str = "tune", **given: Any) -> None:
    jobs.add(kind, id, "p", {"rows": 3}, **given)


def test_a_job_goes_through_its_life(jobs: Jobs, clock: Any) -> None:
    _add(jobs, details={"suffix": "x"}, events=[NewEvent("info", "created")])
    assert jobs.get("a").status == "queued"
    leased = jobs.lease("w")
    assert leased is not None
    assert (leased.status, leased.owner, leased.attempts, leased.spec) == ("running", "w", 1, {"rows": 3})
    clock.now += 5
    assert jobs.beat("a", "w", events=[NewEvent("metric", "step 1", {"loss": 2.5})], progress={"done": 1}) == "run"
    jobs.remember("a", "w", {"model": "m"})
    ended = jobs.end("a", "w", "succeeded", result={"ok": True}, events=[NewEvent("result", "done")])
    assert (ended.status, ended.result, ended.owner) == ("succeeded", {"ok": True}, None)
    assert ended.details == {"suffix": "x", "model": "m"}
    assert (ended.started_at, ended.finished_at) == (1_000_000, 1_000_005)
    assert [event.message for event in jobs.events("a")[0]] == ["done", "step 1", "created"]
    assert jobs.events("a")[0][1].data == {"loss": 2.5}
    assert jobs.lease("w") is None


def test_a_job_that_ended_elsewhere_is_kept_and_is_no_work(jobs: Jobs) -> None:
    _add(jobs)
    job = replace(jobs.get("a"), id="b", status="succeeded", created_at=5, finished_at=9, details={"suffix": "x"})
    with pytest.raises(StateError, match="job c is queued"):
        jobs.keep(replace(job, id="c", status="queued"))
    kept = jobs.keep(
        job, labels={"door": "d"}, events=[NewEvent("info", "made", created_at=6), NewEvent("info", "now")]
    )
    assert kept == job == jobs.get("b")
    assert [(event.message, event.created_at) for event in jobs.events("b")[0]] == [("now", 1_000_000), ("made", 6)]
    assert [one.id for one in jobs.list(labels={"door": "d"})[0]] == ["b"]
    with pytest.raises(StateError, match="there is a job 'b'"):
        jobs.keep(job)
    assert [leased.id for _ in range(2) if (leased := jobs.lease("w"))] == ["a"]


def test_the_oldest_job_goes_first(jobs: Jobs) -> None:
    for id in "abc":
        _add(jobs, id, kind="batch" if id == "a" else "tune")
    assert [job.id for job in (jobs.lease("w", ["tune"]), jobs.lease("w"), jobs.lease("w")) if job] == ["b", "a", "c"]


def test_every_job_goes_to_one_worker(database: Database) -> None:
    jobs = Jobs(database)
    for number in range(20):
        _add(jobs, str(number))
    taken: list[str] = []

    def work(owner: str) -> None:
        while (job := jobs.lease(owner)) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=int) == [str(number) for number in range(20)]


def test_a_silent_worker_loses_the_job_and_cannot_write_to_it(jobs: Jobs, clock: Any) -> None:
    _add(jobs)
    jobs.lease("w1")
    clock.now += 9
    jobs.beat("a", "w1")
    clock.now += 9
    assert jobs.lease("w2") is None
    clock.now += 4
    again = jobs.lease("w2")
    assert again is not None
    assert (again.owner, again.attempts) == ("w2", 2)
    for write in (
        lambda: jobs.beat("a", "w1", events=[NewEvent("info", "late")]),
        lambda: jobs.end("a", "w1", "failed", events=[NewEvent("info", "late")]),
        lambda: jobs.remember("a", "w1", {"late": True}),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert jobs.events("a")[0] == ()
    assert (jobs.get("a").status, jobs.get("a").details) == ("running", {})


def test_a_worker_that_was_slow_but_not_replaced_goes_on(jobs: Jobs, clock: Any) -> None:
    _add(jobs)
    jobs.lease("w")
    clock.now += 100
    assert jobs.beat("a", "w") == "run"
    assert jobs.lease("other") is None


def test_a_job_that_kills_its_workers_is_given_up(jobs: Jobs, clock: Any) -> None:
    _add(jobs)
    for _ in range(MAX_ATTEMPTS):
        assert jobs.lease("w") is not None
        clock.now += 11
    assert jobs.lease("w") is None
    failed = jobs.get("a")
    assert (failed.status, failed.owner) == ("failed", None)
    assert failed.error is not None
    assert "died 5 times" in failed.error["message"]


def test_what_a_job_says_again_is_kept_once(jobs: Jobs, clock: Any) -> None:
    _add(jobs)
    jobs.lease("w")
    jobs.beat("a", "w", events=[NewEvent("metric", f"step {n}", key=f"step-{n}") for n in (1, 2)])
    assert jobs.lease("w2") is None
    clock.now += 11
    jobs.lease("w2")
    jobs.beat("a", "w2", events=[NewEvent("metric", f"step {n}", key=f"step-{n}") for n in (2, 3)])
    jobs.beat("a", "w2", events=[NewEvent("info", "twice")] * 2)
    assert [event.message for event in jobs.events("a")[0]] == ["twice", "twice", "step 3", "step 2", "step 1"]


@pytest.mark.parametrize(("wanted", "status"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_queued_job_is_stopped_at_once(jobs: Jobs, wanted: Any, status: str) -> None:
    _add(jobs)
    assert jobs.want("a", wanted).status == status
    assert jobs.lease("w") is None


@pytest.mark.parametrize(("wanted", "status"), [("cancel", "cancelled"), ("pause", "paused")])
def test_a_running_job_hears_what_is_wanted(jobs: Jobs, wanted: Any, status: Any) -> None:
    _add(jobs)
    jobs.lease("w")
    assert jobs.want("a", wanted).status == "running"
    assert jobs.beat("a", "w") == wanted
    assert jobs.end("a", "w", status).status == status


@pytest.mark.parametrize(("wanted", "status"), [("cancel", "cancelled"), ("pause", "paused")])
def test_what_was_wanted_of_a_dead_workers_job_is_done(jobs: Jobs, clock: Any, wanted: Any, status: str) -> None:
    _add(jobs)
    jobs.lease("w")
    jobs.want("a", wanted)
    clock.now += 11
    assert jobs.lease("w2") is None
    assert jobs.get("a").status == status


def test_a_paused_job_goes_on(jobs: Jobs) -> None:
    _add(jobs)
    jobs.lease("w")
    jobs.want("a", "pause")
    jobs.end("a", "w", "paused")
    assert jobs.get("a").finished_at is None
    assert jobs.want("a", "run").status == "queued"
    assert jobs.lease("w") is not None


@pytest.mark.parametrize("wanted", ["run", "pause", "cancel"])
def test_a_job_that_has_ended_stays_so(jobs: Jobs, wanted: Any) -> None:
    _add(jobs)
    jobs.want("a", "cancel")
    with pytest.raises(StateError, match=r"job a has ended \(cancelled\)"):
        jobs.want("a", wanted)


def test_jobs_are_listed_newest_first_page_by_page(jobs: Jobs) -> None:
    for id in "abcde":
        _add(jobs, id, labels={"team": id})
    first, more = jobs.list(kinds=["tune"], project="p", limit=2)
    assert ([job.id for job in first], more) == (["e", "d"], True)
    rest, more = jobs.list(after="d", limit=9)
    assert ([job.id for job in rest], more) == (["c", "b", "a"], False)
    assert [job.id for job in jobs.list(labels={"team": "b"})[0]] == ["b"]
    assert jobs.list(project="q") == ((), False)
    with pytest.raises(NotFoundError):
        jobs.list(after="z")


def test_events_are_listed_newest_first_page_by_page(jobs: Jobs) -> None:
    _add(jobs, events=[NewEvent("info", str(number)) for number in range(5)])
    first, more = jobs.events("a", limit=2)
    assert ([event.message for event in first], more) == (["4", "3"], True)
    rest, more = jobs.events("a", after=first[-1].id, limit=9)
    assert ([event.message for event in rest], more) == (["2", "1", "0"], False)
    with pytest.raises(NotFoundError):
        jobs.events("a", after="nothing")


def test_a_job_is_found_by_its_kind_and_project_alone(jobs: Jobs) -> None:
    _add(jobs)
    for given in ({"kind": "batch"}, {"project": "q"}):
        with pytest.raises(NotFoundError):
            jobs.get("a", **given)
        with pytest.raises(NotFoundError):
            jobs.want("a", "cancel", **given)  # type: ignore[arg-type]
    assert jobs.get("a", kind="tune", project="p").status == "queued"
