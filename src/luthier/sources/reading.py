"""One file to one document, or to the members in it: by its suffix, its media type, or what it begins with.

`read_file` runs in a child process (luthier.sandbox), and so takes and returns JSON values.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from luthier.errors import SpecError
from luthier.records.documents import Document
from luthier.registry import Registry
from luthier.sources import archives, mail
from luthier.sources.archives import DEEPEST, SEPARATOR
from luthier.sources.editing import without_running_lines
from luthier.sources.language import language_of
from luthier.sources.personal import KINDS, find_personal, redacted
from luthier.sources.raw import Parser, Raw, UnreadableError

INSTALL = "pip install 'luthier[documents]'"
_ROOM = "luthier.sources."
_TEXT, _PICTURE, _ODF = f"{_ROOM}text:read_text", f"{_ROOM}ocr:read_picture", f"{_ROOM}open_formats:read_odt"
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
PARSERS = Registry(
    "luthier.sources",
    {
        ".pdf": f"{_ROOM}pdf:read_pdf",
        ".docx": f"{_ROOM}office:read_docx",
        ".docm": f"{_ROOM}office:read_docx",
        ".pptx": f"{_ROOM}office:read_pptx",
        ".xlsx": f"{_ROOM}office:read_xlsx",
        ".xlsm": f"{_ROOM}office:read_xlsx",
        ".html": f"{_ROOM}html:read_html",
        ".htm": f"{_ROOM}html:read_html",
        ".xhtml": f"{_ROOM}html:read_html",
        ".epub": f"{_ROOM}open_formats:read_epub",
        **dict.fromkeys((".odt", ".ods", ".odp"), _ODF),
        ".rtf": f"{_ROOM}rtf:read_rtf",
        ".eml": f"{_ROOM}mail:read_eml",
        ".msg": f"{_ROOM}mail:read_msg",
        ".md": f"{_ROOM}text:read_markdown",
        ".markdown": f"{_ROOM}text:read_markdown",
        ".rst": f"{_ROOM}text:read_rst",
        ".txt": _TEXT,
        ".csv": f"{_ROOM}delimited:read_csv",
        ".tsv": f"{_ROOM}delimited:read_csv",
        ".json": f"{_ROOM}delimited:read_json",
        ".jsonl": f"{_ROOM}delimited:read_json_lines",
        ".ndjson": f"{_ROOM}delimited:read_json_lines",
        ".ipynb": f"{_ROOM}delimited:read_notebook",
        **dict.fromkeys(PICTURES, _PICTURE),
    },
)
"""Suffix -> parser. Others add theirs as entry points of this group, named by suffix (".xyz") or by media type."""

MEDIA_TYPES: Mapping[str, str] = {
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "application/epub+zip": ".epub",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "message/rfc822": ".eml",
    "application/vnd.ms-outlook": ".msg",
    "text/markdown": ".md",
    "text/x-rst": ".rst",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/x-ipynb+json": ".ipynb",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "application/zip": ".zip",
    "text/plain": ".txt",
}
_SUFFIX_TYPES = {suffix: kind for kind, suffix in MEDIA_TYPES.items()} | {".htm": "text/html", ".jpeg": "image/jpeg"}
CONTAINERS = (".zip", ".eml", ".msg")
UNREAD = {
    **dict.fromkeys((".doc", ".xls", ".ppt"), "save it in today's format (DOCX, XLSX, PPTX)"),
    **dict.fromkeys(
        (".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"), "unpack it, or make it a zip archive"
    ),
    **dict.fromkeys((".mp3", ".wav", ".m4a", ".mp4", ".mov", ".avi", ".mkv"), "give its transcript"),
    **dict.fromkeys((".exe", ".dll", ".so", ".bin", ".pyc", ".class", ".o", ".iso"), "leave it out"),
    **dict.fromkeys((".safetensors", ".npy", ".npz", ".parquet", ".sqlite", ".db", ".pkl"), "leave it out"),
    **dict.fromkeys((".svg", ".ico", ".psd", ".ttf", ".woff", ".woff2", ".css", ".js", ".map"), "leave it out"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of one document are: a file, and the members to open in it one after another."""

    path: str
    source: str
    media_type: str = ""
    members: tuple[str, ...] = ()

    def member(self, name: str) -> Place:
        """Returns the place of a member of this one."""
        return Place(self.path, self.source + SEPARATOR + name, "", (*self.members, name))


