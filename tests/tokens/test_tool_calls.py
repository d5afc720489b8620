"""Tool calls in the syntaxes of common templates."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.messages import ToolCall
from luthier.tokens.tool_calls import call_json, find_syntax, fit_id, fit_tool, read_calls

CALL = '{"name": "f", "arguments": {"a": 1}}'
RENDERED = {
    "ours": f"<tool_call>{CALL}</tool_call>",
    "hermes": f"<tool_call>\n{CALL}\n</tool_call>",
    "parameters": "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>",
    "mistral": f"[TOOL_CALLS][{CALL}]",
    "mistral_named": '[TOOL_CALLS]f[ARGS]{"a": 1}',
    "mistral_bare": '[TOOL_CALLS]f{"a": 1}',
    "llama": '{"name": "f", "parameters": {"a": 1}}',
    "llama_tagged": '<|python_tag|>{"name": "f", "parameters": {"a": 1}}',
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_syntax_is_found_by_the_call_it_renders(name: str) -> None:
    assert find_syntax(RENDERED[name], "f", {"a": 1}) is not None
    assert find_syntax(RENDERED[name], "g", {"a": 1}) is None


def test_no_syntax_for_a_reply_that_holds_no_call() -> None:
    assert find_syntax("f(a=1)", "f", {"a": 1}) is None
    assert read_calls(None, RENDERED["hermes"]) == (RENDERED["hermes"], ())


@pytest.mark.parametrize(
    ("name", "text", "content"),
    [
        ("hermes", f"Let me see.\n<tool_call>\n{CALL}\n</tool_call>\n<tool_call>\n{CALL}\n</tool_call>", "Let me see."),
        ("hermes", f"<tool_call>{CALL}</tool_call><tool_call>{CALL}", ""),
        ("parameters", "So:\n" + RENDERED["parameters"] + "\n" + RENDERED["parameters"], "So:"),
        ("mistral", f"Well [TOOL_CALLS][{CALL}, {CALL}]", "Well"),
        ("mistral_named", RENDERED["mistral_named"] * 2, ""),
        ("llama", RENDERED["llama"] + "; " + RENDERED["llama"], ""),
    ],
)
def test_several_calls_and_the_text_beside_them(name: str, text: str, content: str) -> None:
    said, calls = read_calls(find_syntax(RENDERED[name], "f", {"a": 1}), text)
    assert said == content
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("f", {"a": 1})] * 2
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize("name", RENDERED)
@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "<tool_call>",
        "<tool_call>{broken</tool_call>",
        '<tool_call>{"name": 3}</tool_call>',
        "[TOOL_CALLS]",
        "[TOOL_CALLS]f[ARGS]oops",
        '{"answer": 42}',
        '{"name": "Ann", "age": 3}',
        "[" * 100_000,
        "",
    ],
)
def test_broken_calls_stay_text(name: str, text: str) -> None:
    assert read_calls(find_syntax(RENDERED[name], "f", {"a": 1}), text) == (text, ())


def test_arguments_for_templates() -> None:
    call = ToolCall("call_1", "f", '{"a": 1}')
    assert call_json(call, as_text=False, short_ids=False) == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": {"a": 1}},
    }
    for written in (call, replace(call, arguments=' {"a": 1}\n')):
        assert call_json(written, as_text=True, short_ids=False)["function"]["arguments"] == '{"a": 1}'
    assert call_json(replace(call, arguments=" "), as_text=True, short_ids=False)["function"]["arguments"] == "{}"


def test_a_tool_is_written_the_same_however_its_keys_were_ordered() -> None:
    function = {"name": "f", "description": "d", "parameters": {"b": None, "a": 1}, "strict": True, "more": 2}
    tool = {"type": "function", "function": function}
    others = [
        {"function": dict(reversed(function.items())), "type": "function"},
        {"function": {"parameters": {"b": None, "a": 1}, "more": 2, "strict": True, "description": "d", "name": "f"}},
    ]
    assert [json.dumps(fit_tool(other)) for other in others] == [json.dumps(tool)] * 2
    quiet = {"type": "function", "function": {"name": "f", "description": None, "parameters": None}}
    assert fit_tool(quiet) == {"type": "function", "function": {"name": "f"}}


@given(st.text(max_size=20))
def test_short_ids_are_nine_letters_and_digits_and_stay_different(identifier: str) -> None:
    short = fit_id(identifier, short=True)
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", short)
    assert fit_id(short, short=True) == short
    assert fit_id(identifier, short=False) == identifier
    assert fit_id(identifier + "x", short=True) != short
