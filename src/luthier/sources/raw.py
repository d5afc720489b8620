"""What a parser is given, and what it says when it cannot read it. A parser is a function `(Raw) -> Document`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from luthier.errors import LuthierError
from luthier.records.documents import Document


class UnreadableError(LuthierError):
    """A file that gives no text: why, and what could be done."""


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes of one file. `name` is its file name, `source` its path or address, inside an archive with `!/`.

    `ocr` names the reader of pictures; "" where there is none. `main_text` asks a web page for its article alone.
    """

    data: bytes
    source: str
    media_type: str = ""
    password: str = ""
    max_pages: int = 5000
    ocr: str = ""
    main_text: bool = True

    @property
    def name(self) -> str:
        return PurePosixPath(self.source.replace("\\", "/")).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem


Parser = Callable[[Raw], Document]
