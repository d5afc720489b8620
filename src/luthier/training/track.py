"""Where a run's numbers go: metrics.jsonl in the run folder, TensorBoard beside it, W&B where it is installed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from luthier.errors import SpecError
from luthier.report import Report


class Sink(Protocol):
    """One place that keeps metrics."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Keeps the numbers of one step."""

    def close(self) -> None:
        """Flushes what is not written yet."""


class JsonLines:
    """metrics.jsonl: one line per logged step. A resumed run drops the lines past its checkpoint first."""

    def __init__(self, file: Path, *, from_step: int) -> None:
        kept = [line for line in read_metrics(file) if line["step"] <= from_step]
        file.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._stream = file.open("a", encoding="utf-8")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._stream.write(json.dumps({"step": step, **values}) + "\n")
        self._stream.flush()

    def close(self) -> None:
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

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A W&B run named like the run folder; its mode (online, offline) is W&B's own setting."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        import wandb

        self._run = wandb.init(
            project="luthier", name=folder.name, dir=str(folder), config=dict(config), id=folder.name, resume="allow"
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


class Tracker:
    """Sends each step's numbers to the report and to every sink."""

    def __init__(
        self, folder: Path, report: Report, *, report_to: Sequence[str], config: Mapping[str, Any], from_step: int
    ) -> None:
        self._report = report
        self.sinks: list[Sink] = [JsonLines(folder / "metrics.jsonl", from_step=from_step)]
        if importlib.util.find_spec("tensorboard") is not None:
            self.sinks.append(TensorBoard(folder / "tensorboard", from_step=from_step))
        elif "tensorboard" in report_to:
            raise _absent("tensorboard")
        if "wandb" in report_to:
            if importlib.util.find_spec("wandb") is None:
                raise _absent("wandb")
            self.sinks.append(WeightsAndBiases(folder, config))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Keeps the numbers of one step everywhere."""
        self._report.metric(step, values)
        for sink in self.sinks:
            sink.write(step, values)

    def close(self) -> None:
        """Flushes every sink."""
        for sink in self.sinks:
            sink.close()


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


def _absent(package: str) -> SpecError:
    return SpecError(
        f"{package} is not installed", where="report_to", remedy="pip install 'luthier[tracking]', or leave it out"
    )
