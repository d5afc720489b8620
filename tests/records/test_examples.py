from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from row_examples import RECORDS, any_record

from luthier.records.comparisons import Pair, Preference, Triplet
from luthier.records.examples import Completion, Conversation, Labelled, Origin, Record, Text
from luthier.records.kinds import RECORDS as KINDS
from luthier.records.messages import Message, ToolCall


def test_every_kind_has_a_strategy() -> None:
    assert set(RECORDS) == set(KINDS)
    assert all(record.kind == kind for kind, record in KINDS.items())


@given(any_record)
def test_a_record_survives_its_json(record: Record) -> None:
    text = json.dumps(record.to_json(), allow_nan=False)
    assert KINDS[record.kind].from_json(json.loads(text), Origin("a", 3)) == record
    assert KINDS[record.kind].from_json(json.loads(text), Origin("a", 3)).origin == Origin("a", 3)


@given(any_record)
def test_a_good_record_has_no_problems(record: Record) -> None:
    assert list(record.check()) == []


@given(any_record)
def test_the_group_is_the_last_key(record: Record) -> None:
    keys = list(record.to_json())
    assert ("group" in keys) == bool(record.group)
    assert not record.group or keys[-1] == "group"


def test_the_plain_text_leaves_out_what_many_rows_share() -> None:
    chat = Conversation((Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello")))
    assert chat.plain_text() == "Hi\nHello"


CALL = ToolCall("1", "f", "{}")
BAD: list[tuple[Record, str, str]] = [
    (Conversation(()), "messages", "is empty"),
    (Conversation((Message("user", "Hi"),)), "messages", "no assistant message is trained"),
    (Conversation((Message("assistant", "Hi", weight=0),)), "messages", "no assistant message is trained"),
    (Conversation((Message("assistant", " \n"),)), "messages[0].content", "is blank: ' \\n'"),
    (Conversation((Message("assistant"),)), "messages[0].content", "is missing"),
    (Conversation((Message("assistant", "a", weight=0.5),)), "messages[0].weight", "0.5 is neither 0 nor 1"),
    (
        Conversation((Message("user", "a", weight=1), Message("assistant", "b"))),
        "messages[0].weight",
        "is 1 on a user turn",
    ),
    (
        Conversation((Message("user", "a", tool_calls=(CALL,)), Message("assistant", "b"))),
        "messages[0].tool_calls",
        "stand on a user turn",
    ),
    (
        Conversation((Message("assistant", "b", tool_calls=(ToolCall("1", "f", "{x"),)),)),
        "messages[0].tool_calls[0].function.arguments",
        "is not a JSON object: '{x'",
    ),
    (
        Conversation((Message("tool", "b", tool_call_id="2"), Message("assistant", "b"))),
        "messages[0].tool_call_id",
        "'2' answers no call before it",
    ),
    (Completion("a", "  "), "completion", "is blank: '  '"),
    (Text("\n"), "text", "is blank: '\\n'"),
    (Labelled("a"), "label", "has neither label nor labels"),
    (Labelled("a", "b", ("c",)), "label", "has both label and labels"),
    (Labelled("a", labels=("c", "c")), "labels", "names a label twice: ['c', 'c']"),
    (Preference((), (), (Message("assistant", "b"),)), "chosen", "is empty"),
    (Preference((), *[(Message("assistant", "b"),)] * 2), "rejected", "is the same as chosen"),
    (
        Preference((), (Message("user", "b"),), (Message("assistant", "b"),)),
        "chosen",
        "ends with a user turn",
    ),
    (
        Preference((), (Message("assistant", ""),), (Message("assistant", "b"),)),
        "chosen[0].content",
        "is blank: ''",
    ),
    (Pair("a", "b", float("nan")), "score", "is nan"),
    (Triplet("a", "b", "b"), "negative", "is the same as positive"),
]


@pytest.mark.parametrize(("record", "field", "problem"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_record_says_what_is_wrong(record: Any, field: str, problem: str) -> None:
    assert [(one.field, one.problem) for one in record.check()] == [(field, problem)]
    assert all(one.remedy for one in record.check())
