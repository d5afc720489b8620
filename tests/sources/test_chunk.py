"""Passages: exact offsets, nothing lost, within the limit, along the structure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import SpecError
from luthier.records.documents import Block, Document, Passage
from luthier.sources.chunk import chunk
from luthier.sources.raw import Raw
from luthier.sources.text import read_markdown
from luthier.sources.writer import Writer


def words(texts: Sequence[str]) -> list[int]:
    """A tokenizer: a token for each word of up to four letters, more for longer ones, two around each text."""
    return [2 + sum(-(-len(word) // 4) for word in re.findall(r"\S+", text)) for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def with_lines(texts: Sequence[str]) -> list[int]:
    """Counts more for two pieces together than for each alone."""
    return [len(text) + 5 * text.count("\n") for text in texts]


def passages(document: Document, max_tokens: int, overlap_tokens: int = 0) -> list[Passage]:
    return list(chunk(document, length=words, max_tokens=max_tokens, overlap_tokens=overlap_tokens))


LINES = st.text(st.sampled_from("ab .\n\t!ä文🎻\u2028\u00a0"), max_size=80)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents with blocks anywhere, gaps between them, and pages."""
    writer, loose = Writer(), draw(st.booleans())
    for _ in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            writer.page()
        text, kind = draw(LINES), draw(st.sampled_from(["heading", "text", "list", "table", "code"]))
        if kind == "heading":
            writer.heading(text, draw(st.integers(1, 4)))
        else:
            writer.block(kind, text)
    document = writer.document(Raw(b"", "a"))
    if not loose:
        return document
    text = draw(LINES)
    ends = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    blocks = [Block(draw(st.sampled_from(["heading", "code", "text"])), a, b, 1) for a, b in pairwise(ends)]
    return Document("a", text, blocks=tuple(blocks[::2]), page_starts=tuple(sorted({0, *ends[:2]})))


@given(documents(), st.integers(4, 40), st.integers(0, 30), st.sampled_from([words, characters, with_lines]))
def test_every_passage_is_found_again_and_nothing_is_lost(
    document: Document, limit: int, overlap: int, length: object
) -> None:
    assert list(document.check()) == []
    found = list(chunk(document, length=length, max_tokens=limit, overlap_tokens=min(overlap, limit - 1)))  # type: ignore[arg-type]
    covered: set[int] = set()
    for passage in found:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        assert (passage.first_page, passage.last_page) == (
            document.page(passage.start),
            document.page(passage.end - 1),
        )
        covered |= set(range(passage.start, passage.end))
    assert all(count <= limit for count in length([passage.text for passage in found]))  # type: ignore[operator]
    assert [i for i, letter in enumerate(document.text) if letter.strip() and i not in covered] == []
    assert all(one.start < two.start and one.end < two.end for one, two in pairwise(found))
    assert len({passage.id for passage in found}) == len(found)


GUIDE = """# Guide

Intro of a few words.

## Strings

Strings are made of steel. They break. Change them often.

| gauge | note |
|---|---|
| 10 | e |
| 13 | b |

## Wood

Spruce is soft, and maple is hard.

```python
for plank in planks:
    plane(plank)
```
"""


def test_sections_tables_and_code_stay_whole() -> None:
    document = read_markdown(Raw(GUIDE.encode(), "guide.md"))
    found = passages(document, 56)
    assert [passage.headings for passage in found] == [("Guide",), ("Guide", "Strings"), ("Guide", "Wood")]
    assert "| 10 | e |\n| 13 | b |" in found[1].text
    assert found[2].text.endswith("```python\nfor plank in planks:\n    plane(plank)\n```")
    small = passages(document, 22)
    table = next(passage for passage in small if "gauge" in passage.text)
    assert table.text.count("\n") == 3
    assert all("##" not in passage.text or len(passage.text.split("\n")) > 1 for passage in small), "a heading alone"


def test_a_table_that_is_too_long_is_cut_between_rows() -> None:
    writer = Writer()
    writer.table([[f"row {number}", "x" * 8] for number in range(40)])
    found = passages(writer.document(Raw(b"", "t.csv")), 40)
    assert len(found) > 3
    assert all(re.fullmatch(r"(row \d+ \| x{8}\n?)+", passage.text) for passage in found)


def test_text_that_is_too_long_is_cut_between_sentences() -> None:
    text = " ".join(f"Sentence {number} is one." for number in range(60))
    found = passages(Document("a", text), 30)
    assert all(re.fullmatch(r"(Sentence \d+ is one\. ?)+", passage.text) for passage in found)


def test_a_heading_stands_with_what_is_below_it() -> None:
    text = "Tiny.\n\n## Head\n\n" + "word " * 30
    first, second = passages(read_markdown(Raw(text.encode(), "a.md")), 36)
    assert first.text == "Tiny."
    assert second.text.startswith("## Head\n\nword")


def test_overlap_is_of_whole_sentences_and_stops_at_headings() -> None:
    text = (
        "# A\n\n"
        + " ".join(f"Sentence {number} is one." for number in range(30))
        + "\n\n# B\n\n"
        + "Other words. " * 12
    )
    found = passages(read_markdown(Raw(text.encode(), "a.md")), 40, 14)
    begins = [passage.start for passage in found]
    shared = [document_end - start for document_end, start in zip([p.end for p in found], begins[1:], strict=False)]
    assert sum(count > 0 for count in shared) >= 3
    assert all(re.match(r"(# |Sentence|Other)", passage.text) for passage in found)
    first_of_b = next(passage for passage in found if passage.text.startswith("# B"))
    assert first_of_b.start == text.index("# B")
    assert {passage.headings for passage in found} == {("A",), ("B",)}


def test_headings_of_short_sections_that_share_a_passage_are_those_above_both() -> None:
    text = "# All\n\n## One\n\nA.\n\n## Two\n\nB.\n"
    (only,) = passages(read_markdown(Raw(text.encode(), "a.md")), 100)
    assert only.headings == ("All",)
    assert only.text == text.strip()


def test_the_length_function_is_asked_in_batches() -> None:
    asked = []

    def counting(texts: Sequence[str]) -> list[int]:
        asked.append(len(texts))
        return words(texts)

    writer = Writer()
    for number in range(300):
        writer.text(f"Paragraph {number}. " + "Some more words here. " * (number % 30))
    found = list(chunk(writer.document(Raw(b"", "a")), length=counting, max_tokens=60, overlap_tokens=10))
    assert len(found) > 100
    assert len(asked) < 12


def test_what_cannot_be_cut_is_said() -> None:
    with pytest.raises(SpecError, match="alone has 3 tokens"):
        passages(Document("a", "x"), 2)
    with pytest.raises(SpecError, match="overlap"):
        passages(Document("a", "x"), 8, 8)
