from __future__ import annotations

import pytest

from luthier.errors import ModelError, SpecError
from luthier.evaluation.items import Answered, Prompt, items_of, reply_limit
from luthier.records.examples import Conversation, Origin, Text
from luthier.records.messages import Message, Reply, ToolCall, Usage

USER, CALL = Message("user", "q"), ToolCall("1", "get", '{"a": 1}')


def conversation(*turns, **fields):
    return Conversation(tuple(turns), **fields)


class CompletionRow:
    kind, prompt, completion, group, origin = "completion", "once", " upon", "", Origin()


def test_the_last_trained_turn_is_the_reference_and_the_turns_before_it_the_prompt():
    turns = [USER, Message("assistant", "a"), Message("user", "r"), Message("assistant", "b"), Message("user", "s")]
    items, skipped = items_of([conversation(*turns, group="g", tools=({"x": 1},), origin=Origin("f.jsonl", 3))])
    assert (items[0].reference.content, items[0].prompt.messages) == ("b", tuple(turns[:3]))
    assert (items[0].group, items[0].origin, items[0].prompt.tools) == ("g", "f.jsonl:3", ({"x": 1},))
    assert not skipped
    untrained = [*turns[:3], Message("assistant", "b", weight=0)]
    assert items_of([conversation(*untrained)])[0][0].reference.content == "a"


def test_rows_without_a_question_are_counted_by_reason():
    rows = [
        conversation(USER),
        conversation(Message("assistant", "hello")),
        conversation(USER, Message("assistant", "a")),
    ]
    items, skipped = items_of(rows)
    assert [item.index for item in items] == [2]
    assert skipped == {"no assistant turn": 1, "no user turn before the reference": 1}


def test_completions_are_questions_or_text_to_go_on_from():
    (asked,), _ = items_of([CompletionRow])
    assert (asked.prompt.messages, asked.reference.content) == ((Message("user", "once"),), " upon")
    (plain,), _ = items_of([CompletionRow], plain_completions=True)
    assert (plain.prompt, plain.prompt.shown()) == (Prompt(text="once"), "once")
    assert plain.fingerprint != asked.fingerprint


def test_other_rows_are_refused():
    with pytest.raises(SpecError, match="'text'"):
        items_of([Text("abc")])


def rows(count):
    return [conversation(Message("user", str(i)), Message("assistant", "a")) for i in range(count)]


def test_a_limit_draws_by_the_seed_and_keeps_the_order():
    first, again, other = (items_of(rows(50), limit=10, seed=seed)[0] for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 10
    assert [item.index for item in first] == sorted(item.index for item in first)
    assert len(items_of(rows(5), limit=10)[0]) == 5


def test_fingerprints_name_the_content():
    one, same, other = (items_of([conversation(Message("user", q), Message("assistant", "a"))])[0][0] for q in "aab")
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_replies_become_answers_and_come_back_from_json():
    reply = Reply("hi", (CALL,), (1, 2), (), "tool_calls", Usage(7, 2))
    answered = Answered.of(reply)
    assert answered == Answered("hi", (CALL,), "tool_calls", 7, 2)
    failed = Answered.of(ModelError("too long", where="prompt"))
    assert (failed.finish_reason, failed.error) == ("failed", "prompt: too long")
    assert [Answered.from_json(one.to_json()) for one in (answered, failed)] == [answered, failed]


def test_the_prompt_is_shown_with_its_calls():
    prompt = Prompt((USER, Message("assistant", None, (CALL,)), Message("tool", "7")))
    assert prompt.shown() == 'user: q\nassistant: get({"a": 1})\ntool: 7'


def test_the_reply_limit_leaves_room_but_not_without_end():
    assert reply_limit([10, 40]) == 40 + 36
    assert reply_limit([]) == 16
    assert reply_limit([10_000]) == 10_512
