"""The breakdown of a run's steps: its parts are the whole, and measuring changes nothing."""

from __future__ import annotations

import time

import pytest
import torch
from small_jobs import MakeJob

from luthier.training import profile
from luthier.training.loop import train
from luthier.training.profile import ATTENTION, HEAD, LAYERS, OPTIMIZER, UNACCOUNTED, Breakdown, Part


@pytest.fixture(autouse=True)
def _quick_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "ceiling", lambda dtype, device: 1e9)


def run(make_job: MakeJob, name: str, **changes: object) -> tuple[list[Breakdown], dict[str, torch.Tensor]]:
    found: list[Breakdown] = []
    job = make_job(name, on_profile=found.append, **changes)
    train(job, resume=False)
    return found, {name: parameter.detach().clone() for name, parameter in job.model.named_parameters()}


def test_the_parts_are_the_whole(make_job: MakeJob) -> None:
    (found,), _ = run(make_job, "a")
    parts = {part.name: part for part in found.parts}
    assert {LAYERS, ATTENTION, HEAD, OPTIMIZER, UNACCOUNTED} <= set(parts)
    assert sum(part.seconds for part in found.parts) == pytest.approx(found.seconds, rel=0.05)
    assert found.steps == profile.COUNT
    assert parts[LAYERS].operations > parts[HEAD].operations > 0
    assert parts[OPTIMIZER].operations == 0


def test_the_tokens_are_those_of_the_measured_steps(make_job: MakeJob) -> None:
    (found,), _ = run(make_job, "a", options={"order": "sequential"})
    job = make_job("b")
    lengths, first = [*job.items.lengths, *job.items.lengths], 4 * profile.WARM_UP  # two epochs
    assert found.tokens == sum(lengths[first : first + 4 * profile.COUNT])


def test_evaluations_between_steps_are_left_out(make_job: MakeJob) -> None:
    def slow() -> dict[str, float]:
        time.sleep(1)
        return {"eval_loss": 1.0}

    (found,), _ = run(make_job, "a", evaluate=slow, options={"eval_steps": 3})
    assert found.seconds < 1


def test_a_short_run_is_measured_too(make_job: MakeJob) -> None:
    (found,), _ = run(make_job, "a", options={"max_steps": 1})
    assert found.steps == 1


def test_measuring_changes_no_weight(make_job: MakeJob) -> None:
    _, measured = run(make_job, "a")
    plain = make_job("b")
    train(plain, resume=False)
    for name, parameter in plain.model.named_parameters():
        assert torch.equal(parameter, measured[name])


def test_the_table_says_how_near_the_ceiling_is() -> None:
    found = Breakdown(2, 1000, 4.0, 100e9, (Part(HEAD, 1.0, 20e9), Part(LAYERS, 3.0, 150e9)))
    rows = found.table().rows
    assert rows[0] == (LAYERS, "3.00", "75%", "50", "50%")
    assert rows[1] == (HEAD, "1.00", "25%", "20", "20%")
    assert rows[2] == ("all", "4.00", "100%", "42", "42%")
    assert "250 a second" in found.table().note
