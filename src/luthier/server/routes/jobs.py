"""Jobs of Luthier's own verbs: the spec of the command line, with ids where it has paths."""

from __future__ import annotations

from typing import Any

from luthier import workflows
from luthier.config import fields
from luthier.errors import NotFoundError, SpecError, StateError
from luthier.registry import nearest
from luthier.server.bound import check_model, localise, servers_own
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.wire.jobs import CreateVerbJob, ListVerbJobs, result_json, verb_event_json, verb_job_json
from luthier.server.wire.lists import AskPage, page
from luthier.server.wire.values import metadata_labels
from luthier.store.ids import new_id
from luthier.store.jobs import Job, NewEvent, Wanted
from luthier.store.resources import Resource


def create(call: Call) -> dict[str, Any]:
    asked: CreateVerbJob = call.body
    kinds = workflows.jobs()
    if asked.kind not in kinds:
        raise ApiError(
            f"kind: {asked.kind!r} is no job; {nearest(asked.kind, kinds)}.", code="invalid_value", param="kind"
        )
    values = _with_models(call, asked)
    spec = workflows.verb(asked.kind).Spec
    try:
        localise(
            asked.kind,
            values,
            path=lambda id: _file(call, id),
            model=lambda name: _model(call, name),
            own=servers_own(spec, "run", call.server.options),
        )
    except SpecError as error:
        param = "spec" if error.param is None else f"spec.{error.param}"
        raise ApiError(str(error), code="invalid_value", param=param) from None
    job = call.server.store.jobs.add(
        asked.kind,
        new_id("job_"),
        call.project,
        values,
        details={"metadata": asked.metadata, "key": call.meter.key.id},
        labels=metadata_labels(asked.metadata),
        events=[NewEvent("info", f"{asked.kind} waits for a worker")],
    )
    return verb_job_json(job)


def _with_models(call: Call, asked: CreateVerbJob) -> dict[str, Any]:
    """Returns the spec with the catalogue's first model where one model is meant and none is named."""
    values, default = dict(asked.spec), call.server.catalogue.default
    for field in fields(workflows.verb(asked.kind).Spec):
        if field.outside == "model" and not field.many and not field.required and default is not None:
            values.setdefault(field.name, default.id)
    return values


def _file(call: Call, id: str) -> str:
    try:
        return call.server.store.resources.get("file", id, call.project).id
    except NotFoundError:
        raise ApiError(f"spec: there is no file {id!r}.", status=404, param="spec") from None


def _model(call: Call, name: str) -> str:
    check_model(call, name, "spec")
    return name


def list_all(call: Call) -> dict[str, Any]:
    asked: ListVerbJobs = call.query
    kind = asked.kind
    if kind is not None and kind not in workflows.jobs():
        raise ApiError(f"kind: {kind!r} is no job.", code="invalid_value", param="kind")
    jobs, has_more = call.server.store.jobs.list(
        kinds=workflows.jobs() if kind is None else [kind],
        project=call.project,
        after=asked.after,
        limit=asked.limit,
        labels=metadata_labels(asked.metadata),
    )
    return page([verb_job_json(job) for job in jobs], has_more=has_more)


def retrieve(call: Call) -> dict[str, Any]:
    return verb_job_json(_job(call))


def events(call: Call) -> dict[str, Any]:
    found, has_more = call.server.store.jobs.events(_job(call).id, after=call.query.after, limit=call.query.limit)
    return page([verb_event_json(event) for event in found], has_more=has_more)


def cancel(call: Call) -> dict[str, Any]:
    return _want(call, "cancel")


def pause(call: Call) -> dict[str, Any]:
    return _want(call, "pause")


def resume(call: Call) -> dict[str, Any]:
    job = _job(call)
    if job.status != "paused" and job.wanted != "pause":
        raise ApiError(f"Job {job.id} is {job.status}, not paused.", code="invalid_value", param="job_id")
    return _want(call, "run")


def _want(call: Call, wanted: Wanted) -> dict[str, Any]:
    try:
        return verb_job_json(call.server.store.jobs.want(_job(call).id, wanted))
    except StateError as error:
        raise ApiError(str(error), code="invalid_value") from None


def result(call: Call) -> dict[str, Any]:
    job = _job(call)
    if job.status != "succeeded":
        raise ApiError(f"Job {job.id} has no result: it is {job.status}.", code="invalid_value")
    return result_json(job, list(_files(call, job)))


def _files(call: Call, job: Job) -> list[Resource]:
    """Returns the files of a job that have not been deleted since."""
    found = []
    for id in job.details.get("files", ()):
        try:
            found.append(call.server.store.resources.get("file", id, call.project))
        except NotFoundError:
            continue
    return found


def _job(call: Call) -> Job:
    job = call.server.store.jobs.get(call.path["job_id"], project=call.project)
    if job.kind not in workflows.jobs():
        raise NotFoundError(f"no job {job.id!r} of a verb", remedy="check the id")
    return job


_ONE = "/luthier/jobs/{job_id}"
ENDPOINTS = (
    Endpoint("POST", "/luthier/jobs", create, CreateVerbJob, counted="jobs"),
    Endpoint("GET", "/luthier/jobs", list_all, query=ListVerbJobs),
    Endpoint("GET", _ONE, retrieve),
    Endpoint("GET", f"{_ONE}/events", events, query=AskPage),
    Endpoint("GET", f"{_ONE}/result", result),
    Endpoint("POST", f"{_ONE}/cancel", cancel),
    Endpoint("POST", f"{_ONE}/pause", pause),
    Endpoint("POST", f"{_ONE}/resume", resume),
)
