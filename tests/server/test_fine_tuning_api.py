"""Fine-tuning jobs, by the real client, run by the server's own worker."""

from __future__ import annotations

import base64
import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from serving import AS_OWNER, Running, ended, rows, upload, wait_until

from luthier.errors import NotFoundError
from luthier.server.places import add_model, remove_model
from luthier.server.wire.fine_tuning import Hyperparameters, resolved
from luthier.store.opened import Store
from luthier.store.options import StoreOptions

pytestmark = pytest.mark.both_databases


def test_a_job_ends_with_a_model(client: OpenAI, tuned: Any) -> None:
    assert (tuned.status, tuned.error.message if tuned.error else None) == ("succeeded", None)
    assert tuned.fine_tuned_model == f"ft:fiddle:default:echo:{tuned.id[-8:]}"
    assert (tuned.model, tuned.seed, tuned.metadata) == ("fiddle", 7, {"team": "strings"})
    assert tuned.trained_tokens > 0
    assert tuned.finished_at >= tuned.created_at
    numbers = tuned.method.supervised.hyperparameters
    assert (numbers.n_epochs, numbers.batch_size, numbers.learning_rate_multiplier) == (2, 8, 1.0)
    assert tuned.hyperparameters.n_epochs == 2


def test_the_tuned_model_and_its_checkpoints_answer_at_once(client: OpenAI, tuned: Any) -> None:
    names = [model.id for model in client.models.list()]
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(tuned.id))
    assert [one.step_number for one in checkpoints] == [6, 3]
    for name in [tuned.fine_tuned_model, *(one.fine_tuned_model_checkpoint for one in checkpoints)]:
        assert name in names
        assert client.models.retrieve(name).id == name
        reply = client.chat.completions.create(
            model=name, messages=[{"role": "user", "content": "Say abc"}], max_tokens=8, temperature=0
        )
        assert reply.model == name
        assert reply.choices[0].finish_reason in {"stop", "length"}
    metrics = checkpoints[0].metrics
    assert metrics.full_valid_loss > 0
    assert 0 <= metrics.full_valid_mean_token_accuracy <= 1


def test_events_tell_the_story_newest_first(client: OpenAI, tuned: Any) -> None:
    every = list(client.fine_tuning.jobs.list_events(tuned.id, limit=4))
    messages = [event.message for event in reversed(every)]
    assert messages[0] == f"Created fine-tuning job: {tuned.id}"
    assert messages[1] == f"Validating training file: {tuned.training_file}"
    assert "Files validated, moving job to queued state" in messages
    assert messages[-2:] == [
        f"New fine-tuned model created: {tuned.fine_tuned_model}",
        "The job has successfully completed",
    ]
    metrics = [event for event in reversed(every) if event.type == "metrics" and "train_loss" in event.data]
    assert [event.data["step"] for event in metrics] == [1, 2, 3, 4, 5, 6]
    assert {event.data["total_steps"] for event in metrics} == {6}
    assert metrics[0].message.startswith("Step 1/6: training loss=")
    assert client.fine_tuning.jobs.list_events(tuned.id, limit=1).data[0].message == messages[-1]
    assert not any("/" in message and "home" in message for message in messages)


def test_the_result_file_has_a_line_a_step(client: OpenAI, tuned: Any) -> None:
    content = client.files.content(tuned.result_files[0]).read()
    lines = list(csv.DictReader(io.StringIO(base64.b64decode(content).decode())))
    assert [line["step"] for line in lines] == ["1", "2", "3", "4", "5", "6"]
    assert list(lines[0]) == ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    assert all(float(line["train_loss"]) > 0 for line in lines)
    assert lines[-1]["valid_loss"]
    assert client.files.retrieve(tuned.result_files[0]).purpose == "fine-tune-results"


def test_jobs_are_listed_and_found_by_metadata(client: OpenAI, tuned: Any) -> None:
    assert tuned.id in [job.id for job in client.fine_tuning.jobs.list(limit=1)]
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"team": "strings"})] == [tuned.id]
    assert list(client.fine_tuning.jobs.list(metadata={"team": "brass"})) == []


