"""Trained turns as text."""

from __future__ import annotations

import chat_templates as ct
import pytest

from luthier.records.messages import Message
from luthier.tokens.turns import TurnProblem, cut_turns, trained_turns


def test_which_turns_are_trained() -> None:
    chat = [*ct.say("a", "b", "c", "d", "e", "f")]
    assert trained_turns(chat, "all") == [1, 3, 5]
    assert trained_turns(chat, "last") == [5]
    chat[5] = Message("assistant", "f", weight=0)
    assert trained_turns(chat, "all") == [1, 3]
    assert trained_turns(chat, "last") == [3]


def test_a_turn_is_prompt_and_reply_through_its_end() -> None:
    turns, notes = cut_turns(ct.template_for(ct.CLOSES_TEXT), ct.say("a", "b", "c", "d"), (), "all")
    assert [turn.reply for turn in turns] == ["b<|end|>", "d<|end|>"]
    assert turns[1].prompt == "<|user|>\na<|end|>\n<|assistant|>\nb<|end|>\n<|user|>\nc<|end|>\n<|assistant|>\n"
    assert notes == ()


def test_a_reply_that_ends_in_another_way_is_a_problem() -> None:
    source = ct.CHATML.replace("<|im_end|>\n{% endfor", "{{ '?' if m.content == 'odd' else '<|im_end|>' }}\n{% endfor")
    with pytest.raises(TurnProblem, match=r"ends with 'odd\?"):
        cut_turns(ct.template_for(source), ct.say("a", "odd"), (), "all")


def test_a_prompt_that_differs_shows_where() -> None:
    source = ct.CHATML.replace("assistant\n{% endif", "model\n{% endif")
    with pytest.raises(TurnProblem, match=r"goes on 'model\\n' where .* goes on 'assistant\\nb"):
        cut_turns(ct.template_for(source), ct.say("a", "b"), (), "all")


def test_a_thought_that_the_reply_opens_itself_is_not_opened_twice() -> None:
    source = ct.PROMPTS_THOUGHT.replace("<|assistant|>{{ m.content", "<|assistant|><think></think>{{ m.content")
    turns, _ = cut_turns(ct.template_for(source), ct.say("a", "b"), (), "all")
    assert turns[0].text == "<s><|user|>a<|assistant|><think>\n</think>b</s>"
