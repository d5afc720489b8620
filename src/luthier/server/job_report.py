"""A job's report: what its verb says is kept in the store, and its lease is held."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from luthier.errors import NotFoundError
from luthier.report import Table, write_line
from luthier.server.places import add_model, remove_model
from luthier.server.wire.fine_tuning import KEPT_CHECKPOINTS, figures, metrics_data, metrics_message
from luthier.store.ids import new_id
from luthier.store.jobs import Job, LeaseLost, NewEvent, Wanted
from luthier.store.opened import Store

BEAT_S = 0.5


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
                write_line(sys.stderr, f"job {self._job.id}: {error}")
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
        add_model(self._store, job.project, name, Path(data["path"]), model_body(job, f"after step {step}"))
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


def model_body(job: Job, note: str) -> dict[str, Any]:
    """Returns what is kept of a model that a job makes."""
    return {"base": job.details["base"], "job": job.id, "note": note}
