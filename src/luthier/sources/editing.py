"""Documents with some of their text left out or replaced: pages and blocks stay where they belong."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from luthier.records.documents import Block, Document

EDGE_LINES = 3
"""How many lines at the top and at the bottom of a page may be running ones."""
FEWEST_PAGES = 3
_NUMBER = re.compile(r"\d+")
_LONGEST = 200
_NEIGHBOURS = (-2, -1, 1, 2)


@dataclass(frozen=True, slots=True)
class Edit:
    """Text[start:end] becomes `text`."""

    start: int
    end: int
    text: str = ""


def edited(document: Document, edits: Sequence[Edit]) -> Document:
    """Returns `document` with `edits` made, which stand in order and do not overlap."""
    if not edits:
        return document
    pieces, at = [], 0
    for edit in edits:
        pieces += [document.text[at : edit.start], edit.text]
        at = edit.end
    text = "".join([*pieces, document.text[at:]])
    starts, ends = [edit.start for edit in edits], [edit.end for edit in edits]
    grown = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in edits)]

    def moved(offset: int) -> int:
        number = bisect.bisect_right(ends, offset)
        if number < len(edits) and starts[number] < offset:  # within an edit: behind what stands for it
            return starts[number] + grown[number] + len(edits[number].text)
        return offset + grown[number]

    blocks = [Block(b.kind, moved(b.start), moved(b.end), b.level) for b in document.blocks]
    return replace(
        document,
        text=text,
        page_starts=tuple(moved(start) if start else 0 for start in document.page_starts),
        blocks=tuple(block for block in blocks if text[block.start : block.end].strip()),
    )


def without_running_lines(document: Document) -> Document:
    """Returns `document` without the lines at the top or bottom of page after page, page numbers included."""
    return edited(document, running_lines(document))


def running_lines(document: Document) -> list[Edit]:
    """Returns the edits that take headers and footers out: lines that a page shares with one of the two before or after
    it, at the same place but for its numbers, and with at least two more pages; nothing within a page counts."""
    starts = document.page_starts
    if len(starts) < FEWEST_PAGES:
        return []
    text, edits = document.text, list[Edit]()
    pages = [(a, text[a:b].split("\n")) for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    headings = {block.start for block in document.blocks if block.kind == "heading"}
    for top in (True, False):
        edges = [_Edge(start, lines, top=top) for start, lines in pages]
        counts = Counter(key for edge in edges for key in set(edge.keys))
        for number, edge in enumerate(edges):
            near = [edges[number + n] for n in _NEIGHBOURS if 0 <= number + n < len(edges)]
            for place, key in enumerate(edge.keys):
                start, end = edge.lines[place]
                if counts[key] < FEWEST_PAGES or not any(edge.shares(other, place) for other in near):
                    break
                if start not in headings:  # of the outline: it stands at the top of its first page, too
                    edits.append(_line_edit(text, start, end, top=top))
    return _merged(edits)


class _Edge:
    """The outermost lines of one page at one edge, without their numbers, the outermost first."""

    def __init__(self, start: int, lines: list[str], *, top: bool) -> None:
        self.lines: list[tuple[int, int]] = []
        self.texts: list[str] = []
        few = min(EDGE_LINES, len(lines) // 3)  # of a page with a few lines, most are no running ones
        at = start if top else start + sum(map(len, lines)) + len(lines) - 1
        for line in lines if top else reversed(lines):
            if len(self.lines) == few:
                break
            first = at if top else at - len(line)
            if line.strip():
                self.lines.append((first, first + len(line)))
                self.texts.append(" ".join(line.split()))
            at = first + len(line) + 1 if top else first - 1
        self.keys = [_NUMBER.sub("#", text.lower()) if len(text) <= _LONGEST else f"\0{text}" for text in self.texts]

    def shares(self, other: _Edge, place: int) -> bool:
        if place >= len(other.keys) or other.keys[place] != self.keys[place]:
            return False
        mine, theirs = self.texts[place], other.texts[place]
        if mine == theirs:
            return any(letter.isalpha() for letter in mine)
        steps = {
            abs(int(a[:9]) - int(b[:9])) for a, b in zip(_NUMBER.findall(mine), _NUMBER.findall(theirs), strict=False)
        }
        return bool(steps - {0}) and max(steps) <= 2  # numbers of pages and chapters, not of a table


def _line_edit(text: str, start: int, end: int, *, top: bool) -> Edit:
    if top and end < len(text) and text[end] == "\n":
        return Edit(start, end + 1)
    return Edit(start - 1, end) if not top and start and text[start - 1] == "\n" else Edit(start, end)


def _merged(edits: list[Edit]) -> list[Edit]:
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        if kept and edit.start <= kept[-1].end:
            kept[-1] = Edit(kept[-1].start, max(kept[-1].end, edit.end))
        else:
            kept.append(edit)
    return kept
