"""Edits move pages and blocks with the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from luthier.records.documents import Block, Document
from luthier.sources.editing import Edit, edited


@st.composite
def cases(draw: st.DrawFn) -> tuple[Document, list[Edit]]:
    """Documents whose letters are all different, and edits that leave some of them out or put others in."""
    text = "".join(chr(0x4E00 + n) for n in range(draw(st.integers(1, 40))))
    places = st.lists(st.integers(0, len(text)), max_size=8).map(sorted)
    ends, spans, pages = draw(places), draw(places), draw(places)
    blocks = tuple(Block("text", a, b) for a, b in zip(ends[::2], ends[1::2], strict=False) if a < b)
    edits = [Edit(a, b, draw(st.sampled_from(["", "x", "yyy"]))) for a, b in zip(spans[::2], spans[1::2], strict=False)]
    kept: list[Edit] = []
    for edit in edits:
        if edit.start < edit.end and (not kept or edit.start >= kept[-1].end):
            kept.append(edit)
    return Document("a", text, blocks=blocks, page_starts=tuple(sorted({0, *pages}))), kept


@given(cases())
def test_what_stays_is_in_the_same_block_and_on_the_same_page(case: tuple[Document, list[Edit]]) -> None:
    before, edits = case
    after = edited(before, edits)
    assert list(after.check()) == []
    assert len(after.page_starts) == len(before.page_starts)
    gone = {letter for edit in edits for letter in before.text[edit.start : edit.end]}
    for at, letter in enumerate(before.text):
        if letter in gone:
            assert letter not in after.text
            continue
        now = after.text.index(letter)
        assert after.page(now) == before.page(at)
        held = [before.text[b.start : b.end] for b in before.blocks if b.start <= at < b.end]
        holds = [after.text[b.start : b.end] for b in after.blocks if b.start <= now < b.end]
        assert len(held) == len(holds)
        assert all(set(one) - gone <= set(two) for one, two in zip(held, holds, strict=True))
