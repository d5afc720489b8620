"""Small files of every format, made here: what tests read."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def pdf(
    pages: Sequence[str],
    *,
    title: str = "",
    outline: Sequence[tuple[str, int]] = (),
    password: str = "",
) -> bytes:
    """Returns a PDF with a line of text a line; an empty page shows a black square. `outline` has titles and pages;
    `password` locks it with 40 bits of RC4."""
    objects: dict[int, bytes] = {3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
    numbers = [10 + 2 * number for number in range(len(pages))]
    lock = _Lock(password) if password else None
    for number, text in zip(numbers, pages, strict=True):
        lines = "".join(f"({_escaped(line)}) Tj 0 -14 Td " for line in text.split("\n"))
        content = f"BT /F1 12 Tf 72 720 Td {lines}ET" if text else "100 100 200 200 re f"
        stream = content.encode("latin-1")
        stream = lock.locked(stream, number + 1) if lock else stream
        objects[number] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % (number + 1)
        )
        objects[number + 1] = b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream)
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    objects[2] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))
    objects[1] = b"<</Type/Catalog/Pages 2 0 R%s>>" % (b"/Outlines 4 0 R" if outline else b"")
    if outline:
        objects |= _outline(outline, numbers)
    trailer = b""
    if title:
        objects[5] = b"<</Title(%s)>>" % title.encode("latin-1")
        trailer += b"/Info 5 0 R"
    if lock:
        objects[6] = lock.dictionary()
        trailer += b"/Encrypt 6 0 R/ID[<%s><%s>]" % (lock.id.hex().encode(), lock.id.hex().encode())
    return _assembled(objects, trailer)


def _outline(outline: Sequence[tuple[str, int]], pages: Sequence[int]) -> dict[int, bytes]:
    first = 1000
    out = {4: b"<</First %d 0 R/Last %d 0 R/Count %d>>" % (first, first + len(outline) - 1, len(outline))}
    for number, (title, page) in enumerate(outline):
        following = b"/Next %d 0 R" % (first + number + 1) if number + 1 < len(outline) else b""
        words = (title.encode("latin-1"), pages[page - 1], following)
        out[first + number] = b"<</Title(%s)/Parent 4 0 R/Dest[%d 0 R/Fit]%s>>" % words
    return out


def _assembled(objects: Mapping[int, bytes], trailer: bytes) -> bytes:
    out, places = io.BytesIO(b"%PDF-1.4\n"), {}
    out.seek(0, io.SEEK_END)
    for number in sorted(objects):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, objects[number]))
    start, size = out.tell(), max(objects) + 1
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number in sorted(objects):
        out.write(b"%d 1\n%010d 00000 n \n" % (number, places[number]))
    out.write(b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))
    return out.getvalue()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


class _Lock:
    """The standard security handler, revision 2 (PDF 1.4, 3.5.2)."""

    def __init__(self, password: str) -> None:
        padded = (password.encode("latin-1") + PADDING)[:32]
        self.id = b"0123456789abcdef"
        self.owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
        self.permissions = struct.pack("<i", -4)
        self.key = hashlib.md5(padded + self.owner + self.permissions + self.id).digest()[:5]
        self.user = _rc4(self.key, PADDING)

    def locked(self, data: bytes, number: int) -> bytes:
        salt = struct.pack("<I", number)[:3] + b"\0\0"
        return _rc4(hashlib.md5(self.key + salt).digest()[:10], data)

    def dictionary(self) -> bytes:
        words = (self.owner.hex().encode(), self.user.hex().encode())
        return b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % words


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def zipped(members: Mapping[str, bytes | str], *, compressed: bool = True) -> bytes:
    """Returns a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, archive.compression)
    return out.getvalue()


def docx() -> bytes:
    """Returns a Word document: title, headings, a list, a table, a link, a deletion."""
    import docx as word
    from docx.oxml import parse_xml

    document = word.Document()
    document.core_properties.author = "Ada"
    document.add_heading("The Lute", 0)
    document.add_paragraph("A lute has strings.")
    document.add_heading("Care", 1)
    document.add_paragraph("Dust it", style="List Bullet")
    document.add_paragraph("Tune it", style="List Bullet")
    table = document.add_table(2, 2)
    for row, cells in zip(table.rows, [("part", "wood"), ("top", "spruce")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    changed = "<w:ins><w:r><w:t>kept</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    document.element.body.insert(-1, parse_xml(f"<w:p {space}>{changed}</w:p>"))
    return _saved(document)


def pptx() -> bytes:
    """Returns a presentation of two slides, with a table and notes."""
    import pptx as point

    show = point.Presentation()
    for title, text in (("Strings", "Gut\nNylon"), ("Wood", "Spruce")):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
    table = slide.shapes.add_table(1, 2, 0, 0, 100, 100).table
    table.cell(0, 0).text, table.cell(0, 1).text = "a", "b"
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    return _saved(show)


def xlsx() -> bytes:
    """Returns a workbook of two sheets, with a formula, a date, an empty row and an empty column."""
    import datetime

    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Stock"
    for row in [("wood", None, "count"), ("spruce", None, 3), (None, None, None), ("maple", None, 2.5)]:
        sheet.append(row)
    other = book.create_sheet("Dates")
    other.append([datetime.datetime(2026, 5, 1), "=1+1"])
    return _saved(book)


def _saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def epub() -> bytes:
    """Returns a book of two chapters, whose order is that of its spine."""
    chapter = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>t</title></head>"
    chapter += "<body><h1>{}</h1><p>{}</p></body></html>"
    package = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
      <dc:title>Lutes</dc:title><dc:creator>Ada</dc:creator><dc:rights>CC BY 4.0</dc:rights></metadata>
      <manifest><item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/>
      <item id="a" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>
      <spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    container = "<container xmlns='urn:c'><rootfiles><rootfile full-path='OEBPS/p.opf'/></rootfiles></container>"
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OEBPS/p.opf": package,
            "OEBPS/two b.xhtml": chapter.format("Second", "End."),
            "OEBPS/one.xhtml": chapter.format("First", "Begin."),
        },
        compressed=False,
    )


