"""Jobs of Luthier's own verbs on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from luthier.server.wire.body import Body
from luthier.server.wire.lists import AskPage
from luthier.server.wire.values import Metadata
from luthier.store.jobs import Event, Job
from luthier.store.resources import Resource

SHOWN = ("task", "done", "total", "estimated_finish")


class CreateVerbJob(Body):
    """A verb and its spec, with ids of files and names of models where the command line has paths."""

    kind: str = Field(min_length=1)
    spec: dict[str, Any]
    metadata: Metadata | None = None


class ListVerbJobs(AskPage):
    """A page of jobs: of one verb, or with some metadata."""

    kind: str | None = None
    metadata: Metadata | None = None


def verb_job_json(job: Job) -> dict[str, Any]:
    """Returns the job object."""
    return {
        "id": job.id,
        "object": "luthier.job",
        "kind": job.kind,
        "spec": job.spec,
        "status": job.status,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "attempts": job.attempts,
        "progress": {name: job.progress[name] for name in SHOWN if name in job.progress},
        "model": job.details.get("fine_tuned_model"),
        "error": job.error,
        "metadata": job.details.get("metadata"),
    }


def verb_event_json(event: Event) -> dict[str, Any]:
    """Returns the event object; `data` holds figures, or a table with its columns and rows."""
    return {
        "id": event.id,
        "object": "luthier.job.event",
        "created_at": event.created_at,
        "kind": event.kind,
        "message": event.message,
        "data": event.data,
    }


def result_json(job: Job, files: list[Resource]) -> dict[str, Any]:
    """Returns what a job came to: the verb's result, and the files it wrote."""
    return {
        "object": "luthier.job.result",
        "job": job.id,
        "kind": job.kind,
        "model": job.details.get("fine_tuned_model"),
        "result": job.result,
        "files": [{"id": row.id, "filename": row.body["filename"], "bytes": row.body["bytes"]} for row in files],
    }
