"""Puts what comes from a source into a store, under the ids it had: each thing whole or not at all, and only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from luthier.errors import CapacityError, Interrupted, NotFoundError, RemoteError, StateError
from luthier.report import Report
from luthier.server.options import UPLOAD_LIMIT
from luthier.server.source import AGAIN, CutOff, Source, Withheld
from luthier.server.wire.chat import STORED, stored_row
from luthier.server.wire.fine_tuning import job_labels
from luthier.server.wire.moved import (
    EVAL,
    EVAL_RUN,
    Moved,
    MovedCompletion,
    MovedEval,
    MovedFile,
    MovedJob,
    MovedRun,
    Unread,
    ended_job,
    kept_event,
    metrics_row,
    whole,
)
from luthier.store.files import add_file
from luthier.store.opened import Store
from luthier.store.resources import Holder

FILES, JOBS, COMPLETIONS, EVALS, RUNS = "files", "fine-tuning jobs", "stored completions", "evals", "eval runs"
ALL = "all"
"""Stands for the id where a list could not be read at all."""
FILE, JOB, CHECKPOINT = "file", "tune", "checkpoint"
TRIES = 3
"""How often a content is asked for that ends too early."""
MovedT = TypeVar("MovedT", bound=Moved)


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that did not come, and why."""

    kind: str
    id: str
    cause: str


@dataclass
class Tally:
    """What became of the things of one kind. `came` counts those that would come, where nothing was to be done."""

    came: int = 0
    there: int = 0
    left: list[Left] = field(default_factory=list)