def test_permissions_of_a_checkpoint(client: OpenAI, tuned: Any) -> None:
    name = next(iter(client.fine_tuning.jobs.checkpoints.list(tuned.id))).fine_tuned_model_checkpoint
    made = client.fine_tuning.checkpoints.permissions.create(name, project_ids=["a", "b"])
    assert [one.project_id for one in made.data] == ["a", "b"]
    listed = httpx.get(
        f"{client.base_url}fine_tuning/checkpoints/{name}/permissions?order=ascending", headers=AS_OWNER
    ).json()
    assert [one["project_id"] for one in listed["data"]] == ["a", "b"]
    for one in made.data:
        assert client.fine_tuning.checkpoints.permissions.delete(one.id, fine_tuned_model_checkpoint=name).deleted


def test_a_tuned_model_is_tuned_further_and_deleted(client: OpenAI, tuned: Any) -> None:
    file = upload(client, rows(8, seed=3))
    job = client.fine_tuning.jobs.create(
        model=tuned.fine_tuned_model, training_file=file.id, hyperparameters={"n_epochs": 1}
    )
    client.files.delete(file.id)  # may come before the worker reads it: then the job says so
    done = ended(client, job.id)
    if done.status == "failed":
        assert file.id in done.error.message
        job = client.fine_tuning.jobs.create(
            model=tuned.fine_tuned_model, training_file=tuned.training_file, hyperparameters={"n_epochs": 1}
        )
        done = ended(client, job.id)
    assert done.status == "succeeded", done.error
    assert done.fine_tuned_model.startswith("ft:fiddle:default::")
    assert client.models.delete(done.fine_tuned_model).deleted
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(done.fine_tuned_model)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=done.fine_tuned_model, messages=[{"role": "user", "content": "x"}])


def test_a_base_model_cannot_be_deleted(client: OpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="only tuned models"):
        client.models.delete("fiddle")


