"""Answering from a passage, with exact words, and telling true, false and unknown apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from luthier.records.prompts import NO_ANSWER, from_passage
from recipes.fiddle import prompts, wrappers
from recipes.fiddle.draw import Draw, capital
from recipes.fiddle.rows import Row, Turns, single
from recipes.fiddle.skills import frames
from recipes.fiddle.skills.facts import KINDS, PERSON, Attribute, Kind
from recipes.fiddle.skills.more_kinds import MORE_KINDS

PLATFORM_SHARE = 0.3
"""Rows in the platform's own format."""
MORE_KINDS_SHARE = 0.5
"""Of the training rows, those about kinds of which no held-out row speaks."""
ALIKE_SHARE = 0.25
"""Of the training rows from level 2 on, those in which an entity is named almost like another."""
PLACES = (
    "New {}", "Old {}", "Upper {}", "Lower {}", "Great {}", "Little {}",
    "East {}", "West {}", "{} Heath", "{} Bay", "{} Green", "{} Hill",
)  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """One statement of a passage."""

    kind: Kind
    entity: str
    attribute: Attribute
    value: str

    def question(self, draw: Draw) -> str:
        asked = draw.loosely(self.attribute.asks, self.attribute.more_asks)
        return capital(frames.question(draw, asked).format(e=self.entity))

    def sentence(self, draw: Draw, name: str) -> str:
        said = draw.loosely(self.attribute.says, self.attribute.more_says)
        return _stated(draw, frames.statement(draw, said), name, self.value)


def _stated(draw: Draw, said: str, name: str, value: str) -> str:
    """Returns a statement with its names; "a" becomes "an" where it must, except in held-out rows, which are fixed."""
    if not draw.held_out and value[0].lower() in "aeiou":
        said = re.sub(r"\b([Aa]) {v}", r"\1n {v}", said)
    return capital(said.format(e=name, v=value))


def drawn_kind(draw: Draw) -> Kind:
    """Returns what a passage speaks about."""
    if not draw.held_out and draw.chance(MORE_KINDS_SHARE):
        return draw.any(MORE_KINDS)
    return PERSON if draw.chance(0.4) else draw.any(KINDS)


def alike(draw: Draw, kind: Kind, entity: str) -> str:
    """Returns another name of `kind` that shares words with `entity`, where names of the kind have several words."""
    other = kind.name(draw)
    old, new = entity.split(), other.split()
    if kind.again == "The town":
        return draw.any(PLACES).format(entity)
    if old[0] == "the" and kind.again == "It" and len(old) < 4:
        named = entity if len(old) == 2 else f"the {' '.join(old[2:])}"
        return f"the {draw.word('adjectives')} {named.removeprefix('the ')}"
    mixed = {" ".join((*old[:-1], new[-1])), " ".join((new[0], *old[1:]))} if len(old) > 1 and len(new) > 1 else set()
    return draw.any(sorted(mixed - {entity}) or [other])


def other_name(draw: Draw, fact: Fact) -> str:
    """Returns a name of the fact's kind; in training rows from level 2 on sometimes one almost like its entity's."""
    if not draw.held_out and draw.level > 1 and draw.chance(ALIKE_SHARE):
        return alike(draw, fact.kind, fact.entity)
    return fact.kind.name(draw)


def _entities(draw: Draw, kind: Kind, near: Fact | None) -> list[str]:
    """Returns names of one to five entities; in training rows some are almost the same (as `near`, if given)."""
    named = [kind.name(draw) for _ in range(draw.between(1, (2, 3, 5)[draw.level - 1]))]
    if near:
        named[0] = alike(draw, kind, near.entity)
    elif not draw.held_out and draw.level > 1 and draw.chance(ALIKE_SHARE):
        named.append(alike(draw, kind, named[0]))
    return list(dict.fromkeys(named))


def facts(draw: Draw, near: Fact | None = None) -> list[Fact]:
    """Returns facts about one to five entities of one kind: no entity and no attribute of it twice.

    `near` is a fact about another entity of the same kind that has almost the same name as the first.
    """
    kind = near.kind if near else drawn_kind(draw)
    entities = _entities(draw, kind, near)
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
    stranger = other_name(draw, fact)
    if other and draw.chance(0.5):
        return Fact(fact.kind, fact.entity, draw.any(other), "").question(draw)
    while any(stranger == told.entity for told in found):
        stranger = other_name(draw, fact)
    return Fact(fact.kind, stranger, fact.attribute, "").question(draw)


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
            entity = other_name(draw, fact)
    claim = _stated(draw, draw.phrase_or(attribute.says, attribute.more_says), entity, value)
    return single(draw.phrase(prompts.TRUE_FALSE).format(passage=text, claim=claim), label)
