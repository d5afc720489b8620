"""Personal data in text: addresses, numbers and keys, checked where they have a checksum; replaced when asked to.

What stands for a value is the same wherever the value is found, under the same secret: [EMAIL_1f0a2b3c].
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from luthier.records.documents import Document
from luthier.sources.editing import Edit, edited

Kind = Literal["key", "email", "iban", "card", "ip", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In this order: what one has claimed is none of the later ones'."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data of one kind at text[start:end]."""

    kind: Kind
    start: int
    end: int


def find_personal(text: str, kinds: Collection[str] = KINDS) -> list[Finding]:
    """Returns what is found, in order; none overlaps another."""
    found: list[Finding] = []
    taken = bytearray(len(text))
    for kind in (kind for kind in KINDS if kind in kinds):
        for start, end in _spans(kind, text):
            if not any(taken[start:end]) and _CHECKS[kind](text[start:end], text, start):
                found.append(Finding(kind, start, end))
                taken[start:end] = b"\1" * (end - start)
    return sorted(found, key=lambda one: one.start)


def redacted(document: Document, kinds: Collection[str], secret: bytes) -> Document:
    """Returns `document` with a placeholder in the place of each value of these kinds; its title and author, too."""
    return replace(
        edited(document, _edits(document.text, kinds, secret)),
        title=redacted_text(document.title, kinds, secret),
        author=redacted_text(document.author, kinds, secret),
    )


def redacted_text(text: str, kinds: Collection[str], secret: bytes) -> str:
    """Returns `text` with a placeholder in the place of each value of these kinds."""
    return edited(Document("", text), _edits(text, kinds, secret)).text


def _edits(text: str, kinds: Collection[str], secret: bytes) -> list[Edit]:
    return [
        Edit(one.start, one.end, placeholder(one.kind, text[one.start : one.end], secret))
        for one in find_personal(text, kinds)
    ]


def placeholder(kind: str, value: str, secret: bytes) -> str:
    """Returns what stands for a value: the same for the same value, however it is spaced, and not to be guessed back
    without the secret."""
    plain = re.sub(r"[\s().-]", "", value.lower()) if kind in ("phone", "iban", "card") else value.lower()
    mark = hmac.new(secret, f"{kind}:{plain}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
    return f"[{kind.upper()}_{mark}]"


def luhn(digits: str) -> bool:
    """Returns whether the last of `digits` is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def iban_holds(value: str) -> bool:
    """Returns whether an IBAN has its country's length and its checksum (ISO 13616)."""
    plain = re.sub(r"[\s-]", "", value).upper()
    if len(plain) != _IBAN_LENGTHS.get(plain[:2], 0):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18,
    "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23,
    "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28,
    "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24,
    "TR": 26, "UA": 29, "VA": 22, "XK": 20,
}  # fmt: skip

_KEYS = {
    "-----BEGIN ": r"[A-Z ]{0,30}PRIVATE KEY-----[^-]{1,10000}-----END [A-Z ]{0,30}PRIVATE KEY-----",
    **dict.fromkeys(("sk-", "pk-"), r"(?:proj-|ant-|luthier-)?[A-Za-z0-9_-]{20,200}\b"),
    **dict.fromkeys(("sk_", "pk_", "rk_"), r"(?:live_|test_)?[A-Za-z0-9]{20,200}\b"),
    "AKIA": r"[0-9A-Z]{16}\b",
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"[A-Za-z0-9]{36,255}\b"),
    "github_pat_": r"[A-Za-z0-9_]{22,255}\b",
    "glpat-": r"[A-Za-z0-9_-]{20,100}\b",
    **dict.fromkeys(("xoxa-", "xoxb-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"), r"[A-Za-z0-9-]{10,200}"),
    "AIza": r"[0-9A-Za-z_-]{35}\b",
    "hf_": r"[A-Za-z]{30,60}\b",
    "eyJ": r"[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{10,2000}",
}
"""How keys begin, and what follows. The beginning is looked for first, as that is quick."""

