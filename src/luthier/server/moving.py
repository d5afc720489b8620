"""Bring a hosted account, or a folder of what was exported from one, to this store."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from luthier.access.options import NAME, PROJECT, VARIABLE
from luthier.config import LocalPath, Outside, Positional
from luthier.errors import SpecError
from luthier.report import Report, Table
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.server.arrivals import Arrivals, Left, Tally
    from luthier.server.exported import Folder
    from luthier.server.hosted import Hosted
    from luthier.store.opened import Store

MODEL = "fiddle"
"""The model of a server that is told of none."""
SHOWN_COMMANDS, SHOWN_LEFT = 3, 50


class Spec(StoreOptions):
    """From where, what of it, and where to."""

    title = "Import"
    source: Annotated[Literal["openai"] | LocalPath, Positional()] = Field(
        description="openai: the account that the key opens; otherwise a folder of what was exported (docs/server.md)"
    )
    key_variable: str = Field(
        default="OPENAI_API_KEY", min_length=1, description="the environment variable that holds the account's key"
    )
    url: Annotated[str, Outside("url")] = Field(
        default="https://api.openai.com/v1", pattern=r"^https?://", description="where the account is, with its /v1"
    )
    what: tuple[Literal["files", "fine-tuning", "completions", "evals"], ...] = Field(
        default=("files", "fine-tuning", "completions", "evals"), min_length=1, description="what is brought"
    )
    project: str = Field(
        default=PROJECT, pattern=NAME, max_length=60, description="the project of this store that it is brought to"
    )
    dry_run: bool = Field(default=False, description="only say what would come; no content is asked for")


@dataclass(frozen=True)
class JobHere:
    """A fine-tuning job that is here now, without its weights: what asks for it again, or why that cannot be."""

    id: str
    model: str
    status: str
    fine_tuned_model: str | None
    body: dict[str, Any] | None
    why_not: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "model": self.model,
            "status": self.status,
            "fine_tuned_model": self.fine_tuned_model,
            "run_again": self.body,
            "why_not": self.why_not or None,
        }


@dataclass(frozen=True)
class Result:
    """What came, what was there, what could not come."""

    project: str
    home: str | None
    dry_run: bool
    tallies: dict[str, Tally]
    jobs: Sequence[JobHere]

    @property
    def left(self) -> list[Left]:
        return [one for tally in self.tallies.values() for one in tally.left]

    @property
    def _again(self) -> list[JobHere]:
        return [job for job in self.jobs if job.body is not None and job.status == "succeeded"]

    def to_json(self) -> dict[str, Any]:
        counts = {
            kind: {"came": tally.came, "there": tally.there, "left": len(tally.left)}
            for kind, tally in self.tallies.items()
        }
        left = [{"kind": one.kind, "id": one.id, "cause": one.cause} for one in self.left]
        jobs = [job.to_json() for job in self.jobs]
        return {"project": self.project, "dry_run": self.dry_run, "counts": counts, "left": left, "jobs": jobs}

    def tables(self) -> Sequence[Table | str]:
        came = "would come" if self.dry_run else "came"
        rows = tuple(
            (kind, f"{tally.came:,}", f"{tally.there:,}", f"{len(tally.left):,}")
            for kind, tally in self.tallies.items()
        )
        title = f"Import to project {self.project}"
        tables: list[Table | str] = [Table(title, ("", came, "there already", "could not come"), rows)]
        if self.left:
            shown = tuple((one.kind, one.id, one.cause) for one in self.left[:SHOWN_LEFT])
            more = len(self.left) - len(shown)
            note = f"and {more:,} more: --json has all of them" if more else ""
            tables.append(Table("Could not come", ("kind", "id", "why"), shown, note))
        return [*tables, *self._said()]

    def _said(self) -> list[str]:
        """Returns what has to be known of what came."""
        said = []
        if tuned := [job.fine_tuned_model for job in self.jobs if job.fine_tuned_model]:
            said.append(
                f"The weights of {len(tuned)} tuned models stay with the hosted API ({', '.join(tuned[:3])}"
                f"{', ...' if len(tuned) > 3 else ''}): their jobs can be read here, and run again here."
            )
        if (more := len(self._again) - SHOWN_COMMANDS) > 0:
            said.append(f"{more:,} more jobs can be run again: --json has the body of each request.")
        if why := [f"{job.id} ({job.why_not})" for job in self.jobs if job.why_not]:
            said.append(f"Cannot be run again as they are: {'; '.join(why[:10])}{'; ...' if len(why) > 10 else ''}.")
        if any(self.tallies[kind].came + self.tallies[kind].there for kind in self.tallies if kind.startswith("eval")):
            said.append("Evals and their runs are kept whole; there is no evals API here yet, and no route shows them.")
        return said

    def next_commands(self) -> Sequence[str]:
        if self.dry_run or not self._again:
            return []
        home = f" --home {shlex.quote(self.home)}" if self.home else ""
        key = f"${VARIABLE}" if self.project == PROJECT else "$KEY"
        made = [] if self.project == PROJECT else [f"luthier keys create mover --project {self.project}{home}"]
        return [f"luthier serve{home}", *made, *(_command(job, key) for job in self._again[-SHOWN_COMMANDS:])]


def run(spec: Spec, report: Report) -> Result:
    """Brings what is not here yet. `RemoteError` when the account cannot be read, `RowsError` for a folder that is not
    understood, `Interrupted` on request: what has come then stays, and the next run goes on."""
    from luthier.server.arrivals import Arrivals
    from luthier.server.exported import Folder
    from luthier.server.hosted import Hosted
    from luthier.store.opened import Store

    source: Hosted | Folder
    if spec.source == "openai":
        if not (key := os.environ.get(spec.key_variable)):
            raise SpecError("is not set", where=f"${spec.key_variable}", remedy="set it to a key of the account")
        source = Hosted(spec.url, key, spec.key_variable, report.cancelled)
    else:
        source = Folder(Path(spec.source), spec.project)
    try:
        store = Store.open(spec)
        try:
            arrivals = Arrivals(store, spec.project, source, report, dry=spec.dry_run)
            steps = {
                "files": arrivals.files,
                "fine-tuning": arrivals.fine_tuning,
                "completions": arrivals.completions,
                "evals": arrivals.evals,
            }
            for name, step in steps.items():
                if name in spec.what:
                    step()
            arrivals.check_read()
            return Result(spec.project, spec.home, spec.dry_run, arrivals.tallies, _jobs_here(arrivals, store, spec))
        finally:
            store.close()
    finally:
        source.close()


def _jobs_here(arrivals: Arrivals, store: Store, spec: Spec) -> list[JobHere]:
    from luthier.server.errors import ApiError
    from luthier.server.wire.moved import asked_again

    found = []
    for job in arrivals.jobs:
        body, why_not = None, ""
        try:
            body = asked_again(job, MODEL)
        except ApiError as error:
            why_not = str(error).rstrip(".")
        files = [job.training_file, *([job.validation_file] if job.validation_file else [])]
        gone = [id for id in files if not spec.dry_run and store.resources.holder(id) is None]
        if gone:
            body, why_not = None, f"there is no {' and no '.join(gone)} here"
        found.append(JobHere(job.id, job.model, job.status, job.fine_tuned_model, body, why_not))
    return found


def _command(job: JobHere, key: str) -> str:
    return (
        f'curl http://127.0.0.1:8000/v1/fine_tuning/jobs -H "Authorization: Bearer {key}" '
        f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(job.body))}  # {job.id}"
    )
