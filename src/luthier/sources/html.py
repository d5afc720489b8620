"""Web pages: the article alone (trafilatura), or everything on them; both with headings, lists, tables and code."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from luthier.records.documents import Document
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.text import decoded
from luthier.sources.writer import Writer, squeezed

_BLOCKS = frozenset([
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "nav", "ol", "p", "section",
    "summary", "table", "tr", "td", "th", "ul", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "tbody", "thead",
    "tfoot", "caption",
])  # fmt: skip
_SILENT = frozenset([
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "html head", "select", "button",
    "input", "textarea",
])  # fmt: skip
_AROUND = frozenset(["nav", "footer", "aside", "form", "dialog", "menu"])
_HEADING = re.compile(r"^h([1-6])$")
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,100}?encoding=[\"']([\w.:-]+)", re.I
)
_DEEPEST = 200
_LEAST = 25
"""Characters of an article below which there is none: then everything but what stands around it is taken."""


def read_html(raw: Raw) -> Document:
    """Returns a page's article, or all of its text where there is none or `raw.main_text` is off."""
    found = main_text(raw) if raw.main_text else None
    if found is not None:
        return found
    tree, writer = parse_html(raw.data), Writer()
    title = squeezed(" ".join(tree.xpath("//head/title//text()")[:20]))
    walk(tree, writer, leave_out=_AROUND if raw.main_text else frozenset())
    if raw.main_text and not writer.blocks:
        walk(tree, writer)
    return writer.document(raw, title=title, licence=_licence(tree))


def main_text(raw: Raw) -> Document | None:
    """Returns the article of a page with its title, author, date and licence; None where trafilatura finds none."""
    from trafilatura import bare_extraction

    url = raw.source if raw.source.startswith(("http://", "https://")) else None
    try:
        found: Any = bare_extraction(
            _text(raw.data), url=url, include_comments=False, include_formatting=True, with_metadata=True
        )
    except Exception:  # of whatever library below it, for whatever page: the page is read without it
        return None
    if found is None or found.body is None or len(found.text or "") < _LEAST:
        return None
    writer = Writer()
    walk(found.body, writer)
    if not writer.blocks:
        return None
    return writer.document(
        raw,
        title=found.title or "",
        author=found.author or "",
        licence=found.license or "",
        modified_at=_timestamp(found.date),
    )


def walk(element: Any, writer: Writer, *, leave_out: frozenset[str] = frozenset()) -> None:
    """Writes what is in an element of HTML, or of trafilatura's own XML."""
    _Walk(writer, leave_out).block(element, 0)


class _Walk:
    def __init__(self, writer: Writer, leave_out: frozenset[str]) -> None:
        self.writer, self.leave_out = writer, leave_out
        self._inline: list[str] = []

    def block(self, element: Any, depth: int) -> None:
        """Writes the blocks of an element; text between them gathers until the next block begins."""
        name = _name(element)
        if name in _SILENT or name in self.leave_out or depth > _DEEPEST:
            return
        if level := _level(element, name):
            self._flush()
            self.writer.heading(_words(element), level)
        elif name in ("pre", "code") and (name == "pre" or _is_block_of_code(element)):
            self._flush()
            self.writer.code("".join(element.itertext()) if not _breaks(element) else _words(element))
        elif name == "table":
            self._flush()
            self._table(element, depth)
        elif name in ("li", "item"):
            self._flush()
            self._item(element, depth)
        else:
            self._inside(element, name, depth)

    def _inside(self, element: Any, name: str, depth: int) -> None:
        own = name in _BLOCKS or name in ("list", "quote", "doc")
        if own:
            self._flush()
        self._inline.append(_flat(element.text))
        for child in element:
            child_name = _name(child)
            if child_name in ("br", "lb"):
                self._inline.append("\n")
            elif child_name:
                self.block(child, depth + 1)
            self._inline.append(_flat(child.tail))
        if own:
            self._flush()

    def _item(self, element: Any, depth: int) -> None:
        nested = [child for child in element if _name(child) in ("ul", "ol", "list", "table", "pre")]
        level = sum(1 for above in element.iterancestors() if _name(above) in ("li", "item"))
        if len(words := _words(element, without=nested)) > 0:
            self.writer.item(words, level)
        for child in nested:
            self.block(child, depth + 1)

    def _table(self, table: Any, depth: int) -> None:
        rows = [row for row in table.iter() if _name(row) in ("tr", "row") and _own(row, table)]
        cells = [[cell for cell in row if _name(cell) in ("td", "th", "cell")] for row in rows]
        if all(len(row) <= 1 for row in cells) or any(
            one.tag == "table" for row in cells for c in row for one in c.iter()
        ):
            for row in cells:  # a table for the looks of it
                for cell in row:
                    self._flush()
                    self._inside(cell, "td", depth + 1)
            return
        self.writer.table([[_words(cell) for cell in row] for row in cells])

    def _flush(self) -> None:
        text, self._inline = "".join(self._inline), []
        if text.strip():
            self.writer.text(text)


def _level(element: Any, name: str) -> int:
    if name == "head":  # trafilatura's heading; HTML's own head is silent
        found = _HEADING.match(element.get("rend") or "h2")
        return int(found[1]) if found else 2
    found = _HEADING.match(name)
    return int(found[1]) if found else 0


def _name(element: Any) -> str:
    if not isinstance(element.tag, str):
        return ""
    name = element.tag.rpartition("}")[2].lower()
    above = element.getparent()
    return "html head" if name == "head" and above is not None and above.tag == "html" else name


def _own(row: Any, table: Any) -> bool:
    return next((above for above in row.iterancestors() if _name(above) == "table"), None) is table


def _is_block_of_code(element: Any) -> bool:
    return "\n" in "".join(element.itertext()).strip() or _breaks(element)


def _breaks(element: Any) -> bool:
    return any(_name(one) in ("br", "lb") for one in element.iter())


def _words(element: Any, without: list[Any] | None = None) -> str:
    """Returns the text of an element in a line, or lines where it breaks them."""
    parts: list[str] = []

    def visit(one: Any, depth: int) -> None:
        name = _name(one)
        if not name or name in _SILENT or depth > _DEEPEST or (without and one in without):
            return
        if name in ("br", "lb"):
            parts.append("\n")
        parts.append(_flat(one.text))
        for child in one:
            if _name(child) in _BLOCKS:
                parts.append(" ")
            visit(child, depth + 1)
            parts.append(_flat(child.tail))
            if _name(child) in _BLOCKS:
                parts.append(" ")

    visit(element, 0)
    return squeezed("".join(parts))


def _flat(text: str | None) -> str:
    return re.sub(r"\s+", " ", text) if text else ""


def _text(data: bytes) -> str:
    """Returns the page as text: by its own word for its encoding where that holds, else by what the bytes look like."""
    named = _CHARSET.search(data[:4096])
    if named and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return data.decode((named[1] or named[2]).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(data)


def parse_html(data: bytes) -> Any:
    """Returns the tree of a page as lxml's. `UnreadableError` where there is none."""
    from lxml import etree, html

    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", _text(data))
    parser = html.HTMLParser(huge_tree=False, no_network=True)
    try:
        tree = html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(f"is not HTML: {error}") from None
    return tree


def _licence(tree: Any) -> str:
    found = tree.xpath("//a[@rel='license']/@href | //link[@rel='license']/@href")
    return str(found[0]) if found else ""


def _timestamp(date: str | None) -> float | None:
    try:
        return datetime.fromisoformat(date + "T00:00:00+00:00").timestamp() if date else None
    except ValueError:
        return None
