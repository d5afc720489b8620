"""PDF: the text layer page by page, headings by the outline; pages that are pictures are named, or read by `ocr`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from luthier.records.documents import Block, Document, Value
from luthier.sources.ocr import open_ocr
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.writer import UNWANTED

OCR_SCALE = 200 / 72
"""Pictures of pages have 200 dots per inch."""
_HYPHEN = re.compile("[\x02\ufffe]\r?\n?")
_ENDS = re.compile(r"\r\n?")
_BLANK = re.compile(r"[ \t]+(?=\n)")
_OUTLINE = 2000
_NO_TITLES = ("(anonymous)", "anonymous", "untitled", "(untitled)", "unspecified", "(unspecified)")


def read_pdf(raw: Raw) -> Document:
    """Returns the text of a PDF. `UnreadableError` where it is encrypted, damaged, scanned, or has too many pages."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(raw.data, password=raw.password or None)
    except pypdfium2.PdfiumError as error:
        raise _refusal(str(error), raw.password) from None
    try:
        count = len(pdf)
        if count > raw.max_pages:
            raise UnreadableError(f"has {count:,} pages, more than {raw.max_pages:,}", remedy="raise --max-pages")
        return _document(raw, pdf, _pages(pdf, count, _reader(raw)))
    finally:
        pdf.close()


def _refusal(said: str, password: str) -> UnreadableError:
    if "password" in said.lower():
        if password:
            return UnreadableError("is encrypted, and the password does not open it", remedy="give another --password")
        return UnreadableError("is encrypted", remedy="give its --password")
    return UnreadableError(f"is not a PDF that can be read ({said})", remedy="open it and save it again")


def _pages(pdf: Any, count: int, ocr: Callable[[Any], str] | None) -> tuple[list[str], list[int]]:
    """Returns the text of each page, and the numbers of those that have none."""
    texts, empty = [], []
    for number in range(count):
        try:
            text = _page(pdf, number, ocr)
        except Exception as error:  # pypdfium2 has one kind of error, and ctypes others
            if "PdfiumError" not in type(error).__name__:
                raise
            text = ""
        texts.append(text)
        if not text:
            empty.append(number + 1)
    return texts, empty


def _page(pdf: Any, number: int, ocr: Callable[[Any], str] | None) -> str:
    page = pdf[number]
    try:
        layer = page.get_textpage()
        try:
            text = tidied(layer.get_text_range())
        finally:
            layer.close()
        if not text and ocr is not None:
            text = tidied(ocr(page.render(scale=OCR_SCALE).to_pil()))
        return text
    finally:
        page.close()


def tidied(text: str) -> str:
    """Returns a page's text with the words together that a hyphen parts at the end of a line."""
    if "\x02" in text or "\ufffe" in text:
        text = _HYPHEN.sub("", text)
    if "\r" in text:
        text = _ENDS.sub("\n", text)
    if not text.isprintable():
        text = UNWANTED.sub("", text)
    return _BLANK.sub("", text).strip()


def _document(raw: Raw, pdf: Any, pages: tuple[list[str], list[int]]) -> Document:
    texts, empty = pages
    if len(empty) == len(texts):
        raise UnreadableError(
            f"is scanned: none of its {len(texts)} pages has a text layer" if texts else "has no pages",
            remedy="give --ocr tesseract to read pictures of pages",
        )
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 2
    whole = "\n\n".join(texts)
    facts = pdf.get_metadata_dict(skip_empty=True)
    attributes: dict[str, Value] = {"pages_without_text": _ranges(empty)} if empty else {}
    return Document(
        raw.source,
        whole,
        title=_title(str(facts.get("Title", ""))) or raw.stem,
        media_type=raw.media_type or "application/pdf",
        page_starts=tuple(starts),
        blocks=_blocks(texts, starts, _outline(pdf)),
        author=" ".join(str(facts.get("Author", "")).split()),
        attributes=attributes,
    )


def _title(said: str) -> str:
    """Returns a title that a person gave, or ""."""
    title = re.sub(r"^Microsoft \w+ - ", "", " ".join(said.split()))
    return "" if title.lower() in _NO_TITLES else title


def _outline(pdf: Any) -> list[tuple[int, int, str]]:
    """Returns (page from 0, level, title) of the outline, in order of the pages."""
    found: list[tuple[int, int, str]] = []
    try:
        for mark in pdf.get_toc(max_depth=6):
            dest = mark.get_dest()
            page = dest.get_index() if dest is not None else None
            title = " ".join((mark.get_title() or "").split())
            if page is not None and title and len(found) < _OUTLINE:
                found.append((int(page), int(mark.level) + 1, title))
    except Exception:  # an outline that is damaged is none
        return []
    return sorted(found, key=lambda one: one[0])


def _blocks(texts: list[str], starts: list[int], outline: list[tuple[int, int, str]]) -> tuple[Block, ...]:
    """Returns the pages as blocks of text, parted by the headings that the outline names."""
    blocks: list[Block] = []
    marks: dict[int, list[tuple[int, str]]] = {}
    for page, level, title in outline:
        marks.setdefault(page, []).append((level, title))
    for page, (text, start) in enumerate(zip(texts, starts, strict=True)):
        at = 0
        for level, title in marks.get(page, ()):
            words = r"\s+".join(re.escape(word) for word in title.split()[:40])
            found = re.compile(rf"^(?:[\dA-Z][\d.]*\s+)?{words}[ \t]*$", re.MULTILINE | re.IGNORECASE).search(text, at)
            if found:
                _add_text(blocks, text, start, at, found.start())
                blocks.append(Block("heading", start + found.start(), start + found.end(), level))
                at = found.end()
        _add_text(blocks, text, start, at, len(text))
    return tuple(blocks)


def _add_text(blocks: list[Block], text: str, start: int, first: int, last: int) -> None:
    piece = text[first:last]
    if piece.strip():
        first += len(piece) - len(piece.lstrip())
        blocks.append(Block("text", start + first, start + first + len(piece.strip())))


def _reader(raw: Raw) -> Callable[[Any], str] | None:
    return open_ocr(raw.ocr) if raw.ocr else None


def _ranges(numbers: list[int]) -> str:
    """Returns numbers as people write them: "1-3, 7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
