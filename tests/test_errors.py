from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import CapacityError, LuthierError, ModelError, RowProblem, RowsError, SpecError

WORDS = st.text(min_size=1, max_size=20)


@given(problem=WORDS, where=WORDS, remedy=WORDS)
def test_the_message_says_where_what_and_what_to_do(problem: str, where: str, remedy: str) -> None:
    assert str(ModelError(problem, where=where, remedy=remedy)) == f"{where}: {problem}; {remedy}"


def test_parts_that_are_not_known_leave_no_trace() -> None:
    assert str(SpecError("it is wrong")) == "it is wrong"
    assert str(SpecError("it is wrong", where="recipe.yaml")) == "recipe.yaml: it is wrong"
    assert str(SpecError("it is wrong", remedy="put it right")) == "it is wrong; put it right"


def test_one_handler_catches_the_family() -> None:
    assert {CapacityError, ModelError, SpecError, RowsError} <= set(_descendants(LuthierError))


@pytest.mark.parametrize(
    "error",
    [
        CapacityError("needs 9 GB, 4 GB are free", where="tune", remedy="use --train lora", param="train"),
        RowsError((RowProblem("rows.jsonl", 3, "role", "is 'usr'", "use user"),), where="tune", remedy="mend it"),
    ],
)
def test_an_error_survives_a_process_boundary(error: LuthierError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(("line", "place"), [(3, "rows.jsonl:3: role: "), (0, "rows.jsonl: role: ")])
def test_a_row_problem_names_file_line_and_field(line: int, place: str) -> None:
    problem = RowProblem("rows.jsonl", line, "role", "'usr' is not a role", "use user")
    assert str(problem) == f"{place}'usr' is not a role; use user"


def test_a_row_problem_without_a_field_leaves_no_gap() -> None:
    assert str(RowProblem("rows.jsonl", 0, "", "is empty", "add rows")) == "rows.jsonl: is empty; add rows"


@given(count=st.integers(min_value=1, max_value=60))
def test_twenty_problems_are_shown_and_every_other_one_is_counted(count: int) -> None:
    problems = tuple(RowProblem("rows.jsonl", line, "", "is bad", "mend it") for line in range(1, count + 1))
    text = str(RowsError(problems, where="tune", remedy="mend the rows"))
    shown = text.count("is bad; mend it")
    rest = int(text.split("... and ")[1].split()[0]) if "... and " in text else 0
    assert (shown, shown + rest) == (min(count, 20), count)
    assert text.startswith(f"tune: {count} problem{'' if count == 1 else 's'} in the rows\n")
    assert text.endswith("\nmend the rows")


def _descendants(family: type) -> list[type]:
    return [one for child in family.__subclasses__() for one in (child, *_descendants(child))]
