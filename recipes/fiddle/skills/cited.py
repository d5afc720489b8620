"""Answering from several numbered passages, of which one holds the answer: it ends in the passage's number."""

from __future__ import annotations

from luthier.records.prompts import CITED_SYSTEM, NO_PASSAGE
from luthier.records.prompts import cited as platform_format
from recipes.fiddle import prompts, wrappers
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, Turns
from recipes.fiddle.skills.passage import ALIKE_SHARE, Fact, facts, other_name, passage

PLATFORM_SHARE = 0.4
MISSING_SHARE = 0.15
MOST_PASSAGES = 21
"""Of long training rows, whose statements are longer than those of held-out ones."""


def cited(draw: Draw) -> Row:
    """Returns a row with two to six passages and a question, sometimes with a second question in the next turn."""
    told: list[list[Fact]] = []
    while len(told) < draw.between(2, 2 * draw.level):
        _tell(draw, told)
    return _chat(draw, told, 1 + draw.chance(0.3 * (draw.level - 1)))


def cited_often(draw: Draw) -> Row:
    """Returns a row with two to four passages and four to six questions."""
    return _chat(draw, _told(draw, draw.between(2, 4)), draw.between(4, 6))


def cited_long(draw: Draw) -> Row:
    """Returns a row with ten to 26 (in training 21) passages and four to eight questions: up to 2,048 tokens."""
    return _chat(draw, _told(draw, draw.between(10, 26 if draw.held_out else MOST_PASSAGES)), draw.between(4, 8))


def _told(draw: Draw, count: int) -> list[list[Fact]]:
    told: list[list[Fact]] = []
    while len(told) < count:
        _tell(draw, told)
    return told


def _tell(draw: Draw, told: list[list[Fact]]) -> None:
    """Adds the facts of one more passage, unless they speak of an entity of an earlier one.

    From level 2 on the passage of a training row may speak of one who is named almost like another before.
    """
    near = None
    if told and not draw.held_out and draw.level > 1 and draw.chance(ALIKE_SHARE):
        near = draw.any(draw.any(told))
    found = facts(draw.at(1), near)
    if not {fact.entity for fact in found} & {fact.entity for part in told for fact in part}:
        told.append(found)


def _chat(draw: Draw, told: list[list[Fact]], questions: int) -> Row:
    pairs = [_pair(draw, told) for _ in range(questions)]
    texts = [passage(draw, part) for part in told]
    (question, answer), *rest = pairs
    if draw.chance(PLATFORM_SHARE):
        return Turns(((platform_format(texts, question), answer), *rest), CITED_SYSTEM).row()
    numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(texts, 1))
    asked = wrappers.asked(draw, prompts.CITED, wrappers.passages).format(passages=numbered, question=question)
    return Turns(((asked, answer), *rest), draw.phrase(prompts.CITED_SYSTEM)).row()


def _pair(draw: Draw, told: list[list[Fact]]) -> tuple[str, str]:
    """Returns a question and its answer with the number of the passage; some questions no passage answers."""
    number = draw.between(1, len(told))
    fact = draw.any(told[number - 1])
    if draw.chance(MISSING_SHARE):
        known = {other.entity for part in told for other in part}
        stranger = next(name for name in iter(lambda: other_name(draw, fact), "") if name not in known)
        return Fact(fact.kind, stranger, fact.attribute, fact.value).question(draw), NO_PASSAGE
    return fact.question(draw), f"{fact.value} [{number}]"
