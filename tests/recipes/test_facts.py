"""What passages speak of: every phrasing takes one name and one value, and the added ones are for training alone."""

from __future__ import annotations

from random import Random

import pytest

from recipes.fiddle.draw import Draw, fresh, part
from recipes.fiddle.skills import frames, passage
from recipes.fiddle.skills.facts import KINDS, Kind
from recipes.fiddle.skills.more_kinds import MORE_KINDS
from recipes.fiddle.skills.passage import Fact

EACH = pytest.mark.parametrize("kind", [*KINDS, *MORE_KINDS], ids=lambda kind: kind.again)


@EACH
def test_phrasings_take_one_name_and_one_value(kind: Kind) -> None:
    for attribute in kind.attributes:
        for text in (*attribute.says, *attribute.more_says):
            assert text.count("{e}") == text.count("{v}") == 1, text
            assert text.count("{") == text.count("}") == 2, text
        for text in (*attribute.asks, *attribute.more_asks):
            assert text.count("{e}") == text.count("{") == text.count("}") == 1, text


@EACH
def test_phrasings_are_many_and_none_is_there_twice(kind: Kind) -> None:
    least = (30, 20) if kind in KINDS else (14, 10)
    for attribute in kind.attributes:
        says = fresh(attribute.says, attribute.more_says)
        asks = fresh(attribute.asks, attribute.more_asks)
        assert len(says) >= least[0], says
        assert len(asks) >= least[1], asks
        assert len(set(says)) == len(says)
        assert len(set(asks)) == len(asks)


@EACH
def test_no_question_fits_two_attributes(kind: Kind) -> None:
    asked = [text for attribute in kind.attributes for text in {*attribute.asks, *attribute.more_asks}]
    assert len(set(asked)) == len(asked)


def test_added_phrasings_leave_out_those_that_are_there() -> None:
    old = ("Where does {e} live?", "{e} lives where?")
    assert fresh(old, ("where does {e}  live", "Where is {e}?", "{e}  lives, where?")) == ("Where is {e}?",)


def test_held_out_rows_keep_to_the_fixed_phrasings_and_kinds() -> None:
    draw = Draw(Random(1), 2, held_out=True)
    assert {id(passage.drawn_kind(draw)) for _ in range(300)} == {id(kind) for kind in KINDS}
    attribute = KINDS[0].attributes[0]
    fact = Fact(KINDS[0], "Ada", attribute, "Oslo")
    assert {fact.question(draw) for _ in range(300)} == {text.format(e="Ada") for text in attribute.asks}
    assert {fact.sentence(draw, "Ada") for _ in range(300)} == {
        text.format(e="Ada", v="Oslo") for text in attribute.says
    }


def test_training_rows_have_no_held_out_phrasing() -> None:
    draw = Draw(Random(1), 2)
    for attribute in KINDS[0].attributes:
        drawn = {draw.phrase_or(attribute.says, attribute.more_says) for _ in range(600)}
        assert not drawn & set(part(attribute.says, held_out=True))
        assert len(drawn) > 30


def test_leads_keep_the_capitals_of_names() -> None:
    draw = Draw(Random(1))
    said = {frames.statement(draw, "On Sundays {e} eats {v}.") for _ in range(2000)}
    assert "By the way, on Sundays {e} eats {v}." in said
    assert "On Sundays {e} eats {v}, they say." in said
    asked = {frames.question(draw, "Where is {e}?") for _ in range(2000)}
    assert {"Please, where is {e}?", "Where is {e}", "Where is {e}? Be brief."} <= asked
    assert {frames.statement(draw, "Call {e} on {v}.") for _ in range(200)} == {"Call {e} on {v}."}


@EACH
def test_names_that_are_alike_share_words(kind: Kind) -> None:
    draw = Draw(Random(1), 2)
    shared = 0
    for _ in range(50):
        entity = kind.name(draw)
        other = passage.alike(draw, kind, entity)
        shared += other != entity and bool(set(entity.split()) & set(other.split()))
    assert shared >= 25 or " " not in entity
