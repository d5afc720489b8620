"""Prose for pre-training, from a folder of texts that is not part of this repository.

Read are `gutenberg/*.jsonl.gz` (fields author and text; only authors of `authors.txt`, who died before 1956) and
`african_storybook_en/*.jsonl` (fields licence and pages; only CC-BY). Anything else in the folder is left alone.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, single

AUTHORS = Path(__file__).parent / "authors.txt"
LAST_YEAR = 1955
SHORTEST, LONGEST = 120, 700  # characters of a paragraph


def authors() -> dict[str, int]:
    """Returns the authors whose books may be used, with the year of their death."""
    pairs = (line.rsplit(";", 1) for line in AUTHORS.read_text(encoding="utf-8").splitlines())
    return {name: int(year) for name, year in pairs}


def paragraphs(corpus: Path, most: int, seed: int = 0) -> tuple[list[str], Counter[str]]:
    """Returns up to `most` paragraphs in seeded order, and how many each author or source gave."""
    found = [*_books(corpus), *_stories(corpus)]
    Random(seed).shuffle(found)
    chosen = found[:most]
    return [text for _, text in chosen], Counter(source for source, _ in chosen)


def continuation(draw: Draw, paragraph: str) -> Row:
    """Returns a row that begins a paragraph and wants it continued."""
    words = paragraph.split()
    cut = min(draw.between(6, 30), len(words) // 2)
    end = cut + draw.between(20, 30 + 30 * draw.level)
    return single(draw.phrase(prompts.CONTINUE).format(text=" ".join(words[:cut])), " ".join(words[cut:end]))


def _books(corpus: Path) -> Iterator[tuple[str, str]]:
    allowed = {name for name, died in authors().items() if died <= LAST_YEAR}
    for file in sorted((corpus / "gutenberg").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for book in map(json.loads, lines):
                if book["author"] in allowed:
                    yield from ((book["author"], text) for text in _paragraphs(book["text"][2000:-2000]))


def _stories(corpus: Path) -> Iterator[tuple[str, str]]:
    for file in sorted((corpus / "african_storybook_en").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            story = json.loads(line)
            if story["licence"] == "CC-BY":
                yield from (("African Storybook", text) for text in _paragraphs(" ".join(story["pages"])))


def _paragraphs(text: str) -> Iterator[str]:
    for block in text.split("\n\n"):
        paragraph = " ".join(block.split())
        if len(paragraph) >= SHORTEST and paragraph[-1] in ".!?\"'" and not paragraph.isupper():
            yield paragraph[:LONGEST].rsplit(" ", 1)[0] if len(paragraph) > LONGEST else paragraph
