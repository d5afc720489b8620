"""The run folder: what was asked, with what versions, on which rows, and what came of it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from luthier.config import Options, dump
from luthier.errors import CheckpointError, SpecError


class RunFolder:
    """One run's folder; `run.json` is replaced whole at each `update`."""

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path, self.fresh = path, fresh
        self.model = path / "model"
        self.checkpoints = path / "checkpoints"
        self.models = path / "models"
        self.data = path / "data"

    @classmethod
    def claim(cls, output: str | None, *, name: str, spec: Options, resume: bool) -> RunFolder:
        """Returns the run's folder, made if need be.

        `SpecError` when it holds a run already and `resume` was not asked, or `resume` was asked and it holds none.
        """
        if output is None:
            if resume:
                raise SpecError("resume needs the run's folder", where="--resume", remedy="name it with --output")
            output = f"runs/{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        run = cls(Path(output))
        held = (run.path / "run.json").exists()
        run.fresh = not held
        if held and not resume:
            raise SpecError(
                "holds a run already", where=output, remedy="add --resume to go on with it, or name another --output"
            )
        if resume and not held:
            raise SpecError("holds no run to resume", where=output, remedy="check --output, or leave out --resume")
        if not held and run.path.exists() and any(run.path.iterdir()):
            raise SpecError("is not empty", where=output, remedy="name a new folder with --output")
        run.path.mkdir(parents=True, exist_ok=True)
        if not held:
            (run.path / "spec.yaml").write_text(dump(spec), encoding="utf-8")
            run.update(status="running", created_at=int(time.time()), versions=versions(), spec=json_of(spec))
        return run

    def abandon(self, status: str, message: str) -> None:
        """Records how the run ended early. A new folder in which a run failed before anything was trained is removed;
        one that was there before, or can be resumed, never is, and a run that had succeeded stays so."""
        if status == "failed" and not any(self.checkpoints.glob("step-*")):
            self.discard()
        if self.path.exists() and self.read().get("status") != "succeeded":
            self.update(status=status, error=message)

    def discard(self) -> None:
        """Removes the folder of a run that was not started, if this process made it."""
        if self.fresh:
            shutil.rmtree(self.path, ignore_errors=True)

    def read(self) -> dict[str, Any]:
        """Returns the content of run.json."""
        try:
            content: dict[str, Any] = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"run.json cannot be read ({error})", where=str(self.path)) from None
        return content

    def update(self, **content: Any) -> None:
        """Adds to run.json."""
        file = self.path / "run.json"
        whole = (self.read() if file.exists() else {}) | content
        partial = file.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as stream:
            json.dump(whole, stream, indent=1, ensure_ascii=False)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)


def json_of(spec: Options) -> dict[str, Any]:
    """Returns the spec as JSON values."""
    return dict(spec.model_dump(mode="json"))


def identity(spec: Options, *, rows: str, model: str, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what makes a run this run: everything that changes its numbers.

    `rows` and `model` are fingerprints, `resolved` what was chosen by the machine (token budget, precision).
    """
    free = {
        "output",
        "resume",
        "report_to",
        "save_steps",
        "save_total_limit",
        "logging_steps",
        "profile",
        "rows",
        "model",
    }
    kept = {key: value for key, value in json_of(spec).items() if key not in free}
    return kept | {"rows": rows, "model": model} | dict(resolved)


def versions() -> dict[str, str]:
    """Returns the versions that a run's numbers depend on."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine()}
    for package in ("luthier", "torch", "transformers", "tokenizers", "safetensors", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
