"""What a hosted account hands out, and what is kept of it here: its ids, its times, and every key it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from luthier.report import visible
from luthier.server.wire.body import read_body
from luthier.server.wire.fine_tuning import DOOR, CreateJob, settings
from luthier.server.wire.values import Metadata
from luthier.store.jobs import ENDED, Job, NewEvent

EVAL, EVAL_RUN = "imported eval", "imported eval run"
"""Kinds of rows that no route reads."""
RUN_ENDED = frozenset({"completed", "failed", "canceled", "cancelled"})


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
"""It becomes part of paths and of names of files."""
Time = Annotated[int, Field(ge=0, le=2**40)]
Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_without_nul)]


class Moved(BaseModel):
    """An object of the hosted API; keys that are not named here are kept too."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    id: Id


class MovedFile(Moved):
    """A file, without its content."""

    filename: Text
    purpose: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
    bytes: int | None = None
    created_at: Time
    expires_at: Time | None = None


class MovedJob(Moved):
    """A fine-tuning job."""

    created_at: Time
    finished_at: Time | None = None
    model: Text
    fine_tuned_model: Text | None = None
    organization_id: str | None = None
    status: str
    training_file: Text
    validation_file: Text | None = None
    result_files: list[Text] = Field(default_factory=list)
    trained_tokens: int | None = None
    hyperparameters: dict[str, Any] | None = None
    method: dict[str, Any] | None = None
    seed: int | None = None
    error: dict[str, Any] | None = None
    integrations: list[dict[str, Any]] | None = None
    metadata: Metadata | None = None
    user_provided_suffix: Text | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class MovedEvent(BaseModel):
    """Something that a job said."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    created_at: Time
    message: str
    level: str = "info"
    type: str | None = None
    data: dict[str, Any] | None = None


class MovedCheckpoint(Moved):
    """A checkpoint of a job, without its weights."""

    created_at: Time
    fine_tuned_model_checkpoint: Text
    step_number: int
    metrics: dict[str, Any] = Field(default_factory=dict)


class MovedCompletion(Moved):
    """A stored completion, without the messages that it answers."""

    created: Time
    model: Text
    choices: list[dict[str, Any]]
    metadata: Metadata | None = None


class MovedEval(Moved):
    """An eval, without its runs."""

    created_at: Time


class MovedRun(Moved):
    """A run of an eval, without its output items."""

    created_at: Time
    status: str

    @property
    def ended(self) -> bool:
        return self.status in RUN_ENDED


MovedT = TypeVar("MovedT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Unread:
    """An object that is not what it should be: its id, as far as it has one, the key, and what is wrong with it."""

    id: str
    key: str
    problem: str


def read_moved(kind: type[MovedT], value: Any) -> MovedT | Unread:
    """Returns the object of that kind that `value`, out of JSON, is."""
    id = str(value.get("id") or "?")[:80] if isinstance(value, dict) else "?"
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        return kind.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        said = str(problem["msg"]).removeprefix("Value error, ")
        return Unread(id, key, f"{said[:1].lower()}{said[1:]}. Got {_short(problem['input'])}")
    except (ValueError, RecursionError) as error:  # half a character, a number that JSON has not, too deep
        return Unread(id, "", f"cannot be written as JSON: {_short(error)}")


def whole(moved: Moved, *, without: str) -> dict[str, Any]:
    """Returns the object with every key it came with, but for the list of what is kept in rows of its own."""
    return moved.model_dump(mode="json", exclude_unset=True, exclude={without})


def ended_job(moved: MovedJob, project: str, source: str) -> Job:
    """Returns the row of a job that ended at `source`."""
    files = [moved.training_file], [moved.validation_file] if moved.validation_file else []
    method = moved.method or {}
    inner = method.get(str(method.get("type"))) or {}
    error = moved.error if moved.error and (moved.error.get("message") or moved.error.get("code")) else None
    return Job(
        id=moved.id,
        project=project,
        kind="tune",
        spec={"rows": files[0], "validation_rows": files[1], "model": moved.model, "seed": moved.seed},
        details={
            "door": DOOR,
            "imported_from": source,
            "organization": moved.organization_id,
            "model": moved.model,
            "fine_tuned_model": moved.fine_tuned_model,
            "training_file": moved.training_file,
            "validation_file": moved.validation_file,
            "result_files": moved.result_files,
            "trained_tokens": moved.trained_tokens,
            "hyperparameters": moved.hyperparameters or inner.get("hyperparameters") or {},
            "method": moved.method,
            "suffix": moved.user_provided_suffix,
            "integrations": moved.integrations or [],
            "metadata": moved.metadata,
        },
        status=moved.status,  # type: ignore[arg-type]  # the store refuses one that has not ended
        wanted="run",
        owner=None,
        attempts=0,
        created_at=moved.created_at,
        started_at=None,
        finished_at=moved.finished_at,
        progress={},
        result=None,
        error=error,
    )


def kept_event(moved: MovedEvent) -> NewEvent:
    """Returns the event as jobs keep it."""
    kind = "metric" if moved.type == "metrics" else {"warn": "warning", "error": "error"}.get(moved.level, "info")
    return NewEvent(kind, visible(moved.message), moved.data, created_at=moved.created_at)


def asked_again(moved: MovedJob, model: str) -> dict[str, Any]:
    """Returns the body that asks for the same job over `model` here. `ApiError` says why it cannot be asked for."""
    method = moved.method or {"type": "supervised", "supervised": {"hyperparameters": moved.hyperparameters or {}}}
    keys = {
        "training_file": moved.training_file,
        "validation_file": moved.validation_file,
        "method": method,
        "suffix": moved.user_provided_suffix,
        "seed": moved.seed,
        "metadata": moved.metadata,
    }
    body = {"model": model} | {name: value for name, value in keys.items() if value is not None}
    settings(read_body(CreateJob, body)[0])
    return body


def metrics_row(moved: MovedCheckpoint) -> Mapping[str, Any]:
    """Returns the body of a checkpoint's row."""
    return {"model": moved.fine_tuned_model_checkpoint, "step": moved.step_number, "metrics": moved.metrics}


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Exception) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
