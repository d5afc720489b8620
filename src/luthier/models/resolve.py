"""Finds the folders behind a model name: the embedded model, a folder of weights, an adapter, a run, or a hub name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from luthier.errors import ModelError

EMBEDDED = "fiddle"
_HUB_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$")
_WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
_UNWANTED = ["*/*", "consolidated*.safetensors"]


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """Where a model lies. `base_folder` is None for a hub model that is not on this machine yet."""

    name: str
    base: str
    base_folder: Path | None
    adapter: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The folder whose tokenizer, template and card belong to the model: the adapter's when there is one."""
        return self.adapter or self.base_folder


def resolve_model(
    name: str, *, revision: str | None = None, download: bool = False, trust_remote_code: bool = False
) -> ResolvedModel:
    """Returns the folders behind `name`; a hub model is looked up in the local cache, and fetched with `download`.

    `ModelError` says what is wrong with a name, a folder or a connection, and what to do.
    """
    place = Path(name).expanduser()
    if revision and (name == EMBEDDED or place.is_dir()):
        raise ModelError(f"has no revision {revision!r}: it is a folder", where=name, remedy="remove the revision")
    if name == EMBEDDED:
        return ResolvedModel(name, name, _embedded_folder())
    if place.is_dir():
        return _resolve_folder(name, place.resolve(), download=download, trust_remote_code=trust_remote_code)
    if place.is_file():
        raise ModelError("is a file, not a folder", where=name, remedy="give the folder that holds config.json")
    if not _HUB_NAME.match(name):
        raise ModelError("no such folder", where=name, remedy=f"check the path, or use {EMBEDDED!r} or a hub name")
    folder = _hub_folder(name, revision, download=download, code=trust_remote_code)
    if folder is not None and (folder / "adapter_config.json").is_file():
        found = _resolve_folder(name, folder, download=download, trust_remote_code=trust_remote_code)
        return replace(found, name=name)
    return ResolvedModel(name, name, folder)


def read_json(file: Path) -> dict[str, Any]:
    """Returns the JSON object in `file`; `ModelError` when it is damaged."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read ({error})", where=str(file), remedy="copy or download it again") from None
    if not isinstance(value, dict):
        raise ModelError("is not a JSON object", where=str(file), remedy="copy or download it again")
    return value


def _embedded_folder() -> Path:
    folder = Path(__file__).parent / EMBEDDED
    if not (folder / "config.json").is_file():
        raise ModelError(
            "the embedded model is not part of this installation",
            where=EMBEDDED,
            remedy="install a released version of luthier, or give a model folder or a hub name",
        )
    return folder


def _resolve_folder(name: str, folder: Path, *, download: bool, trust_remote_code: bool) -> ResolvedModel:
    if (folder / "run.json").is_file():
        return _resolve_folder(name, _run_model(folder), download=download, trust_remote_code=trust_remote_code)
    if (folder / "adapter_config.json").is_file():
        base = _base_of(folder, download=download, trust_remote_code=trust_remote_code)
        return ResolvedModel(name, base.base, base.base_folder, folder)
    if (folder / "config.json").is_file():
        return ResolvedModel(name, str(folder), folder)
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise ModelError(
        f"is not a model: it holds {held}",
        where=name,
        remedy="give a folder with config.json (a model), adapter_config.json (an adapter) or run.json (a run)",
    )


def _run_model(run: Path) -> Path:
    model = run / "model"
    if (model / "config.json").is_file() or (model / "adapter_config.json").is_file():
        return model
    status = read_json(run / "run.json").get("status", "unknown")
    raise ModelError(
        f"the run has no trained model yet (status: {status})",
        where=str(run),
        remedy="finish it with luthier tune --resume, then try again",
    )


def _base_of(adapter: Path, *, download: bool, trust_remote_code: bool) -> ResolvedModel:
    config = read_json(adapter / "adapter_config.json")
    base = config.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelError(
            "names no base model",
            where=str(adapter / "adapter_config.json"),
            remedy="set base_model_name_or_path to the model the adapter was trained on",
        )
    beside = adapter / base
    name = str(beside) if base.startswith(".") and beside.is_dir() else base
    revision = None if name == EMBEDDED or Path(name).expanduser().is_dir() else config.get("revision")
    try:
        found = resolve_model(name, revision=revision, download=download, trust_remote_code=trust_remote_code)
    except ModelError as error:
        raise ModelError(
            f"its base model cannot be used: {error}",
            where=str(adapter),
            remedy="put the base model back, or correct base_model_name_or_path in adapter_config.json",
        ) from None
    if found.adapter is not None:
        raise ModelError(
            f"its base {base!r} is an adapter itself",
            where=str(adapter),
            remedy="merge that one first: luthier export BASE --to merged --output DIR",
        )
    return found


def _hub_folder(name: str, revision: str | None, *, download: bool, code: bool) -> Path | None:
    """Returns the snapshot of a hub repository: the newest one when the hub answers, else the one in the cache."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    offline = constants.HF_HUB_OFFLINE or not download
    wanted = [*_WANTED, "*.py"] if code else _WANTED
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                local_files_only=offline,
                allow_patterns=wanted,
                ignore_patterns=_UNWANTED,
            )
        )
    except HFValidationError as error:
        raise ModelError(f"is neither a folder nor a hub name ({error})", where=name) from None
    except HfHubHTTPError as error:
        raise ModelError(
            f"the hub does not hand it out ({_first_line(error)})",
            where=name,
            remedy="check the name and the revision; for a gated model accept its terms and run: hf auth login",
        ) from None
    except (LocalEntryNotFoundError, OSError) as error:
        if not download:
            return None
        raise ModelError(
            f"is no folder here, is not in the local cache, and the hub cannot be reached ({_first_line(error)})",
            where=name,
            remedy=f"give a model folder; or connect and run: hf download {name}"
            + (f" --revision {revision}" if revision else "")
            + (" (HF_HUB_OFFLINE is set: unset it)" if constants.HF_HUB_OFFLINE else ""),
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
