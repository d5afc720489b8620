"""Where a run's numbers go: metrics.jsonl in the run folder, TensorBoard beside it, W&B where it is installed."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from luthier.errors import Interrupted, SpecError, TrainingError
from luthier.report import Report

OFFLINE = "set WANDB_MODE=offline to keep its files here and send them later, or leave wandb out"


class Sink(Protocol):
    """One place that keeps metrics."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Keeps the numbers of one step."""

    def close(self, error: BaseException | None) -> None:
        """Flushes what is not written yet; `error` is what ended the run early."""


class JsonLines:
    """metrics.jsonl: one line per logged step. A resumed run drops the lines past its checkpoint first."""

    def __init__(self, file: Path, *, from_step: int) -> None:
        kept = [line for line in read_metrics(file) if line["step"] <= from_step]
        file.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._stream = file.open("a", encoding="utf-8")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._stream.write(json.dumps({"step": step, **values}) + "\n")
        self._stream.flush()

    def close(self, error: BaseException | None) -> None:
        self._stream.close()


class TensorBoard:
    """Scalars for `tensorboard --logdir RUN/tensorboard`."""

    def __init__(self, folder: Path, *, from_step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        purge = from_step + 1 if from_step else None
        self._writer = SummaryWriter(str(folder), purge_step=purge)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name.replace("eval_", "eval/"), value, step)

    def close(self, error: BaseException | None) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A W&B run of the run folder's name, in the project "luthier", that a resumed run goes on with.

    Mode, project, name and the rest are W&B's own settings (`WANDB_MODE`, ...). What the terminal shows holds rows and
    is not sent. Steps that W&B lacks are read back from metrics.jsonl, so a resumed run is whole offline too.
    """

    def __init__(self, folder: Path, report: Report, *, config: Mapping[str, Any]) -> None:
        wandb, kept = _wandb(), folder / "wandb" / "run-id"
        known = kept.read_text(encoding="utf-8") if kept.exists() else None
        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", "luthier"),
                name=os.environ.get("WANDB_NAME", folder.name),
                dir=str(folder),
                config=dict(config),
                id=known,
                resume="allow" if known else None,
                settings=wandb.Settings(console="off", silent=True),
            )
        except wandb.errors.Error as error:
            raise TrainingError(f"W&B could not begin: {error}", where="report_to", remedy=OFFLINE) from None
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(self._run.id, encoding="utf-8")
        if self._run.settings.mode == "online":
            report.event("info", f"W&B: {self._run.url}")
        elif self._run.settings.mode == "offline":
            report.event("info", f"W&B, offline; to send it: wandb sync {self._run.settings.sync_dir}")
        self._first = self._run.step
        for line in read_metrics(folder / "metrics.jsonl"):
            self.write(line.pop("step"), line)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        if step >= self._first:
            self._run.log(dict(values), step=step)

    def close(self, error: BaseException | None) -> None:
        stopped = isinstance(error, Interrupted | KeyboardInterrupt)
        self._run.finish(exit_code=0 if error is None else 255 if stopped else 1)  # 255: W&B's own for Ctrl-C


class Tracker:
    """Sends each step's numbers to the report and to every sink, until its `with` block ends."""

    def __init__(
        self, folder: Path, report: Report, *, report_to: Sequence[str], config: Mapping[str, Any], from_step: int
    ) -> None:
        self._report = report
        self.sinks: list[Sink] = [JsonLines(folder / "metrics.jsonl", from_step=from_step)]
        if "tensorboard" in report_to or importlib.util.find_spec("tensorboard") is not None:
            self.sinks.append(TensorBoard(folder / "tensorboard", from_step=from_step))
        if "wandb" in report_to:
            self.sinks.append(WeightsAndBiases(folder, report, config=config))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Keeps the numbers of one step everywhere."""
        self._report.metric(step, values)
        for sink in self.sinks:
            sink.write(step, values)

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in self.sinks:
            sink.close(error)


def check_report_to(report_to: Sequence[str]) -> None:
    """Raises `SpecError` when metrics cannot go where they are wanted: not installed, or W&B does not let us in."""
    for package in report_to:
        if importlib.util.find_spec(package) is None:
            raise SpecError(
                f"{package} is not installed", where="report_to", remedy=f"pip install {package}, or leave it out"
            )
    if "wandb" in report_to:
        wandb = _wandb()
        try:
            if wandb.setup().settings.mode == "online":
                wandb.login(verify=True)
        except wandb.errors.Error as error:
            raise SpecError(f"W&B: {str(error).rstrip(chr(46))}", where="report_to", remedy=OFFLINE) from None


def read_metrics(file: Path) -> list[dict[str, Any]]:
    """Returns the lines of metrics.jsonl; a last line cut short by a crash is left out."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    out = []
    for number, line in enumerate(lines, start=1):
        try:
            out.append(json.loads(line))
        except ValueError:
            if number != len(lines):
                raise
    return out


def _wandb() -> Any:
    """Returns the package, its reports home about itself off; a lost network must not hold up the end of a run."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    os.environ.setdefault("WANDB_FINISH_TIMEOUT", "600")  # seconds; what is not sent by then stays on disk
    import wandb

    return wandb
