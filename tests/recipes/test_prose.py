"""Prose: only allowed authors and licences, cut into paragraphs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

from recipes.fiddle import prose
from recipes.fiddle.draw import Draw

SENTENCE = "It was a long winter and the snow lay deep upon every roof of the little town by the sea. "


def corpus(folder: Path) -> Path:
    (folder / "gutenberg").mkdir()
    (folder / "african_storybook_en").mkdir()
    long_text = "x" * 2000 + "\n\n" + "\n\n".join(SENTENCE * 2 + f"Part {i} ends here." for i in range(20)) + "y" * 2000
    books = [
        {"author": "Carroll, Lewis", "title": "Snark", "text": long_text},
        {"author": "Wodehouse, P. G.", "title": "Jeeves", "text": "W" + long_text},
        {"author": "Alcott, Louisa May", "title": "Fruitlands, compiled by Clara Endicott Sears", "text": long_text},
    ]
    with gzip.open(folder / "gutenberg" / "one.jsonl.gz", "wt") as file:
        file.write("\n".join(json.dumps(book) for book in books))
    free, unfree = [SENTENCE, SENTENCE], ["No. " + SENTENCE * 3]
    stories = [
        {"title": "Rain", "path": "en/1.md", "licence": "CC-BY", "pages": free},
        {"title": "Sun", "path": "en/2.md", "licence": "CC-BY-NC", "pages": unfree},
    ]
    (folder / "african_storybook_en" / "a.jsonl").write_text("\n".join(json.dumps(story) for story in stories))
    return folder


def test_only_allowed_texts_are_read(tmp_path: Path) -> None:
    texts, sources = prose.paragraphs(corpus(tmp_path), 1000)
    assert set(sources) == {"Carroll, Lewis", "African Storybook"}
    assert sources["African Storybook"] == 1
    assert not any(text.startswith("No.") for text in texts)


def test_authors_died_before_1956() -> None:
    assert len(prose.authors()) == 20
    assert all(1800 < year <= 1955 for year in prose.authors().values())


def test_a_continuation_goes_on_where_the_prompt_stops() -> None:
    paragraph = (SENTENCE * 5).strip()
    row = prose.continuation(Draw(Random(4), level=2), paragraph)
    question, answer = (message["content"] for message in row["messages"])
    words = answer.split()
    assert answer in paragraph
    assert 10 <= len(words) <= 90
    start = paragraph.index(answer)
    assert paragraph[max(0, start - 20) : start].strip() in question


def test_manifest_and_credits_name_each_text(tmp_path: Path) -> None:
    manifest, credits = tmp_path / "corpus.jsonl", tmp_path / "ATTRIBUTION"
    assert prose.write_manifest(corpus(tmp_path), manifest, credits) == 2
    book, story = map(json.loads, manifest.read_text().splitlines())
    assert (book["title"], book["author"], book["licence"]) == ("Snark", "Carroll, Lewis", "public domain")
    assert (story["title"], story["licence"], story["source"]) == ("Rain", "CC BY", "en/1.md")
    assert len(book["sha256"]) == len(story["sha256"]) == 64
    text = credits.read_text()
    assert "- Carroll, Lewis (died 1898): Snark\n" in text
    assert "- Rain (en/1.md)" in text
    assert "Sears" not in text
    assert "Sun" not in text
