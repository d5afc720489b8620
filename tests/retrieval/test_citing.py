"""Citations of a reply: those of passages that were shown stay, others go, and a model that forgets is helped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.documents import Passage
from luthier.retrieval.citing import Citing, quoted, support
from luthier.retrieval.search import Found


def found(*texts: str) -> list[Found]:
    return [
        Found(Passage(f"doc_{n}", 0, len(text), text), 1.0, 0.5, f"{n}.md", "", {}, f"vsf_{n}")
        for n, text in enumerate(texts, 1)
    ]


SHOWN = found("The mill is old. Ada Quill keeps the mill.", "The ferry leaves at noon.")


def read(pieces: list[str], shown: list[Found] = SHOWN) -> tuple[str, Citing]:
    citing = Citing(shown)
    text = "".join([*(citing.push(piece) for piece in pieces), citing.close()])
    return text, citing


@pytest.mark.parametrize(
    ("said", "shown", "numbers", "dropped"),
    [
        ("Ada Quill [1]", "Ada Quill [1]", [1], []),
        ("At noon [2], by Ada [1].", "At noon [2], by Ada [1].", [2, 1], []),
        ("Ada [7].", "Ada.", [], [7]),
        ("Ada [1, 9].", "Ada [1].", [1], [9]),
        ("Ada [1;2]", "Ada [1][2]", [1, 2], []),
        ("Ada [0] [12345678901234567890]", "Ada", [], [0, 12345678901234567890]),
        ("a[i] and [x] and [", "a[i] and [x] and [", [], []),
    ],
)
def test_numbers_that_were_not_shown_go(said: str, shown: str, numbers: list[int], dropped: list[int]) -> None:
    text, citing = read([said])
    assert (text, [one.number for one in citing.citations], citing.dropped) == (shown, numbers, dropped)


@given(st.lists(st.sampled_from([*"[]0123 ,;a", "[1]", "[2]", " [3]", "\n"]), max_size=40), st.data())
def test_however_it_is_cut_into_pieces_it_reads_the_same(letters: list[str], data: Any) -> None:
    whole = "".join(letters)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    text, citing = read(pieces)
    assert text == citing.text
    assert all(text[one.at :].startswith(f"[{one.number}]") for one in citing.citations)
    assert all(1 <= one.number <= 2 for one in citing.citations)
    if "[" * 1 in whole and len(whole) <= 40:
        once, other = read([whole])
        assert (text, citing.citations, citing.dropped) == (once, other.citations, other.dropped)


def test_an_answer_without_a_citation_gets_one() -> None:
    assert support("at noon.", "When does the ferry leave?", SHOWN) == " [2]"
    added = support("Somebody does.", "Who keeps the mill?", SHOWN)
    assert added == "\n\n“Ada Quill keeps the mill.” [1]"
    assert quoted("", "Is it old?", SHOWN) == "“The mill is old.” [1]"
    assert support("", "Is it old?", SHOWN) == "“The mill is old.” [1]"


def test_a_quote_cites_nothing_by_itself() -> None:
    shown = found("See [2] for more of this.")
    assert quoted("", "more", shown).count("[") == 1
