"""EPUB and OpenDocument texts: XML in a zip archive."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import Any
from urllib.parse import unquote

from luthier.records.documents import Document
from luthier.sources.archives import open_zip, read_member
from luthier.sources.html import parse_html, walk
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.writer import Writer
from luthier.sources.xml import attribute, children, local, parse_xml

_SPACES_MOST = 100


def read_epub(raw: Raw) -> Document:
    """Returns the chapters of a book in their order."""
    with open_zip(raw.data) as archive:
        if "META-INF/encryption.xml" in archive.namelist() and b"EncryptedKey" in archive.read(
            "META-INF/encryption.xml"
        ):
            raise UnreadableError("is encrypted", remedy="get it without copy protection")
        container = parse_xml(read_member(archive, "META-INF/container.xml"), "META-INF/container.xml")
        package = next((attribute(one, "full-path") for one in container.iter() if local(one) == "rootfile"), "")
        root = parse_xml(read_member(archive, package), package)
        writer = Writer()
        for name in _spine(root, posixpath.dirname(package)):
            if name in archive.namelist():
                walk(parse_html(read_member(archive, name)), writer, leave_out=frozenset(["nav"]))
    facts = {local(one): " ".join("".join(one.itertext()).split()) for one in root.iter() if _is_fact(one)}
    return writer.document(
        raw, title=facts.get("title", ""), author=facts.get("creator", ""), licence=facts.get("rights", "")
    )


def _is_fact(element: Any) -> bool:
    return local(element) in ("title", "creator", "rights") and "purl.org/dc" in element.tag


def _spine(root: Any, folder: str) -> list[str]:
    names: dict[str, str] = {}
    for item in (one for one in root.iter() if local(one) == "item"):
        if "html" in attribute(item, "media-type"):
            path = posixpath.normpath(posixpath.join(folder, unquote(attribute(item, "href").partition("#")[0])))
            names[attribute(item, "id")] = path
    order = [attribute(one, "idref") for one in root.iter() if local(one) == "itemref"]
    return [names[one] for one in order if one in names]


def read_odt(raw: Raw) -> Document:
    """Returns an OpenDocument text; of sheets and slides of that family, their tables and texts."""
    with open_zip(raw.data) as archive:
        if _encrypted(archive):
            raise UnreadableError("is encrypted", remedy="save it without a password: its encryption is not read")
        content = parse_xml(read_member(archive, "content.xml"), "content.xml")
        meta = parse_xml(read_member(archive, "meta.xml"), "meta.xml") if "meta.xml" in archive.namelist() else None
    writer = Writer()
    body = next((one for one in content.iter() if local(one) == "body"), content)
    _write_odf(body, writer, 0)
    facts = {local(one): one.text or "" for one in meta.iter() if local(one)} if meta is not None else {}
    return writer.document(raw, title=facts.get("title", ""), author=facts.get("creator", ""))


def _encrypted(archive: zipfile.ZipFile) -> bool:
    name = "META-INF/manifest.xml"
    return name in archive.namelist() and b"encryption-data" in read_member(archive, name)


def _write_odf(element: Any, writer: Writer, depth: int) -> None:
    for child in element:
        name = local(child)
        if name == "h":
            writer.heading(_words(child), int(attribute(child, "outline-level") or 1))
        elif name == "p":
            style = attribute(child, "style-name")
            add = writer.code if re.search("preformatted|code", style, re.IGNORECASE) else writer.text
            add(_words(child))
        elif name == "list":
            _write_list(child, writer, 0)
        elif name == "table":
            writer.table(_row(row) for row in child.iter() if local(row) == "table-row")
        elif name in ("tracked-changes", "forms", "sequence-decls"):
            continue
        elif depth < _SPACES_MOST:
            if name == "page":
                writer.page(attribute(child, "name"))
            _write_odf(child, writer, depth + 1)


def _write_list(element: Any, writer: Writer, depth: int) -> None:
    for item in children(element, "list-item", "list-header"):
        for part in item:
            if local(part) == "list":
                _write_list(part, writer, min(depth + 1, 9))
            else:
                writer.item(_words(part), depth)


def _row(row: Any) -> list[str]:
    cells = []
    for cell in children(row, "table-cell"):
        times = min(int(attribute(cell, "number-columns-repeated") or 1), _SPACES_MOST)
        text = " ".join(_words(part) for part in cell if local(part) in ("p", "h", "list"))
        cells += [text] * (times if text else 1)
    return cells


def _words(element: Any) -> str:
    name = local(element)
    if name in ("annotation", "note-citation", "bookmark"):
        return ""
    if name in ("s", "tab", "line-break"):
        times = min(int(attribute(element, "c") or 1), _SPACES_MOST) if name == "s" else 1
        inner = {"s": " ", "tab": "\t", "line-break": "\n"}[name] * times
    else:
        inner = (element.text or "") + "".join(_words(child) + (child.tail or "") for child in element if local(child))
    return inner