def read_file(
    path: str, source: str, media_type: str, members: Sequence[str], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns {"digest", "size", "document" as JSON or None, "members" as [name, why it is not read] pairs, "personal"
    counts by kind}. `UnreadableError` says why there is neither."""
    began = time.process_time()
    data = Path(path).read_bytes()
    password = str(options.get("password") or "")
    name, kind = source if media_type else path, media_type
    for member in members:
        data = _member(data, suffix_of(name, media_type=kind, data=data), member, password)
        name, kind = member, ""
    suffix = suffix_of(name, media_type=kind, data=data)
    raw = Raw(
        data,
        source,
        media_type=media_type or _SUFFIX_TYPES.get(suffix, "text/plain"),
        password=password,
        max_pages=int(options.get("max_pages") or 5000),
        ocr=str(options.get("ocr") or ""),
        main_text=bool(options.get("main_text", True)),
    )
    found = _members(raw, suffix, depth=len(members))
    out: dict[str, Any] = {"digest": hashlib.sha256(data).hexdigest(), "size": len(data), "members": found}
    out |= {"document": None, "personal": {}}
    if suffix != ".zip":
        document = parse(raw, suffix)
        document = replace(
            document, digest=out["digest"], licence=document.licence or str(options.get("licence") or "")
        )
        document, out["personal"] = prepared(document, options)
        out["document"] = document.to_json()
    return out | {"cpu_s": round(time.process_time() - began, 3)}


def parse(raw: Raw, suffix: str) -> Document:
    """Returns the document of `raw` by the parser for `suffix`. `UnreadableError` where it gives no text."""
    if suffix in UNREAD:
        raise UnreadableError(f"{suffix} files are not read", remedy=UNREAD[suffix])
    names = known_parsers()
    named = suffix if suffix in names else raw.media_type if raw.media_type in names else ".txt"
    try:
        parser: Parser = PARSERS.load(named)
        document = parser(raw)
    except ModuleNotFoundError as error:
        raise SpecError(f"reading {suffix} needs {error.name}, which is not installed", remedy=INSTALL) from None
    if not document.text.strip():
        raise UnreadableError("holds no text")
    return document


def prepared(document: Document, options: Mapping[str, Any]) -> tuple[Document, dict[str, int]]:
    """Returns the document without running lines (of PDFs: the top of a slide is its title), with its language,
    redacted as asked; and how much personal data of each kind it had."""
    if document.media_type == "application/pdf" and options.get("running_lines", "remove") == "remove":
        document = without_running_lines(document)
    document = replace(document, language=document.language or language_of(document.text))
    found = [finding.kind for finding in find_personal(document.text)]
    counts: dict[str, int] = {kind: found.count(kind) for kind in KINDS if kind in found}
    kinds = set(options.get("redact") or ())
    if kinds:
        secret = bytes.fromhex(str(options.get("secret") or ""))
        document = redacted(document, KINDS if "all" in kinds else kinds, secret)
    return document, counts


def why_left_out(name: str, *, pictures: bool) -> str:
    """Returns why a file that nobody named is not tried, by its name; "" where it is."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in known_parsers() and (pictures or suffix not in PICTURES):
        return ""
    if suffix in PICTURES:
        return "is a picture; give --ocr tesseract to read pictures"
    return f"{suffix} files are not read; {UNREAD[suffix]}" if suffix in UNREAD else ""


@cache
def known_parsers() -> frozenset[str]:
    """Returns the suffixes and media types that there are parsers for; what is installed is looked at once."""
    return frozenset(PARSERS.names())


def suffix_of(name: str, *, media_type: str = "", data: bytes = b"") -> str:
    """Returns the suffix that says what `data` is: by what it begins with where that is certain, by its media type, by
    its name, and "" where nothing tells."""
    path = urlsplit(name).path if name.startswith(("http://", "https://")) else name.replace("\\", "/")
    own = PurePosixPath(path).suffix.lower()
    begins = _by_content(data, own)
    if begins:
        return begins
    by_type = MEDIA_TYPES.get(media_type.split(";")[0].strip().lower(), "")
    if by_type and not (by_type == ".txt" and own in known_parsers()):
        return by_type
    return own


def _by_content(data: bytes, own: str) -> str:
    head = data[:1024].lstrip()
    if b"%PDF-" in data[:1024]:
        return ".pdf"
    if data.startswith(b"PK\x03\x04"):
        return own if own in known_parsers() and own not in (".txt", ".md") else _by_members(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return own if own in (".docx", ".xlsx", ".pptx", ".doc", ".xls", ".ppt") else ".msg"
    if head.startswith(b"{\\rtf"):
        return ".rtf"
    if own in ("", ".php", ".asp", ".aspx", ".jsp") and head[:200].lower().startswith((b"<!doctype html", b"<html")):
        return ".html"
    return ""


def _by_members(data: bytes) -> str:
    """Returns which of the formats that are zip archives this one is."""
    for mark, suffix in (
        (b"mimetypeapplication/epub+zip", ".epub"),
        (b"mimetypeapplication/vnd.oasis.opendocument", ".odt"),
    ):
        if mark in data[:200]:
            return suffix
    with archives.open_zip(data) as archive:
        names = set(archive.namelist())
    for part, suffix in (
        ("word/document.xml", ".docx"),
        ("ppt/presentation.xml", ".pptx"),
        ("xl/workbook.xml", ".xlsx"),
    ):
        if part in names:
            return suffix
    return ".zip"


def _members(raw: Raw, suffix: str, *, depth: int) -> list[list[str]]:
    """Returns [name, why it is not read] of what is inside, which is read file by file."""
    if suffix not in CONTAINERS:
        return []
    if depth >= DEEPEST:
        if suffix == ".zip":
            raise UnreadableError(f"is an archive within {depth} others", remedy="unpack the outer ones")
        return []
    if suffix == ".zip":
        with archives.open_zip(raw.data) as archive:
            return [list(one) for one in archives.member_names(archive)]
    return [[one.name, ""] for one in _attachments(raw.data, suffix)]


def _member(data: bytes, suffix: str, name: str, password: str) -> bytes:
    if suffix == ".zip":
        with archives.open_zip(data) as archive:
            return archives.read_member(archive, name, password)
    for one in _attachments(data, suffix):
        if one.name == name:
            return one.data
    raise UnreadableError(f"holds no member {name!r}")


def _attachments(data: bytes, suffix: str) -> list[mail.Attachment]:
    """Returns the attachments of a mail, numbered where they share a name."""
    found = list((mail.eml_attachments if suffix == ".eml" else mail.msg_attachments)(data))
    names = [one.name for one in found]
    return [
        replace(one, name=f"{number}-{one.name}") if names.count(one.name) > 1 else one
        for number, one in enumerate(found, 1)
    ]
