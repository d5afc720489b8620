"""How a message's clauses stand together: in a row, on lines, as a list, in one sentence, without capitals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from recipes.fiddle.draw import Draw, capital, joined

PLAIN_SHARE = 0.6
BULLETS = ("- ", "* ", "• ", "+ ", "-- ", "> ")

Said = tuple[str, str | int]
"""A clause with {v}, or without, and the value it holds."""


def laid_out(draw: Draw, opening: str, said: Sequence[Said], closing: str, *, table: bool = False) -> str:
    """Returns a message; held-out rows have one clause after the other, each with a capital letter."""
    if draw.held_out:
        return " ".join(
            [part for part in (opening, *(capital(clause.format(v=v)) for clause, v in said), closing) if part]
        )
    if table:
        joint = draw.any(("\n", "\n", "\n", "\n\n", "; ", ", ", " / "))
        rows = joint.join(_bare(filled(*one)) for one in said)
        return _with_ends(draw, opening, rows, closing)
    if draw.chance(PLAIN_SHARE):
        return " ".join([part for part in (opening, *map(sentence, said), closing) if part])
    style = draw.any((_lines, _paragraph, _list, _chain, _one_sentence, _small))
    return style(draw, opening, said, closing)


def filled(clause: str, value: str | int) -> str:
    """Returns a clause with its value, with "an" before a vowel and no plural after one."""
    text = str(value)
    if text[:1] in tuple("aeiou"):
        clause = re.sub(r"\b([Aa]) \{v\}", r"\1n {v}", clause)
    if text in ("1", "one"):
        clause = re.sub(r"(\{v\} (?:night|day|month|year|room|ticket|seat|hour))s\b", r"\1", clause)
    return clause.format(v=value)


def sentence(said: Said) -> str:
    """Returns a clause as a sentence; keys, codes and addresses at its start keep their letters."""
    text = filled(*said)
    first = text.split(" ")[0]
    if "_" in first or first[1:].lower() != first[1:] or any(sign.isdigit() or sign in "@<=" for sign in first):
        return text
    return capital(text)


def _with_ends(draw: Draw, opening: str, body: str, closing: str) -> str:
    gap = draw.any(("\n", "\n", "\n\n"))
    return gap.join(part for part in (opening, body, closing) if part)


def _lines(draw: Draw, opening: str, said: Sequence[Said], closing: str) -> str:
    bare = draw.chance(0.4)
    return _with_ends(
        draw, opening, "\n".join(_bare(sentence(one)) if bare else sentence(one) for one in said), closing
    )


def _paragraph(draw: Draw, opening: str, said: Sequence[Said], closing: str) -> str:
    return _with_ends(draw, opening, " ".join(map(sentence, said)), closing)


def _list(draw: Draw, opening: str, said: Sequence[Said], closing: str) -> str:
    sign, counted, small = draw.any(BULLETS), draw.chance(0.25), draw.chance(0.5)
    start = draw.any((".", ")"))
    items = [(_lowered(one) if small else _bare(sentence(one))) for one in said]
    rows = [f"{number}{start} {item}" if counted else f"{sign}{item}" for number, item in enumerate(items, 1)]
    return _with_ends(draw, opening, "\n".join(rows), closing)


def _chain(draw: Draw, opening: str, said: Sequence[Said], closing: str) -> str:
    joint = draw.any(("; ", "; ", " - ", " / ", " ... ", ", ", " | "))
    body = joint.join(_lowered(one) for one in said)
    return " ".join(part for part in (opening, _begun(said, body) + draw.any((".", "")), closing) if part)


def _one_sentence(draw: Draw, opening: str, said: Sequence[Said], closing: str) -> str:
    """Returns statements as one sentence, and what is no statement after it."""
    stated = [one for one in said if one[0].endswith(".") and "{v}" in one[0]]
    rest = [one for one in said if one not in stated]
    link: Callable[[list[str]], str] = draw.any((joined, joined, " and ".join, ", and ".join, ", ".join, "; and ".join))
    body = [_begun(stated, link([_lowered(one) for one in stated])) + "."] if stated else []
    return " ".join(part for part in (opening, *body, *map(sentence, rest), closing) if part)


def _small(draw: Draw, opening: str, said: Sequence[Said], closing: str) -> str:
    """Returns a message in small letters but for its values, sometimes without full stops."""
    joint = draw.any((" ", " ", ", ", "\n", " and "))
    stop = draw.chance(0.5)
    texts = [filled((clause if stop and joint == " " else _bare(clause)).lower(), v) for clause, v in said]
    return " ".join(part for part in (opening.lower(), joint.join(texts), closing.lower()) if part)


def _bare(text: str) -> str:
    return text[:-1] if text.endswith((".", ",")) else text


def _lowered(said: Said) -> str:
    """Returns a clause as it stands inside a sentence."""
    clause = said[0]
    if (clause[:1] == "I" and clause[1:2] in " ',") or clause[:2].isupper() or clause.startswith("{"):
        return filled(_bare(clause), said[1])
    return filled(_bare(clause[:1].lower() + clause[1:]), said[1])


def _begun(said: Sequence[Said], text: str) -> str:
    """Returns the text with a capital letter, unless it begins with a value."""
    return text if not said or said[0][0].startswith("{v}") else capital(text)
