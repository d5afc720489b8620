"""Values of the kinds that only training rows speak of: measured ones, titles, rooms."""

from __future__ import annotations

from collections.abc import Callable

from recipes.fiddle.draw import NUMBER_WORDS, Draw
from recipes.fiddle.skills.facts import Attribute
from recipes.fiddle.skills.paraphrases import ways

Maker = Callable[[Draw], str]
TITLES = (
    "The {a} {t}",
    "{a} {t}",
    "A {t} for {n}",
    "The {t} of {n}",
    "{n} and the {t}",
    "The {a} {t} of {n}",
    "My {a} {t}",
)


def said(value: Maker, says: str, asks: str) -> Attribute:
    """Returns an attribute with phrasings between bars, all of them for training."""
    return Attribute(value, (), (), *ways(says, asks))


def number(low: int, high: int) -> Maker:
    return lambda draw: str(draw.between(low, high))


def listed(name: str) -> Maker:
    return lambda draw: draw.word(name)


def one_of(*items: str) -> Maker:
    return lambda draw: draw.any(items)


def measure(low: int, high: int, *units: str) -> Maker:
    """Returns a maker of values such as "42 metres" or, below 100, "3.5 kg"."""

    def value(draw: Draw) -> str:
        whole = draw.between(low, high)
        part = f".{draw.between(1, 9)}" if high < 100 and draw.chance(0.3) else ""
        return f"{whole}{part} {draw.any(units)}"

    return value


def span(*units: str) -> Maker:
    """Returns a maker of values such as "twelve days" or "17 days"."""

    def value(draw: Draw) -> str:
        count = draw.any((draw.any(NUMBER_WORDS[2:]), str(draw.between(2, 60))))
        return f"{count} {draw.any(units)}"

    return value


def title(draw: Draw) -> str:
    """Returns the title of a book or a film."""
    adjective, thing = draw.word("adjectives").title(), draw.word("things").title()
    return draw.any(TITLES).format(a=adjective, t=thing, n=draw.any((draw.first_name, draw.town))())


def room(draw: Draw) -> str:
    """Returns a room such as "room 12" or "the blue room"."""
    return draw.any((f"room {draw.between(1, 400)}", f"the {draw.word('colours')} room", f"Room {draw.code()}"))
