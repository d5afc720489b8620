"""One job in a process of its own: the verb with the store around it. `python -m luthier.server.runner JOB OWNER`."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from luthier import workflows
from luthier.access.keys import UNKNOWN
from luthier.errors import (
    AwayError,
    DiskFullError,
    Interrupted,
    LuthierError,
    NotFoundError,
    RowsError,
    disk_is_full,
)
from luthier.report import write_line
from luthier.server.bound import localise, servers_own
from luthier.server.catalogue import catalogue_of
from luthier.server.job_report import BEAT_S, JobReport, model_body, model_name
from luthier.server.options import WorkerOptions
from luthier.server.places import Places, add_model
from luthier.server.sharing import handed, step_back, write_anyway
from luthier.server.wire.fine_tuning import DOOR
from luthier.server.worker import AWAY
from luthier.store.files import keep_file
from luthier.store.jobs import ENDED, MAX_ATTEMPTS, Job, LeaseLost, NewEvent
from luthier.store.opened import Store
from luthier.store.vector_files import INGEST

WARM_S = 10.0
"""How long a process that has read files waits for more of them, with its embedder loaded."""
ROOM_S = 15.0
"""How long a job waits for room on a full disk before it is tried again."""
FULL = "no room is left on the disk"
WORKING = ("inputs", "run/data", "run/checkpoints", "run/models")
"""Folders of a job that go when it has ended: copies of files that may be deleted, and what is in the store."""
MOST_ROW_PROBLEMS = 1000
NOT_RESULTS = ("data", "checkpoints", "models", "model")
"""Folders of a tuning run that are no results: the model has a name of its own."""
TEXTS = frozenset({".json", ".jsonl", ".html", ".md", ".yaml", ".csv", ".txt"})
LARGEST_TEXT = 32 * 2**20


def run_job(store: Store, job: Job, owner: str, options: WorkerOptions, report: JobReport) -> None:
    """Runs the job's verb and ends the job, one way or another; a job that lost its lease is left alone."""
    folder = store.folder / "runs" / job.id
    places = Places(store, catalogue_of(options), job.project)
    try:
        if job.kind == "tune":
            store.jobs.remember(job.id, owner, {"base": places.base(job.spec["model"])})
            job = store.jobs.get(job.id)
            report.take(job)
        verb = workflows.verb(job.kind)
        spec = localise(
            job.kind,
            job.spec,
            path=lambda id: report.name(places.file(id, folder / "inputs"), id),
            model=lambda name: report.name(_pinned(verb.Spec, places.model(name), options), name),
            own=_own(verb, folder, options, model=lambda: places.model(job.spec["model"])),
        )
        _tell_services(job)
        _say_again(folder, report)
        result = verb.run(spec, report)
        made = job.kind == "tune" and (folder / "run" / "model").exists()  # not where only a plan was asked for
        ended = _finished(store, job, folder, options) if made else {}
        if job.details.get("door") != DOOR:
            ended = ended | {"files": _keep_files(store, job, folder / "run", report)}
    except Interrupted:
        _interrupted(store, job, owner, report)
    except AwayError:
        raise
    except DiskFullError as error:
        _wait_for_room(store, job, owner, report, error)
    except LuthierError as error:
        _failed(store, job, owner, report, error)
    except Exception as error:
        if not disk_is_full(error):
            raise
        _wait_for_room(store, job, owner, report, DiskFullError(FULL, remedy="make room on it"))
    else:
        last = [NewEvent("info", "The job has successfully completed", key="completed")]
        if "fine_tuned_model" in ended:
            last.insert(0, NewEvent("info", f"New fine-tuned model created: {ended['fine_tuned_model']}", key="model"))
        events = [*report.close(), *last]
        store.jobs.end(
            job.id, owner, "succeeded", result=report.told_json(result.to_json()), details=ended, events=events
        )
        if "trained_tokens" in ended:
            _count_training(store, job, ended, options)
    finally:
        if store.jobs.get(job.id).status in ENDED:
            for name in WORKING:
                shutil.rmtree(folder / name, ignore_errors=True)


def run_ingest(store: Store, job: Job, owner: str, report: JobReport) -> None:
    """Reads files into a vector store, and ends the job one way or another."""
    from luthier.retrieval.ingesting import ingest

    try:
        result = ingest(store, job, report)
    except Interrupted:
        _interrupted(store, job, owner, report)
    except NotFoundError:  # the store was deleted, and its files with it
        store.jobs.end(job.id, owner, "cancelled", events=report.close())
    except AwayError:
        raise
    except DiskFullError as error:
        _wait_for_room(store, job, owner, report, error)
    except LuthierError as error:
        _failed(store, job, owner, report, error)
    else:
        store.jobs.end(job.id, owner, "succeeded", result=result.to_json(), events=report.close())


