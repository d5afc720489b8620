"""Writes the data of the notebooks: `python examples/generate.py` writes `data/`, `--check` says whether it differs.

Recipes: a title and lines of ingredients, with the bare names that are wanted. Studio: questions about a made-up
library for sound, with the call that answers them. Every row says which part it is of: training, validation or test.
Recipes of different parts share no title, and a sixth of all ingredients are only in test recipes; questions of
different parts share no phrasing, and a test question names tracks that training never saw.

Only `Random.random` is drawn from: it alone gives the same numbers with every version of Python.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from string import capwords
from typing import Any, TypeVar

from words import DISHES, INGREDIENTS, KINDS, PHRASINGS, TRACKS

DATA = Path(__file__).parent / "data"
PARTS = ("training", "validation", "test")
RECIPES = {"training": 200, "validation": 30, "test": 60}
QUESTIONS = {"training": 25, "validation": 3, "test": 5}
"""Of each function."""

Row = dict[str, Any]
Item = TypeVar("Item")

AMOUNTS = {
    "weight": ("50 g", "100 g", "150 g", "250 g", "400 g", "half a kilo of", "1 kg", "8 oz", "a bowl of"),
    "liquid": ("100 ml", "250 ml", "half a litre of", "a glass of", "1 cup", "2 cups", "a splash of", "3 tbsp"),
    "spoon": ("1 tsp", "2 tsp", "half a teaspoon of", "1 tbsp", "a pinch of", "a good pinch of", "two spoons of"),
    "many": ("2", "3", "4", "six", "2 or 3", "2 large", "3 small", "4 ripe", "two medium"),
    "leaves": ("a handful of", "a small bunch of", "10 g", "a few sprigs of", "2 tbsp", "some fresh"),
}
AFTER = {
    "weight": ("", "", "", ", rinsed", ", weighed after cooking", ", at room temperature", " (or a little more)"),
    "liquid": ("", "", "", ", warm", ", cold", " (plus a little for the pan)", ", or as needed"),
    "spoon": ("", "", "", ", to taste", ", freshly ground", " (optional)", ", heaped"),
    "many": ("", ", peeled and diced", ", finely sliced", ", halved", ", cut into wedges", ", roughly chopped"),
    "leaves": ("", ", chopped", ", torn", ", finely chopped", " for serving", ", leaves only"),
}
TITLES = ("{a} and {b} {dish}", "{dish} of {a} with {b}", "{a} {dish} with {b}", "Our {a} and {b} {dish}")


def pick(draw: Random, items: Sequence[Item]) -> Item:
    """Returns one of `items`."""
    return items[int(draw.random() * len(items))]


def shuffled(draw: Random, items: Sequence[Item]) -> list[Item]:
    """Returns `items` in a random order."""
    places = sorted((draw.random(), place) for place in range(len(items)))
    return [items[place] for _, place in places]


def known(part: str) -> dict[str, list[str]]:
    """Returns the ingredients that recipes of `part` may hold, by their measure; a sixth is for test recipes alone."""
    return {
        measure: [name for number, name in enumerate(names) if part == "test" or number % 6 != 5]
        for measure, names in INGREDIENTS.items()
    }


def recipe(draw: Random, part: str) -> Row:
    """Returns one recipe."""
    pool = known(part)
    dish = pick(draw, DISHES)
    measures = ["many", "weight", *(pick(draw, list(AMOUNTS)) for _ in range(2 + int(draw.random() * 3)))]
    names: list[str] = []
    lines: list[str] = []
    for measure in measures:
        name = pick(draw, [name for name in pool[measure] if name not in names])
        names.append(name)
        lines.append(f"{pick(draw, AMOUNTS[measure])} {name}{pick(draw, AFTER[measure])}")
    title = pick(draw, TITLES).format(a=capwords(names[0]), b=capwords(names[1]), dish=dish)
    order = shuffled(draw, range(len(lines)))
    row = {"title": title, "lines": [lines[at] for at in order], "ingredients": [names[at] for at in order]}
    return row | {"part": part}


def recipes(seed: int = 1) -> Iterator[Row]:
    """Yields the recipes, no two of one title or of the same ingredients."""
    draw = Random(seed)
    seen: set[str | frozenset[str]] = set()
    for part, count in RECIPES.items():
        made = 0
        while made < count:
            row = recipe(draw, part)
            marks = {row["title"], frozenset(row["ingredients"])}
            if not marks & seen:
                seen |= marks
                made += 1
                yield row


def phrasings(function: str, part: str) -> Sequence[str]:
    """Returns the phrasings of `part`: two of each function are for testing, one for validation."""
    every = PHRASINGS[function]
    return {"training": every[:-3], "validation": every[-3:-2], "test": every[-2:]}[part]


def values(draw: Random, part: str) -> Mapping[str, Any]:
    """Returns a value for each argument that a call may have."""
    start = 5 * int(1 + draw.random() * 12)
    track, name = shuffled(draw, TRACKS["test" if part == "test" else "training"])[:2]
    return {
        "track": f"{pick(draw, KINDS)} {track}" if draw.random() < 0.4 else track,
        "name": f"{pick(draw, KINDS)} {name}" if draw.random() < 0.4 else name,
        "seconds": int(2 + draw.random() * 58),
        "percent": 5 * int(1 + draw.random() * 19),
        "bpm": int(60 + draw.random() * 120),
        "delay_ms": 10 * int(5 + draw.random() * 75),
        "start": start,
        "end": start + int(3 + draw.random() * 40),
        "format": pick(draw, ("wav", "mp3", "flac", "ogg")),
    }


def question(draw: Random, function: str, part: str) -> Row:
    """Returns one question about `function`, "name(argument, argument)", with the call that answers it."""
    name, _, arguments = function.rstrip(")").partition("(")
    given = values(draw, part)
    shown = ", ".join(f"{key}={json.dumps(given[key])}" for key in arguments.split(", "))
    asked = pick(draw, phrasings(function, part)).format(**given)
    return {"question": asked, "call": f"studio.{name}({shown})", "part": part}


def studio(seed: int = 2) -> Iterator[Row]:
    """Yields the questions, none twice."""
    draw = Random(seed)
    seen: set[str] = set()
    for part, count in QUESTIONS.items():
        rows: list[Row] = []
        for function in PHRASINGS:
            wanted = len(rows) + count
            while len(rows) < wanted:
                row = question(draw, function, part)
                if row["question"] not in seen:
                    seen.add(row["question"])
                    rows.append(row)
        yield from shuffled(draw, rows)


def texts() -> dict[str, str]:
    """Returns the text of each file by its name."""
    made = {"recipes.jsonl": recipes(), "studio.jsonl": studio()}
    return {name: "".join(json.dumps(row) + "\n" for row in rows) for name, rows in made.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the files, or with --check names those that differ; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the data of the notebooks.")
    parser.add_argument("--check", action="store_true", help="write nothing, say which files differ")
    check = parser.parse_args(arguments).check
    differ = 0
    for name, text in texts().items():
        file = DATA / name
        if check and (not file.exists() or file.read_bytes() != text.encode()):
            print(f"{name}: differs from what generate.py writes")
            differ = 1
        if not check:
            DATA.mkdir(exist_ok=True)
            file.write_bytes(text.encode())
    return differ


if __name__ == "__main__":
    raise SystemExit(main())
