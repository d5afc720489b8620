from __future__ import annotations

from typing import Any

import pytest

from luthier.records.fields import Fields, as_truth, described, unquoted
from luthier.records.messages import Message, ToolCall
from luthier.records.turns import ROLE_NAMES, read_tools, read_turns


def turns(*values: Any) -> tuple[tuple[Message, ...], list[tuple[str, str]], set[str]]:
    fields = Fields({}, {})
    messages = read_turns(fields, "messages", values)
    return messages, [(one.field, one.problem) for one in fields.problems], fields.ignored


@pytest.mark.parametrize(("name", "role"), ROLE_NAMES.items())
def test_every_role_name_is_read(name: str, role: str) -> None:
    if name not in ("function_call", "tool_call"):
        assert turns({"role": name, "content": "a"})[0][0].role == role
        assert turns({"from": name, "value": "a"})[0][0].role == role


@pytest.mark.parametrize(
    ("turn", "field", "problem"),
    [
        ("hello", "", "is 'hello', not a turn"),
        ({"content": "a"}, ".role", "is missing"),
        ({"role": "king", "content": "a"}, ".role", "'king' is not a role"),
        ({"role": "user", "content": 7}, ".content", "is the number 7, not text"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
            ".content[0]",
            "is a part of type 'image_url'",
        ),
        (
            {"role": "user", "content": [{"type": "text"}]},
            ".content[0]",
            "is an object with the keys type, not a text part",
        ),
        ({"role": "assistant", "content": "a", "weight": 0.5}, ".weight", "is the number 0.5, neither 0 nor 1"),
        ({"role": "user", "content": "a", "weight": 1}, ".weight", "is 1 on a user turn"),
        ({"role": "user", "content": "a", "name": 3}, ".name", "is the number 3, not text"),
        ({"role": "assistant", "tool_calls": "f"}, ".tool_calls", "is 'f', not a list"),
        (
            {"role": "assistant", "tool_calls": [{"id": "1"}]},
            ".tool_calls[0]",
            "is an object with the keys id, not a call of a named function",
        ),
        ({"from": "function_call", "value": "f(x)"}, ".value", "is 'f(x)', not a call of a named function"),
    ],
)
def test_a_bad_turn_says_what_is_wrong(turn: Any, field: str, problem: str) -> None:
    assert turns(turn)[1] == [(f"messages[0]{field}", problem)]


def test_all_problems_of_a_row_are_noted() -> None:
    assert len(turns({"role": "king", "content": 7, "weight": "x"}, 3)[1]) == 4


def test_results_answer_the_calls_before_them_in_order() -> None:
    call = {"name": "f", "arguments": {"é": 1}}
    messages, problems, _ = turns(
        {"role": "assistant", "tool_calls": [{"function": call}, {"id": "x", "function": call}]},
        {"role": "tool", "tool_call_id": "x", "content": "2"},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "?"},
    )
    assert not problems
    assert messages[0].tool_calls == (ToolCall("call00001", "f", '{"é": 1}'), ToolCall("x", "f", '{"é": 1}'))
    assert [message.tool_call_id for message in messages[1:]] == ["x", "call00001", None]
    assert len("call00001") == 9  # some templates insist on nine letters and digits


def test_several_calls_may_be_written_in_one_turn() -> None:
    messages, problems, _ = turns({"from": "function_call", "value": '[{"name": "f"}, {"name": "g", "arguments": ""}]'})
    assert not problems
    assert messages[0].content is None
    assert messages[0].tool_calls == (ToolCall("call00001", "f", "{}"), ToolCall("call00002", "g", "{}"))


def test_what_a_turn_holds_besides_is_named() -> None:
    ignored = turns({"role": "user", "content": "a", "images": ["x"], "audio": None, "id": "7"})[2]
    assert ignored == {"messages[].images", "messages[].id"}


def test_a_refusal_is_what_was_said() -> None:
    assert turns({"role": "assistant", "content": None, "refusal": "No."})[0][0].content == "No."


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"tools": "x"}, [("tools", "is 'x', not a list of tools")]),
        (
            {"tools": [{"type": "function"}]},
            [("tools[0]", "is an object with the keys type, not a function with a name")],
        ),
        ({"tools": ""}, []),
        ({"functions": {"name": "f"}}, []),
    ],
)
def test_tools_are_checked(given: dict[str, Any], problem: list[tuple[str, str]]) -> None:
    fields = Fields(given, {})
    read_tools(fields)
    assert [(one.field, one.problem) for one in fields.problems] == problem


def test_values_are_described_by_what_json_calls_them() -> None:
    assert [described(value) for value in (None, True, 1.5, "a", [1], {"a": 1}, b"")] == [
        *("null", "true", "the number 1.5", "'a'", "a list of 1 items", "an object with the keys a", "of type bytes")
    ]
    assert described("x" * 100) == repr("x" * 57 + "...")


def test_lists_written_as_text_are_read_and_prose_is_left_alone() -> None:
    assert unquoted('[{"a": null}]') == [{"a": None}]
    assert unquoted("[{'a': None}]") == [{"a": None}]
    assert unquoted("[sic]") == "[sic]"
    assert unquoted("[" * 10_000) == "[" * 10_000
    assert [as_truth(value) for value in (True, 0, 1.0, " True", "0", "yes", None, [])] == [
        *(True, False, True, True, False, None, None, None)
    ]
