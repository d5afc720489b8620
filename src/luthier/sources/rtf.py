"""RTF: its text in paragraphs and table rows, without pictures, fonts and styles."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from luthier.records.documents import Document
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.writer import Writer

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_SILENT = frozenset([
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr", "headerf",
    "footerl", "footerr", "footerf", "themedata", "colorschememapping", "datastore", "latentstyles", "listtable",
    "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "fldinst", "bkmkstart", "bkmkend", "filetbl", "revtbl",
    "nonshppict", "shppict", "private", "mmathPr", "wgrffmtfilter", "pgptbl",
])  # fmt: skip
_LETTERS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "~": "\u00a0", "_": "-",
}  # fmt: skip
_DEEPEST = 500


@dataclass(frozen=True, slots=True)
class _State:
    silent: bool = False
    skip: int = 1
    """Characters after a \\u that stand in for it in programs without Unicode."""


class _Reader:
    def __init__(self) -> None:
        self.writer = Writer()
        self.encoding = "cp1252"
        self.words: list[str] = []
        self.cells: list[str] = []
        self.rows: list[list[str]] = []
        self.bytes = bytearray()
        self.outline = 0
        self.in_table = False

    def add(self, text: str) -> None:
        self.decode()
        self.words.append(text)

    def decode(self) -> None:
        if self.bytes:
            self.words.append(self.bytes.decode(self.encoding, "replace"))
            self.bytes.clear()

    def paragraph(self) -> None:
        """Ends a paragraph; in a table its words go on in the cell."""
        self.decode()
        if self.in_table:
            self.words.append(" ")
            return
        self.end_table()
        text, self.words = "".join(self.words), []
        if self.outline:
            self.writer.heading(text, self.outline)
        else:
            self.writer.text(text)

    def cell(self) -> None:
        self.decode()
        self.cells.append("".join(self.words))
        self.words = []

    def row(self) -> None:
        self.rows.append(self.cells)
        self.cells = []

    def end_table(self) -> None:
        if self.rows:
            self.writer.table(self.rows)
            self.rows = []

    def word(self, name: str, number: int | None) -> None:
        if name in _LETTERS:
            self.add(_LETTERS[name])
        elif name in ("par", "page", "sect"):
            self.paragraph()
        elif name in ("cell", "nestcell"):
            self.cell()
        elif name in ("row", "nestrow"):
            self.row()
        elif name == "intbl":
            self.in_table = True
        elif name == "pard":
            self.in_table, self.outline = False, 0
        elif name == "outlinelevel" and number is not None and 0 <= number < 9:
            self.outline = number + 1
        elif name == "ansicpg" and number:
            self.encoding = _known(f"cp{number}")
        elif name == "mac":
            self.encoding = "mac-roman"


def read_rtf(raw: Raw) -> Document:
    """Returns the text of an RTF file."""
    if not raw.data.lstrip().startswith(b"{\\rtf"):
        raise UnreadableError("is not RTF", remedy="open it and save it as RTF")
    reader, states, state, skip = _Reader(), list[_State](), _State(), 0
    for found in _TOKEN.finditer(raw.data):
        name, number, byte, mark, brace, plain = found.groups()
        if brace == b"{":
            if len(states) > _DEEPEST:
                raise UnreadableError("is nested too deeply")
            states.append(state)
        elif brace:
            state = states.pop() if states else _State()
        elif name is not None:
            state, skip = _control(reader, state, name.decode(), int(number) if number else None, skip)
        elif mark == b"*":
            state = replace(state, silent=True)
        elif state.silent:
            continue
        elif byte is not None:
            skip, shown = max(skip - 1, 0), skip == 0
            if shown:
                reader.bytes += bytes.fromhex(byte.decode())
        elif mark is not None:
            reader.add(_LETTERS.get(mark.decode("latin-1"), mark.decode("latin-1") if mark in b"\\{}" else ""))
        elif plain is not None:
            reader.bytes += plain[skip:]
            skip = max(skip - len(plain), 0)
    reader.in_table = False
    reader.paragraph()
    reader.end_table()
    return reader.writer.document(raw)


def _control(reader: _Reader, state: _State, name: str, number: int | None, skip: int) -> tuple[_State, int]:
    if name in _SILENT:
        return replace(state, silent=True), skip
    if name == "bin":
        raise UnreadableError("holds binary data", remedy="save it without pictures")
    if name == "uc" and number is not None:
        return replace(state, skip=max(number, 0)), skip
    if state.silent:
        return state, skip
    if name == "u" and number is not None:
        unit = number % 65536
        reader.decode()
        high = reader.words[-1] if reader.words else ""
        if 0xDC00 <= unit < 0xE000 and high and 0xD800 <= ord(high[-1]) < 0xDC00:
            reader.words[-1] = high[:-1] + chr(0x10000 + ((ord(high[-1]) - 0xD800) << 10) + unit - 0xDC00)
        else:
            reader.words.append(chr(unit))
        return state, state.skip
    reader.word(name, number)
    return state, skip


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return "cp1252"