def test_every_bad_line_of_a_file_is_an_event(client: OpenAI) -> None:
    lines = [json.dumps(row) for row in rows(4)]
    lines[1] = '{"messages": [{"role": "user", "content": "x"}'
    lines[2] = json.dumps({"messages": [{"role": "robot", "content": "x"}]})
    file = upload(client, "\n".join(lines))
    job = ended(client, client.fine_tuning.jobs.create(model="fiddle", training_file=file.id).id)
    assert (job.status, job.error.code) == ("failed", "invalid_training_file")
    assert f"{file.id}:2" in job.error.message
    said = [event.message for event in client.fine_tuning.jobs.list_events(job.id) if event.level == "error"]
    assert any(f"{file.id}:2" in message for message in said)
    assert any(f"{file.id}:3" in message for message in said)
    assert job.fine_tuned_model is None


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"model": "gpt-none"}, 404, "model"),
        ({"training_file": "file-none"}, 404, "training_file"),
        ({"validation_file": "file-none"}, 404, "validation_file"),
        ({"suffix": "x" * 65}, 400, "suffix"),
        ({"seed": -1}, 400, "seed"),
        ({"hyperparameters": {"n_epochs": 0}}, 400, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"n_epochs": "many"}}, 400, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"epochs": 3}}, 400, "hyperparameters.epochs"),
        ({"method": {"type": "dpo", "dpo": {}}}, 400, "method.type"),
        ({"integrations": [{"type": "slack"}]}, 400, None),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]}, 400, "integrations"),  # not installed here
    ],
)
def test_a_job_that_cannot_be_is_refused_at_once(
    client: OpenAI, tuned: Any, change: dict[str, Any], status: int, param: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.fine_tuning.jobs.create(**{"model": "fiddle", "training_file": tuned.training_file} | change)
    assert caught.value.status_code == status
    if param is not None:
        assert caught.value.param == param


def test_a_file_of_another_purpose_is_refused(client: OpenAI) -> None:
    file = upload(client, rows(2), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose='fine-tune'"):
        client.fine_tuning.jobs.create(model="fiddle", training_file=file.id)


def _long(client: OpenAI) -> Any:
    """Returns a job that takes minutes unless it is stopped, once it has trained a little."""
    job = client.fine_tuning.jobs.create(
        model="fiddle",
        training_file=upload(client, rows(160)).id,
        hyperparameters={"n_epochs": 50, "batch_size": 1},
    )
    wait_until(lambda: any(event.type == "metrics" for event in client.fine_tuning.jobs.list_events(job.id, limit=3)))
    return job


def _status(client: OpenAI, job: Any, wanted: str) -> Any:
    def look() -> Any:
        found = client.fine_tuning.jobs.retrieve(job.id)
        return found if found.status == wanted else None

    return wait_until(look, within_s=30)


def test_a_job_is_paused_resumed_and_cancelled(client: OpenAI) -> None:
    job = _long(client)
    client.fine_tuning.jobs.pause(job.id)
    _status(client, job, "paused")
    checkpoint = client.fine_tuning.jobs.checkpoints.list(job.id).data[0]
    assert client.models.retrieve(checkpoint.fine_tuned_model_checkpoint)
    client.fine_tuning.jobs.resume(job.id)
    _status(client, job, "running")
    wait_until(lambda: _last_step(client, job) > checkpoint.step_number)
    client.fine_tuning.jobs.cancel(job.id)
    done = _status(client, job, "cancelled")
    assert (done.error, done.fine_tuned_model) == (None, None)
    for act in (client.fine_tuning.jobs.cancel, client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        with pytest.raises(openai.BadRequestError):
            act(job.id)


@pytest.mark.parametrize("later_s", [0.0, 0.2, 0.5])
def test_a_job_whose_file_goes_with_it_is_cancelled_and_has_not_failed(client: OpenAI, later_s: float) -> None:
    """DSPy deletes the file of a job that it cancels; the job's process may not have read it yet."""
    file = upload(client, rows(seed=3))
    job = client.fine_tuning.jobs.create(model="fiddle", training_file=file.id)
    time.sleep(later_s)
    client.fine_tuning.jobs.cancel(job.id)
    client.files.delete(file.id)
    done = ended(client, job.id)
    assert (done.status, done.error) == ("cancelled", None)


def _last_step(client: OpenAI, job: Any) -> int:
    events = client.fine_tuning.jobs.list_events(job.id, limit=20)
    return max((event.data["step"] for event in events.data if event.type == "metrics"), default=0)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (25, 1)), (10, (10, 1)), (33, (3, 4)), (34, (3, 4)), (1000, (3, 16))]
)
def test_auto_depends_on_the_rows(count: int, expected: tuple[int, int]) -> None:
    found = resolved(Hyperparameters(), count)
    assert (found["n_epochs"], found["batch_size"]) == expected
    assert resolved(Hyperparameters(n_epochs=7), count)["n_epochs"] == 7


def test_an_unknown_job_is_a_404(server: Running, client: OpenAI) -> None:
    for path in ("", "/events", "/checkpoints"):
        assert httpx.get(f"{server.url}/fine_tuning/jobs/ftjob-none{path}", headers=AS_OWNER).status_code == 404
    with pytest.raises(openai.NotFoundError):
        client.fine_tuning.jobs.cancel("ftjob-none")


def test_a_checkpoint_that_its_owner_deletes_stays_deleted(tmp_path: Path) -> None:
    """Deleting one while the job goes on must not fail the job, nor may a repeated step bring it back."""
    store = Store.open(StoreOptions(home=str(tmp_path)))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"x")
    for _ in range(2):
        add_model(store, "p", "ft:x", tmp_path / "model", {"base": "b"})
    folder = store.blobs.folder(store.resources.parts("ft:x"))
    remove_model(store, "p", "ft:x")
    assert not folder.exists()
    add_model(store, "p", "ft:x", tmp_path / "model", {"base": "b"})
    with pytest.raises(NotFoundError):
        store.resources.get("model", "ft:x", "p")
    with pytest.raises(NotFoundError):
        remove_model(store, "p", "ft:x")
    store.close()
