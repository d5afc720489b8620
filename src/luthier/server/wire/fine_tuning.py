"""Fine-tuning jobs on the wire: from the vendor's request to the spec of `luthier tune`, and from our job back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luthier.server.errors import ApiError
from luthier.server.wire.body import Body, Part
from luthier.server.wire.lists import AskPage
from luthier.server.wire.values import Items, Metadata, metadata_labels
from luthier.store.jobs import Event, Job
from luthier.store.resources import Resource
from luthier.training.options import TuningOptions, default_rate

Auto = Literal["auto"]
KEPT_CHECKPOINTS = 3
DOOR = "fine_tuning"
"""What jobs remember that came in by this resource."""
COMING = "only supervised tuning is there today; dpo and reinforcement come with a later version"


class Hyperparameters(Part):
    """How long and how fast to train; "auto" is settled when the job is made, and the job says what it became."""

    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] | None = None
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] | None = None
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, le=1000)] | None = None


class Supervised(Part):
    """Settings of supervised tuning."""

    hyperparameters: Hyperparameters | None = None


class Method(Part):
    """Which objective; clients send the settings of the others too, and only those of `type` count."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    harmless: ClassVar[Mapping[str, str]] = {
        "dpo": "settings of a method that is not the one asked for",
        "reinforcement": "settings of a method that is not the one asked for",
    }


class WandB(Part):
    """Where Weights & Biases keeps the metrics."""

    project: str = Field(min_length=1)
    name: str | None = None
    entity: str | None = None
    tags: Items[str] | None = None


class Integration(Part):
    """A service that hears of the metrics too."""

    type: Literal["wandb"]
    wandb: WandB


class CreateJob(Body):
    """A fine-tuning job as it is asked for."""

    model: str = Field(min_length=1)
    training_file: str = Field(min_length=1)
    validation_file: str | None = None
    hyperparameters: Hyperparameters | None = None
    method: Method | None = None
    suffix: str | None = Field(default=None, min_length=1, max_length=64)
    seed: int | None = Field(default=None, ge=0, le=2_147_483_647)
    integrations: list[Integration] | None = Field(default=None, max_length=5)
    metadata: Metadata | None = None


class CreatePermissions(Body):
    """The projects that may use a checkpoint."""

    project_ids: list[str] = Field(min_length=1, max_length=100)


class ListJobs(AskPage):
    """A page of jobs: those with some metadata, or ("null") with none."""

    metadata: Literal["null"] | Metadata | None = None


class ListCheckpoints(AskPage):
    """A page of checkpoints."""

    limit: int = Field(default=10, ge=1, le=100)


class ListPermissions(AskPage):
    """A page of permissions: of one project, or of all."""

    limit: int = Field(default=10, ge=1, le=100)
    order: Literal["ascending", "descending"] = "descending"
    project_id: str | None = None


def settings(asked: CreateJob) -> Hyperparameters:
    """Returns the hyperparameters that count: those of the method, or the old form's."""
    if asked.method is not None and asked.method.type != "supervised":
        raise ApiError(
            f"method.type {asked.method.type!r}: {COMING}.", code="unsupported_parameter", param="method.type"
        )
    inner = asked.method.supervised if asked.method is not None else None
    return (inner and inner.hyperparameters) or asked.hyperparameters or Hyperparameters()


