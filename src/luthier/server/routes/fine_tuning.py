"""Fine-tuning jobs, their events and checkpoints."""

from __future__ import annotations

import importlib.util
import secrets
from typing import Any

from luthier.errors import NotFoundError
from luthier.server.bound import check_model
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError, no_model
from luthier.server.wire.files import deleted
from luthier.server.wire.fine_tuning import (
    DOOR,
    CreateJob,
    CreatePermissions,
    ListCheckpoints,
    ListJobs,
    ListPermissions,
    checkpoint_json,
    event_json,
    job_json,
    job_labels,
    permission_json,
    resolved,
    settings,
    tune_spec,
)
from luthier.server.wire.lists import AskPage, page, rendered
from luthier.server.wire.values import metadata_labels
from luthier.store.blobs import PIECE
from luthier.store.ids import new_id
from luthier.store.jobs import Job, NewEvent
from luthier.store.resources import Resource

LABEL = {"door": DOOR}


def create(call: Call) -> dict[str, Any]:
    asked: CreateJob = call.body
    hyperparameters = settings(asked)
    check_model(call, asked.model)
    if asked.integrations and importlib.util.find_spec("wandb") is None:
        raise ApiError(
            "integrations: Weights & Biases is not installed on the server: pip install 'luthier[tracking]'.",
            code="unsupported_parameter",
            param="integrations",
        )
    files = {"training_file": asked.training_file, "validation_file": asked.validation_file}
    rows = {name: _tuning_file(call, id, name) for name, id in files.items() if id is not None}
    numbers = resolved(hyperparameters, _lines(call, rows["training_file"]))
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    id = new_id("ftjob-")
    details = {
        **files,
        "door": DOOR,
        "key": call.meter.key.id,
        "model": asked.model,
        "suffix": asked.suffix,
        "hyperparameters": numbers,
        "integrations": [one.model_dump(exclude_none=True) for one in asked.integrations or []],
        "metadata": asked.metadata,
    }
    job = call.server.store.jobs.add(
        "tune",
        id,
        call.project,
        tune_spec(asked, numbers, seed),
        details=details,
        labels=job_labels(asked.metadata),
        events=[
            NewEvent("info", f"Created fine-tuning job: {id}"),
            NewEvent("info", f"Validating training file: {asked.training_file}"),
        ],
    )
    return job_json(job)


def list_all(call: Call) -> dict[str, Any]:
    asked: ListJobs = call.query
    labels = LABEL | ({"metadata": "none"} if asked.metadata == "null" else metadata_labels(asked.metadata))
    jobs, more = call.server.store.jobs.list(
        kinds=["tune"],
        project=call.project,
        after=asked.after,
        limit=asked.limit,
        labels=labels,
    )
    return page([job_json(job) for job in jobs], has_more=more)


def retrieve(call: Call) -> dict[str, Any]:
    return job_json(_job(call))


def cancel(call: Call) -> dict[str, Any]:
    return job_json(call.server.store.jobs.want(_job(call).id, "cancel"))


def pause(call: Call) -> dict[str, Any]:
    return job_json(call.server.store.jobs.want(_job(call).id, "pause"))


def resume(call: Call) -> dict[str, Any]:
    job = _job(call)
    if job.status != "paused" and job.wanted != "pause":
        raise ApiError(f"Job {job.id} is {job.status}, not paused.", code="invalid_value", param="fine_tuning_job_id")
    return job_json(call.server.store.jobs.want(job.id, "run"))


def events(call: Call) -> dict[str, Any]:
    found, more = call.server.store.jobs.events(_job(call).id, after=call.query.after, limit=call.query.limit)
    return page([event_json(event) for event in found], has_more=more)


def checkpoints(call: Call) -> dict[str, Any]:
    found = call.server.store.resources.list(
        "checkpoint",
        call.project,
        parent=_job(call).id,
        after=call.query.after,
        limit=call.query.limit,
        descending=True,
    )
    return rendered(found, checkpoint_json)


def permit(call: Call) -> dict[str, Any]:
    asked: CreatePermissions = call.body
    checkpoint = _checkpoint_model(call)
    add = call.server.store.resources.add
    rows = [
        add(
            "permission",
            new_id("cp_"),
            call.project,
            {"project_id": project},
            parent=checkpoint.id,
            labels={"project_id": project},
        )
        for project in asked.project_ids
    ]
    return page([permission_json(row) for row in rows], has_more=False)


def permissions(call: Call) -> dict[str, Any]:
    asked: ListPermissions = call.query
    found = call.server.store.resources.list(
        "permission",
        call.project,
        parent=_checkpoint_model(call).id,
        after=asked.after,
        limit=asked.limit,
        descending=asked.order == "descending",
        labels=None if asked.project_id is None else {"project_id": asked.project_id},
    )
    return rendered(found, permission_json)


def forbid(call: Call) -> dict[str, Any]:
    checkpoint = _checkpoint_model(call)
    resources = call.server.store.resources
    row = resources.get("permission", call.path["permission_id"], call.project)
    if row.parent != checkpoint.id:
        raise NotFoundError(f"no permission {row.id!r} of {checkpoint.id}")
    return deleted(resources.delete("permission", row.id, call.project).id, "checkpoint.permission")


def _job(call: Call) -> Job:
    job = call.server.store.jobs.get(call.path["fine_tuning_job_id"], kind="tune", project=call.project)
    if job.details.get("door") != DOOR:
        raise NotFoundError(f"no fine-tuning job {job.id!r}", remedy="see /v1/luthier/jobs")
    return job


def _checkpoint_model(call: Call) -> Resource:
    name = call.path["model"]
    try:
        return call.server.store.resources.get("model", name, call.project)
    except NotFoundError:
        raise no_model(name) from None


def _tuning_file(call: Call, id: str, param: str) -> Resource:
    try:
        row = call.server.store.resources.get("file", id, call.project)
    except NotFoundError:
        raise ApiError(f"{param}: there is no file {id!r}.", status=404, param=param) from None
    if row.body["purpose"] != "fine-tune":
        raise ApiError(
            f"{param}: file {id} has the purpose {row.body['purpose']!r}; upload it with purpose='fine-tune'.",
            code="invalid_value",
            param=param,
        )
    return row


def _lines(call: Call, file: Resource) -> int:
    """Returns about how many rows a JSON-lines file has: its lines."""
    store = call.server.store
    with store.blobs.open(store.resources.parts(file.id)["content"].sha256) as stream:
        count, last = 0, b"\n"
        while piece := stream.read(PIECE):
            count, last = count + piece.count(b"\n"), piece[-1:]
    return count + (last != b"\n")


_JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
_PERMISSIONS = "/fine_tuning/checkpoints/{model:path}/permissions"
ENDPOINTS = (
    Endpoint("POST", "/fine_tuning/jobs", create, CreateJob, counted="training"),
    Endpoint("GET", "/fine_tuning/jobs", list_all, query=ListJobs),
    Endpoint("GET", _JOB, retrieve),
    Endpoint("POST", f"{_JOB}/cancel", cancel),
    Endpoint("POST", f"{_JOB}/pause", pause),
    Endpoint("POST", f"{_JOB}/resume", resume),
    Endpoint("GET", f"{_JOB}/events", events, query=AskPage),
    Endpoint("GET", f"{_JOB}/checkpoints", checkpoints, query=ListCheckpoints),
    Endpoint("POST", _PERMISSIONS, permit, CreatePermissions),
    Endpoint("GET", _PERMISSIONS, permissions, query=ListPermissions),
    Endpoint("DELETE", f"{_PERMISSIONS}/{{permission_id}}", forbid),
)
