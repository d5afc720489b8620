from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from row_examples import REPLY, RIVAL, USER

from luthier.records.comparisons import Preference
from luthier.records.fields import Fields
from luthier.records.formats import FORMATS
from luthier.records.formats_preference import shared_turns, transcript_turns
from luthier.records.messages import Message

chats = st.lists(st.sampled_from((USER, REPLY, RIVAL)), min_size=1, max_size=5).map(tuple)


def read(name: str, row: dict[str, Any]) -> tuple[Preference, list[str]]:
    fields = Fields(row, {})
    return FORMATS.load(name).read(fields), [f"{one.field}: {one.problem}" for one in fields.problems]


@given(chats, chats)
def test_the_shared_turns_are_the_longest_start_that_leaves_an_answer(
    chosen: tuple[Message, ...], rejected: tuple[Message, ...]
) -> None:
    shared = shared_turns(chosen, rejected)
    assert chosen[:shared] == rejected[:shared]
    assert shared < min(len(chosen), len(rejected))
    longer = shared + 1 < min(len(chosen), len(rejected))
    assert not longer or chosen[: shared + 1] != rejected[: shared + 1]


def test_a_transcript_keeps_what_was_said_exactly() -> None:
    assert transcript_turns("\n\nHuman:  Hi \n\nHow?\n\nAssistant: ok\n\n\nHuman: Human: x\n\nAssistant:") == (
        Message("user", " Hi \n\nHow?"),
        Message("assistant", "ok\n"),
        Message("user", "Human: x"),
        Message("assistant", ""),
    )


def test_a_chat_that_goes_on_after_the_other_ends_keeps_both_answers() -> None:
    turns = [{"role": "user", "content": "How much?"}, {"role": "assistant", "content": "Five euros."}]
    row, problems = read("preference", {"chosen": turns, "rejected": turns + turns})
    assert not problems
    assert (row.messages, row.chosen, row.rejected) == ((USER,), (REPLY,), (REPLY, USER, REPLY))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"chosen": 3, "rejected": "b"}, "chosen: is the number 3, not text"),
        ({"chosen": "a"}, "rejected or rejected_messages: is missing"),
        (
            {
                "prompt": "Something else",
                "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a"}],
                "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "b"}],
            },
            "prompt: is not among the turns that chosen and rejected begin with",
        ),
        ({"prompt": 7, "chosen": "a", "rejected": "b"}, "prompt: is the number 7, not text"),
    ],
)
def test_bad_preferences_say_what_is_wrong(row: dict[str, Any], problem: str) -> None:
    assert read("preference", row)[1] == [problem]


def test_problems_inside_an_input_are_named_there() -> None:
    answer = [{"role": "assistant", "content": "a"}]
    row = {"input": {"messages": [{"role": "king", "content": "Hi"}]}, "preferred_output": answer}
    assert read("openai-preference", row)[1] == [
        "input.messages[0].role: 'king' is not a role",
        "non_preferred_output or non_preferred_completion: is missing",
    ]
    assert read("openai-preference", {**row, "input": "Hi"})[1][0] == "input: is 'Hi', not an object"