def _tell_services(job: Job) -> None:
    """Sets what Weights & Biases reads by itself: this process is the job's own, and so is a run without a name."""
    for one in job.details.get("integrations") or []:
        settings = {"name": job.id} | one["wandb"]
        for name in ("project", "name", "entity"):
            if settings.get(name):
                os.environ[f"WANDB_{name.upper()}"] = settings[name]
        if settings.get("tags"):
            os.environ["WANDB_TAGS"] = ",".join(settings["tags"])


def _say_again(folder: Path, report: JobReport) -> None:
    """Says the metrics that the run folder has: those of the moment before a process was killed were not sent."""
    file = folder / "run" / "metrics.jsonl"
    if file.exists():
        from luthier.training.track import read_metrics

        for line in read_metrics(file):
            report.metric(int(line["step"]), {name: value for name, value in line.items() if name != "step"})


def _own(verb: Any, folder: Path, options: WorkerOptions, *, model: Callable[[], str]) -> dict[str, Any]:
    """Returns the keys that the server sets: where the results go, whether a run goes on, how models are loaded."""
    names, run = verb.Spec.model_fields, folder / "run"
    begun = (run / "run.json").exists()
    if "resume" in names and not begun:
        shutil.rmtree(run, ignore_errors=True)  # begun, and killed before it had anything to keep
    output = run / verb.JOB_OUTPUT
    output.parent.mkdir(parents=True, exist_ok=True)
    own = servers_own(verb.Spec, str(output), options, model() if "model" in names else "")
    return own | ({"resume": begun} if "resume" in names else {})


def _pinned(spec: Any, place: str, options: WorkerOptions) -> str:
    """Returns the folder of the revision that is served: a spec of several models has no revision for one of them."""
    if options.revision is None or place != options.model or "model" in spec.model_fields or Path(place).exists():
        return place
    from luthier.models.resolve import resolve_model

    found = resolve_model(place, revision=options.revision, download=True, trust_remote_code=options.trust_remote_code)
    return str(found.base_folder or place)


def _keep_files(store: Store, job: Job, folder: Path, report: JobReport) -> list[str]:
    """Returns the ids of new files with what the verb wrote, but for what is kept as a model."""
    kept = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name.startswith(tuple(f"{part}/" for part in NOT_RESULTS)):
            continue
        if path.suffix in TEXTS and path.stat().st_size <= LARGEST_TEXT:
            blob = store.blobs.put([report.told(path.read_text(encoding="utf-8")).encode()])
        else:
            blob = store.blobs.put_file(path)
        kept.append(keep_file(store, job.project, blob, filename=name, purpose="luthier-result").id)
    return kept


def _finished(store: Store, job: Job, folder: Path, options: WorkerOptions) -> dict[str, Any]:
    """Returns what is known of a tuning job now that it has ended well; its model can be used from here on."""
    from luthier.training.track import read_metrics

    name = model_name(job)
    add_model(store, job.project, name, folder / "run" / "model", model_body(job, ""))
    content = _step_metrics(read_metrics(folder / "run" / "metrics.jsonl"))
    blob = store.blobs.put([base64.b64encode(content) if options.base64_results else content])
    row = keep_file(store, job.project, blob, filename="step_metrics.csv", purpose="fine-tune-results")
    from luthier.training.run import RunFolder

    tokens = RunFolder(folder / "run").read()["state"]["tokens"]
    return {"fine_tuned_model": name, "result_files": [row.id], "trained_tokens": tokens}


def _count_training(store: Store, job: Job, ended: Mapping[str, Any], options: WorkerOptions) -> None:
    """Counts the tokens of a run as used with the key that asked for it."""
    from luthier.access.usage import Usage, Used, Whose

    base, tokens = job.details["base"], ended["trained_tokens"]
    entry = catalogue_of(options).find(base)
    cost = tokens * (entry.training_price if entry is not None else 0.0) / 1e6
    usage, whose = Usage(store.database), Whose(job.project, job.details.get("key") or UNKNOWN, "training", base)
    usage.add({(usage.hour(), whose): Used(requests=1, input_tokens=tokens, cost=cost)}, job.id)


