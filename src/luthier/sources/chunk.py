"""Cuts documents into passages along their structure, within a number of tokens that a length function counts.

A passage is the text between two offsets. Headings begin passages, tables, code and lists stay whole while they fit;
what is longer is cut at lines, sentences, words, and where there are none, between characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, takewhile

from luthier.errors import SpecError
from luthier.records.documents import Block, Document, Passage
from luthier.sources.text import heading_text

Length = Callable[[Sequence[str]], Sequence[int]]
"""Returns the tokens of each text, with those that an embedder adds around it."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])|\n")
_WORD = re.compile(r"\s+|(?<=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])")
_CUTS = {"text": (_PARAGRAPH, _SENTENCE, _WORD), "list": (_LINE, _SENTENCE, _WORD), "heading": (_WORD,)}
_LINES_FIRST = (_LINE, _WORD)
_VISIBLE = re.compile(r"\S")
_CHARACTERS = 8
"""Characters of a token, at most as a rule: further back than that no overlap is looked for."""
_SMALL = 0.25
"""A heading begins a passage, unless the one before has less than this share of the tokens."""


@dataclass(slots=True)
class _Piece:
    """Text[start:end] that may be put beside others. `path` are the headings it stands under."""

    start: int
    end: int
    heading: bool = False
    path: tuple[str, ...] = ()
    tokens: int = 0


@dataclass(slots=True)
class _Group:
    pieces: list[_Piece] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end


def chunk(document: Document, *, length: Length, max_tokens: int, overlap_tokens: int = 0) -> Iterator[Passage]:
    """Yields the passages of a document in order: each of at most `max_tokens`, together all that is not blank.

    A passage repeats up to `overlap_tokens` of whole sentences from the end of the one before it, where no heading is
    between the two. `SpecError` where not even a single character fits.
    """
    if max_tokens < 1 or not 0 <= overlap_tokens < max_tokens:
        problem = f"max_tokens is {max_tokens} and overlap_tokens {overlap_tokens}"
        raise SpecError(problem, remedy="the overlap is at least 0 and less than the whole", param="overlap_tokens")
    text = document.text
    pieces = _fitting(text, _pieces(document), length, max_tokens)
    groups = _packed(pieces, max_tokens - overlap_tokens, max_tokens)
    for start, group in _settled(
        text, _early(text, groups, length, overlap_tokens), length, max_tokens, overlap_tokens
    ):
        yield _passage(document, group, start)


def _passage(document: Document, group: _Group, start: int) -> Passage:
    paths = [piece.path for piece in group.pieces]
    shared = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return Passage(
        document.id,
        start,
        group.end,
        document.text[start : group.end],
        tuple(names[0] for names in shared),
        document.page(start),
        document.page(group.end - 1),
    )


def _pieces(document: Document) -> list[tuple[_Piece, str]]:
    """Returns the blocks, and what stands between them, with their kinds."""
    text, at, found, path = document.text, 0, list[tuple[_Piece, str]](), list[tuple[int, str]]()
    for block in [*document.blocks, Block("text", len(text), len(text))]:
        for start, end, kind in ((at, block.start, "text"), (block.start, block.end, block.kind)):
            trimmed = _trimmed(text, start, end)
            if trimmed is None:
                continue
            if kind == "heading":
                path = [*(one for one in path if one[0] < block.level), (block.level, heading_text(text[start:end]))]
            names = tuple(name for _, name in path if name)
            found.append((_Piece(*trimmed, heading=kind == "heading", path=names), kind))
        at = max(at, block.end)
    return found


def _fitting(text: str, found: list[tuple[_Piece, str]], length: Length, limit: int) -> list[_Piece]:
    """Returns the pieces, those that are too long cut: level by level, so that `length` is asked a few times only."""
    waiting = [(piece, _CUTS.get(kind, _LINES_FIRST)) for piece, kind in found]
    done: list[_Piece] = []
    while waiting:
        tokens = length([text[piece.start : piece.end] for piece, _ in waiting])
        longer = []
        for (piece, cuts), count in zip(waiting, tokens, strict=True):
            piece.tokens = count
            if count <= limit:
                done.append(piece)
            else:
                longer += [(part, rest) for part, rest in _cut(text, piece, cuts, count, limit)]
        waiting = longer
    return sorted(done, key=lambda piece: piece.start)


