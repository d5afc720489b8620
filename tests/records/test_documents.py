"""Documents and passages: offsets, pages, and what comes back from JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.documents import Block, Citation, Document, Passage

HANDBOOK = Document(
    source="/data/handbook.pdf",
    text="# Bread\nFlour and water.\nSalt.",
    title="Handbook",
    media_type="application/pdf",
    digest="ab" * 32,
    page_starts=(0, 8, 25),
    blocks=(Block("heading", 0, 7, 1), Block("text", 8, 24), Block("text", 25, 30)),
    language="en",
    modified_at=1.5,
    attributes={"team": "kitchen", "year": 2024.0, "draft": False},
)


def test_pages_are_found_by_offset() -> None:
    assert [HANDBOOK.page(offset) for offset in (0, 7, 8, 24, 25, 29)] == ["1", "1", "2", "2", "3", "3"]
    named = replace(HANDBOOK, page_names=("i", "ii", "1"))
    assert named.page(9) == "ii"
    assert replace(HANDBOOK, page_starts=()).page(9) == ""


def test_a_document_comes_back_from_json() -> None:
    there = json.loads(json.dumps(HANDBOOK.to_json()))
    assert Document.from_json(there) == HANDBOOK
    bare = Document("a", "b")
    assert Document.from_json(json.loads(json.dumps(bare.to_json()))) == bare


def test_the_id_is_of_the_source_and_the_version_of_the_text() -> None:
    longer = replace(HANDBOOK, text=HANDBOOK.text + " ")
    assert longer.id == HANDBOOK.id
    assert longer.version != HANDBOOK.version
    assert replace(HANDBOOK, collected_at=9.0).version == HANDBOOK.version
    assert replace(HANDBOOK, source="/data/other.pdf").id != HANDBOOK.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"page_starts": (3, 8)}, "begin at 0"),
        ({"page_starts": (0, 8, 5)}, "begin at 0"),
        ({"page_starts": (0, 99)}, "after the end"),
        ({"page_names": ("i",)}, "1 names for 3 pages"),
        ({"blocks": (Block("text", 0, 9), Block("text", 8, 12))}, "8:12 overlaps"),
        ({"blocks": (Block("text", 0, 31),)}, "not within 0:30"),
    ],
)
def test_wrong_offsets_are_told(change: dict[str, object], said: str) -> None:
    assert not list(HANDBOOK.check())
    assert said in " ".join(replace(HANDBOOK, **change).check())  # type: ignore[arg-type]


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_passages_come_back_from_json_and_differ_by_place(text: str, start: int, end: int) -> None:
    passage = Passage("doc_1", start, start + len(text), text, ("A", "B"), "3", "4")
    assert Passage.from_json(json.loads(json.dumps(passage.to_json()))) == passage
    assert passage.pages == "3-4"
    moved = replace(passage, start=start + end + 1, end=start + end + 1 + len(text))
    assert moved.id != passage.id


def test_a_citation_says_page_and_quote() -> None:
    passage = Passage("doc_1", 8, 24, "Flour and water.", ("Bread",), "2", "2")
    said = Citation(1, passage, "/data/handbook.pdf", "Handbook", 0.9, 12).to_json()
    assert said["pages"] == "2"
    assert said["quote"] == "Flour and water."
