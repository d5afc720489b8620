"""Plain text in any encoding, Markdown and reStructuredText: the text stays as it is, its blocks are found in it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from luthier.records.documents import Block, BlockKind, Document
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.writer import cleaned

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 64_000
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROLS = 0.01

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#*)?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)]|#\.)\s+\S")
_RULE = re.compile(r"^([=\-~^\"'`#*+.:_<>])\1{2,}\s*$")
_DIRECTIVE = re.compile(r"^\.\. (?:code|code-block|sourcecode|parsed-literal|literalinclude|highlight)::")
_RST_TABLE = re.compile(r"^(?:\+[-=+]+\+|=+(?: +=+)+)\s*$")
_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)

Line = tuple[int, str]
"""Where a line begins, and its text without its end."""


def read_text(raw: Raw) -> Document:
    """Returns plain text: a block a paragraph."""
    text = decoded(raw.data)
    return _document(raw, text, tuple(plain_blocks(text)), title=raw.stem)


def read_markdown(raw: Raw) -> Document:
    """Returns Markdown as it is written, with its headings, lists, tables and code found."""
    text = decoded(raw.data)
    front = _FRONT.match(text)
    blocks = tuple(markdown_blocks(text, front.end() if front else 0))
    named = _FRONT_TITLE.search(front[1]) if front else None
    return _document(raw, text, blocks, title=named[1] if named else "")


def read_rst(raw: Raw) -> Document:
    """Returns reStructuredText as it is written, with its headings, lists, tables and literal blocks found."""
    text = decoded(raw.data)
    return _document(raw, text, tuple(rst_blocks(text)), title="")


def decoded(data: bytes) -> str:
    r"""Returns text of whatever encoding, with \n as its only line end. `UnreadableError` where it is no text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return cleaned(data[len(mark) :].decode(encoding, "replace"))
    if b"\0" in data[:_SAMPLE_BYTES]:
        return cleaned(_unmarked_utf16(data))
    if len(_CONTROLS.findall(data[:_SAMPLE_BYTES])) > _MOST_CONTROLS * min(len(data), _SAMPLE_BYTES):
        raise UnreadableError("is not text", remedy="its format is not one of those that are read")
    try:
        return cleaned(data.decode("utf-8"))
    except UnicodeDecodeError:
        return cleaned(_guessed(data))


