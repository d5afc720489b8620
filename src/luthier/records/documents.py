"""Documents and the passages they are cut into: text whose every span is found again by page and character.

All offsets count characters (code points) of the document's `text`, which never changes once it is made: what a parser
or a cleaner leaves out is left out before. A passage is the text between two offsets and nothing else, so that a
citation points at exactly what was read.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

BlockKind = Literal["heading", "text", "list", "table", "code"]
Value = str | float | bool
"""What an attribute of a document may be."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document that belongs together: text[start:end]. `level` is that of a heading, from 1."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One text with where it came from.

    `source` is the path or address it was read from, inside an archive with `!/` and the member's name; `digest` the
    SHA-256 of the bytes there. `page_starts` are the offsets at which pages begin, empty where there are none;
    `page_names` their names where those are not 1, 2, 3 (slides, sheets). `blocks` stand in order and do not overlap.
    `modified_at` and `collected_at` are Unix seconds.
    """

    source: str
    text: str
    title: str = ""
    media_type: str = "text/plain"
    digest: str = ""
    page_starts: tuple[int, ...] = ()
    page_names: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    language: str = ""
    licence: str = ""
    author: str = ""
    modified_at: float | None = None
    collected_at: float | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same source: a new version takes the place of the old one."""
        return "doc_" + hashlib.sha256(self.source.encode()).hexdigest()[:32]

    @property
    def version(self) -> str:
        """Changes when text or structure do."""
        digest = hashlib.sha256(self.text.encode("utf-8", "surrogatepass"))
        digest.update(repr((self.title, self.page_starts, self.page_names, self.blocks)).encode())
        return digest.hexdigest()

    def page(self, offset: int) -> str:
        """Returns the name of the page that the character at `offset` is on; "" where the document has no pages."""
        if not self.page_starts:
            return ""
        number = max(0, bisect.bisect_right(self.page_starts, offset) - 1)
        return self.page_names[number] if self.page_names else str(number + 1)

    def plain_text(self) -> str:
        """Returns the text, by which documents are compared."""
        return self.text

    def to_json(self) -> dict[str, Any]:
        """Returns the document as JSON values; what is at its default is left out."""
        out: dict[str, Any] = {"id": self.id, "source": self.source, "title": self.title, "media_type": self.media_type}
        out |= {name: getattr(self, name) for name in _PLAIN if getattr(self, name) not in ("", None)}
        out |= {name: list(getattr(self, name)) for name in ("page_starts", "page_names") if getattr(self, name)}
        if self.blocks:
            out["blocks"] = [[block.kind, block.start, block.end, block.level] for block in self.blocks]
        if self.attributes:
            out["attributes"] = dict(self.attributes)
        return out | {"text": self.text}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Returns the document that `to_json` wrote."""
        return cls(
            source=value["source"],
            text=value["text"],
            title=value.get("title", ""),
            media_type=value.get("media_type", "text/plain"),
            page_starts=tuple(value.get("page_starts") or ()),
            page_names=tuple(value.get("page_names") or ()),
            blocks=tuple(Block(*block) for block in value.get("blocks") or ()),
            attributes=dict(value.get("attributes") or {}),
            **{name: value[name] for name in _PLAIN if name in value},
        )

    def check(self) -> Iterator[str]:
        """Yields what is wrong with the offsets; nothing where all is well."""
        size = len(self.text)
        if self.page_starts and (self.page_starts[0] != 0 or list(self.page_starts) != sorted(self.page_starts)):
            yield "pages do not begin at 0 and rise"
        if self.page_starts and self.page_starts[-1] > size:
            yield "a page begins after the end"
        if self.page_names and len(self.page_names) != len(self.page_starts):
            yield f"{len(self.page_names)} names for {len(self.page_starts)} pages"
        before = 0
        for block in self.blocks:
            if not before <= block.start <= block.end <= size:
                yield f"{block.kind} {block.start}:{block.end} overlaps, or is not within 0:{size}"
            before = block.end


_PLAIN = ("digest", "language", "licence", "author", "modified_at", "collected_at")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: `text` is document.text[start:end]. `headings` are those it stands under, outermost first;
    `first_page` and `last_page` the names of its pages, empty where there are none."""

    document: str
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    first_page: str = ""
    last_page: str = ""

    @property
    def id(self) -> str:
        """The same for the same words at the same place of the same document."""
        digest = hashlib.sha256(f"{self.document}:{self.start}:{self.end}:".encode())
        digest.update(self.text.encode("utf-8", "surrogatepass"))
        return "psg_" + digest.hexdigest()[:32]

    @property
    def pages(self) -> str:
        """Its pages as people write them: "", "3" or "3-4"."""
        return self.first_page if self.first_page == self.last_page else f"{self.first_page}-{self.last_page}"

    def to_json(self) -> dict[str, Any]:
        """Returns the passage as JSON values."""
        out: dict[str, Any] = {"id": self.id, "document": self.document, "start": self.start, "end": self.end}
        out |= {"headings": list(self.headings)} if self.headings else {}
        out |= {"first_page": self.first_page, "last_page": self.last_page} if self.first_page else {}
        return out | {"text": self.text}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Returns the passage that `to_json` wrote."""
        return cls(
            value["document"],
            value["start"],
            value["end"],
            value["text"],
            tuple(value.get("headings") or ()),
            value.get("first_page", ""),
            value.get("last_page", ""),
        )


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer, or a part of it, comes from: passage `number` of those shown, and what it says there.

    `at` is the offset in the answer at which the citation stands.
    """

    number: int
    passage: Passage
    source: str
    title: str
    score: float
    at: int

    def to_json(self) -> dict[str, Any]:
        """Returns the citation as JSON values."""
        return {
            "number": self.number,
            "source": self.source,
            "title": self.title,
            "pages": self.passage.pages,
            "start": self.passage.start,
            "end": self.passage.end,
            "quote": self.passage.text,
            "score": self.score,
            "at": self.at,
        }
