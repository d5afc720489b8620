from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from luthier import arguments, config
from luthier.config import LocalPath, ModelName, Options, Positional
from luthier.errors import SpecError


class TrainingOptions(Options):
    title = "Training"
    hints = {"lr": "write learning_rate"}  # noqa: RUF012
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Step size.")
    max_steps: int | None = Field(None, ge=1, description="Stop after this many steps.")
    packing: bool = Field(True, description="Put rows together.")
    order: Literal["random", "sequential"] = Field("random", description="order of the rows")
    train: Literal["lora", "dora", "full", "last_layers", "head"] = Field("lora", description="What is trained")
    stop: tuple[str, ...] = Field((), description="Strings that end a reply.")


class Spec(TrainingOptions):
    title = "Rows"
    rows: Annotated[tuple[LocalPath, ...], Positional()] = Field(description="Files of rows.")
    model: ModelName = Field("fiddle", description="The model.")
    output: LocalPath | None = Field(None, description="Folder of the run.")


class TalkSpec(Options):
    title = "Talk"
    system: Annotated[ModelName, Positional()] = Field(description="Who answers.")
    message: Annotated[str | None, Positional()] = Field(None, description="What to say.")


FIELDS = config.fields(Spec)


def parse(spec: type[config.OptionsT], words: Sequence[str]) -> tuple[config.OptionsT, frozenset[str]]:
    fields = config.fields(spec)
    command = click.Command(
        "tune", params=arguments.parameters(fields), context_settings={"token_normalize_func": arguments.dashes}
    )
    context = command.make_context("tune", arguments.spread(words, fields))
    return arguments.bind(spec, context.params, "luthier tune")


def bind(*words: str) -> Spec:
    return parse(Spec, words)[0]


def test_arguments_of_one_word_follow_in_order_and_those_named_are_known() -> None:
    assert parse(TalkSpec, ["fiddle"]) == (TalkSpec(system="fiddle"), {"system"})
    assert parse(TalkSpec, ["fiddle", "hi"]) == (TalkSpec(system="fiddle", message="hi"), {"system", "message"})
    assert parse(TalkSpec, ["fiddle", "--message", "hi"])[1] == {"system", "message"}


def test_a_recipe_may_stand_before_other_arguments(tmp_path: Path) -> None:
    spec, named = parse(TalkSpec, [recipe(tmp_path, system="fiddle"), "hi"])
    assert spec == TalkSpec(system="fiddle", message="hi")
    assert named == {"system", "message"}


def test_flags_are_the_keys_with_dashes_or_underscores() -> None:
    assert bind("a.jsonl", "--learning-rate", "1e-4", "--max_steps=3", "--no-packing", "--order", "sequential") == Spec(
        rows=("a.jsonl",), learning_rate=1e-4, max_steps=3, packing=False, order="sequential"
    )


def test_a_positional_field_is_a_flag_too_and_the_flag_wins() -> None:
    assert bind("--rows", "b.jsonl").rows == ("b.jsonl",)
    assert bind("a.jsonl", "--rows", "b.jsonl", "c.jsonl").rows == ("b.jsonl", "c.jsonl")


def test_several_values_stand_after_one_flag_or_after_several() -> None:
    assert bind("a", "--stop", "x", "y", "--stop=z", "--packing").stop == ("x", "y", "z")
    assert bind("a", "--stop", "-1", "-2.5").stop == ("-1", "-2.5")
    assert bind("--stop", "x", "y", "--", "a.jsonl") == Spec(rows=("a.jsonl",), stop=("x", "y"))


@given(st.lists(st.text("abc-", min_size=1).filter(lambda word: not word.startswith("-"))))
def test_spreading_keeps_every_word_in_order(words: list[str]) -> None:
    spread = arguments.spread(["--stop", *words], FIELDS)
    assert [word for word in spread if word != "--stop"] == words


def test_an_argument_swallowed_by_a_flag_is_explained() -> None:
    with pytest.raises(SpecError, match=r"rows: missing.*the words after --stop all belong to it: put arguments first"):
        bind("--stop", "x", "a.jsonl")


def test_wrong_values_are_all_named_as_flags() -> None:
    with pytest.raises(SpecError) as caught:
        bind("a", "--learning-rate", "fast", "--max-steps", "0", "--order", "randm")
    assert str(caught.value).splitlines()[1:] == [
        "  --learning-rate: input should be a valid number. Got 'fast'; expected number above 0 and at most 1",
        "  --max-steps: input should be greater than or equal to 1. Got 0; expected integer at least 1",
        "  --order: 'randm' is not allowed; did you mean 'random'?",
    ]


