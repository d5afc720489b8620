"""Writes pre-training rows of the embedded model: `python -m recipes.fiddle.generate --output FILE`.

The same arguments give the same bytes. Rows are chats in OpenAI's JSON lines; with `--corpus DIR` some of them continue
prose of that folder, without it all rows are generated and a line says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from recipes.fiddle import prose
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row
from recipes.fiddle.skills import (
    arithmetic,
    calling,
    cited,
    classification,
    copying,
    dialogue,
    extraction,
    lexicon,
    listing,
    many,
    passage,
    rewriting,
    scoring,
)

PLAN = "0:3000,1:36000,2:60000,3:50000"
MOST_PARAGRAPHS = 140_000
Skill = Callable[[Draw], Row]
SKILLS: dict[str, Skill] = {
    "over_and_over": many.over_and_over,
    "look_ups": many.look_ups,
    "passages": many.passages,
    "records": many.records,
    "labels": many.labels,
    "by_words": lexicon.by_words,
    "drill": copying.drill,
    "repeat": copying.repeat,
    "look_up": copying.look_up,
    "position": copying.position,
    "passage": passage.answer,
    "cited": cited.cited,
    "cited_often": cited.cited_often,
    "cited_long": cited.cited_long,
    "true_or_false": passage.true_or_false,
    "fields": extraction.fields,
    "schema": extraction.schema,
    "extract_chat": extraction.in_chat,
    "classify": classification.classify,
    "rewrite": rewriting.rewrite,
    "listing": listing.listing,
    "arithmetic": arithmetic.arithmetic,
    "dialogue": dialogue.dialogue,
    "tool_call": calling.tool_call,
    "review": scoring.review,
    "coverage": scoring.coverage,
}


@dataclass(frozen=True)
class Stage:
    """What a stage of the curriculum draws: weights of skills and of levels, and the share of prose."""

    weights: dict[str, float]
    levels: tuple[float, float, float]
    prose: float = 0.0


STAGES = {
    0: Stage({"over_and_over": 1, "look_ups": 2}, (1, 0, 0)),
    1: Stage(
        {
            "over_and_over": 0.4, "look_ups": 1, "passages": 3, "records": 3.5, "labels": 1.2, "by_words": 1.5,
            "schema": 1, "repeat": 0.4, "dialogue": 0.3, "cited_often": 1.5,
        },
        (0.5, 0.5, 0),
    ),
    2: Stage(
        {
            "repeat": 0.5, "look_up": 0.7, "position": 0.4, "passages": 2, "passage": 2, "cited": 1, "cited_often": 1.2,
            "true_or_false": 0.7, "records": 2, "fields": 1.5, "schema": 1.5, "extract_chat": 1,
            "labels": 0.8, "by_words": 1, "classify": 1.5, "rewrite": 1.2, "listing": 1, "arithmetic": 1.2,
            "dialogue": 0.7, "tool_call": 0.7, "review": 0.5, "coverage": 0.5,
        },
        (0.45, 0.55, 0),
    ),
    3: Stage(
        {
            "repeat": 0.3, "look_up": 0.5, "look_ups": 0.5, "position": 0.3, "passage": 3, "passages": 1.5,
            "cited": 2, "cited_often": 0.5, "true_or_false": 0.8,
            "records": 2, "fields": 2.5, "schema": 2, "extract_chat": 1.5, "classify": 2, "by_words": 0.6,
            "rewrite": 1.2, "listing": 1, "arithmetic": 1.5, "dialogue": 0.8, "tool_call": 0.8,
            "review": 0.6, "coverage": 0.6, "cited_long": 0.2, "chat": 0.2,
        },
        (0.3, 0.45, 0.25),
        prose=0.03,
    ),
    4: Stage(
        {
            "repeat": 0.4, "look_ups": 0.9, "position": 0.1, "passage": 3.5, "passages": 3, "cited": 1.5,
            "cited_often": 0.7, "true_or_false": 0.4, "records": 3.5, "fields": 2.5, "schema": 2.5,
            "extract_chat": 1, "labels": 0.3, "classify": 1.2, "by_words": 0.6, "rewrite": 0.8, "listing": 0.7,
            "arithmetic": 0.7, "dialogue": 0.4, "tool_call": 0.6, "review": 0.5, "coverage": 0.4,
            "cited_long": 0.08, "chat": 0.08,
        },
        (0.4, 0.5, 0.1),
        prose=0.015,
    ),
    5: Stage(
        {
            "repeat": 0.4, "look_up": 0.2, "look_ups": 0.8, "position": 0.2, "passage": 3.5, "passages": 3,
            "cited": 1.8, "cited_often": 1, "true_or_false": 0.6, "records": 3, "fields": 3, "schema": 3,
            "extract_chat": 1.2, "labels": 0.6, "classify": 2, "by_words": 0.6, "rewrite": 1.4, "listing": 1.4,
            "arithmetic": 1.4, "dialogue": 1, "tool_call": 1, "review": 0.7, "coverage": 0.7,
            "cited_long": 0.15, "chat": 0.15,
        },
        (0.35, 0.5, 0.15),
        prose=0.03,
    ),
}  # fmt: skip

JOINED = ("passage", "fields", "schema", "classify", "rewrite", "listing", "arithmetic", "look_up")
LONGEST_CHAT = 3400  # characters: below 2,048 tokens


def chat(draw: Draw) -> Row:
    """Returns a long chat: rows of many skills one after the other, none of them with a system prompt."""
    messages: list[dict[str, str]] = []
    while True:
        more = SKILLS[draw.any(JOINED)](draw)["messages"]
        if more[0]["role"] == "system":
            continue
        if sum(len(message["content"]) for message in (*messages, *more)) > LONGEST_CHAT:
            return {"messages": messages}
        messages += more


SKILLS["chat"] = chat

WITHOUT_NAMES = ("arithmetic", "dialogue", "tool_call")
"""Skills whose rows may hold no name or fact at all: what is new in a held-out one is every phrasing."""


def rows(stage: int, count: int, seed: int, *, paragraphs: Sequence[str] = (), held_out: bool = False) -> Iterator[Row]:
    """Yields `count` rows of a stage. `held_out` draws names and phrasings that training never sees."""
    plan, random = STAGES[stage], Random(f"{stage}:{seed}:{held_out}")
    names, weights = list(plan.weights), list(plan.weights.values())
    for index in range(count):
        level = random.choices((1, 2, 3), plan.levels)[0]
        draw = Draw(random, level, held_out)
        if paragraphs and random.random() < plan.prose:
            yield prose.continuation(draw, paragraphs[index % len(paragraphs)])
        else:
            skill = random.choices(names, weights)[0]
            yield SKILLS[skill](draw_for(skill, random, level, held_out=held_out))


def skill_rows(skill: str, count: int, seed: int, *, level: int = 1, held_out: bool = True) -> list[Row]:
    """Returns rows of one skill, for measuring it."""
    draw = draw_for(skill, Random(f"{skill}:{seed}:{held_out}"), level, held_out=held_out)
    return [SKILLS[skill](draw) for _ in range(count)]


def draw_for(skill: str, random: Random, level: int, *, held_out: bool) -> Draw:
    """Returns the draw of rows of one skill."""
    draw = Draw(random, level, held_out)
    return replace(draw, unseen=1.0) if skill in WITHOUT_NAMES else draw


def write(path: Path, made: Iterator[Row]) -> int:
    """Writes rows as JSON lines and returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in made:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_plan(text: str) -> list[tuple[int, int]]:
    """Returns the stages and row counts of a plan such as "0:24000,1:40000"."""
    plan = [tuple(map(int, part.split(":"))) for part in text.split(",")]
    if any(len(entry) != 2 or entry[0] not in STAGES for entry in plan):
        raise argparse.ArgumentTypeError(f"{text!r} is no plan; write STAGE:ROWS,STAGE:ROWS, stages {sorted(STAGES)}")
    return [(stage, count) for stage, count in plan]


