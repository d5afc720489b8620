"""The notebooks: their data is what generate.py writes, its parts share nothing that matters, the outputs are whole."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from house import ROOT

EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
MACHINE_PATH = re.compile(r"(/(home|Users|tmp|root|private|var|work|opt|mnt)/|site-packages|[A-Z]:\\\\)")
MAX_ROWS = 400
LABELS = ("supported", "refuted", "not enough information")


def rows(name: str, part: str = "") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (EXAMPLES / "data" / name).read_text(encoding="utf-8").splitlines()]
    return [row for row in found if row["part"] == part or not part]


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "generate.py", "--check"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_data_is_what_the_script_writes_to_the_byte(tmp_path: Path) -> None:
    copy = shutil.copytree(EXAMPLES, tmp_path / "examples")
    assert checked(copy).returncode == 0, checked(copy).stdout
    with (copy / "data" / "studio.jsonl").open("a") as file:
        file.write("\n")
    assert checked(copy).returncode == 1
    assert subprocess.run([sys.executable, "generate.py"], cwd=copy, check=True).returncode == 0
    for name in ("recipes.jsonl", "studio.jsonl"):
        assert (copy / "data" / name).read_bytes() == (EXAMPLES / "data" / name).read_bytes()


@pytest.mark.parametrize("name", ["recipes.jsonl", "studio.jsonl"])
def test_the_data_is_small_and_has_three_parts(name: str) -> None:
    assert len(rows(name)) <= MAX_ROWS
    assert {row["part"] for row in rows(name)} == {"training", "validation", "test"}


def test_no_recipe_is_twice_and_some_ingredients_are_only_for_testing() -> None:
    titles = [row["title"] for row in rows("recipes.jsonl")]
    assert len(titles) == len(set(titles))
    lists = [frozenset(row["ingredients"]) for row in rows("recipes.jsonl")]
    assert len(lists) == len(set(lists))
    known = {
        name
        for part in ("training", "validation")
        for row in rows("recipes.jsonl", part)
        for name in row["ingredients"]
    }
    asked = [name for row in rows("recipes.jsonl", "test") for name in row["ingredients"]]
    assert 0.1 < sum(name not in known for name in asked) / len(asked) < 0.4


def test_what_is_wanted_of_a_recipe_can_be_read_in_it() -> None:
    for row in rows("recipes.jsonl"):
        pairs = list(zip(row["lines"], row["ingredients"], strict=True))
        assert [line for line, name in pairs if name not in line or name == line] == []


def test_no_question_for_testing_has_a_phrasing_of_training() -> None:
    blank = re.compile(r'"[^"]*"|\d+')

    def phrasings(part: str) -> set[str]:
        found = set()
        for row in rows("studio.jsonl", part):
            text = row["question"]
            for value in sorted(map(str, arguments(row["call"]).values()), key=len, reverse=True):
                text = text.replace(value, "_", 1)
            found.add(blank.sub("_", text))
        return found

    training, validation, test = (phrasings(part) for part in ("training", "validation", "test"))
    assert len(test) >= 20
    assert not training & test
    assert not training & validation
    assert not validation & test


def arguments(call: str) -> dict[str, Any]:
    """Returns the arguments of a call by name; it must be one expression of literals."""
    expression = ast.parse(call, mode="eval").body
    assert isinstance(expression, ast.Call)
    assert not expression.args
    return {str(word.arg): ast.literal_eval(word.value) for word in expression.keywords}


def test_every_argument_of_a_call_is_said_in_the_question() -> None:
    for row in rows("studio.jsonl"):
        assert [value for value in arguments(row["call"]).values() if str(value) not in row["question"]] == []


def test_claims_are_of_three_kinds_in_both_parts_and_name_studies_that_are_there() -> None:
    lines = (EXAMPLES / "data" / "abstracts.jsonl").read_text(encoding="utf-8").splitlines()
    studies = {study["id"]: study for study in map(json.loads, lines)}
    assert len(studies) == 40
    assert len({study["field"] for study in studies.values()}) >= 10
    claims = rows("claims.jsonl")
    counts = Counter((claim["part"], claim["label"]) for claim in claims)
    assert {part: sorted(counts[part, label] for label in LABELS) for part in ("validation", "test")} == {
        "validation": [6, 6, 6],
        "test": [14, 14, 14],
    }
    assert len({claim["claim"] for claim in claims}) == len(claims) == 60
    assert all((claim["study"] in studies) == (claim["label"] != LABELS[2]) for claim in claims)
    about = [claim["study"] for claim in claims if claim["study"]]
    assert sorted(about) == sorted(studies)


def test_there_are_three_notebooks() -> None:
    assert [file.stem for file in NOTEBOOKS] == ["claims_and_studies", "code_assistant", "recipes_to_ingredients"]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_committed_as_it_was_executed_without_errors_or_places_of_a_machine(file: Path) -> None:
    cells = [cell for cell in json.loads(file.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    assert any("image/png" in output.get("data", {}) for output in outputs)
    texts = json.dumps([{**output, "data": {**output.get("data", {}), "image/png": ""}} for output in outputs])
    assert MACHINE_PATH.findall(texts) == []


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_imports_openai_matplotlib_and_the_standard_library_alone(file: Path) -> None:
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    imported = set()
    for node in ast.walk(ast.parse(code)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        imported |= {name.partition(".")[0] for name in names}
    assert imported - set(sys.stdlib_module_names) == {"openai", "matplotlib"}
    assert "base_url" not in code