class Arrivals:
    """Takes things from `source` to `project`. `dry` only counts: no content is asked for, nothing is kept."""

    def __init__(self, store: Store, project: str, source: Source, report: Report, *, dry: bool) -> None:
        self._store, self._project, self._source, self._report, self._dry = store, project, source, report, dry
        self.tallies: dict[str, Tally] = {}
        self.jobs: list[MovedJob] = []
        """Those that are here now, oldest first."""

    def files(self) -> None:
        """Takes the files, with their contents."""
        self._each(FILES, FILE, self._source.files, self._keep_file)

    def fine_tuning(self) -> None:
        """Takes the fine-tuning jobs that have ended: what was asked for and what was said, without the weights."""
        self._each(JOBS, JOB, self._source.jobs, self._keep_job)

    def completions(self) -> None:
        """Takes the stored completions, with the messages they answer."""
        self._each(COMPLETIONS, STORED, self._source.completions, self._keep_completion)

    def evals(self) -> None:
        """Takes the evals, and those of their runs that have ended, with their output items."""
        self._each(EVALS, EVAL, self._source.evals, self._keep_eval, self._runs)
        self.tallies.setdefault(RUNS, Tally())

    def check_read(self) -> None:
        """`RemoteError` when not one of the lists that were asked for could be read: it is not this or that kind."""
        first = [one.left[0] for one in self.tallies.values() if one.left and one.left[0].id == ALL]
        if first and len(first) == len(self.tallies.keys() - {RUNS}):
            said = "; ".join(f"{one.kind}: {one.cause}" for one in first)
            raise RemoteError(said, where=self._source.name, remedy="check --url, which ends in /v1, and the key")

    def _each(
        self,
        name: str,
        kind: str,
        listed: Callable[[], Iterator[MovedT | Unread]],
        keep: Callable[[MovedT], None],
        then: Callable[[MovedT], None] = lambda _: None,
    ) -> None:
        """Brings every thing of a list to its tally; `then` is done with each that is here at the end."""
        tally = self.tallies.setdefault(name, Tally())
        id, done = "", 0
        try:
            for done, one in enumerate(listed(), start=1):
                self._check_stopped()
                id = one.id
                self._take(name, kind, one, keep, then, tally)
                self._report.progress(name, done, None)
        except Withheld as error:
            tally.left.append(Left(name, f"after {id}" if id else ALL, str(error)))
        self._report.progress(name, done, done)

    def _take(
        self,
        name: str,
        kind: str,
        one: MovedT | Unread,
        keep: Callable[[MovedT], None],
        then: Callable[[MovedT], None],
        tally: Tally,
    ) -> None:
        if isinstance(one, Unread):
            tally.left.append(Left(name, one.id, f"{one.key}: {one.problem}" if one.key else one.problem))
            return
        try:
            if self._is_here(kind, one.id):
                tally.there += 1
            else:
                keep(one)
                tally.came += 1
        except (Withheld, StateError, CapacityError) as error:
            tally.left.append(Left(name, one.id, error.problem))
            return
        if isinstance(one, MovedJob):
            self.jobs.append(one)
        then(one)

    def _is_here(self, kind: str, id: str) -> bool:
        """Returns whether it came before. `StateError` when its id is something else's, or it was deleted here."""
        holder = self._job_holder(id) if kind == JOB else self._store.resources.holder(id)
        if holder is None:
            return False
        if holder.project != self._project:
            raise StateError("its id is taken by another project of this store")
        if holder.kind != kind:
            raise StateError("its id is taken by something else")
        if holder.deleted:
            raise StateError("it was here, and was deleted here")
        return True

    def _job_holder(self, id: str) -> Holder | None:
        try:
            job = self._store.jobs.get(id)
        except NotFoundError:
            return None
        return Holder(job.kind, job.project, deleted=False)

    def _keep_file(self, file: MovedFile) -> None:
        if self._dry:
            return
        for left in reversed(range(TRIES)):
            try:
                blob = self._store.blobs.put(self._pieces(file), limit_bytes=UPLOAD_LIMIT)
                break
            except CutOff:
                if not left:
                    raise
        name = file.filename.replace("\\", "/").rpartition("/")[2] or "upload"
        add_file(
            self._store,
            self._project,
            file.id,
            blob,
            filename=name,
            purpose=file.purpose,
            created_at=file.created_at,
            expires_at=file.expires_at,
        )

    def _pieces(self, file: MovedFile) -> Iterator[bytes]:
        size = 0
        task = f"{file.filename} ({file.id}), bytes"
        for piece in self._source.content(file):
            self._check_stopped()
            yield piece
            size += len(piece)
            self._report.progress(task, size, file.bytes if file.bytes and file.bytes > size else None)
        self._report.progress(task, size, size)

    def _keep_job(self, job: MovedJob) -> None:
        if not job.ended:
            raise Withheld(f"it is {job.status} there: import again once it has ended")
        if self._dry:
            return
        events = [kept_event(event) for event in self._source.events(job)]
        for one in self._source.checkpoints(job):
            if not self._is_here(CHECKPOINT, one.id):
                self._store.resources.add(
                    CHECKPOINT, one.id, self._project, metrics_row(one), parent=job.id, created_at=one.created_at
                )
        row = ended_job(job, self._project, self._source.name)  # last: a job that is here is whole
        self._store.jobs.keep(row, labels=job_labels(job.metadata), events=events)

    def _keep_completion(self, completion: MovedCompletion) -> None:
        if self._dry:
            return
        messages = self._source.messages(completion)
        body, labels = stored_row(whole(completion, without="messages"), messages, completion.metadata)
        self._store.resources.add(
            STORED, completion.id, self._project, body, created_at=completion.created, labels=labels
        )

    def _keep_eval(self, one: MovedEval) -> None:
        if not self._dry:
            self._store.resources.add(
                EVAL, one.id, self._project, whole(one, without="runs"), created_at=one.created_at
            )

    def _runs(self, one: MovedEval) -> None:
        def keep(run: MovedRun) -> None:
            if not run.ended:
                raise Withheld(f"it is {run.status} there: import again once it has ended")
            if self._dry:
                return
            blob = self._store.blobs.put(_lines(self._source.output_items(one, run), self._check_stopped))
            self._store.resources.add(
                EVAL_RUN,
                run.id,
                self._project,
                whole(run, without="output_items"),
                parent=one.id,
                created_at=run.created_at,
                parts={"output_items": blob},
            )

        self._each(RUNS, EVAL_RUN, lambda: self._source.runs(one), keep)

    def _check_stopped(self) -> None:
        if self._report.cancelled():
            raise Interrupted(f"stopped on request; {AGAIN}")


def _lines(items: Iterator[dict[str, Any]], check: Callable[[], None]) -> Iterator[bytes]:
    for item in items:
        check()
        yield json.dumps(item).encode() + b"\n"