_KEY_PATTERNS = {mark: re.compile(rf"{mark}(?<!\w{mark}){rest}") for mark, rest in _KEYS.items()}
_DOMAIN = re.compile(r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,24}\b")
_LOCAL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}\Z")
_IBAN = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"[2-6](?<![\d.,-]\d)\d{3}(?:[ -]?\d){8,15}(?![\d-])")
_IPV4 = re.compile(r"\d(?<![\w.:]\d)\d{0,2}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_PHONE = re.compile(
    r"[+(\d](?<![\w.,/+-][+(\d])(?<!\d[ -][+(\d])(?:"
    r"(?<=\+)\d{1,3}[ .-]?(?:\(0?\d{1,5}\)[ .-]?)?\d{1,5}(?:[ ./-]?\d{2,5}){1,5}"
    r"|(?<=\()0\d{1,5}\)[ .-]?\d{2,5}(?:[ .-]?\d{2,5}){1,4}|(?<=\()\d{3}\) ?\d{3}[ .-]\d{4}"
    r"|(?<=\d)\d{2}[-.]\d{3}[-.]\d{4}|(?<=0)\d{1,4}(?: ?/ ?|[ -])\d{2,5}(?:[ -]?\d{2,5}){1,4})(?![\w/-]|[.,]\d)"
)
"""Each begins with the letters that may be first, and looks back only then: texts are searched faster so."""


def _spans(kind: Kind, text: str) -> Iterator[tuple[int, int]]:
    """Yields where something of the form of a kind is."""
    if kind == "key":
        patterns = [pattern for mark, pattern in _KEY_PATTERNS.items() if mark in text]
        yield from sorted(match.span() for pattern in patterns for match in pattern.finditer(text))
    elif kind == "email":
        for match in _DOMAIN.finditer(text):
            local = _LOCAL.search(text, max(0, match.start() - 65), match.start())
            if local:
                yield local.start(), match.end()
    elif kind == "ip":
        yield from (match.span() for match in _IPV4.finditer(text))
        if "::" in text or text.count(":") > 4:
            yield from (match.span() for match in _IPV6.finditer(text))
    else:
        yield from (match.span() for match in {"iban": _IBAN, "card": _CARD, "phone": _PHONE}[kind].finditer(text))


_CARDS = re.compile(r"[2-6]\d{15}|[46]\d{12}|[46]\d{18}|3[47]\d{13}|3[068]\d{12}")
"""The lengths that cards of each first digit have."""


def _is_key(value: str, text: str, start: int) -> bool:
    if not value.startswith("eyJ"):
        return len(set(value)) > 8  # not xxxxxxxx
    head = value.partition(".")[0]
    try:
        return "alg" in json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, TypeError):
        return False


def _is_card(value: str, text: str, start: int) -> bool:
    digits = re.sub(r"\D", "", value)
    return bool(_CARDS.fullmatch(digits)) and len(set(digits)) > 1 and luhn(digits)


def _is_ip(value: str, text: str, start: int) -> bool:
    if re.search(r"(?:\bv|version|release|section|§)[ .]*$", text[max(0, start - 12) : start], re.IGNORECASE):
        return False
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if not line.strip(" #*") and all(len(part) < 3 for part in value.split(".")):
        return False  # the number of a section
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not address.is_unspecified and (address.version == 4 or value.count(":") > 2 or len(value) > 6)


def _is_phone(value: str, text: str, start: int) -> bool:
    digits = re.sub(r"\D", "", value)
    dated = re.fullmatch(r"0\d[- ]\d{2}[- ]\d{4}", value)
    return not dated and 8 <= len(digits) <= 15


_CHECKS: Mapping[Kind, Callable[[str, str, int], bool]] = {
    "key": _is_key,
    "email": lambda value, text, start: ".." not in value and not value.startswith("."),
    "iban": lambda value, text, start: iban_holds(value),
    "card": _is_card,
    "ip": _is_ip,
    "phone": _is_phone,
}
