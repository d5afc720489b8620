"""Where replies begin and end in token ids."""

from __future__ import annotations

import chat_templates as ct
import pytest

from luthier.tokens.spans import place_spans, texts_to_encode
from luthier.tokens.turns import Turn, TurnProblem


def place(source: str, *turns: Turn) -> list[list[str]]:
    template = ct.template_for(source)
    texts = texts_to_encode(turns)
    pieces = place_spans(template, turns, dict(zip(texts, template.encode(texts), strict=True)))
    return [
        [template.tokenizer.decode(piece.tokens), template.tokenizer.decode(piece.tokens[piece.labels])]
        for piece in pieces
    ]


def stop(text: str) -> int:
    return ct.tokenizer_for(None).convert_tokens_to_ids(text)


def test_an_end_inside_the_reply_is_not_its_end() -> None:
    turn = Turn("<|user|>a", "b</s>c</s>", stop("</s>"), "</s>")
    assert place(ct.CHATML, turn) == [["<|user|>ab</s>c</s>", "b</s>c</s>"]]


def test_what_follows_the_end_of_a_turn_is_not_trained() -> None:
    one = Turn("<|user|>a", "b</s>", stop("</s>"), "</s>")
    two = Turn("<|user|>ab</s>\n<|user|>c", "d</s>", stop("</s>"), "</s>")
    assert place(ct.CHATML, one, two) == [["<|user|>ab</s>\n<|user|>cd</s>", "b</s>d</s>"]]


def test_turns_that_do_not_continue_each_other_are_sequences_of_their_own() -> None:
    one = Turn("<|user|>a", "long</s>", stop("</s>"), "</s>")
    two = Turn("<|user|>ashort</s><|user|>c", "d</s>", stop("</s>"), "</s>")
    assert place(ct.CHATML, one, two) == [
        ["<|user|>along</s>", "long</s>"],
        ["<|user|>ashort</s><|user|>cd</s>", "d</s>"],
    ]


@pytest.mark.parametrize("prompt", ["<|user|>x ", "a:"])
def test_an_end_that_is_not_one_token_is_a_problem(prompt: str) -> None:
    with pytest.raises(TurnProblem, match="not one token"):
        place(ct.SHORT, Turn(prompt, "Yes<gone>", stop("</s>"), "<gone>"))


def test_the_first_token_of_all_is_not_labelled() -> None:
    assert place(ct.CHATML, Turn("", "</s>b</s>", stop("</s>"), "</s>")) == [["</s>b</s>", "b</s>"]]
