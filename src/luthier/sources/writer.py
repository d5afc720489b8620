"""Builds a document's text piece by piece, and keeps where each piece stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from luthier.records.documents import Block, BlockKind, Document
from luthier.sources.raw import Raw

_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")


class Writer:
    """Text of blocks with an empty line between them (list items with none), and the pages they are on."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self.blocks: list[Block] = []
        self.page_starts: list[int] = []
        self.page_names: list[str] = []

    def page(self, name: str = "") -> None:
        """Begins a page; what is written from here on is on it."""
        self.page_starts.append(self._gap() if self.page_starts else 0)
        self.page_names.append(name)

    def heading(self, text: str, level: int) -> None:
        self._add("heading", squeezed(text.replace("\n", " ")), max(1, min(level, 9)))

    def text(self, text: str) -> None:
        self._add("text", squeezed(text))

    def item(self, text: str, depth: int = 0) -> None:
        """Adds an item of a list; neighbours are one block."""
        line = squeezed(text).replace("\n", " ")
        if not line:
            return
        line = "  " * depth + "- " + line
        last = self.blocks[-1] if self.blocks else None
        new_page = bool(self.page_starts) and last is not None and self.page_starts[-1] > last.start
        if last is None or last.kind != "list" or last.end != self._size or new_page:
            self._add("list", line)
            return
        self._put("\n" + line)
        self.blocks[-1] = Block("list", last.start, self._size)

    def code(self, text: str) -> None:
        self.block("code", text)

    def block(self, kind: BlockKind, text: str) -> None:
        """Adds a block whose lines stay as they are."""
        self._add(kind, cleaned(text).strip("\n"))

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Adds a table, a line a row, with bars between its cells."""
        lines = [" | ".join(squeezed(cell).replace("\n", " ").replace("|", "/") for cell in row) for row in rows]
        self._add("table", "\n".join(line for line in lines if line.strip(" |")))

    def document(self, raw: Raw, *, title: str = "", **facts: Any) -> Document:
        """Returns what was written; without a title the first heading gives it, or the file's name."""
        text = "".join(self._pieces)
        starts = tuple(min(start, len(text)) for start in self.page_starts)
        headings = (text[block.start : block.end] for block in self.blocks if block.kind == "heading")
        named = any(name and name != str(number) for number, name in enumerate(self.page_names, 1))
        return Document(
            raw.source,
            text,
            title=squeezed(title) or next(headings, "") or raw.stem,
            media_type=raw.media_type or "text/plain",
            page_starts=starts,
            page_names=tuple(name or str(number) for number, name in enumerate(self.page_names, 1)) if named else (),
            blocks=tuple(self.blocks),
            **facts,
        )

    def _gap(self) -> int:
        """Returns where the next block begins."""
        return self._size + 2 if self._size else 0

    def _add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        if not text.strip():
            return
        if self._size:
            self._put("\n\n")
        self.blocks.append(Block(kind, self._size, self._size + len(text), level))
        self._put(text)

    def _put(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)


def cleaned(text: str) -> str:
    r"""Returns `text` with \n as its only line end, and without characters that are none."""
    return UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def squeezed(text: str) -> str:
    """Returns cleaned `text` with one space where there were many, and none around its lines."""
    lines = (line.strip() for line in _SPACES.sub(" ", cleaned(text)).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
