from __future__ import annotations

from pathlib import Path

import pytest
from row_writers import write

from luthier.records.files import find_files


def names(source: str) -> list[str]:
    found = find_files(source)
    assert not found.problems
    return [file.name for file in found.files]


def problem(source: str) -> str:
    found = find_files(source)
    assert not found.files
    (only,) = found.problems
    return str(only)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.csv.gz", "in/c.json", "README.md", "picture.png", ".hidden/d.json", ".e.json"):
        write(tmp_path, name, "x")
    return tmp_path


def test_a_folder_gives_its_data_files_and_tells_the_rest(folder: Path) -> None:
    assert names(str(folder)) == [f"{folder}/{name}" for name in ("a.csv.gz", "b.jsonl", "in/c.json")]
    assert find_files(str(folder)).skipped == (f"{folder}/README.md", f"{folder}/picture.png")


def test_texts_count_in_a_folder_of_texts(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "x")
    write(tmp_path, "b.md", "x")
    assert names(str(tmp_path)) == [f"{tmp_path}/a.txt", f"{tmp_path}/b.md"]
    (tmp_path / "empty").mkdir()
    assert "no data file is in this folder; rows are read from .json" in problem(f"{tmp_path}/empty")


def test_a_pattern_gives_what_it_matches(folder: Path) -> None:
    assert names(f"{folder}/*.json*") == [f"{folder}/b.jsonl"]
    assert names(f"{folder}/**/*.json") == [f"{folder}/in/c.json"]
    assert problem(f"{folder}/*.parquet") == f"{folder}/*.parquet: no file matches this pattern; check the pattern"


def test_a_name_with_pattern_characters_is_a_file_first(tmp_path: Path) -> None:
    assert names(write(tmp_path, "a[1].json", "x")) == [f"{tmp_path}/a[1].json"]


def test_a_file_that_is_not_there_names_its_neighbour(folder: Path) -> None:
    assert problem(f"{folder}/b.json") == (f"{folder}/b.json: no such file or folder; did you mean '{folder}/b.jsonl'?")
    assert problem(f"{folder}/qqqq.tsv") == f"{folder}/qqqq.tsv: no such file or folder; check the path"
    assert problem(f"{folder}/no/zzz.json").endswith(f"there is no folder '{folder}/no' either")


def test_a_file_of_no_known_type_is_refused(folder: Path) -> None:
    assert "picture.png: its type is not known; rows are read from .json .jsonl" in problem(f"{folder}/picture.png")