def _cut(
    text: str, piece: _Piece, cuts: tuple[re.Pattern[str], ...], tokens: int, limit: int
) -> Iterator[tuple[_Piece, tuple[re.Pattern[str], ...]]]:
    """Yields the parts of a piece by the first of `cuts` that parts it; without one, its halves or smaller."""
    for number, pattern in enumerate(cuts):
        places = [match.end() for match in pattern.finditer(text, piece.start, piece.end)]
        places = [place for place in places if piece.start < place < piece.end]
        if places:
            yield from ((part, cuts[number + 1 :]) for part in _parts(text, piece, places))
            return
    size = piece.end - piece.start
    if size < 2:
        problem = f"the character {text[piece.start : piece.end]!r} alone has {tokens} tokens, more than {limit}"
        raise SpecError(problem, where="passages", remedy="allow more tokens", param="max_tokens")
    step = max(1, min(size // 2, size * limit // tokens))
    yield from ((part, ()) for part in _parts(text, piece, list(range(piece.start + step, piece.end, step))))


def _parts(text: str, piece: _Piece, places: list[int]) -> Iterator[_Piece]:
    for start, end in zip([piece.start, *places], [*places, piece.end], strict=True):
        trimmed = _trimmed(text, start, end)
        if trimmed is not None:
            yield _Piece(*trimmed, heading=piece.heading, path=piece.path)


def _packed(pieces: list[_Piece], fill: int, limit: int) -> list[_Group]:
    """Returns neighbours together, up to `fill` tokens; a heading that would come last begins the next group."""
    groups: list[_Group] = []
    open_pieces: list[_Piece] = []
    tokens = 0
    for piece in pieces:
        fresh = piece.heading and tokens >= _SMALL * limit and not open_pieces[-1].heading
        if open_pieces and (fresh or tokens + piece.tokens > fill):
            stranded = len(list(takewhile(lambda one: one.heading, reversed(open_pieces))))
            kept = open_pieces[len(open_pieces) - stranded :] if stranded < len(open_pieces) else []
            if sum(one.tokens for one in kept) + piece.tokens > fill:
                kept = []
            groups.append(_Group(open_pieces[: len(open_pieces) - len(kept)]))
            open_pieces, tokens = list(kept), sum(one.tokens for one in kept)
        open_pieces.append(piece)
        tokens += piece.tokens
    return [*groups, _Group(open_pieces)] if open_pieces else groups


def _early(text: str, groups: list[_Group], length: Length, overlap: int) -> list[tuple[int, _Group]]:
    """Returns each group with where its passage might begin: as many sentences earlier as have `overlap` tokens."""
    starts = [group.start for group in groups]
    tails: list[tuple[int, list[int]]] = []
    for number in range(1, len(groups) if overlap else 0):
        before, group = groups[number - 1], groups[number]
        if not group.pieces[0].heading and group.pieces[0].path == before.pieces[-1].path:
            first = max(before.start + 1, group.start - overlap * _CHARACTERS)
            ends = [match.end() for match in _SENTENCE.finditer(text, first, group.start)]
            begins = {_solid(text, place) for place in (*ends, *(piece.start for piece in before.pieces))}
            tails.append((number, sorted(place for place in begins if first <= place < group.start)))
    parts = [text[a:b] for number, places in tails for a, b in pairwise([*places, starts[number]])]
    counts = iter(length(parts) if parts else ())
    for number, places in tails:
        tokens = [next(counts) for _ in places]
        fitting = takewhile(lambda total: total <= overlap, accumulate(reversed(tokens)))
        if many := len(list(fitting)):
            starts[number] = places[-many]
    return list(zip(starts, groups, strict=True))


def _settled(
    text: str, waiting: list[tuple[int, _Group]], length: Length, limit: int, overlap: int
) -> list[tuple[int, _Group]]:
    """Returns groups with where their passages begin, each within `limit`: tokens of parts need not add up to those of
    the whole, and so a passage that is too long loses its overlap, or is halved."""
    done: list[tuple[int, _Group]] = []
    while waiting:
        wholes = length([text[start : group.end] for start, group in waiting])
        early = [(start, group.start) for start, group in waiting if start < group.start]
        shared = iter(length([text[a:b] for a, b in early]) if early else ())
        again: list[tuple[int, _Group]] = []
        for (start, group), count in zip(waiting, wholes, strict=True):
            middle = len(group.pieces) // 2
            if start < group.start and (next(shared) > overlap or count > limit):
                again.append((group.start, group))
            elif count <= limit or not middle:
                done.append((start, group))
            else:
                halves = _Group(group.pieces[:middle]), _Group(group.pieces[middle:])
                again += [(half.start, half) for half in halves]
        waiting = again
        if not waiting:
            done.sort(key=lambda one: one[1].start)
            waiting = [(g.start, g) for (_, before), (start, g) in pairwise(done) if start <= before.start]
            done = [one for one in done if (one[1].start, one[1]) not in waiting]  # the one before was halved
    return sorted(done, key=lambda one: one[1].start)


def _solid(text: str, offset: int) -> int:
    """Returns the offset of the first character from `offset` on that is not blank."""
    found = _VISIBLE.search(text, offset)
    return found.start() if found else offset


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Returns the offsets without the blanks around them; None where there is nothing else."""
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    first = start + len(piece) - len(piece.lstrip())
    return first, first + len(stripped)
