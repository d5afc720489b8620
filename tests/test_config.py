from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from luthier.config import (
    LocalPath,
    ModelName,
    Options,
    Outside,
    Positional,
    TrustFlag,
    bind,
    dump,
    fields,
    read_mapping,
)
from luthier.errors import SpecError


class Optimiser(Options):
    title = "Optimiser"
    hints: ClassVar[dict[str, str]] = {"lr": "write learning_rate"}

    learning_rate: float = Field(1e-4, gt=0, le=1, description="Step size, per optimizer step.")
    lr_scheduler_type: Literal["cosine", "linear"] = Field("cosine", description="How the step size falls.")
    max_steps: int | None = Field(None, ge=1, description="Optimizer steps; all epochs when left out.")
    bias: bool = Field(False, description="Train biases too.")
    offset: float = Field(0.0, description="Added to every loss; any number.")


class Reading(Options):
    title = "Rows"

    rows: Annotated[tuple[LocalPath, ...], Positional()] = Field(min_length=1, description="Files of rows.")
    model: ModelName = Field("fiddle", description="Base model.")
    output: LocalPath | None = Field(None, description="Run folder.")
    trust_remote_code: TrustFlag = Field(False, description="Run the model's own code.")
    stop: tuple[str, ...] = Field((), description="Strings that end a reply.")


class Spec(Reading, Optimiser):
    """A verb's spec: the options of two rooms, flat."""


ROWS = {"rows": ["a.jsonl"]}


def refused(values: dict[str, Any], source: Any = "python") -> str:
    with pytest.raises(SpecError) as caught:
        bind(Spec, values, where="tune", source=source)
    return str(caught.value)


def field(name: str) -> Any:
    return {one.name: one for one in fields(Spec)}[name]


# ------------------------------------------------------------------ fields


def test_every_field_is_described_with_its_room() -> None:
    groups = {one.name: one.group for one in fields(Spec)}
    assert groups["learning_rate"] == "Optimiser"
    assert groups["rows"] == "Rows"
    assert all(one.description for one in fields(Spec))


def test_kinds_are_said_in_plain_words() -> None:
    kinds = {one.name: one.kind for one in fields(Spec)}
    assert kinds == {
        "rows": "text ...",
        "model": "text",
        "output": "text",
        "trust_remote_code": "true | false",
        "stop": "text ...",
        "learning_rate": "number",
        "lr_scheduler_type": "cosine | linear",
        "max_steps": "integer",
        "bias": "true | false",
        "offset": "number",
    }


def test_flags_positionals_and_lists() -> None:
    assert field("learning_rate").flag == "--learning-rate"
    assert [one.name for one in fields(Spec) if one.positional] == ["rows"]
    assert [one.name for one in fields(Spec) if one.many] == ["rows", "stop"]
    assert (field("rows").required, field("rows").default) == (True, None)
    assert (field("learning_rate").required, field("learning_rate").default) == (False, 1e-4)


def test_fields_that_reach_outside_say_what_they_reach() -> None:
    outside = {one.name: one.outside for one in fields(Spec) if one.outside}
    assert outside == {"rows": "path", "model": "model", "output": "path", "trust_remote_code": "trust"}


# ------------------------------------------------------------------ bind


@pytest.mark.parametrize(
    ("argv", "typed"),
    [
        ({"learning_rate": "3e-4"}, {"learning_rate": 3e-4}),
        ({"max_steps": "7"}, {"max_steps": 7}),
        ({"bias": "true"}, {"bias": True}),
        ({"stop": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"output": "true"}, {"output": "true"}),
        ({"model": "7"}, {"model": "7"}),
        ({"output": "7"}, {"output": "7"}),
    ],
)
def test_text_from_argv_means_what_the_typed_value_means(argv: dict[str, Any], typed: dict[str, Any]) -> None:
    by_text = bind(Spec, ROWS | argv, where="tune", source="argv")
    assert by_text == bind(Spec, ROWS | typed, where="tune", source="file")


def test_text_where_a_number_belongs_is_refused_everywhere_but_in_argv() -> None:
    assert "learning_rate" in refused(ROWS | {"learning_rate": "3e-4"})


def test_python_may_give_tuples_and_lists_and_paths() -> None:
    assert bind(Spec, {"rows": ("a", "b")}, where="tune").rows == ("a", "b")
    assert bind(Spec, {"rows": [Path("a")]}, where="tune").rows == ("a",)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0, -1, 1.5, 1e9, "x", None, [], True])
def test_a_rate_that_is_no_rate_is_refused(value: Any) -> None:
    said = refused(ROWS | {"learning_rate": value})
    assert said.startswith("tune: learning_rate: ")
    assert "expected number" in said


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "ten", ""])
def test_so_is_one_typed_on_the_command_line(value: str) -> None:
    assert refused(ROWS | {"learning_rate": value}, source="argv").startswith("tune: --learning-rate: ")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_option_is_ever_something_other_than_a_number(value: float) -> None:
    assert "finite number" in refused(ROWS | {"offset": value})
    assert "finite number" in refused(ROWS | {"offset": str(value)}, source="argv")


