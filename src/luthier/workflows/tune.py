"""Tune a model on your rows, and measure what it gained on rows it has not seen."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from luthier.errors import Interrupted, SpecError
from luthier.report import Report, Table
from luthier.training.options import TuningOptions

if TYPE_CHECKING:
    from luthier.training.results import Comparison
    from luthier.training.run import RunFolder

JOB_OUTPUT = ""


class Spec(TuningOptions):
    """Everything a tuning run can be told."""

    plan_compute: float | None = Field(
        default=None,
        gt=0,
        description="print the compute-optimal sizes for this many floating-point operations, and stop",
    )


@dataclass(frozen=True)
class Result:
    """What a run left: its folder, its plan, its held-out figures before and after, and answers side by side."""

    output: str
    plan: Mapping[str, Any]
    comparison: Mapping[str, Any] = field(default_factory=dict)
    shown: Sequence[Table] = ()
    sentence: str = ""
    commands: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        return {"output": self.output, "plan": dict(self.plan), "comparison": dict(self.comparison)}

    def tables(self) -> Sequence[Table | str]:
        if not self.output:
            return self.shown
        report = f"report: {Path(self.output) / 'report.html'}"
        return [*self.shown, *([self.sentence] if self.sentence else []), report]

    def next_commands(self) -> Sequence[str]:
        return self.commands


def run(spec: Spec, report: Report) -> Result:
    """Returns the result of the run; every file it leaves is under `Result.output`.

    Raises `RowsError`, `SpecError`, `ModelError` or `CapacityError` before anything is trained, `TrainingError` when
    the loss stops being a number, `Interrupted` when the report says so; then the run can be resumed.
    """
    if spec.plan_compute is not None:
        return _compute_table(spec)
    if not spec.rows:
        raise SpecError("no rows are named", where="rows", remedy="give a file, a folder or a hub data set")
    from luthier.training.run import RunFolder
    from luthier.training.track import check_report_to

    check_report_to(spec.report_to)
    name = f"{Path(spec.rows[0]).name.split('.')[0]}-{Path(spec.model).name}"
    folder = RunFolder.claim(spec.output, name=name, spec=spec, resume=spec.resume)
    try:
        return _tune(spec, folder, report)
    except BaseException as error:
        folder.abandon("interrupted" if isinstance(error, Interrupted | KeyboardInterrupt) else "failed", str(error))
        raise


def _tune(spec: Spec, folder: RunFolder, report: Report) -> Result:
    from luthier.training.setup import plan_run
    from luthier.training.tuning import Tuning

    planned = plan_run(spec, folder, report)
    if spec.plan_only:
        folder.discard()
        return Result("", planned.plan.to_json())
    tuning = Tuning(planned, folder, report)
    base = tuning.measure("base")
    outcome = tuning.train()
    tuned = tuning.measure("tuned")
    comparison = tuning.finish(outcome, base, tuned)
    return _result(folder, planned.plan.to_json(), comparison, system=planned.rows.system)


def _result(folder: RunFolder, plan: Mapping[str, Any], comparison: Comparison | None, *, system: str) -> Result:
    path = str(folder.path)
    asked = f" --system {shlex.quote(system)}" if system else ""
    shown = [] if comparison is None else [*comparison.tables(), *comparison.samples()]
    return Result(
        path,
        plan,
        {} if comparison is None else comparison.to_json(),
        shown=shown,
        sentence="" if comparison is None else comparison.sentence,
        commands=(
            f"luthier chat {shlex.quote(path)}{asked}",
            f"luthier export {shlex.quote(path)} --to merged --output {shlex.quote(path + '-merged')}",
        ),
    )


def _compute_table(spec: Spec) -> Result:
    from luthier.models.scaling import compute_table, plan_compute

    assert spec.plan_compute is not None
    table = compute_table(plan_compute(flops=spec.plan_compute))
    return Result("", {"plan_compute": spec.plan_compute}, shown=[table])
