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
from luthier.errors import Interrupted, LuthierError, NotFoundError, RowsError
from luthier.report import Table
from luthier.server.bound import localise, servers_own
from luthier.server.catalogue import catalogue_of
from luthier.server.options import WorkerOptions
from luthier.server.places import Places, add_model, remove_model
from luthier.server.sharing import step_back, write_anyway
from luthier.server.wire.fine_tuning import DOOR, KEPT_CHECKPOINTS, figures, metrics_data, metrics_message
from luthier.store.files import keep_file
from luthier.store.ids import new_id
from luthier.store.jobs import ENDED, Job, LeaseLost, NewEvent, Wanted
from luthier.store.opened import Store

BEAT_S = 0.5
WORKING = ("inputs", "run/data", "run/checkpoints", "run/models")
"""Folders of a job that go when it has ended: copies of files that may be deleted, and what is in the store."""
MOST_ROW_PROBLEMS = 1000
NOT_RESULTS = ("data", "checkpoints", "models", "model")
"""Folders of a tuning run that are no results: the model has a name of its own."""
TEXTS = frozenset({".json", ".jsonl", ".html", ".md", ".yaml", ".csv", ".txt"})
LARGEST_TEXT = 32 * 2**20


class JobReport:
    """A verb's report, kept in the store: a thread sends what was said, holds the lease and hears what is wanted."""

    def __init__(self, store: Store, job: Job, owner: str) -> None:
        self._store, self._job, self._owner = store, job, owner
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._events: list[NewEvent] = []
        self._progress: dict[str, Any] = dict(job.progress)
        self._names: dict[str, str] = {}
        self._parent = os.getppid()
        self.wanted: Wanted = "run"
        self.lost, self.leaving = False, False
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def progress(self, task: str, done: float, total: float | None, figures: Mapping[str, float] | None = None) -> None:
        with self._lock:
            self._progress |= {"task": task, "done": done, "total": total}
            if task == "training" and total:
                self._progress["estimated_finish"] = self._finish(done, total)

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        data = metrics_data(step, self._progress.get("total_steps"), values)
        kind = "eval" if any(name.startswith("eval_") for name in values) else "step"
        self.say(NewEvent("metric", metrics_message(data), data, key=f"{kind}-{step}"))

    def event(
        self, kind: str, message: str, *, table: Table | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        if kind == "plan" and self._job.kind == "tune":
            with self._lock:
                self._progress |= {"validated": True, "total_steps": (data or {}).get("steps")}
            self.say(NewEvent("info", "Files validated, moving job to queued state", key="validated"))
            self.say(NewEvent("info", "Fine-tuning job started", key="started"))
        elif kind == "model" and data is not None:
            self._keep_checkpoint(data)
        elif kind in {"info", "warning"} and message:
            self.say(NewEvent(kind, self.told(message)))
        elif table is not None and self._job.kind != "tune":
            drawn = {"title": table.title, "columns": table.columns, "rows": table.rows, "note": table.note}
            self.say(NewEvent(kind, self.told(message), self.told_json(drawn), key=f"{kind}-{table.title}"))

    def cancelled(self) -> bool:
        return self.wanted != "run" or self.lost or self.leaving

    def name(self, path: str, id: str) -> str:
        """Remembers that what is at `path` is called `id`. Returns the path."""
        if "/" in path:
            self._names[path] = id
        return path

    def told(self, message: str) -> str:
        """Returns `message` without the folders of this machine: files and models are called what people call them."""
        for path in sorted(self._names, key=len, reverse=True):
            message = message.replace(path, self._names[path])
        folder = self._store.folder
        return message.replace(f"{folder / 'runs' / self._job.id / 'inputs'}/", "").replace(
            str(folder), "$LUTHIER_HOME"
        )

    def told_json(self, value: Any) -> Any:
        """Returns JSON values with every text in them told so."""
        match value:
            case str():
                return self.told(value)
            case Mapping():
                return {self.told(str(key)): self.told_json(one) for key, one in value.items()}
            case list() | tuple():
                return [self.told_json(one) for one in value]
        return value

    def say(self, event: NewEvent) -> None:
        """Keeps an event; it is sent with the next beat."""
        with self._lock:
            self._events.append(event)

    def leave(self) -> None:
        """Asks the verb to stop: this process was told to end. The job goes on with another one."""
        self.leaving = True

    def take(self, job: Job) -> None:
        """Takes what was learned about the job meanwhile."""
        self._job = job

    def close(self) -> list[NewEvent]:
        """Ends the thread; returns what it has not sent yet."""
        self._ended.set()
        self._thread.join()
        with self._lock:
            events, self._events = self._events, []
        return events

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            if os.getppid() != self._parent:  # the worker that watches over this process is gone
                self.lost = True
            with self._lock:
                events, self._events = self._events, []
                progress = dict(self._progress)
            try:
                wanted = self._store.jobs.beat(self._job.id, self._owner, events=events, progress=progress)
            except LeaseLost:
                self.lost = True
                return
            except Exception as error:  # a database that is away for a moment: say it again with the next beat
                print(f"job {self._job.id}: {error}", file=sys.stderr)
                with self._lock:
                    self._events = events + self._events
                continue
            if self.wanted == "run":
                self.wanted = wanted

    def _finish(self, done: float, total: float) -> int | None:
        began = self._progress.setdefault("training_since", [time.time(), done])
        rate = (done - began[1]) / max(1e-9, time.time() - began[0])
        return int(time.time() + (total - done) / rate) if rate > 0 else None

    def _keep_checkpoint(self, data: Mapping[str, Any]) -> None:
        """Makes a model of a step servable, and takes the oldest one's place when there are more than are kept."""
        job, resources, step = self._job, self._store.resources, int(data["step"])
        name = f"{model_name(job)}:ckpt-step-{step}"
        add_model(self._store, job.project, name, Path(data["path"]), _model_body(job, f"after step {step}"))
        kept = resources.list("checkpoint", job.project, parent=job.id, limit=10_000).items
        if all(row.body["step"] != step for row in kept):
            body = {"model": name, "step": step, "metrics": {"step": step} | figures(data["figures"])}
            kept = (*kept, resources.add("checkpoint", new_id("ftckpt_"), job.project, body, parent=job.id))
        for row in sorted(kept, key=lambda row: int(row.body["step"]))[:-KEPT_CHECKPOINTS]:
            resources.delete("checkpoint", row.id, job.project)
            with contextlib.suppress(NotFoundError):  # deleted by its owner
                remove_model(self._store, job.project, row.body["model"])
        self.say(NewEvent("info", f"Checkpoint created at step {step}", {"step": step}, key=f"checkpoint-{step}"))


def model_name(job: Job) -> str:
    """Returns the name of the model that a job makes: ft:BASE:PROJECT:SUFFIX:LETTERS."""
    return f"ft:{job.details['base']}:{job.project}:{job.details.get('suffix') or ''}:{job.id[-8:]}"


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
    except LuthierError as error:
        _failed(store, job, owner, report, error)
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
    add_model(store, job.project, name, folder / "run" / "model", _model_body(job, ""))
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
    usage.add({(usage.hour(), whose): Used(requests=1, input_tokens=tokens, cost=cost)})


def _model_body(job: Job, note: str) -> dict[str, Any]:
    return {"base": job.details["base"], "job": job.id, "note": note}


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


def main(job_id: str, owner: str, options_json: str) -> int:
    """Runs one job that `owner` has leased. Returns 0 unless something unforeseen happened."""
    options = WorkerOptions.model_validate_json(options_json)
    store = Store.open(options)
    job = store.jobs.get(job_id)
    report = JobReport(store, job, owner)  # its thread holds the lease, whatever the server does
    step_back()
    write_anyway()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: report.leave())
    try:
        run_job(store, job, owner, options, report)
    except LeaseLost:
        return 0
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
