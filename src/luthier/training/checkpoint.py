"""Checkpoints: written whole, checked when read, bit for bit what the run was.

A checkpoint is a folder `step-00000123` with `tensors.safetensors` (trained weights, both AdamW moments, random
states) and `state.json` (step, identity of the run, SHA-256 of the tensors). It is written under a temporary name,
synced and renamed, so that a folder with a final name is always whole. No pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from luthier.errors import CheckpointError, DiskFullError

PREFIX = "step-"
TENSORS = "tensors.safetensors"


class OtherRunError(CheckpointError):
    """The checkpoint is whole, but of a run with other settings or other rows."""


@dataclass
class State:
    """Where a run stands between two optimizer steps."""

    step: int = 0
    tokens: int = 0
    labelled: int = 0
    best_step: int | None = None
    best_loss: float | None = None
    stale: int = 0
    """Evaluations since the best one."""
    seconds: float = 0.0


def save_checkpoint(folder: Path, state: State, tensors: Mapping[str, Tensor], identity: Mapping[str, Any]) -> Path:
    """Returns the new checkpoint's folder under `folder`; `DiskFullError` when there is no room (nothing is lost)."""
    size_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{PREFIX}{state.step:08d}"
    partial = folder / f".{final.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _need_space(folder, size_bytes)
        partial.mkdir()
        file = partial / TENSORS
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, str(file))
        content = {"state": asdict(state), "identity": dict(identity), "sha256": _digest(file)}
        (partial / "state.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
        sync_tree(partial)
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
        _sync(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise DiskFullError(
            f"the checkpoint of step {state.step} could not be written: {error}",
            where=str(folder),
            remedy="free some space and run again with --resume; earlier checkpoints are whole",
        ) from None
    return final


def read_state(checkpoint: Path) -> tuple[State, dict[str, Any], str]:
    """Returns the state, the run's identity and the tensors' digest; `CheckpointError` when they cannot be read."""
    try:
        content = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
        return State(**content["state"]), content["identity"], content["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"is damaged: state.json cannot be read ({error})", where=str(checkpoint), remedy="remove this folder"
        ) from None


def load_tensors(checkpoint: Path) -> dict[str, Tensor]:
    """Returns the tensors of a checkpoint that `latest_checkpoint` has checked."""
    return load_file(str(checkpoint / TENSORS))


def check_tensors(checkpoint: Path, digest: str) -> None:
    """Raises `CheckpointError` when a single bit of the checkpoint's tensors has changed since they were written."""
    file = checkpoint / TENSORS
    found = _digest(file) if file.exists() else "no file"
    if found != digest:
        raise CheckpointError(
            f"is damaged: tensors.safetensors has SHA-256 {found[:12]}, not {digest[:12]}",
            where=str(checkpoint),
            remedy="remove this folder to continue from the checkpoint before it",
        )


def checkpoints(folder: Path) -> list[Path]:
    """Returns the whole checkpoints under `folder`, oldest first."""
    return sorted(path for path in folder.glob(f"{PREFIX}*") if path.is_dir())


def latest_checkpoint(folder: Path, identity: Mapping[str, Any]) -> tuple[Path | None, list[CheckpointError]]:
    """Returns the newest undamaged checkpoint of the run with this identity, and what is wrong with newer ones.

    `CheckpointError` when a checkpoint belongs to another run (the keys that differ are named), or all are damaged.
    """
    damaged: list[CheckpointError] = []
    for checkpoint in reversed(checkpoints(folder)):
        try:
            _, found, digest = read_state(checkpoint)
            _same_run(checkpoint, found, identity)
            check_tensors(checkpoint, digest)
        except OtherRunError:
            raise
        except CheckpointError as error:
            damaged.append(error)
            continue
        return checkpoint, damaged
    if damaged:
        raise CheckpointError(
            "no undamaged checkpoint is left",
            where=str(folder),
            remedy="start again with another --output; found: " + "; ".join(str(error) for error in damaged),
        )
    return None, []


def prune(folder: Path, keep: int, best_step: int | None) -> None:
    """Removes the oldest checkpoints beyond `keep`, never the best one."""
    best = None if best_step is None else f"{PREFIX}{best_step:08d}"
    others = [path for path in checkpoints(folder) if path.name != best]
    for path in others[: max(0, len(others) - keep)]:
        shutil.rmtree(path)


def sync_tree(folder: Path) -> None:
    """Makes every file under `folder`, and the folder itself, survive a power cut."""
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _need_space(folder: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size_bytes * 1.05 + 1_000_000:
        raise OSError(f"{size_bytes / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free")


def _same_run(checkpoint: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    differing = [key for key in sorted({*found, *wanted}) if found.get(key) != wanted.get(key)]
    if differing:
        changes = ", ".join(f"{key}: {found.get(key)!r} there, {wanted.get(key)!r} here" for key in differing)
        raise OtherRunError(
            f"belongs to another run ({changes})",
            where=str(checkpoint),
            remedy="resume with the same settings and rows, or start a new run with another --output",
        )


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Returns the states of the random generators that training draws from."""
    states = {"random.cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["random.cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["random.mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(tensors: Mapping[str, Tensor], device: torch.device) -> None:
    """Sets the random generators back to where the checkpoint left them."""
    torch.set_rng_state(tensors["random.cpu"])
    if device.type == "cuda" and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"], device)
    if device.type == "mps" and "random.mps" in tensors:
        torch.mps.set_rng_state(tensors["random.mps"])
