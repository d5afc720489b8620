from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import pytest
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
from row_writers import write, write_parquet

from luthier.errors import RowsError
from luthier.records.options import RowsOptions
from luthier.records.reading import Rows, read_rows


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the folder that every data set of a pretended hub is in."""

    def snapshot(name: str, **options: Any) -> str:
        assert options["repo_type"] == "dataset"
        assert "*.parquet" in options["allow_patterns"]
        (tmp_path / "asked").write_text(f"{name} {options['revision']}")
        return str(tmp_path / "set")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "set"


def read(source: str) -> Rows:
    return read_rows([source], RowsOptions())


def texts(source: str) -> list[str]:
    return [row.plain_text() for row in read(source)]


def problem(source: str) -> str:
    with pytest.raises(RowsError) as error:
        read(source)
    (only,) = error.value.problems
    return str(only)


def put(folder: Path, *names: str) -> None:
    for name in names:
        write(folder, name, f'{{"text": "{name}"}}\n')


def test_the_training_split_is_read_and_the_rest_is_told(hub: Path) -> None:
    put(hub, "train.jsonl", "test.jsonl", "dataset_infos.json", "README.txt")
    rows = read("hub:owner/set")
    assert [row.plain_text() for row in rows] == ["train.jsonl"]
    assert rows.files == ("hub:owner/set/train.jsonl",)
    assert rows.source.skipped_files == ("hub:owner/set/test.jsonl",)
    assert str(rows.origin(0)) == "hub:owner/set/train.jsonl:1"


def test_a_split_and_a_revision_can_be_named(hub: Path) -> None:
    put(hub, "data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl", "data/test-00000-of-00001.jsonl")
    assert texts("owner/set/test") == ["data/test-00000-of-00001.jsonl"]
    assert texts("owner/set@v1.0/train") == ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl"]
    assert (hub.parent / "asked").read_text() == "owner/set v1.0"
    assert problem("hub:owner/set/dev") == (
        "hub:owner/set/dev: the data set owner/set has no files for 'dev'; "
        "its parts are data, test, test-00000-of-00001, train, train-00000-of-00002, train-00001-of-00002"
    )


def test_subsets_are_not_mixed(hub: Path) -> None:
    put(hub, "main/train-00000-of-00001.jsonl", "socratic/train-00000-of-00001.jsonl")
    assert problem("owner/set") == (
        "owner/set: no such file or folder, and the data set owner/set has several subsets; "
        "name one: owner/set/main, owner/set/socratic"
    )
    assert texts("owner/set/socratic") == ["socratic/train-00000-of-00001.jsonl"]


def test_parquet_is_preferred_and_files_without_split_are_all_read(hub: Path) -> None:
    put(hub, "a.jsonl", "b.jsonl")
    assert texts("owner/set") == ["a.jsonl", "b.jsonl"]
    write_parquet(hub, [{"text": "parquet"}])
    assert texts("owner/set") == ["parquet"]


def test_a_set_without_data_says_so(hub: Path) -> None:
    put(hub, "config.json")
    assert "has no data files that can be read; convert it to Parquet or JSON" in problem("hub:owner/set")


def test_a_local_folder_comes_before_the_hub_and_a_file_name_never_means_it(hub: Path) -> None:
    put(hub.parent / "owner" / "set", "mine.jsonl")
    assert texts("owner/set") == ["mine.jsonl"]
    assert problem("owner/rows.jsonl").startswith("owner/rows.jsonl: no such file or folder; ")
    assert problem("owner/sett") == "owner/sett: no such file or folder; did you mean 'owner/set'?"


def _answer(status: int) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "https://hub"))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError("Name or service\nnot known"),
            "the hub cannot be reached for the data set owner/set (Name or service not known); "
            "fetch it where there is a network: hf download owner/set --repo-type dataset --local-dir DIR, "
            "then give DIR",
        ),
        (
            GatedRepoError("gated", response=_answer(403)),
            "the hub does not give the data set owner/set to you; "
            "accept its terms on its page, then log in with hf auth login",
        ),
        (
            RepositoryNotFoundError("404", response=_answer(404)),
            "the hub has no data set 'owner/set'; check the name, or log in if it is private",
        ),
        (
            RevisionNotFoundError("404", response=_answer(404)),
            "the data set owner/set has no revision 'v9'; check the name after @",
        ),
    ],
)
def test_what_the_hub_refuses_says_what_to_do(
    hub: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    assert problem("hub:owner/set@v9") == f"hub:owner/set@v9: {message}"
    assert problem("owner/set@v9") == f"owner/set@v9: no such file or folder, and {message}"


def test_offline_the_real_client_leads_to_the_same_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert "hf download owner/never-fetched --repo-type dataset" in problem("hub:owner/never-fetched")
