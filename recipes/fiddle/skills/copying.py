"""Copying: repeat, look up, first, last and next word. Short rows whose answers stand in the prompt word by word."""

from __future__ import annotations

from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw, joined
from recipes.fiddle.rows import Row, compact, single


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
    return single(_asked(draw, text), text)


def random_word(draw: Draw) -> str:
    """Returns a word that cannot be known: letters or digits by chance, or made-up syllables."""
    kind = draw.between(0, 3)
    if kind == 0:
        return draw.made_up()
    if kind == 1:
        return draw.made_up().capitalize()
    if kind == 2:
        return "".join(draw.any("abcdefghijklmnopqrstuvwxyz") for _ in range(draw.between(2, 5)))
    return "".join(draw.any("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(draw.between(2, 5)))


def _asked(draw: Draw, text: str) -> str:
    ask = draw.phrase(prompts.REPEAT_VERBS) + draw.phrase(prompts.REPEAT_WHAT) + draw.phrase(prompts.REPEAT_HOW)
    return draw.phrase(prompts.REPEAT_FRAMES).format(ask=ask, text=text)


def drill(draw: Draw) -> Row:
    """Returns a row whose answer repeats words that no list holds: only copying gives them, so copying is learned."""
    text = " ".join(random_word(draw) for _ in range(draw.between(1, 4)))
    return single(_asked(draw, text), text)


def record(draw: Draw) -> Row:
    """Returns a row whose answer writes pairs of key and value as JSON; from level 2 on only the wanted keys."""
    keys = list(dict.fromkeys(draw.made_up() for _ in range(draw.between(1, 2 + draw.level))))
    pairs = {key: random_word(draw) if draw.chance(0.5) else some_text(draw, 1, 3) for key in keys}
    wanted = draw.random.sample(keys, draw.between(1, len(keys))) if draw.level > 1 else keys
    middle, joint = draw.any((": ", " = ", " is ", " - ")), draw.any((", ", "; ", "\n", ". "))
    text = joint.join(f"{key}{middle}{value}" for key, value in pairs.items())
    fields = draw.any((", ".join(wanted), joined(wanted)))
    question = draw.phrase(prompts.EXTRACT_FIELDS).format(fields=fields, message=text)
    return single(question, compact({key: pairs[key] for key in wanted}))


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
