"""How turns end: the token that stops generation and what the template writes after it."""

from __future__ import annotations

import chat_templates as ct
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.tokens.endings import Ending, shared_start
from luthier.tokens.template import Template


@pytest.mark.parametrize(
    ("source", "texts", "closing"),
    [
        (ct.CHATML, ["<|im_end|>"], "<|im_end|>\n"),
        (ct.CLOSES_TEXT, ["<|end|>"], "<|end|>\n</s>"),
        (ct.TWO_ENDS, ["<|return|>", "<|call|>"], "<|return|>"),
        (ct.HERMES, ["<|im_end|>", "<|im_end|>"], "<|im_end|>\n"),
        (ct.BRACKETS, ["</s>", "</s>"], "</s>"),
        (ct.ENDLESS, [], None),
        (ct.NEXT_ENDS, [], None),
    ],
)
def test_endings_of_templates(source: str, texts: list[str], closing: str | None) -> None:
    endings = ct.template_for(source).endings
    assert [ending.text for ending in endings] == texts
    assert not endings or endings[0].closing == closing


def test_a_marker_that_only_closes_the_answer_does_not_end_the_turn() -> None:
    """Command R writes one marker after the answer and its end of text after that."""
    source = ct.CHATML.replace("m.content }}<|im_end|>", "m.content }}<|end|></s>")
    assert [ending.text for ending in ct.template_for(source).endings] == ["</s>"]


def test_openers_count_only_where_the_model_stops_at_them() -> None:
    tokenizer = ct.tokenizer_for(ct.NEXT_ENDS)
    stops = tokenizer.convert_tokens_to_ids(["<|user|>", "<|observation|>"])
    endings = Template.of(tokenizer, stop_ids=stops).endings
    assert [(ending.text, ending.opens) for ending in endings] == [("<|user|>", True), ("<|observation|>", True)]


def test_cut() -> None:
    ending = Ending(5, "<e>", "<e>\n")
    assert ending.cut("Hi<e><e>\n") == "Hi<e><e>"
    assert ending.cut("Hi<e>") is None
    assert Ending(5, "<u>", "", opens=True).cut("Hi") == "Hi<u>"


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_shared_start_is_the_longest(one: str, other: str) -> None:
    shared = shared_start(one, other)
    assert one.startswith(shared)
    assert other.startswith(shared)
    longer = len(shared) + 1
    assert len(one) < longer or len(other) < longer or one[:longer] != other[:longer]
