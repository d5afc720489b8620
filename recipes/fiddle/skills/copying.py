"""Copying: repeat, look up, first, last and next word. Short rows whose answers stand in the prompt word by word."""

from __future__ import annotations

from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, single


def some_word(draw: Draw) -> str:
    """Returns a word of any kind: made up, from a list, a name, a code, a number."""
    names = (draw.made_up, draw.made_up, draw.first_name, draw.last_name, draw.town, draw.code)
    makers = (*names, lambda: str(draw.between(0, 9999)))
    lists = ("things", "animals", "colours", "adjectives", "subjects", "foods")
    return draw.word(draw.any(lists)) if draw.chance(0.3) else draw.any(makers)()


def some_text(draw: Draw, low: int, high: int) -> str:
    words = [some_word(draw) for _ in range(draw.between(low, high))]
    return draw.any((" ", " ", ", ")).join(words)


def repeat(draw: Draw) -> Row:
    """Returns a row that asks for a text again, once or twice."""
    text = some_text(draw, 2, 4 + 4 * draw.level)
    if draw.chance(0.2):
        return single(draw.phrase(prompts.TWICE).format(text=text), f"{text} {text}")
    return single(draw.phrase(prompts.REPEAT).format(text=text), text)


def drill(draw: Draw) -> Row:
    """Returns a row whose long answer repeats the question: the quickest way to learn to copy at all."""
    text = some_text(draw, 1, 4)
    return single(draw.phrase(prompts.REPEAT).format(text=text), text)


def look_up(draw: Draw) -> Row:
    """Returns a row with pairs of key and value, and a question for one of either."""
    count = draw.between(2, 2 + 2 * draw.level)
    keys = list(dict.fromkeys(some_word(draw) for _ in range(count)))
    values = [some_word(draw) for _ in keys]
    middle, joint = draw.any((": ", " = ", " is ", " -> ")), draw.any((", ", "; ", "\n"))
    pairs = joint.join(f"{key}{middle}{value}" for key, value in zip(keys, values, strict=True))
    asked = draw.between(0, len(keys) - 1)
    if draw.chance(0.25) and values.count(values[asked]) == 1:
        return single(draw.phrase(prompts.WHICH_KEY).format(pairs=pairs, value=values[asked]), keys[asked])
    return single(draw.phrase(prompts.LOOK_UP).format(pairs=pairs, key=keys[asked]), values[asked])


def position(draw: Draw) -> Row:
    """Returns a row that asks for the first, the last or the next word of a text."""
    makers = (draw.made_up, draw.first_name)
    words = list(dict.fromkeys(draw.any(makers)() for _ in range(draw.between(3, 4 + 3 * draw.level))))
    text = " ".join(words)
    kind = draw.between(0, 2)
    if kind == 0:
        return single(draw.phrase(prompts.FIRST_WORD).format(text=text), words[0])
    if kind == 1 or len(words) < 2:
        return single(draw.phrase(prompts.LAST_WORD).format(text=text), words[-1])
    index = draw.between(0, len(words) - 2)
    return single(draw.phrase(prompts.WORD_AFTER).format(text=text, word=words[index]), words[index + 1])