def resolved(asked: Hyperparameters, rows: int) -> dict[str, float]:
    """Returns the numbers that stand for "auto" over `rows` training rows.

    Epochs: 3, and for fewer than 34 rows so many that about 100 are seen, 25 at most. Batches: an eighth of the rows,
    16 at most. The multiplier is 1.
    """
    epochs = 3 if rows * 3 >= 100 else min(25, max(3, 100 // max(1, rows)))
    size = max(1, min(16, rows // 8))
    return {
        "n_epochs": _number(asked.n_epochs, epochs),
        "batch_size": _number(asked.batch_size, size),
        "learning_rate_multiplier": _number(asked.learning_rate_multiplier, 1.0),
    }


def _number(asked: float | Auto | None, auto: float) -> float:
    return auto if asked is None or asked == "auto" else asked


def tune_spec(asked: CreateJob, numbers: Mapping[str, float], seed: int) -> dict[str, Any]:
    """Returns the keys of the spec of `luthier tune`, with ids where it has paths and models.

    Without a validation file every row is trained on, as the hosted API does; rows that are too long are cut.
    """
    train = str(TuningOptions.model_fields["train"].default)
    return {
        "rows": [asked.training_file],
        "validation_rows": [asked.validation_file] if asked.validation_file else [],
        "validation_fraction": 0.0,
        "test_fraction": 0.0,
        "model": asked.model,
        "num_train_epochs": float(numbers["n_epochs"]),
        "batch_size": int(numbers["batch_size"]),
        "learning_rate": default_rate(train) * numbers["learning_rate_multiplier"],
        "seed": seed,
        "truncate": "end",
        "duplicates": "keep",
        "answer_rows": 0,
        "keep_models": KEPT_CHECKPOINTS,
        "report_to": ["wandb"] if asked.integrations else [],
    }


def job_labels(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Returns what a job with `metadata` is found by."""
    none = {} if metadata else {"metadata": "none"}
    return {"door": DOOR} | none | metadata_labels(metadata)


def status_of(job: Job) -> str:
    """Returns the vendor's word for where a job is; its file is validated by the job itself."""
    if job.status in {"queued", "running"} and not job.progress.get("validated"):
        return "validating_files" if job.attempts <= 1 else "queued"
    return str(job.status)


def job_json(job: Job) -> dict[str, Any]:
    """Returns the fine-tuning job object."""
    details = job.details
    numbers = dict(details["hyperparameters"])
    error = job.error
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "model": details["model"],
        "fine_tuned_model": details.get("fine_tuned_model"),
        "organization_id": job.project,
        "status": status_of(job),
        "training_file": details["training_file"],
        "validation_file": details.get("validation_file"),
        "result_files": details.get("result_files", []),
        "trained_tokens": details.get("trained_tokens"),
        "hyperparameters": numbers,
        "method": details.get("method") or {"type": "supervised", "supervised": {"hyperparameters": numbers}},
        "seed": job.spec["seed"],
        "error": None if error is None else {"param": None} | error,
        "integrations": details.get("integrations") or [],
        "estimated_finish": job.progress.get("estimated_finish") if job.status == "running" else None,
        "metadata": details.get("metadata"),
        "user_provided_suffix": details.get("suffix"),
    }


_FIGURES = {
    "loss": "train_loss",
    "token_accuracy": "train_mean_token_accuracy",
    "eval_loss": "full_valid_loss",
    "eval_token_accuracy": "full_valid_mean_token_accuracy",
}
_SAID = {"train_loss": "training loss", "full_valid_loss": "full validation loss"}


def metrics_data(step: int, total: int | None, values: Mapping[str, float]) -> dict[str, Any]:
    """Returns the data of a metrics event."""
    return {"step": step, "total_steps": total} | figures(values)


def metrics_message(data: Mapping[str, Any]) -> str:
    """Returns the words of a metrics event: "Step 3/9: training loss=0.25"."""
    said = ", ".join(f"{words}={data[key]:.2f}" for key, words in _SAID.items() if key in data)
    return f"Step {data['step']}/{data['total_steps']}: {said}"


def figures(values: Mapping[str, float]) -> dict[str, float]:
    """Returns our figures under the vendor's names."""
    return {name: values[key] for key, name in _FIGURES.items() if key in values}


def event_json(event: Event) -> dict[str, Any]:
    """Returns the event object."""
    return {
        "id": event.id,
        "object": "fine_tuning.job.event",
        "created_at": event.created_at,
        "level": {"warning": "warn", "error": "error"}.get(event.kind, "info"),
        "message": event.message,
        "type": "metrics" if event.kind == "metric" else "message",
        "data": event.data,
    }


def checkpoint_json(row: Resource) -> dict[str, Any]:
    """Returns the checkpoint object."""
    return {
        "id": row.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": row.created_at,
        "fine_tuning_job_id": row.parent,
        "fine_tuned_model_checkpoint": row.body["model"],
        "step_number": row.body["step"],
        "metrics": row.body["metrics"],
    }


def permission_json(row: Resource) -> dict[str, Any]:
    """Returns the object of one project's permission."""
    return {
        "id": row.id,
        "object": "checkpoint.permission",
        "created_at": row.created_at,
        "project_id": row.body["project_id"],
    }