def _step_metrics(lines: list[dict[str, Any]]) -> bytes:
    """Returns step_metrics.csv: a line a step; what was not measured stays empty."""
    steps: dict[int, dict[str, Any]] = {}
    for line in lines:
        steps.setdefault(int(line["step"]), {}).update(line)
    columns = {
        "train_loss": "loss",
        "train_accuracy": "token_accuracy",
        "valid_loss": "eval_loss",
        "valid_mean_token_accuracy": "eval_token_accuracy",
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", *columns])
    for step, values in sorted(steps.items()):
        writer.writerow([step, *(round(values[key], 5) if key in values else "" for key in columns.values())])
    return out.getvalue().encode()


def _interrupted(store: Store, job: Job, owner: str, report: JobReport) -> None:
    events = report.close()
    if report.lost:
        return
    status, said = {
        "cancel": ("cancelled", "Job cancelled"),
        "pause": ("paused", "Job paused"),
        "run": ("queued", "The worker was stopped; the job goes on with the next one"),
    }[report.wanted]
    store.jobs.end(job.id, owner, status, events=[*events, NewEvent("info", said)], orderly=True)  # type: ignore[arg-type]


def _wait_for_room(store: Store, job: Job, owner: str, report: JobReport, error: DiskFullError) -> None:
    """Lets the job be tried again in a while, from where it was; the last of its attempts has failed."""
    if job.attempts >= MAX_ATTEMPTS:
        _failed(store, job, owner, report, error)
        return
    report.say(NewEvent("warning", f"{report.told(str(error))}; the job is tried again in {ROOM_S:.0f} s"))
    waited = time.monotonic()
    while time.monotonic() - waited < ROOM_S and not report.cancelled():
        time.sleep(BEAT_S)
    if report.wanted != "run" or report.lost:
        _interrupted(store, job, owner, report)
        return
    store.jobs.end(job.id, owner, "queued", events=report.close())


def _failed(store: Store, job: Job, owner: str, report: JobReport, error: LuthierError) -> None:
    """Ends the job with its error; every bad row is an event of its own. One that is given up has none."""
    if store.jobs.get(job.id).wanted == "cancel":  # whoever cancels may delete the job's files at once
        report.wanted = "cancel"
        _interrupted(store, job, owner, report)
        return
    if isinstance(error, RowsError):
        for problem in error.problems[:MOST_ROW_PROBLEMS]:
            said = report.told(str(problem))
            report.say(NewEvent("error", said, {"line": problem.line, "field": problem.field}))
        if (more := len(error.problems) - MOST_ROW_PROBLEMS) > 0:
            report.say(NewEvent("error", f"... and {more} more problems in the rows"))
    code = "invalid_training_file" if isinstance(error, RowsError) else "invalid_value"
    said = report.told(str(error))
    events = [*report.close(), NewEvent("error", f"The job failed: {said}")]
    store.jobs.end(job.id, owner, "failed", error={"code": code, "message": said}, events=events)


def _listen(report: JobReport, asked_to_leave: threading.Event) -> None:
    """Steps back behind the server, and has the report hear when this process is asked to end."""

    def leave(*_: object) -> None:
        asked_to_leave.set()
        report.leave()

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        step_back()
        write_anyway()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    if asked_to_leave.is_set():
        report.leave()


def _next(store: Store, owner: str, asked_to_leave: threading.Event) -> Job | None:
    """Returns the next job that reads files, for which all is loaded here; None when none comes in a while."""
    until = time.monotonic() + WARM_S
    parent = os.getppid()
    while time.monotonic() < until and os.getppid() == parent:
        if (job := store.jobs.lease(owner, [INGEST])) is not None:
            return job
        if asked_to_leave.wait(BEAT_S):
            return None
    return None


def main(job_id: str, owner: str, options_json: str) -> int:
    """Runs one job that `owner` has leased. Returns 0, or `AWAY`, unless something unforeseen happened."""
    options = WorkerOptions.model_validate_json(options_json)
    try:
        with contextlib.closing(Store.open(options)) as store:
            job: Job | None = store.jobs.get(job_id)
            asked_to_leave = threading.Event()
            while job is not None:
                report = JobReport(store, job, owner)  # its thread holds the lease, whatever the server does
                _listen(report, asked_to_leave)
                if job.kind != INGEST:
                    run_job(store, job, owner, options, report)
                    break
                run_ingest(store, job, owner, report)
                job = _next(store, owner, asked_to_leave)
    except LeaseLost:
        return 0
    except AwayError as error:
        write_line(sys.stderr, f"job {job_id}: {error}")
        return AWAY
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], handed()))
