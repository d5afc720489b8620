"""What a model is asked, and how its replies are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.documents import Document, Passage
from luthier.synthesis.options import KINDS, QuestionOptions
from luthier.synthesis.questions import Place, Question, passages_for, prompt_hash, request, span, written

TEXT = "The tram  has\n17 stops. It is green."
WHOLE = {"question": "How many?", "answer": "17", "quote": "17 stops", "second_quote": "green"}


def passage(start: int = 100) -> Passage:
    return Passage("doc_1", start, start + len(TEXT), TEXT)


def test_a_reply_is_the_object_that_was_asked_for_or_nothing() -> None:
    said = json.dumps(WHOLE)
    assert written(f"Here:\n```json\n{said}\n```", "several") == WHOLE
    assert written(said, "fact") == {name: WHOLE[name] for name in ("question", "answer", "quote")}
    assert written('{"question": "How many?"}', "paraphrase") == {"question": "How many?"}
    for broken in ("", "no", "[]", '{"question"', "{}", '{"question": "How many?", "answer": 17, "quote": "x"}'):
        assert written(broken, "fact") is None
    for question in ("", "17 stops", "x" * 600 + "?"):
        assert written(json.dumps(WHOLE | {"question": question}), "fact") is None


@given(st.text(max_size=200))
def test_no_reply_breaks_the_reader(text: str) -> None:
    assert written(text, "fact") is None or "?" in text


def test_a_quote_stands_in_the_passage_to_the_character() -> None:
    assert span("tram has 17 stops", passage()) == (104, 104 + len("tram  has\n17 stops"))
    for absent in ("18 stops", "the tram", "", " ", "green. And"):
        assert span(absent, passage()) is None


def test_each_kind_is_asked_in_its_own_words() -> None:
    prompts = {kind: request(kind, TEXT)[0].content or "" for kind in KINDS}
    assert len(set(prompts.values())) == len(KINDS)
    assert all(prompt.endswith(f"Text: {TEXT}\nAnswer with JSON only.") for prompt in prompts.values())
    assert len({prompt_hash(request(kind, TEXT)) for kind in KINDS}) == len(KINDS)


def test_several_passages_need_one_that_follows() -> None:
    document = Document("a.md", "")
    last = Place(document, passage(), None, "g", test=False)
    assert passages_for("several", last) == ()
    assert passages_for("fact", last) == (passage(),)
    assert passages_for("several", Place(document, passage(), passage(300), "g", test=False)) == (
        passage(),
        passage(300),
    )


def test_a_row_says_where_it_comes_from() -> None:
    document = Document("a.md", "", page_starts=(0, 110))
    place = Place(document, passage(), None, "g", test=False)
    question = Question("fact", "How many?", "17", ("17 stops",), place, (passage(),), "hash", ((114, 122),), "qst_0")
    row = question.to_json("test", "someone")
    (gold,) = row["relevant"]
    assert gold == {
        "document": document.id,
        "source": "a.md",
        "page": "2",
        "passage": passage().id,
        "start": 114,
        "end": 122,
        "quote": "17 stops",
    }
    assert (row["slice"], row["prompt"], row["model"], row["group"], row["of"]) == (
        "test",
        "hash",
        "someone",
        "g",
        "qst_0",
    )


def test_paraphrases_need_facts() -> None:
    with pytest.raises(ValueError, match="add fact"):
        QuestionOptions(kinds=("paraphrase",))