def curriculum(
    plan: Sequence[tuple[int, int]], seed: int, *, paragraphs: Sequence[str] = (), held_out: bool = False
) -> Iterator[Row]:
    """Yields the rows of a plan, stage after stage."""
    for stage, count in plan:
        yield from rows(stage, count, seed, paragraphs=paragraphs, held_out=held_out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and writes the rows."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.generate")
    parser.add_argument("--plan", type=read_plan, default=PLAN, help="stages and their rows, in order: 0:24000,1:40000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true", help="names and phrasings that training never sees")
    parser.add_argument("--corpus", type=Path, help="folder of texts; without it every row is generated")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    plan = read_plan(given.plan) if isinstance(given.plan, str) else given.plan
    texts: list[str] = []
    if given.corpus:
        texts, sources = prose.paragraphs(given.corpus, MOST_PARAGRAPHS, given.seed)
        counts = ", ".join(f"{source} {count}" for source, count in sources.most_common())
        print(f"prose: {len(texts)} paragraphs: {counts}", file=sys.stderr)
    elif any(STAGES[stage].prose for stage, _ in plan):
        print("no --corpus: all rows are generated, none continues prose", file=sys.stderr)
    made = curriculum(plan, given.seed, paragraphs=texts, held_out=given.held_out)
    print(f"{write(given.output, made)} rows -> {given.output}")


if __name__ == "__main__":
    main()
