# ruff: noqa: E501  (phrase lists read best in long lines)
"""Rewriting by a rule: case, order, a swapped word, person, politeness, quotes, lists."""

from __future__ import annotations

from collections.abc import Callable

from luthier.records.prompts import rewrite as platform_format
from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw, capital
from recipes.fiddle.rows import Row, single

PLATFORM_SHARE = 0.3
PATTERNS = (
    "{p} {v} the {x}.", "The {x} of {p} is {c}.", "{p} {v} a {x} in {t}.", "{p} and {q} like {f}.", "A {x} lies near the {y}.",
    "{p} went to {t} with a {x}.", "{p} gave {q} a {x}.", "In {t} they sell {f}.", "The {x} is next to the {y}.", "{p} wants {f} for lunch.",
    "Every day {p} {v} the {x}.", "{q} saw {p} in {t}.", "The {a} of {p} is {c}.", "{p} found a {c} {x}.",
)  # fmt: skip
ORDERS = ("Bring me the {x}.", "Close the {x}.", "Send the {x} to {p}.", "Tell {p} about the {x}.", "Show me the {x}.",
          "Wait for {p}.", "Find the {x}.", "Call {p}.", "Give {p} some {f}.", "Put the {x} away.")  # fmt: skip
FIRST_PERSON = ("I live in {t}.", "I have a {x}.", "I like {f}.", "I want to meet {p}.", "I know {p} well.", "I see a {c} {x}.",
                "I go to {t} with {p}.", "I look for the {x}.", "I eat {f}.")  # fmt: skip


def sentence(draw: Draw, patterns: tuple[str, ...] = PATTERNS) -> str:
    """Returns a plain sentence with drawn names and things."""
    p, q = draw.people(2)
    x, y = draw.words("things", 2)
    return draw.phrase(patterns).format(
        p=p if draw.chance(0.3) else p.split()[0], q=q.split()[0], x=x, y=y, v=draw.word("verbs"), c=draw.word("colours"),
        t=draw.town(), f=draw.word("foods"), a=draw.word("animals"),
    )  # fmt: skip


def _upper(draw: Draw) -> tuple[str, str, str]:
    text = sentence(draw)
    return draw.phrase(("Write in capital letters", "Put in upper case", "Make it all capitals")), text, text.upper()


def _lower(draw: Draw) -> tuple[str, str, str]:
    text = sentence(draw)
    return draw.phrase(("Write in small letters", "Put in lower case", "Use no capitals")), text, text.lower()


def _swap(draw: Draw) -> tuple[str, str, str]:
    text, new = sentence(draw), draw.any((draw.made_up, lambda: draw.word("things")))()
    old = draw.any([word.strip(".") for word in text.split()])
    rule = draw.phrase(("Replace {a} by {b}", "Change {a} to {b}", "Write {b} in place of {a}", "Swap {a} for {b}"))
    return rule.format(a=old, b=new), text, " ".join(_swapped(word, old, new) for word in text.split())


def _swapped(word: str, old: str, new: str) -> str:
    return new + word[len(old) :] if word.strip(".") == old else word


def _polite(draw: Draw) -> tuple[str, str, str]:
    text = sentence(draw, ORDERS)
    rule = draw.phrase(("Make it polite", "Say it politely", "Turn it into a polite request", "Ask nicely"))
    return rule, text, f"Could you please {text[0].lower()}{text[1:-1]}?"


def _we(draw: Draw) -> tuple[str, str, str]:
    text = sentence(draw, FIRST_PERSON)
    rule = draw.phrase(("Write we in place of I", "Say it for all of us", "Change I to we", "Use we"))
    return rule, text, f"We{text[1:]}"


def _quote(draw: Draw) -> tuple[str, str, str]:
    text, person = sentence(draw), draw.first_name()
    rule = draw.phrase(("Let {p} say it", "Put it in the mouth of {p}", "Write it as the words of {p}", "Quote {p}"))
    return rule.format(p=person), text, f'{person} said: "{text}"'


def _without(draw: Draw) -> tuple[str, str, str]:
    text = sentence(draw)
    words = text.rstrip(".").split()
    index = draw.between(0, len(words) - 1)
    if words.count(words[index]) > 1:
        return _upper(draw)
    rule = draw.phrase(("Leave out the word {w}", "Delete {w}", "Write it without {w}", "Drop the word {w}"))
    return rule.format(w=words[index]), text, " ".join(words[:index] + words[index + 1 :]) + "."


def _short(draw: Draw) -> tuple[str, str, str]:
    core = sentence(draw)
    padding = ("Well, as I said before, ", "To tell the truth, ", "You may not believe it, but ", "As far as I know, ",
               "By the way, ", "If I remember well, ", "It should be noted that ")  # fmt: skip
    rule = draw.phrase(("Make it short", "Leave out what is not needed", "Shorten", "Keep only the main part"))
    return rule, draw.phrase(padding) + core[0].lower() + core[1:], capital(core[0].lower() + core[1:])


RULES: tuple[Callable[[Draw], tuple[str, str, str]], ...] = (
    _upper,
    _lower,
    _swap,
    _swap,
    _polite,
    _we,
    _quote,
    _without,
    _short,
)


def rewrite(draw: Draw) -> Row:
    """Returns a row with a rule and a sentence to apply it to."""
    rule, text, answer = draw.any(RULES)(draw)
    if draw.chance(PLATFORM_SHARE):
        return single(platform_format(rule[0].lower() + rule[1:], text), answer)
    question = draw.phrase(prompts.REWRITE).format(rule=rule, rule_lower=rule[0].lower() + rule[1:], text=text)
    return single(question, answer)