@pytest.mark.parametrize(
    ("flag", "remedy"),
    [
        ("--learning-rat", "did you mean --learning-rate?"),
        ("--no-packin", "did you mean --packing?"),
        ("--lr", "write learning_rate"),
        ("--xyzzy", "see `luthier tune --help`"),
    ],
)
def test_an_unknown_flag_gets_a_hint_or_the_nearest_one(flag: str, remedy: str) -> None:
    error = arguments.unknown_flag(flag, Spec, "luthier tune")
    assert str(error) == f"luthier tune: unknown option {flag}; {remedy}"


def recipe(folder: Path, name: str = "recipe.yaml", **keys: Any) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(keys), encoding="utf-8")
    return str(folder / name)


def test_flags_and_arguments_win_over_a_recipe(tmp_path: Path) -> None:
    path = recipe(tmp_path, rows=["a.jsonl"], learning_rate=0.5, max_steps=7)
    spec = bind(path, "--learning-rate", "0.25")
    assert (spec.learning_rate, spec.max_steps, spec.rows) == (0.25, 7, (str(tmp_path / "a.jsonl"),))
    assert bind(path, "b.jsonl").rows == ("b.jsonl",)
    assert bind(path, "--rows", "b.jsonl").rows == ("b.jsonl",)


def test_relative_paths_of_a_recipe_start_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    spec = bind(recipe(tmp_path, rows=["../a.jsonl", "/b.jsonl", "hub:o/n"], model="mine", output="runs/x"))
    assert spec.rows == (str(tmp_path / "../a.jsonl"), "/b.jsonl", "hub:o/n")
    assert spec.model == str(tmp_path / "mine")
    assert spec.output == str(tmp_path / "runs/x")
    (tmp_path / "fiddle").mkdir()
    assert bind(recipe(tmp_path, rows=["a"], model="fiddle")).model == "fiddle"
    assert bind(recipe(tmp_path, rows=["a"], model="org/name")).model == "org/name"


def test_a_word_that_stands_for_itself_is_no_path_of_a_recipe(tmp_path: Path) -> None:
    class FromSpec(Options):
        source: Annotated[Literal["openai"] | LocalPath, Positional()]

    bound = {name: parse(FromSpec, [recipe(tmp_path, source=name)])[0].source for name in ("openai", "export")}
    assert bound == {"openai": "openai", "export": str(tmp_path / "export")}


def test_a_recipe_with_an_unknown_key_is_refused_by_its_name(tmp_path: Path) -> None:
    path = recipe(tmp_path, rows=["a"], learning_rat=1)
    with pytest.raises(SpecError, match=r"learning_rat.*did you mean 'learning_rate'") as caught:
        bind(path)
    assert caught.value.where == path


def test_a_missing_recipe_says_so() -> None:
    with pytest.raises(SpecError, match=r"none\.yaml: no such file"):
        bind("none.yaml")


def test_a_json_file_is_a_recipe_only_when_it_holds_keys_of_the_spec(tmp_path: Path) -> None:
    assert bind(recipe(tmp_path, "recipe.json", rows=["a"], max_steps=3)).max_steps == 3
    for name, text in (
        ("list.json", '[{"rows": 1}]'),
        ("rows.json", '{"messages": [], "rows": 1}'),
        ("lines.json", '{"rows": 1}\n{"rows": 2}'),
        ("bad.json", "{"),
    ):
        (tmp_path / name).write_text(text)
        assert bind(str(tmp_path / name)).rows == (str(tmp_path / name),)


def test_help_says_what_is_accepted_and_the_default() -> None:
    groups = arguments.explained(FIELDS)
    assert list(groups) == ["Rows", "Training"]
    assert next(iter(groups["Rows"])) == ("--rows PATH ...", "Files of rows. [required]")
    assert dict(groups["Training"]) == {
        "--learning-rate NUMBER": "Step size. [above 0 and at most 1; default: 0.0002]",
        "--max-steps INT": "Stop after this many steps. [at least 1]",
        "--packing / --no-packing": "Put rows together. [default: on]",
        "--order random|sequential": "Order of the rows. [default: random]",
        "--train NAME": "What is trained. [one of lora, dora, full, last_layers, head; default: lora]",
        "--stop TEXT ...": "Strings that end a reply.",
    }
    assert [arguments.place(field) for field in config.fields(TalkSpec)] == ["SYSTEM", "[MESSAGE]"]
