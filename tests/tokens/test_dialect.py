"""What a template can express is found by rendering, and messages are fitted to it."""

from __future__ import annotations

import chat_templates as ct
import pytest

from luthier.records.messages import Message, ToolCall
from luthier.tokens.dialect import FOLDED

EVERY = {
    "chatml": ct.CHATML,
    "no_system": ct.NO_SYSTEM,
    "parts": ct.PARTS,
    "hermes": ct.HERMES,
    "brackets": ct.BRACKETS,
    "joins_text": ct.JOINS_TEXT,
    "strips_thought": ct.STRIPS_THOUGHT,
    "ours": None,
}
WHAT = {
    "parts": {"parts"},
    "system": {"chatml", "parts", "hermes", "joins_text", "strips_thought", "ours"},
    "developer": {"ours"},
    "tools": {"hermes", "ours"},
    "calls": {"hermes", "brackets", "joins_text", "ours"},
    "arguments_as_text": {"joins_text"},
    "short_ids": {"brackets"},
    "reasoning": {"strips_thought", "ours"},
}


@pytest.mark.parametrize("name", EVERY)
def test_what_a_template_can_express(name: str) -> None:
    dialect = ct.template_for(EVERY[name]).dialect
    assert {what: getattr(dialect, what) for what in WHAT} == {what: name in names for what, names in WHAT.items()}


def test_ids_of_calls_and_results_stay_together_when_they_are_shortened() -> None:
    turns, _ = ct.template_for(ct.BRACKETS).dialect.fit(ct.weather_chat("call_with_a_long_id"))
    identifier = turns[1]["tool_calls"][0]["id"]
    assert len(identifier) == 9
    assert turns[2]["tool_call_id"] == identifier


def test_arguments_that_are_no_json_object_stay_text() -> None:
    dialect = ct.template_for(ct.HERMES).dialect
    assert dialect.call(ToolCall("a", "f", "[1"))["function"]["arguments"] == "[1"
    assert dialect.call(ToolCall("a", "f", ""))["function"]["arguments"] == {}


def test_folded_system_text_without_a_user_turn_after_it_is_left_to_the_template() -> None:
    dialect = ct.template_for(ct.NO_SYSTEM).dialect
    turns, notes = dialect.fit((Message("user", "Hi"), Message("system", "Late.")))
    assert [turn["role"] for turn in turns] == ["user", "system"]
    assert notes == ()
    turns, notes = dialect.fit((Message("system", "A"), Message("system", "B"), Message("user", "Hi")))
    assert [turn["content"] for turn in turns] == ["A\n\nB\n\nHi"]
    assert notes == (FOLDED,)


def test_fitting_does_not_change_what_comes_before() -> None:
    chat = ct.say("Hi", "Hello", "Bye", system="Be terse.")
    dialect = ct.template_for(ct.NO_SYSTEM).dialect
    assert dialect.fit(chat)[0][:2] == dialect.fit(chat[:3])[0]