def odt() -> bytes:
    """Returns an OpenDocument text with a heading, a list, spaces and a table."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    body = """<text:h text:outline-level="2">Care</text:h>
      <text:p>Two<text:s text:c="2"/>words<text:line-break/>more</text:p>
      <text:list><text:list-item><text:p>dust</text:p></text:list-item></text:list>
      <table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>
      <table:table-cell table:number-columns-repeated="900"/></table:table-row></table:table>"""
    inner = f"<office:body><office:text>{body}</office:text></office:body>"
    content = f"<office:document-content {names}>{inner}</office:document-content>"
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content}, compressed=False)


RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator X;}{\info{\title Hidden}}"
    rb"\pard\outlinelevel0 Care\par\pard Caf\'e9 \u8364? and \{braces\}\line next\par"
    rb"\trowd\cellx1\cellx2\pard\intbl a\cell b\cell\row\pard after\emdash\par{\pict 0102}}"
)


def eml(*, html: bool = False) -> bytes:
    """Returns a mail with a text file and another mail in it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@example.org>", "bob@example.org", "Würzburg lutes"
    mail["Date"] = "Fri, 01 May 2026 10:00:00 +0000"
    mail.set_content("Dear Bob,\n\nthe lute is ready.\n")
    if html:
        mail.clear_content()
        mail.set_content("<p>Dear <b>Bob</b></p><script>no</script>", subtype="html")
    mail.add_attachment(b"the bill\n", maintype="text", subtype="plain", filename="bill.txt")
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "c@example.org", "Inner"
    inner.set_content("Inside.")
    mail.add_attachment(inner)
    return mail.as_bytes()


def msg() -> bytes:
    """Returns a mail of Outlook's with an attachment."""

    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    sent = struct.pack("<IIQ", 0x00390040, 6, (1_777_629_600 + 11_644_473_600) * 10_000_000)
    return compound(
        {
            "__properties_version1.0": bytes(32) + sent,
            "__substg1.0_0037001F": wide("Lute"),
            "__substg1.0_0C1A001F": wide("Ada"),
            "__substg1.0_0C1F001F": wide("ada@example.org"),
            "__substg1.0_0E04001F": wide("Bob"),
            "__substg1.0_1000001F": wide("Dear Bob,\r\n\r\nit is ready."),
            "__attach_version1.0_#00000000": {
                "__substg1.0_3707001F": wide("bill.txt"),
                "__substg1.0_37010102": b"the bill is here\n" * 400,
            },
        }
    )


def compound(root: Mapping[str, Any]) -> bytes:
    """Returns a compound file (MS-CFB, version 3); every stream is padded with zeros to the size that needs no mini
    sectors."""
    entries: list[list[Any]] = [["Root Entry", 5, -1, -1, b""]]  # name, kind, right, child, data

    def add(folder: Mapping[str, Any]) -> int:
        first = before = -1
        for name, value in folder.items():
            entries.append([name, 1 if isinstance(value, dict) else 2, -1, -1, b""])
            number = len(entries) - 1
            if isinstance(value, dict):
                entries[number][1], entries[number][3] = 1, add(value)
            else:
                entries[number][1], entries[number][4] = 2, value.ljust(4096, b"\0")
            first = number if first < 0 else first
            if before >= 0:
                entries[before][2] = number
            before = number
        return first

    entries[0][3] = add(root)
    table_sectors, directory_sectors = 2, -(-len(entries) // 4)
    fat = [0xFFFFFFFD] * table_sectors + [*range(table_sectors + 1, table_sectors + directory_sectors), 0xFFFFFFFE]
    directory, streams = b"", b""
    for name, kind, right, child, data in entries:
        start = len(fat) if kind == 2 else 0xFFFFFFFE
        if kind == 2:
            size = -(-len(data) // 512)
            fat += [*range(start + 1, start + size), 0xFFFFFFFE]
            streams += data.ljust(512 * size, b"\0")
        words = name.encode("utf-16-le")
        directory += words.ljust(64, b"\0") + struct.pack("<HBB", len(words) + 2, kind, 1)
        directory += struct.pack("<iii", -1, right, child) + bytes(36) + struct.pack("<IQ", start, len(data))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, table_sectors, table_sectors, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *range(table_sectors), *[0xFFFFFFFF] * (109 - table_sectors))
    table = struct.pack(f"<{128 * table_sectors}I", *fat, *[0xFFFFFFFF] * (128 * table_sectors - len(fat)))
    return head + table + directory.ljust(512 * directory_sectors, b"\0") + streams
