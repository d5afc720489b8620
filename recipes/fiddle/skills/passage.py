"""Answering from a passage, with exact words, and telling true, false and unknown apart."""

from __future__ import annotations

from dataclasses import dataclass

from luthier.records.prompts import NO_ANSWER, from_passage
from recipes.fiddle import prompts, wrappers
from recipes.fiddle.draw import Draw, capital
from recipes.fiddle.rows import Row, Turns, single
from recipes.fiddle.skills.facts import KINDS, PERSON, Attribute, Kind

PLATFORM_SHARE = 0.3
"""Rows in the platform's own format."""


@dataclass(frozen=True)
class Fact:
    """One statement of a passage."""

    kind: Kind
    entity: str
    attribute: Attribute
    value: str

    def question(self, draw: Draw) -> str:
        return capital(draw.loosely(self.attribute.asks).format(e=self.entity))

    def sentence(self, draw: Draw, name: str) -> str:
        return capital(draw.loosely(self.attribute.says).format(e=name, v=self.value))


def facts(draw: Draw) -> list[Fact]:
    """Returns facts about one to five entities of one kind: no entity and no attribute of it twice."""
    kind = PERSON if draw.chance(0.4) else draw.any(KINDS)
    entities = list(dict.fromkeys(kind.name(draw) for _ in range(draw.between(1, (2, 3, 5)[draw.level - 1]))))
    most = 2 if draw.level < 3 else 3
    shared = draw.random.sample(kind.attributes, draw.between(1, most)) if draw.chance(0.6) else None
    found: list[Fact] = []
    for entity in entities:
        told = shared or draw.random.sample(kind.attributes, draw.between(1, most))
        found += [Fact(kind, entity, attribute, attribute.value(draw)) for attribute in told]
    return found


def passage(draw: Draw, found: list[Fact]) -> str:
    """Returns the facts as running text; from level 2 on a later sentence may shorten its subject."""
    sentences, before = [], ""
    for fact in found:
        name = fact.entity
        if draw.level > 1 and fact.entity == before and draw.chance(0.5):
            name = fact.entity.split()[0] if fact.kind.again == "first" else fact.kind.again
            name = name if fact.kind.again == "first" else name[0].lower() + name[1:]
        sentences.append(fact.sentence(draw, name))
        before = fact.entity
    return " ".join(sentences)


def missing_question(draw: Draw, found: list[Fact]) -> str:
    """Returns a question about something that the facts leave out."""
    told = {(fact.entity, id(fact.attribute)) for fact in found}
    fact = draw.any(found)
    other = [a for a in fact.kind.attributes if (fact.entity, id(a)) not in told]
    stranger = fact.kind.name(draw)
    if other and draw.chance(0.5):
        return capital(draw.loosely(draw.any(other).asks).format(e=fact.entity))
    while any(stranger == fact.entity for fact in found):
        stranger = fact.kind.name(draw)
    return capital(draw.loosely(fact.attribute.asks).format(e=stranger))


def answer(draw: Draw) -> Row:
    """Returns a row with a passage and a question, sometimes a second question in the next turn."""
    found = facts(draw)
    text = passage(draw, found)
    fact = draw.any(found)
    pairs = [(fact.question(draw), fact.value)]
    if draw.level > 1 and draw.chance(0.12):
        pairs = [(missing_question(draw, found), NO_ANSWER)]
    rest = [other for other in found if other is not fact]
    if rest and draw.chance(0.4):
        pairs += [(other.question(draw), other.value) for other in draw.random.sample(rest, min(len(rest), draw.level))]
    if draw.chance(PLATFORM_SHARE):
        return Turns(((from_passage(text, pairs[0][0]), pairs[0][1]), *pairs[1:])).row()
    first = wrappers.asked(draw, prompts.PASSAGE, wrappers.passage).format(passage=text, question=pairs[0][0])
    system = draw.phrase(prompts.PASSAGE_SYSTEM) if draw.chance(0.25) else ""
    return Turns(((first, pairs[0][1]), *pairs[1:]), system).row()


def true_or_false(draw: Draw) -> Row:
    """Returns a row that judges a claim by a passage: true, false or unknown."""
    found = facts(draw)
    text, fact = passage(draw, found), draw.any(found)
    label = draw.any(("true", "false", "unknown"))
    entity, value, attribute = fact.entity, fact.value, fact.attribute
    if label == "false":
        while value == fact.value:
            value = attribute.value(draw)
    if label == "unknown":
        while any(entity == other.entity for other in found):
            entity = fact.kind.name(draw)
    claim = capital(draw.phrase(attribute.says).format(e=entity, v=value))
    return single(draw.phrase(prompts.TRUE_FALSE).format(passage=text, claim=claim), label)
