from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import luthier.models.resolve as module
from luthier.errors import ModelError
from luthier.models.resolve import ResolvedModel, resolve_model


def model_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def adapter_folder(folder: Path, base: object, revision: str | None = None) -> Path:
    folder.mkdir(parents=True)
    config = {"base_model_name_or_path": base, "revision": revision}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An offline machine with an empty hub cache, whose folder is returned."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


def cached(cache: Path, name: str, config: dict[str, object] | None = None) -> Path:
    """Puts a snapshot of a hub repository into the cache, as a download does."""
    repo = cache / f"models--{name.replace('/', '--')}"
    snapshot = repo / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("a" * 40)
    file = "config.json" if config is None else "adapter_config.json"
    (snapshot / file).write_text(json.dumps(config or {}))
    return snapshot


def test_a_model_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "m")
    assert resolve_model(str(folder)) == ResolvedModel(str(folder), str(folder), folder)
    monkeypatch.chdir(tmp_path)
    assert resolve_model("m") == ResolvedModel("m", str(folder), folder)
    assert resolve_model("m").folder == folder


def test_an_adapter_folder_leads_to_its_base(tmp_path: Path) -> None:
    base = model_folder(tmp_path / "base")
    adapter = adapter_folder(tmp_path / "adapter", str(base), revision="main")
    found = resolve_model(str(adapter))
    assert found == ResolvedModel(str(adapter), str(base), base, adapter)
    assert found.folder == adapter
    beside = adapter_folder(tmp_path / "beside", "../base")
    assert resolve_model(str(beside)).base_folder == base


def test_a_run_folder_means_its_model(tmp_path: Path) -> None:
    base = model_folder(tmp_path / "base")
    for make, wanted in ((lambda f: adapter_folder(f, str(base)), base), (model_folder, None)):
        run = tmp_path / f"run{wanted is None}"
        make(run / "model")
        (run / "run.json").write_text('{"status": "done"}')
        found = resolve_model(str(run))
        assert found.base_folder == (wanted or run / "model")
        assert found.folder == run / "model"
        assert found.name == str(run)


def test_a_run_without_a_model_says_its_status(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"status": "interrupted"}')
    with pytest.raises(ModelError, match=r"status: interrupted\); finish it with"):
        resolve_model(str(tmp_path))


def test_the_embedded_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "resolve.py"))
    with pytest.raises(ModelError, match="not part of this installation"):
        resolve_model("fiddle")
    folder = model_folder(tmp_path / "fiddle")
    assert resolve_model("fiddle") == ResolvedModel("fiddle", "fiddle", folder)
    adapter = adapter_folder(tmp_path / "adapter", "fiddle")
    assert resolve_model(str(adapter)) == ResolvedModel(str(adapter), "fiddle", folder, adapter)


def broken_base(folder: Path) -> str:
    return str(adapter_folder(folder / "a", str(folder / "gone")))


def adapter_on_adapter(folder: Path) -> str:
    base = adapter_folder(folder / "b", str(model_folder(folder / "m")))
    return str(adapter_folder(folder / "a", str(base)))


def baseless(folder: Path) -> str:
    return str(adapter_folder(folder / "a", None))


def damaged(folder: Path) -> str:
    (folder / "adapter_config.json").write_text("[1]")
    return str(folder)


def other_things(folder: Path) -> str:
    (folder / "notes.txt").write_text("")
    return str(folder)


def a_file(folder: Path) -> str:
    return str(model_folder(folder / "m") / "config.json")


def revised_folder(folder: Path) -> str:
    return str(model_folder(folder / "m"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (broken_base, "its base model cannot be used: .*no such folder.*put the base model back"),
        (adapter_on_adapter, "is an adapter itself; merge that one first"),
        (baseless, "names no base model"),
        (damaged, "not a JSON object"),
        (other_things, r"is not a model: it holds notes\.txt"),
        (a_file, "is a file, not a folder"),
        (lambda folder: str(folder / "nowhere"), "no such folder; check the path"),
    ],
)
def test_wrong_names_say_what_is_there_and_what_to_do(
    make: Callable[[Path], str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        resolve_model(make(tmp_path))


def test_a_revision_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no revision 'v2'"):
        resolve_model(str(model_folder(tmp_path / "m")), revision="v2")


def test_a_hub_name_from_the_cache(offline: Path) -> None:
    assert resolve_model("org/name") == ResolvedModel("org/name", "org/name", None)
    snapshot = cached(offline, "org/name")
    for download in (False, True):
        assert resolve_model("org/name", download=download) == ResolvedModel("org/name", "org/name", snapshot)
    adapter = cached(offline, "org/adapter", {"base_model_name_or_path": "org/name"})
    assert resolve_model("org/adapter") == ResolvedModel("org/adapter", "org/name", snapshot, adapter)


def test_a_hub_name_offline_says_what_to_do(offline: Path) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_model("org/name", download=True)
    text = str(caught.value)
    for part in ("org/name: ", "cannot be reached", "give a model folder", "hf download org/name", "HF_HUB_OFFLINE"):
        assert part in text


def test_a_hub_that_refuses_says_so(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import RepositoryNotFoundError

    def refuse(*args: object, **options: object) -> str:
        error = RepositoryNotFoundError.__new__(RepositoryNotFoundError)
        error.args = ("401 Client Error\nmore",)
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(ModelError, match=r"does not hand it out \(401 Client Error\).*hf auth login"):
        resolve_model("org/name", download=True)


def test_only_safe_files_are_fetched(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked: dict[str, object] = {}
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **o: asked.update(o) or str(offline))
    resolve_model("org/name", download=True)
    assert not {"*.bin", "*.py", "*.pt"} & set(asked["allow_patterns"])
    resolve_model("org/name", download=True, trust_remote_code=True)
    assert "*.py" in asked["allow_patterns"]