def _unmarked_utf16(data: bytes) -> str:
    sample = data[:_SAMPLE_BYTES]
    zeros = [sample[side::2].count(0) / max(len(sample) // 2, 1) for side in (0, 1)]
    if max(zeros) > 0.3 and min(zeros) < 0.02:
        return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le", "replace")
    raise UnreadableError("is not text", remedy="its format is not one of those that are read")


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    return data.decode(best.encoding if best is not None else "cp1252", "replace")


def _document(raw: Raw, text: str, blocks: tuple[Block, ...], *, title: str) -> Document:
    first = next((heading_text(text[block.start : block.end]) for block in blocks if block.kind == "heading"), "")
    kind = raw.media_type or "text/plain"
    return Document(raw.source, text, title=title or first or raw.stem, media_type=kind, blocks=blocks)


def heading_text(text: str) -> str:
    """Returns what a heading says, without the marks that make it one in Markdown or reStructuredText."""
    lines = [line for line in text.strip().split("\n") if not _RULE.match(line) and not _SETEXT.match(line)]
    found = _ATX.match(lines[0]) if len(lines) == 1 else None
    return ((found[2] or "") if found else " ".join(lines)).strip()


def lines_of(text: str, start: int = 0) -> list[Line]:
    """Returns the lines of `text` from offset `start` on."""
    ends = [start - 1, *(match.start() for match in re.finditer("\n", text[start:]))]
    ends[1:] = [end + start for end in ends[1:]]
    return [(a + 1, text[a + 1 : b]) for a, b in pairwise([*ends, len(text)])]


def plain_blocks(text: str) -> Iterator[Block]:
    """Yields a block for each paragraph; lines that all begin as items of a list are a list."""
    yield from _paragraphs(lines_of(text))


def markdown_blocks(text: str, start: int = 0) -> Iterator[Block]:
    """Yields the blocks of Markdown from offset `start` on."""
    lines, at, waiting = lines_of(text, start), 0, list[Line]()
    while at < len(lines):
        offset, line = lines[at]
        fence, atx = _FENCE.match(line), _ATX.match(line)
        if fence or atx or _is_pipe_table(lines, at):
            yield from _paragraphs(waiting)
            waiting = []
        if fence:
            last = _fence_end(lines, at, fence[1])
            yield Block("code", offset, _end(lines[last]))
            at = last
        elif atx:
            yield Block("heading", offset, offset + len(line), len(atx[1]))
        elif _is_pipe_table(lines, at):
            last = _while(lines, at, lambda one: "|" in one)
            yield Block("table", offset, _end(lines[last]))
            at = last
        elif waiting and len(waiting) == 1 and (under := _SETEXT.match(line)) and waiting[0][1].strip():
            yield Block("heading", waiting[0][0], offset + len(line), 1 if under[1][0] == "=" else 2)
            waiting = []
        elif line.strip():
            waiting.append(lines[at])
        else:
            yield from _paragraphs(waiting)
            waiting = []
        at += 1
    yield from _paragraphs(waiting)


def rst_blocks(text: str) -> Iterator[Block]:
    """Yields the blocks of reStructuredText; levels of headings are given by the order of their marks."""
    lines, at, waiting, marks = lines_of(text), 0, list[Line](), list[str]()
    while at < len(lines):
        offset, line = lines[at]
        title = _rst_title(lines, at)
        if title or _RST_TABLE.match(line) or not line.strip():
            yield from _paragraphs(waiting)
            waiting = []
        if title:
            mark, last = title
            if mark not in marks:
                marks.append(mark)
            yield Block("heading", offset, _end(lines[last]), marks.index(mark) + 1)
            at = last
        elif _RST_TABLE.match(line):
            last = _while(lines, at, lambda one: bool(one.strip()))
            yield Block("table", offset, _end(lines[last]))
            at = last
        elif line.strip():
            waiting.append(lines[at])
            if line.rstrip().endswith("::") or _DIRECTIVE.match(line):
                last = _indented_end(lines, at)
                if last > at:
                    first = at if _DIRECTIVE.match(line) else at + 1
                    yield from _paragraphs(waiting[: len(waiting) - (first == at)])
                    waiting = []
                    body = next(number for number in range(first, last + 1) if lines[number][1].strip())
                    yield Block("code", lines[body][0], _end(lines[last]))
                    at = last
        at += 1
    yield from _paragraphs(waiting)


def _rst_title(lines: list[Line], at: int) -> tuple[str, int] | None:
    """Returns (its mark, its last line) where a heading begins at line `at`; a mark above and below is another one."""
    line = lines[at][1].rstrip()
    below = lines[at + 1][1].rstrip() if at + 1 < len(lines) else ""
    if _RULE.match(line):
        under = lines[at + 2][1].rstrip() if at + 2 < len(lines) else ""
        if below.strip() and under == line and len(line) >= len(below.strip()):
            return line[0] * 2, at + 2
        return None
    if line and not line[0].isspace() and _RULE.match(below) and len(below) >= len(line):
        blank_before = at == 0 or not lines[at - 1][1].strip() or lines[at - 1][1].startswith("..")
        return (below[0], at + 1) if blank_before else None
    return None


def _paragraphs(lines: list[Line]) -> Iterator[Block]:
    group: list[Line] = []
    for line in [*lines, (0, "")]:
        if line[1].strip():
            group.append(line)
            continue
        if group:
            kind: BlockKind = "list" if _ITEM.match(group[0][1]) else "text"
            yield Block(kind, group[0][0], _end(group[-1]))
        group = []


def _is_pipe_table(lines: list[Line], at: int) -> bool:
    if "|" not in lines[at][1] or at + 1 >= len(lines):
        return False
    under = lines[at + 1][1].strip()
    return "|" in under and "-" in under and not set(under) - set("|-: ")


def _fence_end(lines: list[Line], at: int, fence: str) -> int:
    for number in range(at + 1, len(lines)):
        line = lines[number][1].strip()
        if line.startswith(fence) and not line.strip(fence[0]):
            return number
    return len(lines) - 1


def _indented_end(lines: list[Line], at: int) -> int:
    """Returns the last line of the indented lines after line `at`; `at` itself where there are none."""
    last = at
    for number in range(at + 1, len(lines)):
        line = lines[number][1]
        if line.strip():
            if not line[0].isspace():
                break
            last = number
    return last


def _while(lines: list[Line], at: int, belongs: Callable[[str], bool]) -> int:
    last = at
    while last + 1 < len(lines) and belongs(lines[last + 1][1]):
        last += 1
    return last


def _end(line: Line) -> int:
    return line[0] + len(line[1].rstrip())
