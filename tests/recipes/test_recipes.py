"""Recipes: each binds as it stands, points to rows that are there, and teaches by its comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from luthier.arguments import read_recipe
from luthier.config import bind
from luthier.records.reading import read_rows
from luthier.report import ListReport
from luthier.workflows import demo, tune

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("**/*.yaml"))
SMALL = [file for file in RECIPES if file.parent.name == "recipes"]


def bound(file: Path) -> tune.Spec:
    return bind(tune.Spec, read_recipe(str(file), tune.Spec), where=str(file), source="file")


def test_there_are_recipes() -> None:
    assert len(SMALL) >= 5


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_binds_and_explains_itself(file: Path) -> None:
    spec = bound(file)
    assert Path(spec.output or "").resolve().is_relative_to(ROOT / "runs")
    assert sum("#" in line for line in file.read_text(encoding="utf-8").splitlines()) >= 3


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.stem)
def test_a_small_recipe_names_its_rows_and_the_embedded_model(file: Path, tmp_path: Path) -> None:
    spec = bound(file)
    assert spec.model == "fiddle"
    rows = read_rows(spec.rows, spec, spool=tmp_path)
    assert 20 <= len(rows) <= 60
    assert rows.kind == {"clm": "text", "sft": "conversation"}[spec.method] or rows.kind == "completion"


def test_the_pretraining_recipe_reads_its_rows_in_order_from_weights_that_copy() -> None:
    spec = bound(ROOT / "recipes/fiddle/pretrain.yaml")
    assert spec.order == "sequential"
    assert Path(spec.model).resolve() == ROOT / "build/fiddle/start"
    assert spec.learning_rate <= 1e-3  # above, copying is washed out


def test_the_demo_is_a_tuning_run_of_its_rows() -> None:
    spec = demo.tune_spec(demo.Spec(output="there", max_steps=3))
    assert (spec.model, spec.output, spec.max_steps) == ("fiddle", "there", 3)
    assert Path(spec.rows[0]).name == "repair_shop.jsonl"


@pytest.mark.slow
@pytest.mark.parametrize("recipe", SMALL, ids=lambda recipe: recipe.stem)
def test_each_recipe_runs_small(recipe: Path, tmp_path: Path) -> None:
    small = {"output": str(tmp_path / "run"), "max_steps": 2, "answer_rows": 2, "answer_tokens": 8, "resamples": 200}
    values = read_recipe(str(recipe), tune.Spec) | small
    result = tune.run(bind(tune.Spec, values, where=recipe.name, source="argv"), ListReport())
    assert (Path(result.output) / "report.html").exists()
    assert result.comparison["loss"]["tuned"]["loss"] < result.comparison["loss"]["base"]["loss"] + 0.5
