from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.messages import ROLES, Message, Reply, Role, Sampling, ToolCall, Usage

TEXT = st.text(max_size=20)
CALLS = st.builds(ToolCall, id=TEXT, name=TEXT, arguments=TEXT)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(ROLES),
    content=st.none() | TEXT,
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    tool_call_id=st.none() | TEXT,
    name=st.none() | TEXT,
    reasoning_content=st.none() | TEXT,
    weight=st.sampled_from([None, 0, 1]),
)


@given(MESSAGES)
def test_a_message_survives_json(message: Message) -> None:
    assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message


def test_json_is_what_the_openai_api_writes() -> None:
    call = ToolCall("call_1", "look_up", '{"id": 7}')
    message = Message("assistant", None, tool_calls=(call,))
    assert message.to_json() == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 7}'}}],
    }


def test_fields_that_are_not_set_are_not_written() -> None:
    assert Message("user", "hi").to_json() == {"role": "user", "content": "hi"}


def test_a_weight_of_nought_is_kept() -> None:
    assert Message("assistant", "hi", weight=0).to_json()["weight"] == 0


@pytest.mark.parametrize("key", ["role"])
def test_a_message_without_a_role_is_not_read(key: str) -> None:
    with pytest.raises(KeyError, match=key):
        Message.from_json({"content": "hi"})


def test_a_tool_call_without_an_id_is_read() -> None:
    value = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
    assert Message.from_json(value).tool_calls == (ToolCall("", "f", "{}"),)


def test_roles_are_those_of_the_type() -> None:
    assert get_args(Role) == ROLES


def test_the_default_reply_is_drawn_greedily_to_its_end() -> None:
    sampling = Sampling()
    assert (sampling.temperature, sampling.max_tokens, sampling.stop) == (0.0, None, ())


def test_a_reply_without_figures_counts_nothing() -> None:
    assert Reply("hi").usage == Usage(prompt_tokens=0, completion_tokens=0)
