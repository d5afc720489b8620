"""Text out of files: UTF-8 or UTF-16/32 by their byte order mark, plain or gzip, a chunk or a line at a time."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

CHUNK_BYTES = 1 << 18
LONGEST_LINE = 64 * 2**20
"""Characters: a file that unpacks to one endless line would fill the memory."""
UNPACKED_TIMES, UNPACKED_AT_LEAST = 200, 2**30
"""How much larger than its file packed text may be, and the bytes it may always have: rows pack to a tenth or so, and
a file made to fill a disk to a thousandth."""
_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's, so it comes first
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class UnreadableText(Exception):
    """A place in a file that cannot be read: its line, the problem, the remedy.

    `ends` tells whether reading stopped there.
    """

    def __init__(self, line: int, problem: str, remedy: str, *, ends: bool = True) -> None:
        self.line, self.problem, self.remedy, self.ends = line, problem, remedy, ends
        super().__init__(line, problem, remedy)


def open_binary(path: Path) -> BinaryIO:
    """Returns the bytes of `path`, unpacked when they are gzip."""
    return cast("BinaryIO", gzip.open(path, "rb")) if is_packed(path) else path.open("rb")


def is_packed(path: Path) -> bool:
    """Returns whether the content of a file, whatever its name, is gzip."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def decoded(path: Path) -> Iterator[str]:
    """Yields the text of a file in chunks, line ends as they are and without its byte order mark.

    Everything before a bad byte is yielded, then `UnreadableText` names the line and the byte offset.
    """
    with open_binary(path) as file:
        head = file.read(4)
        mark, encoding = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", "utf-8"))
        decoder = codecs.getincrementaldecoder(encoding)()
        packed, most = is_packed(path), max(UNPACKED_TIMES * path.stat().st_size, UNPACKED_AT_LEAST)
        offset, line = len(mark), 1
        data = head[len(mark) :] + file.read(CHUNK_BYTES)
        while True:
            pending = len(decoder.getstate()[0])
            try:
                text, bad = decoder.decode(data, final=not data), None
            except UnicodeDecodeError as error:
                text, bad = str(error.object[: error.start], encoding), error.start
            nul = text.find("\0")
            yield text if nul < 0 else text[:nul]
            if nul >= 0:
                at = offset - pending + len(text[:nul].encode(encoding))
                problem = f"the byte at offset {at} is NUL, so this is not {encoding.upper()} text"
                raise UnreadableText(line + text[:nul].count("\n"), problem, _REMEDY)
            line += text.count("\n")
            if bad is not None:
                at = offset - pending + bad
                raise UnreadableText(line, f"the byte at offset {at} is not {encoding.upper()}", _REMEDY)
            if not data:
                return
            offset += len(data)
            if packed and offset > most:
                raise UnreadableText(line, f"it unpacks to more than {most:,} bytes", "unpack it, and look at it")
            data = file.read(CHUNK_BYTES)


_REMEDY = "save the file as UTF-8 (UTF-16 needs its byte order mark), for example with iconv -t UTF-8"


def lines(path: Path) -> Iterator[str]:
    r"""Yields the lines of a file with their ends; only \n ends a line, so every other character stays in place."""
    parts: list[str] = []
    number = 1
    for text in decoded(path):
        pieces = text.split("\n")
        if len(pieces) == 1:
            parts.append(text)
            if sum(map(len, parts)) > LONGEST_LINE:
                problem = f"the line has more than {LONGEST_LINE:,} characters"
                raise UnreadableText(number, problem, "write one row a line")
            continue
        number += len(pieces) - 1
        yield "".join((*parts, pieces[0], "\n"))
        for piece in pieces[1:-1]:
            yield piece + "\n"
        parts = [pieces[-1]]
    if last := "".join(parts):
        yield last
