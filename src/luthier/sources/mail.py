"""Mails: EML by the standard library, MSG by its streams (olefile); their attachments are members, as of an archive."""

from __future__ import annotations

import email
import email.policy
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

from luthier.records.documents import Document
from luthier.sources.html import parse_html, walk
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.text import decoded
from luthier.sources.writer import Writer

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_TEXTS = {
    "subject": "0037",
    "body": "1000",
    "html": "1013",
    "from": "0C1A",
    "address": "0C1F",
    "to": "0E04",
    "cc": "0E03",
}
_NAMES, _CONTENT = ("3707", "3704", "3001"), "37010102"
_SENT = 0x00390040
_EPOCH_S = 11_644_473_600
"""From 1601, where MAPI's time begins, to 1970."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    name: str
    data: bytes


def read_eml(raw: Raw) -> Document:
    """Returns a mail: who wrote to whom, and what; its plain text where it has one, else its HTML."""
    mail = _mail(raw.data)
    writer = Writer()
    _write_head(writer, {name: str(mail.get(name, "") or "") for name in _HEADERS})
    body = mail.get_body(preferencelist=("plain", "html"))
    if isinstance(body, EmailMessage):
        content = _content(body)
        if body.get_content_subtype() == "html":
            walk(parse_html(content), writer)
        else:
            _write_plain(writer, decoded(content))
    return _document(raw, writer, str(mail.get("Subject", "") or ""), str(mail.get("From", "") or ""), _date(mail))


def eml_attachments(data: bytes) -> Iterator[Attachment]:
    """Yields the files of a mail; a mail inside it is one, too."""
    for number, part in enumerate(_mail(data).iter_attachments(), 1):
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0)
            yield Attachment(part.get_filename() or f"mail-{number}.eml", bytes(inner))  # type: ignore[arg-type]
        elif isinstance(part, EmailMessage) and not part.is_multipart():
            yield Attachment(part.get_filename() or f"part-{number}", _content(part))


def _mail(data: bytes) -> EmailMessage:
    mail = email.message_from_bytes(data, policy=email.policy.default)
    if not any(mail.get(name) for name in ("From", "To", "Subject", "Date", "Received", "Message-ID")):
        raise UnreadableError("has none of a mail's headers", remedy="save the mail as EML again")
    return mail


def _content(part: EmailMessage) -> bytes:
    found = part.get_payload(decode=True)
    data = found if isinstance(found, bytes) else b""
    charset = part.get_content_charset()
    if part.get_content_maintype() == "text" and charset:
        try:
            return data.decode(charset).encode("utf-8")
        except (LookupError, UnicodeDecodeError):
            return data
    return data


def _date(mail: EmailMessage) -> float | None:
    try:
        return parsedate_to_datetime(str(mail["Date"])).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _write_head(writer: Writer, values: dict[str, str]) -> None:
    if values.get("Subject", "").strip():
        writer.heading(values["Subject"], 1)
    writer.text("\n".join(f"{name}: {value}" for name, value in values.items() if value.strip() and name != "Subject"))


def _write_plain(writer: Writer, text: str) -> None:
    for paragraph in text.split("\n\n"):
        writer.text(paragraph)


def _document(raw: Raw, writer: Writer, subject: str, author: str, sent: float | None) -> Document:
    return replace(writer.document(raw, title=subject), author=author, modified_at=sent)


def read_msg(raw: Raw) -> Document:
    """Returns a mail of Outlook's."""
    with _streams(raw.data) as ole:
        values = {name: _text(ole, "", code) for name, code in _TEXTS.items() if name != "html"}
        page = _bytes(ole, "", _TEXTS["html"] + "0102") or _text(ole, "", _TEXTS["html"]).encode()
        sent = _sent(ole)
    writer = Writer()
    author = " ".join(filter(None, [values["from"], f"<{values['address']}>" if "@" in values["address"] else ""]))
    _write_head(writer, {"Subject": values["subject"], "From": author, "To": values["to"], "Cc": values["cc"]})
    if values["body"].strip():
        _write_plain(writer, values["body"].replace("\r\n", "\n"))
    elif page:
        walk(parse_html(page), writer)
    return _document(raw, writer, values["subject"], author, sent)


def msg_attachments(data: bytes) -> Iterator[Attachment]:
    """Yields the files of a mail of Outlook's; mails inside it are left out."""
    with _streams(data) as ole:
        folders = sorted({path[0] for path in ole.listdir() if path[0].startswith("__attach_version1.0_")})
        for number, folder in enumerate(folders, 1):
            name = next(filter(None, (_text(ole, folder, code) for code in _NAMES)), f"part-{number}")
            if content := _bytes(ole, folder, _CONTENT):
                yield Attachment(name, content)


def _streams(data: bytes) -> Any:
    import olefile

    try:
        ole = olefile.OleFileIO(io.BytesIO(data))
    except (OSError, struct.error) as error:
        raise UnreadableError(f"is not a mail of Outlook's: {error}") from None
    if not ole.exists("__properties_version1.0"):
        ole.close()
        raise UnreadableError("is not a mail of Outlook's", remedy="files of Office 97: save them in today's format")
    return ole


def _text(ole: Any, folder: str, code: str) -> str:
    wide = _bytes(ole, folder, code + "001F")
    return (wide.decode("utf-16-le", "replace") if wide else _narrow(_bytes(ole, folder, code + "001E"))).strip("\0 ")


def _narrow(data: bytes) -> str:
    return decoded(data.rstrip(b"\0")) if data else ""


def _bytes(ole: Any, folder: str, code: str) -> bytes:
    path = "/".join(filter(None, [folder, f"__substg1.0_{code}"]))
    return bytes(ole.openstream(path).read()) if ole.exists(path) else b""


def _sent(ole: Any) -> float | None:
    data = ole.openstream("__properties_version1.0").read()
    for at in range(32, len(data) - 15, 16):
        kind, _, value = struct.unpack_from("<IIQ", data, at)
        if kind == _SENT:
            return float(value / 10_000_000 - _EPOCH_S)
    return None
