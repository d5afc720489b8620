"""The loop accumulates token-exactly, continues bit for bit, and stops well."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from small_jobs import MakeJob, Rows, tiny_model

from luthier.errors import Interrupted, TrainingError
from luthier.objectives.language import LanguageObjective, Loss
from luthier.report import ListReport
from luthier.training import checkpoint as saved
from luthier.training.loop import Job, total_steps, train
from luthier.training.options import TrainingOptions
from luthier.training.track import read_metrics


def weights(job: Job) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in job.model.named_parameters()}


def same(left: Mapping[str, torch.Tensor], right: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, right[name]) for name, value in left.items())


class StopAt(ListReport):
    """Asks to stop once `step` steps are done."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.at = step

    def cancelled(self) -> bool:
        return self.tasks.get("training", (0, None))[0] >= self.at


def test_the_budget_of_a_pass_does_not_change_the_step(make_job: MakeJob) -> None:
    small, large = make_job("a", max_tokens_per_pass=1), make_job("b", max_tokens_per_pass=10_000)
    train(small, resume=False)
    train(large, resume=False)
    for name, value in weights(small).items():
        torch.testing.assert_close(value, weights(large)[name], rtol=1e-4, atol=1e-5)
    a, b = (read_metrics(job.folder / "metrics.jsonl") for job in (small, large))
    assert [line["loss"] for line in a] == pytest.approx([line["loss"] for line in b], rel=1e-5)


