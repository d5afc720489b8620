"""DOCX, PPTX and XLSX: paragraphs, headings, lists and tables in their order; slides and sheets are pages."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from luthier.records.documents import Document
from luthier.sources.archives import open_zip, read_member
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.writer import Writer

MOST_CELLS = 5_000_000
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo) ?(\d)", re.IGNORECASE)
_LIST = re.compile(r"list|aufzählung", re.IGNORECASE)
_CODE = re.compile(r"code|source|preformatted|listing", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_docx(raw: Raw) -> Document:
    """Returns the body of a Word document, its notes and its comments."""
    import docx

    _check(raw)
    try:
        word = docx.Document(io.BytesIO(raw.data))
    except Exception as error:  # it has errors of every kind for damaged packages
        raise _damaged(error) from None
    writer = Writer()
    for part in word.iter_inner_content():
        if part._element.tag == f"{_W}tbl":
            writer.table(_rows(part))
        else:
            _write_paragraph(writer, part)
    comments = [f"{comment.author}: {comment.text}" for comment in getattr(word, "comments", ()) if comment.text]
    if comments:
        writer.heading("Comments", 2)
        for comment in comments:
            writer.item(comment)
    return writer.document(raw, **_facts(word.core_properties))


def _write_paragraph(writer: Writer, paragraph: Any) -> None:
    text = _letters(paragraph._element)
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    numbered = paragraph._element.find(f"{_W}pPr/{_W}numPr") is not None
    if found := _HEADING.search(style):
        writer.heading(text, int(found[1]))
    elif style == "Title":
        writer.heading(text, 1)
    elif _CODE.search(style):
        writer.code(text)
    elif numbered or _LIST.match(style):
        depth = paragraph._element.find(f"{_W}pPr/{_W}numPr/{_W}ilvl")
        writer.item(text, int(depth.get(f"{_W}val", 0)) if depth is not None else 0)
    else:
        writer.text(text)


def _letters(element: Any) -> str:
    """Returns the text of a paragraph: its runs, links, insertions and formulas, without what was deleted."""
    parts: list[str] = []
    for one in element.iter(f"{_W}t", f"{_M}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        if next(one.iterancestors(_FALLBACK), None) is not None:
            continue  # the same once more, for older programs
        if one.tag in (f"{_W}t", f"{_M}t"):
            parts.append(one.text or "")
        elif one.tag == f"{_W}tab":
            parts.append("\t" if one.getparent().tag == f"{_W}r" else "")
        else:
            parts.append("-" if one.tag.endswith("Hyphen") else "\n")
    return "".join(parts)


def _rows(table: Any) -> Iterator[list[str]]:
    for row in table._element.iter(f"{_W}tr"):
        cells = list(row.iterchildren(f"{_W}tc", f"{_W}sdt"))
        yield [" ".join(_letters(one) for one in cell.iter(f"{_W}p")) for cell in cells]


def read_pptx(raw: Raw) -> Document:
    """Returns the slides of a presentation, a page each, with their tables and notes."""
    import pptx

    _check(raw)
    try:
        show = pptx.Presentation(io.BytesIO(raw.data))
    except Exception as error:  # as above
        raise _damaged(error) from None
    writer = Writer()
    for slide in show.slides:
        writer.page()
        title = slide.shapes.title
        if title is not None and title.has_text_frame:
            writer.heading(title.text_frame.text, 2)
        _write_shapes(writer, slide.shapes, title)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            writer.text(slide.notes_slide.notes_text_frame.text)
    return writer.document(raw, **_facts(show.core_properties))


def _write_shapes(writer: Writer, shapes: Any, title: Any) -> None:
    for shape in shapes:
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if hasattr(shape, "shapes"):
            _write_shapes(writer, shape.shapes, None)
        elif shape.has_text_frame:
            paragraphs = [p for p in shape.text_frame.paragraphs if p.text.strip()]
            for paragraph in paragraphs:
                if len(paragraphs) > 1:
                    writer.item(paragraph.text, paragraph.level)
                else:
                    writer.text(paragraph.text)
        elif getattr(shape, "has_table", False):
            writer.table([cell.text for cell in row.cells] for row in shape.table.rows)
        elif getattr(shape, "has_chart", False):
            _write_chart(writer, shape.chart)


def _write_chart(writer: Writer, chart: Any) -> None:
    try:
        plot = chart.plots[0]
        rows = [["", *map(str, plot.categories)]]
        rows += [
            [series.name, *(f"{value:g}" for value in series.values if value is not None)] for series in plot.series
        ]
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):
        return  # a kind of chart without categories
    if chart.has_title and chart.chart_title.has_text_frame:
        writer.text(chart.chart_title.text_frame.text)
    writer.table(rows)


def read_xlsx(raw: Raw) -> Document:
    """Returns the sheets of a workbook, a page each under its name: the values, not the formulas."""
    import openpyxl

    _check(raw)
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw.data), read_only=True, data_only=True)
    except Exception as error:  # as above
        raise _damaged(error) from None
    writer, left = Writer(), MOST_CELLS
    for sheet in book.worksheets:
        writer.page(sheet.title)
        writer.heading(sheet.title, 2)
        rows = []
        for row in sheet.iter_rows(values_only=True):
            left -= max(len(row), 1)
            if left < 0:
                raise UnreadableError(f"has more than {MOST_CELLS:,} cells", remedy="save its sheets as CSV")
            if any(value is not None for value in row):
                rows.append([_cell(value) for value in row])
        writer.table(_trimmed(rows))
    facts = _facts(book.properties)
    book.close()
    return writer.document(raw, **{**facts, "title": facts["title"] or raw.stem})


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Returns rows without the columns that are empty in all of them."""
    width = max((len(row) for row in rows), default=0)
    kept = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
    return [[row[column] if column < len(row) else "" for column in kept] for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _check(raw: Raw) -> None:
    """Refuses what is no package of Office's, or a bomb."""
    if raw.data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in raw.data:
            raise UnreadableError("is encrypted", remedy="save it without a password: Office's encryption is not read")
        raise UnreadableError("is in the format of Office 97", remedy="save it in today's format")
    with open_zip(raw.data) as archive:
        for member in archive.infolist():
            small = member.filename.endswith((".xml", ".rels")) and member.file_size < 2**20
            if small and b"<!ENTITY" in read_member(archive, member.filename):
                raise UnreadableError("defines XML entities", remedy="open it and save it again")


def _facts(properties: Any) -> dict[str, Any]:
    changed = getattr(properties, "modified", None)
    author = getattr(properties, "author", None) or getattr(properties, "creator", None) or ""
    if isinstance(changed, datetime) and changed.tzinfo is None:
        changed = changed.replace(tzinfo=UTC)
    return {
        "title": properties.title or "",
        "author": author,
        "modified_at": changed.timestamp() if isinstance(changed, datetime) else None,
    }


def _damaged(error: Exception) -> UnreadableError:
    return UnreadableError(f"is damaged ({type(error).__name__}: {error})", remedy="open it and save it again")
