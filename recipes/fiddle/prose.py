"""Prose for pre-training, from a folder of texts that is not part of this repository.

`python -m recipes.fiddle.prose DIR` writes `corpus.jsonl`, the manifest of what is read (title, author, licence,
source, SHA-256 of the text), and the credits that go with the weights, `ATTRIBUTION`.

Read are `gutenberg/*.jsonl.gz` (fields author and text; only authors of `authors.txt`, who died before 1956) and
`african_storybook_en/*.jsonl` (fields licence and pages; only CC-BY). Anything else in the folder is left alone.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from recipes.fiddle import prompts
from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, single

AUTHORS = Path(__file__).parent / "authors.txt"
MANIFEST = Path(__file__).parent / "corpus.jsonl"
CREDITS = Path(__file__).parents[2] / "src/luthier/models/fiddle/ATTRIBUTION"
LAST_YEAR = 1955
LATER_HANDS = ("Clara Endicott Sears",)
"""Compilers who died later, by how titles name them."""
PUBLIC_DOMAIN, STORYBOOK = "public domain", "African Storybook Initiative"
CREDITS_TEXT = """Texts that Fiddle, the embedded model, was trained on beside rows that programs wrote

No text is part of this package; recipes/fiddle/corpus.jsonl lists each with its SHA-256.

Books in the public domain, by authors who died before 1956, from Project Gutenberg (https://www.gutenberg.org):

{books}

Stories of the African Storybook Initiative (https://www.africanstorybook.org), licensed CC BY
(https://creativecommons.org/licenses/by/4.0/), used as plain text without their pictures; authors, illustrators and
translators are named with each story on that site:

{stories}
"""
SHORTEST, LONGEST = 120, 700  # characters of a paragraph


def authors() -> dict[str, int]:
    """Returns the authors whose books may be used, with the year of their death."""
    pairs = (line.rsplit(";", 1) for line in AUTHORS.read_text(encoding="utf-8").splitlines())
    return {name: int(year) for name, year in pairs}


def paragraphs(corpus: Path, most: int, seed: int = 0) -> tuple[list[str], Counter[str]]:
    """Returns up to `most` paragraphs in seeded order, and how many each author or source gave."""
    found = [(_group(text), paragraph) for text in texts(corpus) for paragraph in paragraphs_of(_body(text))]
    Random(seed).shuffle(found)
    chosen = found[:most]
    return [text for _, text in chosen], Counter(source for source, _ in chosen)


def continuation(draw: Draw, paragraph: str) -> Row:
    """Returns a row that begins a paragraph and wants it continued."""
    words = paragraph.split()
    cut = min(draw.between(6, 30), len(words) // 2)
    end = cut + draw.between(20, 30 + 30 * draw.level)
    return single(draw.phrase(prompts.CONTINUE).format(text=" ".join(words[:cut])), " ".join(words[cut:end]))


@dataclass(frozen=True)
class Text:
    """One text that may be read: a book, or a story."""

    title: str
    author: str
    licence: str
    source: str
    text: str

    def entry(self) -> dict[str, str]:
        """Returns its line of the manifest."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        named = {"title": self.title, "author": self.author, "licence": self.licence, "source": self.source}
        return named | {"sha256": digest}


def texts(corpus: Path) -> Iterator[Text]:
    """Yields every text of a folder that may be read, books first."""
    allowed = {name for name, died in authors().items() if died <= LAST_YEAR}
    for file in sorted((corpus / "gutenberg").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for book in map(json.loads, lines):
                if book["author"] in allowed and not any(name in book["title"] for name in LATER_HANDS):
                    yield Text(book["title"], book["author"], PUBLIC_DOMAIN, "Project Gutenberg", book["text"])
    for file in sorted((corpus / "african_storybook_en").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            story = json.loads(line)
            if story["licence"] == "CC-BY":
                yield Text(story["title"], STORYBOOK, "CC BY", story["path"], " ".join(story["pages"]))


def write_manifest(corpus: Path, manifest: Path = MANIFEST, credits: Path = CREDITS) -> int:
    """Writes the manifest and the credits of a folder's texts; returns how many there are."""
    entries = [text.entry() for text in texts(corpus)]
    lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]
    manifest.write_text("".join(lines), encoding="utf-8")
    died = authors()
    books = sorted((entry["author"], entry["title"]) for entry in entries if entry["licence"] == PUBLIC_DOMAIN)
    stories = sorted((entry["title"], entry["source"]) for entry in entries if entry["licence"] != PUBLIC_DOMAIN)
    listed = [f"- {author} (died {died[author]}): {title}" for author, title in books]
    told = [f"- {title} ({source})" for title, source in stories]
    credits.write_text(CREDITS_TEXT.format(books="\n".join(listed), stories="\n".join(told)), encoding="utf-8")
    return len(entries)


def _group(text: Text) -> str:
    return "African Storybook" if text.author == STORYBOOK else text.author


def _body(text: Text) -> str:
    """Returns what is read of a text: of a book not its first and last pages, which are lists and notes."""
    return text.text if text.author == STORYBOOK else text.text[2000:-2000]


def paragraphs_of(text: str) -> Iterator[str]:
    """Yields the paragraphs of a text that are whole sentences, cut at a length."""
    for block in text.split("\n\n"):
        paragraph = " ".join(block.split())
        if len(paragraph) >= SHORTEST and paragraph[-1] in ".!?\"'" and not paragraph.isupper():
            yield paragraph[:LONGEST].rsplit(" ", 1)[0] if len(paragraph) > LONGEST else paragraph


if __name__ == "__main__":
    print(f"{write_manifest(Path(sys.argv[1]))} texts -> {MANIFEST}, {CREDITS}")
