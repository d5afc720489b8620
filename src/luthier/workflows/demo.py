"""The main job on the embedded model: messages of a repair shop become tickets, measured before and after."""

from __future__ import annotations

from importlib.resources import files
from typing import ClassVar

from pydantic import Field

from luthier.config import LocalPath, Options
from luthier.report import Report
from luthier.workflows import tune

ROWS = files("luthier") / "demo_data" / "repair_shop.jsonl"
"""600 rows of our own: a customer's message, and the ticket it becomes as JSON."""
Result = tune.Result


class Spec(Options):
    """What the demo can be told; everything else about it is fixed."""

    title: ClassVar[str] = "Demo"
    output: LocalPath | None = Field(default=None, description="the run's folder; default: a new one under runs/")
    resume: bool = Field(default=False, description="go on with the demo in output, bit for bit")
    max_steps: int | None = Field(default=None, ge=1, description="optimizer steps; fewer are quicker and teach less")


def tune_spec(spec: Spec) -> tune.Spec:
    """Returns the tuning run that the demo is."""
    return tune.Spec(
        rows=(str(ROWS),),
        model="fiddle",
        method="sft",
        train="full",
        learning_rate=1e-3,
        num_train_epochs=4,
        max_steps=spec.max_steps,
        batch_size=16,
        validation_fraction=0.1,
        test_fraction=0.2,
        seed=1,
        output=spec.output,
        resume=spec.resume,
    )


def run(spec: Spec, report: Report) -> Result:
    """Returns the tuning run's result: before/after table, answers side by side, the command to chat."""
    report.event("info", "messages to a repair shop become tickets; no message of the test has been trained on")
    return tune.run(tune_spec(spec), report)
