# ruff: noqa: E501  (phrase lists read best one score a line)
"""Scores from 1 to 5: how good a review sounds, and how many of the wanted facts an answer holds."""

from __future__ import annotations

from luthier.records.prompts import score
from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw, joined
from recipes.fiddle.rows import Row, single

WANTED = 4
PLATFORM_SHARE = 0.4
REVIEWS = (
    ("The {x} is terrible.", "An awful {x}, the worst of all.", "I hate this {x}.", "Never buy this {x}.", "A disaster of a {x}.", "The {x} was a complete waste of money."),
    ("The {x} is poor.", "I do not like the {x} much.", "A weak {x}.", "The {x} could be much better.", "Not a good {x}.", "The {x} was rather a let-down."),
    ("The {x} is okay.", "An average {x}.", "The {x} is neither good nor bad.", "A so-so {x}.", "The {x} will do.", "The {x} was all right, no more."),
    ("The {x} is good.", "I like the {x}.", "A nice {x}.", "The {x} works well.", "I am pleased with the {x}.", "The {x} was better than most."),
    ("The {x} is perfect.", "A wonderful {x}, the best of all.", "I love this {x}.", "Everyone should have this {x}.", "An excellent {x}.", "The {x} was beyond all praise."),
)  # fmt: skip


def review(draw: Draw) -> Row:
    """Returns a row that gives a review 1 to 5 stars."""
    stars = draw.between(1, len(REVIEWS))
    text = draw.phrase(REVIEWS[stars - 1]).format(x=draw.thing())
    if draw.chance(PLATFORM_SHARE):
        return single(score("how good it sounds", text), str(stars))
    return single(draw.phrase(prompts.SCORE_REVIEW).format(text=text), str(stars))


def coverage(draw: Draw) -> Row:
    """Returns a row that scores an answer: 1, and 1 more for each of four facts that it holds."""
    makers = (draw.made_up, draw.first_name, lambda: draw.word("things"), lambda: draw.word("animals"), draw.code)
    facts: list[str] = []
    while len(facts) < WANTED:
        fact = draw.any(makers)()
        if fact not in facts:
            facts.append(fact)
    held = draw.random.sample(facts, draw.between(0, WANTED))
    answer = f"It has to do with {joined(held)}." if held else "I do not know."
    return single(draw.phrase(prompts.SCORE_COVERAGE).format(facts=", ".join(facts), answer=answer), str(1 + len(held)))
