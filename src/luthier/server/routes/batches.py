"""Batches: a file of requests, answered in the background."""

from __future__ import annotations

import time
from typing import Any

from luthier.errors import NotFoundError, StateError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.options import BATCH_LIMIT
from luthier.server.wire.batches import CreateBatch, batch_json
from luthier.server.wire.lists import AskPage, page
from luthier.store.ids import new_id
from luthier.store.jobs import ENDED

KIND = "batch"


def create(call: Call) -> dict[str, Any]:
    asked: CreateBatch = call.body
    try:
        file = call.server.store.resources.get("file", asked.input_file_id, call.project)
    except NotFoundError:
        raise ApiError(
            f"input_file_id: there is no file {asked.input_file_id!r}.", status=404, param="input_file_id"
        ) from None
    if file.body["purpose"] != "batch":
        raise ApiError(
            f"input_file_id: file {file.id} has the purpose {file.body['purpose']!r}; upload it with purpose='batch'.",
            code="invalid_value",
            param="input_file_id",
        )
    if file.body["bytes"] > BATCH_LIMIT:
        raise ApiError(
            f"input_file_id: a batch has at most {BATCH_LIMIT:,} bytes. Got {file.body['bytes']:,}.",
            code="invalid_value",
            param="input_file_id",
        )
    expires = asked.output_expires_after.seconds if asked.output_expires_after else None
    job = call.server.store.jobs.add(
        KIND,
        new_id("batch_"),
        call.project,
        {"input_file_id": file.id, "endpoint": asked.endpoint},
        details={"metadata": asked.metadata, "output_expires_after_s": expires, "key": call.meter.key.id},
    )
    return batch_json(job)


def list_all(call: Call) -> dict[str, Any]:
    jobs, has_more = call.server.store.jobs.list(
        kinds=[KIND], project=call.project, after=call.query.after, limit=call.query.limit
    )
    return page([batch_json(job) for job in jobs], has_more=has_more)


def retrieve(call: Call) -> dict[str, Any]:
    return batch_json(call.server.store.jobs.get(call.path["batch_id"], kind=KIND, project=call.project))


def cancel(call: Call) -> dict[str, Any]:
    jobs = call.server.store.jobs
    job = jobs.get(call.path["batch_id"], kind=KIND, project=call.project)
    if job.wanted == "cancel" and job.status not in ENDED:
        return batch_json(job)
    try:
        now = {"cancelling_at": int(time.time())}
        return batch_json(jobs.want(job.id, "cancel", kind=KIND, project=call.project, details=now))
    except StateError:
        said = batch_json(jobs.get(job.id))["status"]
        raise ApiError(f"Batch {job.id} has ended ({said}) and cannot be cancelled.", code="invalid_value") from None


_ONE = "/batches/{batch_id}"
ENDPOINTS = (
    Endpoint("POST", "/batches", create, CreateBatch, counted="batches"),
    Endpoint("GET", "/batches", list_all, query=AskPage),
    Endpoint("GET", _ONE, retrieve),
    Endpoint("POST", f"{_ONE}/cancel", cancel),
)
