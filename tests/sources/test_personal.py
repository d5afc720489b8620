"""Personal data: what is found, what only looks like it, and what stands for it."""

from __future__ import annotations

import base64
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.records.documents import Block, Document
from luthier.sources.personal import KINDS, find_personal, iban_holds, luhn, redacted

JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"sub":"1234567"}')
)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("write to ada.l+x@mail.example.org.", "email", "ada.l+x@mail.example.org"),
        ("IBAN DE89 3704 0044 0532 0130 00, thanks", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("card 4111 1111 1111 1111!", "card", "4111 1111 1111 1111"),
        ("5500-0055-5555-5559", "card", "5500-0055-5555-5559"),
        ("378282246310005", "card", "378282246310005"),
        ("from 192.168.10.77:8080", "ip", "192.168.10.77"),
        ("at 2001:db8::8a2e:370:7334 now", "ip", "2001:db8::8a2e:370:7334"),
        ("call +49 30 901820 or so", "phone", "+49 30 901820"),
        ("+1 (212) 555-0123", "phone", "+1 (212) 555-0123"),
        ("(01632) 960 694", "phone", "(01632) 960 694"),
        ("555-123-4567", "phone", "555-123-4567"),
        ("Tel. 030/901820 12", "phone", "030/901820 12"),
        ("key sk-proj-abcDEF123456ghiJKL789mno", "key", "sk-proj-abcDEF123456ghiJKL789mno"),
        ("AKIAIOSFODNN7EXAMPLE", "key", "AKIAIOSFODNN7EXAMPLE"),
        (f"Bearer {JWT}.c2lnbmF0dXJlYQ", "key", f"{JWT}.c2lnbmF0dXJlYQ"),
    ],
)
def test_it_is_found(text: str, kind: str, value: str) -> None:
    assert [(one.kind, text[one.start : one.end]) for one in find_personal(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        *("DE89 3704 0044 0532 0130 01", "4111 1111 1111 1112", "0000 0000 0000 0000", "999.1.1.1", "version 1.2.3.4"),
        *("3.1.4.2 Care of lutes", "on 01-05-2026", "2026-05-01", "1234567890123", "pp. 120-135", "a@b", "@handle"),
        *("12:30:45", "std::vector", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "eyJhbGciOiJIUzI1.eyJhbGciOiJI.short"),
        *("ISBN 978-3-16-148410-0", "0.5 1 2 3", "10 20 30 40 50", "1,234,567.89"),
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert find_personal(text) == []


@given(st.text("0123456789", min_size=12, max_size=18))
def test_a_check_digit_holds_and_no_other_does(digits: str) -> None:
    holding = [last for last in "0123456789" if luhn(digits + last)]
    assert len(holding) == 1


@given(st.integers(0, 10**18 - 1))
def test_ibans_with_one_wrong_digit_do_not_hold(number: int) -> None:
    account = f"{number:018d}"
    check = 98 - int(account + "131400") % 97
    good = f"DE{check:02d}{account}"
    assert iban_holds(good)
    wrong = [good[:n] + str((int(good[n]) + 1) % 10) + good[n + 1 :] for n in range(4, 22)]
    assert not any(map(iban_holds, wrong))


def test_placeholders_are_stable_and_the_structure_stays() -> None:
    text = "Ask ada@example.org\n\nor +49 30 901820, +49 (30) 901820, Ada@Example.org"
    document = Document(
        "a", text, title="of ada@example.org", author="Ada", blocks=(Block("text", 0, 19), Block("text", 21, len(text)))
    )
    out = redacted(document, KINDS, b"secret")
    marks = re.findall(r"\[(?:EMAIL|PHONE)_[0-9a-f]{8}\]", out.text)
    assert marks[0] == marks[3]
    assert marks[1] == marks[2]
    assert out.title == f"of {marks[0]}"
    assert [out.text[b.start : b.end] for b in out.blocks] == out.text.split("\n\n")
    assert redacted(document, KINDS, b"secret").text == out.text
    assert redacted(document, KINDS, b"other").text != out.text
    assert redacted(document, ["phone"], b"secret").text.count("@") == 2
    assert find_personal(out.text) == []


@given(st.text(st.sampled_from("0123456789 .-+()/@abE:\n"), max_size=300))
def test_findings_never_overlap(text: str) -> None:
    found = find_personal(text)
    assert all(one.end <= two.start for one, two in pairwise(found))