def test_a_step_is_the_gradient_of_the_mean_over_its_labelled_tokens(make_job: MakeJob) -> None:
    """Against plain transformers and torch: no packing, no accumulation, one AdamW step."""
    job = make_job(options={"max_steps": 1, "max_grad_norm": 0, "order": "sequential", "warmup_steps": 0})
    model, rows = tiny_model(), Rows()
    logits, targets = [], []
    for row in rows.rows[:4]:
        tokens = torch.tensor(row.tokens, dtype=torch.int64)
        wanted = torch.tensor(row.labels)[1:]
        logits.append(model(tokens[None]).logits[0, :-1][wanted])
        targets.append(tokens[1:][wanted])
    loss = torch.nn.functional.cross_entropy(torch.cat(logits), torch.cat(targets))
    loss.backward()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    optimizer.step()
    train(job, resume=False)
    found = read_metrics(job.folder / "metrics.jsonl")[0]
    assert found["loss"] == pytest.approx(loss.item(), rel=1e-6)
    for name, value in model.named_parameters():
        torch.testing.assert_close(weights(job)[name], value.detach(), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("stop", [1, 5, 6, 11])
def test_three_ways(make_job: MakeJob, stop: int) -> None:
    """Uninterrupted equals stopped and resumed, bit for bit, and both differ from a cold start."""
    whole = make_job("whole")
    train(whole, resume=False)
    with pytest.raises(Interrupted, match=rf"step {stop} of 12.*--resume"):
        train(make_job("parts", report=StopAt(stop)), resume=False)
    resumed = make_job("parts")
    outcome = train(resumed, resume=True)
    assert outcome.resumed_from == stop
    assert same(weights(whole), weights(resumed))
    cold = make_job("cold", model=resumed.model, options={"num_train_epochs": 1})
    train(cold, resume=False)
    assert not same(weights(whole), weights(cold))

    def figures(job: Job) -> list[tuple[int, float]]:
        return [(line["step"], line["loss"]) for line in read_metrics(job.folder / "metrics.jsonl")]

    assert figures(whole) == figures(resumed)


def test_muon_continues_bit_for_bit(make_job: MakeJob) -> None:
    muon = {"optimizer": "muon"}
    whole = make_job("whole", options=muon)
    train(whole, resume=False)
    with pytest.raises(Interrupted):
        train(make_job("parts", options=muon, report=StopAt(5)), resume=False)
    resumed = make_job("parts", options=muon)
    train(resumed, resume=True)
    assert same(weights(whole), weights(resumed))
    plain = make_job("plain")
    train(plain, resume=False)
    assert not same(weights(whole), weights(plain))


def test_dropout_continues_bit_for_bit(make_job: MakeJob) -> None:
    def dropping() -> torch.nn.Module:
        model = tiny_model()
        model.config.attention_dropout = 0.0
        for layer in model.model.layers:
            layer.mlp.act_fn = torch.nn.Sequential(torch.nn.SiLU(), torch.nn.Dropout(0.3))
        return model

    whole = make_job("whole", model=dropping())
    train(whole, resume=False)
    with pytest.raises(Interrupted):
        train(make_job("parts", model=dropping(), report=StopAt(4)), resume=False)
    torch.rand(17)  # what happens between the two must not matter
    resumed = make_job("parts", model=dropping())
    train(resumed, resume=True)
    assert same(weights(whole), weights(resumed))


def test_resuming_a_finished_run_changes_nothing(make_job: MakeJob) -> None:
    first = make_job()
    train(first, resume=False)
    again = make_job()
    outcome = train(again, resume=True)
    assert outcome.state.step == 12
    assert same(weights(first), weights(again))


def test_the_best_weights_are_left_in_the_model(make_job: MakeJob) -> None:
    losses = iter([3.0, 1.0, 2.0, 4.0])
    seen: list[dict[str, torch.Tensor]] = []
    job = make_job()

    def evaluate() -> dict[str, float]:
        seen.append(weights(job))
        return {"eval_loss": next(losses)}

    job.evaluate = evaluate
    outcome = train(job, resume=False)
    assert outcome.state.best_step == 6
    assert same(weights(job), seen[1])
    assert saved.PREFIX + "00000006" in [path.name for path in saved.checkpoints(job.folder / "checkpoints")]


def test_patience_ends_the_run(make_job: MakeJob) -> None:
    losses = iter([1.0, 2.0, 3.0, 4.0])
    job = make_job(options={"early_stopping_patience": 2}, evaluate=lambda: {"eval_loss": next(losses)})
    outcome = train(job, resume=False)
    assert outcome.stopped_early
    assert outcome.state.step == 9


class Poisoned(LanguageObjective):
    """Gives a loss that is not a number at the third step."""

    calls = 0

    def loss(self, model: torch.nn.Module, batch: Any, denominator: int) -> Loss:
        type(self).calls += 1
        found = super().loss(model, batch, denominator)
        return found if type(self).calls < 3 else Loss(found.value * math.nan, found.correct)


def test_a_loss_that_is_not_a_number_stops_and_names_the_rows(make_job: MakeJob) -> None:
    Poisoned.calls = 0
    job = make_job(
        objective=Poisoned(),
        max_tokens_per_pass=10_000,
        options={"order": "sequential"},
        describe=lambda items: "rows " + ", ".join(map(str, items)),
    )
    with pytest.raises(TrainingError, match=r"rows 8, 9, 10, 11: the loss of step 3 is nan.*--learning-rate"):
        train(job, resume=False)
    assert [path.name for path in saved.checkpoints(job.folder / "checkpoints")] == ["step-00000001", "step-00000002"]
    kept = saved.load_tensors(job.folder / "checkpoints/step-00000002")
    assert all(torch.equal(value, kept[f"model.{name}"]) for name, value in weights(job).items()), "the step was taken"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_learns(make_job: MakeJob, dtype: torch.dtype) -> None:
    job = make_job(compute_dtype=dtype, options={"num_train_epochs": 8})
    train(job, resume=False)
    lines = read_metrics(job.folder / "metrics.jsonl")
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.3
    assert all(parameter.dtype == torch.float32 for parameter in job.model.parameters())


def test_the_loss_scale_survives_a_resume(make_job: MakeJob) -> None:
    whole = make_job("whole", compute_dtype=torch.float16)
    train(whole, resume=False)
    with pytest.raises(Interrupted):
        train(make_job("parts", compute_dtype=torch.float16, report=StopAt(7)), resume=False)
    resumed = make_job("parts", compute_dtype=torch.float16)
    train(resumed, resume=True)
    assert same(weights(whole), weights(resumed))


def test_metrics_are_json_and_say_what_was_done(make_job: MakeJob) -> None:
    job = make_job(options={"logging_steps": 5}, evaluate=lambda: {"eval_loss": 1.0})
    train(job, resume=False)
    lines = [json.loads(line) for line in (job.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [5, 10, 12]
    assert [line["step"] for line in lines if "eval_loss" in line] == [3, 6, 9, 12]
    assert lines[-1] == {"step": 12, "eval_loss": 1.0}
    assert next(line for line in lines if line["step"] == 12)["tokens"] == 2 * Rows().lengths.sum()
    assert (job.folder / "tensorboard").is_dir()


def test_nothing_to_train_is_an_error(make_job: MakeJob) -> None:
    model = tiny_model().requires_grad_(False)
    with pytest.raises(TrainingError, match="no parameter is trained"):
        train(make_job(model=model), resume=False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"num_train_epochs": 2}, 14), ({"num_train_epochs": 0.5}, 4), ({"max_steps": 3}, 3)],
)
def test_total_steps(options: dict[str, float], expected: int) -> None:
    assert total_steps(TrainingOptions(batch_size=4, **options), 27) == expected


def test_another_seed_reads_the_rows_in_another_order(make_job: MakeJob) -> None:
    first, same_seed, other = make_job("a"), make_job("b"), make_job("c", options={"seed": 6})
    losses = []
    for job in (first, same_seed, other):
        train(job, resume=False)
        losses.append([line["loss"] for line in read_metrics(job.folder / "metrics.jsonl")])
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