def test_a_spec_made_without_bind_refuses_unknown_keys_too() -> None:
    with pytest.raises(ValidationError, match="lr"):
        Spec.model_validate({"rows": ("a",), "lr": 1e-4})


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    assert refused(ROWS | {"learning_rat": 1e-4}) == "tune: unknown key 'learning_rat'; did you mean 'learning_rate'?"


def test_a_name_known_from_elsewhere_is_translated() -> None:
    assert refused(ROWS | {"lr": 1e-4}) == "tune: unknown key 'lr'; write learning_rate"


def test_an_error_carries_the_unknown_key_for_a_server_to_name() -> None:
    with pytest.raises(SpecError) as caught:
        bind(Spec, ROWS | {"lr": 1e-4}, where="tune")
    assert caught.value.param == "lr"


def test_a_misspelt_choice_is_refused_with_the_nearest_one() -> None:
    said = refused(ROWS | {"lr_scheduler_type": "cosin"})
    assert said == "tune: lr_scheduler_type: 'cosin' is not allowed; did you mean 'cosine'?"


def test_everything_wrong_is_said_at_once() -> None:
    said = refused({"learning_rate": -1, "max_steps": 0, "nonsense": 1, "lr": 2})
    wrong = ["learning_rate: ", "max_steps: ", "rows: missing", "unknown key 'nonsense'", "unknown key 'lr'"]
    assert [part for part in wrong if part not in said] == []
    assert len(said.splitlines()) == 1 + len(wrong)


@pytest.mark.parametrize("name", ["rows", "model", "output", "trust_remote_code"])
def test_over_http_nothing_that_reaches_outside_is_accepted(name: str) -> None:
    value = {"rows": ["/etc/passwd"], "trust_remote_code": True}.get(name, "/etc")
    assert f"{name}: a {field(name).outside} is not accepted over HTTP" in refused({name: value}, source="http")


def test_over_http_the_rest_is_accepted() -> None:
    class Small(Optimiser):
        pass

    assert bind(Small, {"learning_rate": 0.5}, where="tune", source="http").learning_rate == 0.5


def test_rules_between_fields_are_reported_like_the_rest() -> None:
    class Ruled(Optimiser):
        @model_validator(mode="after")
        def _rule(self) -> Ruled:
            if self.bias and self.max_steps:
                raise ValueError("bias and max_steps exclude each other; drop one")
            return self

    with pytest.raises(SpecError, match=r"^tune: bias and max_steps exclude each other; drop one$"):
        bind(Ruled, {"bias": True, "max_steps": 3}, where="tune")


def test_a_spec_cannot_be_changed() -> None:
    spec = bind(Spec, ROWS, where="tune")
    with pytest.raises(ValidationError):
        spec.learning_rate = 0.5  # type: ignore[misc]


# ------------------------------------------------------------------ files


TEXT = st.text(max_size=8) | st.sampled_from(
    ["1e5", "-.5E3", "7", "true", "null", "a\x85b", "a\u2028b", "\r\n", "- a", "#"]
)


@given(
    rate=st.floats(min_value=1e-12, max_value=1, exclude_min=True),
    rows=st.lists(TEXT, min_size=1, max_size=3),
    steps=st.none() | st.integers(min_value=1),
    bias=st.booleans(),
)
def test_what_is_dumped_binds_to_the_same_spec(
    rate: float, rows: list[str], steps: int | None, bias: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = {"learning_rate": rate, "rows": rows, "max_steps": steps, "bias": bias}
    spec = bind(Spec, values, where="tune")
    file = tmp_path_factory.mktemp("dump") / "spec.yaml"
    file.write_text(dump(spec), encoding="utf-8")
    assert bind(Spec, read_mapping(file), where="tune", source="file") == spec


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("1E5", 1e5), ("-2.5e-3", -2.5e-3), (".5e1", 5.0), ("1.0", 1.0), ("'1e-4'", "1e-4"), ("e1", "e1")],
)
def test_numbers_in_yaml_are_numbers(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(f"learning_rate: {text}\n")
    assert read_mapping(file) == {"learning_rate": value}


def test_json_and_dashed_keys_are_read(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text('\ufeff{"learning-rate": 0.001, "rows": ["a"]}', encoding="utf-8")
    assert read_mapping(file) == {"learning_rate": 0.001, "rows": ["a"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"- a\n- b\n", "holds list, not keys and values"),
        (b"", "holds NoneType, not keys and values"),
        (b"1: a\n", "holds dict, not keys and values"),
        (b"a: [1\n", "not valid YAML"),
        (b"a: !!python/object/apply:os.system [true]\n", "not valid YAML"),
        (b"\xff\xfe\x00", "a recipe is a YAML or JSON text file"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_mapping(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"absent\.yaml: no such file; check the path"):
        read_mapping(tmp_path / "absent.yaml")
    with pytest.raises(SpecError, match="a recipe is a YAML or JSON text file"):
        read_mapping(tmp_path)


def test_outside_marks_compare_by_what_they_mark() -> None:
    assert Outside("path") == Outside("path") != Outside("url")
