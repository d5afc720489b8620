from __future__ import annotations

import pytest

from luthier.errors import ModelError
from luthier.evaluation.items import Answered, items_of
from luthier.evaluation.replies import KeptReplies, answer_items, failures, reply_key
from luthier.records.examples import Conversation
from luthier.records.messages import Message, Reply, Sampling, Usage


class Echo:
    """Answers with the question; fails on "bad", and stops for good after `until` replies."""

    name = "echo"

    def __init__(self, until=99):
        self.asked, self.until = [], until

    def answer(self, prompts, sampling, on_reply, between):
        for number, prompt in reversed(list(enumerate(prompts))):
            between()
            text = prompt.messages[-1].content
            if len(self.asked) == self.until:
                raise KeyboardInterrupt
            self.asked.append(text)
            on_reply(number, ModelError("no") if text == "bad" else Reply(text, usage=Usage(1, 1)))


def items(*questions):
    return items_of([Conversation((Message("user", q), Message("assistant", "r"))) for q in questions])[0]


def test_replies_come_in_the_order_of_the_items(tmp_path):
    heard = []
    with KeptReplies(tmp_path / "r.jsonl") as kept:
        replies = answer_items(
            Echo(), items("a", "bad", "c"), Sampling(), kept=kept, on_reply=lambda *r: heard.append(r[0])
        )
    assert [reply.text for reply in replies] == ["a", "", "c"]
    assert replies[1].error == "no"
    assert heard == [1, 2, 3]


def test_work_that_was_stopped_goes_on_and_failures_are_tried_again(tmp_path):
    path, asked = tmp_path / "deep" / "r.jsonl", items("a", "b", "bad", "d")
    with KeptReplies(path) as kept, pytest.raises(KeyboardInterrupt):
        answer_items(Echo(until=3), asked, Sampling(), kept=kept)
    with path.open("a") as file:
        file.write('{"key": "cut o')  # the process died here
    second = Echo()
    with KeptReplies(path) as kept:
        replies = answer_items(second, asked, Sampling(), kept=kept)
    assert sorted(second.asked) == ["a", "bad"]
    assert [reply.text for reply in replies] == ["a", "b", "", "d"]
    third = Echo()
    with KeptReplies(path) as kept:
        answer_items(third, asked, Sampling(), kept=kept)
    assert third.asked == ["bad"]


def test_another_system_sampling_or_row_is_asked_anew():
    one, other = items("a", "b")
    keys = [
        reply_key("x", one, Sampling()),
        reply_key("y", one, Sampling()),
        reply_key("x", other, Sampling()),
        reply_key("x", one, Sampling(temperature=0.5)),
        reply_key("x", one, Sampling(max_tokens=3)),
    ]
    assert len(set(keys)) == len(keys)
    assert reply_key("x", one, Sampling()) == keys[0]


def test_a_system_that_forgets_a_prompt_is_counted_as_failed():
    class Silent:
        name = "silent"

        def answer(self, prompts, sampling, on_reply, between):
            pass

    assert answer_items(Silent(), items("a"), Sampling())[0].finish_reason == "failed"


def test_odd_text_survives_the_file(tmp_path):
    odd = Answered("line\nend \u2028 \ud800 🎻", tokens=3)
    with KeptReplies(tmp_path / "r.jsonl") as kept:
        kept.put("k", odd)
    with KeptReplies(tmp_path / "r.jsonl") as kept:
        assert kept.get("k") == odd
        assert kept.get("other") is None


def test_failures_are_counted_with_the_first_row_and_its_reason():
    given = [Answered("fine"), Answered(finish_reason="failed", error="too long"), Answered(error="no template")]
    said = failures(items("a", "b", "c"), given)
    assert said == "2 of 3 rows failed, and count as wrong; the first, row 2: too long"
    assert failures(items("a"), given[:1]) == ""
