from __future__ import annotations

import base64
import hashlib
import re

import pytest

from luthier.report import MarkedText, Table
from luthier.reports.charts import Bar, Bars, Histogram, LineChart, Series
from luthier.reports.excerpts import Answer, Comparison, SideBySide, TokenView
from luthier.reports.page import Page, Prose, Raw, Section, render

HOSTILE = "</style></script><script>fetch('https://example.com')</script><img src=x onerror=alert(1)>\u202e\"'&\ud800"
HOSTILE_ROW = Comparison(HOSTILE, HOSTILE, HOSTILE, (Answer(HOSTILE, {HOSTILE: 1.0}),) * 2)
SECTIONS: list[Section] = [
    Prose(HOSTILE, HOSTILE, "verdict"),
    Table(HOSTILE, (HOSTILE, "n"), ((HOSTILE, "1"),), HOSTILE),
    LineChart(HOSTILE, [Series(HOSTILE, [0, 1], [1.0, 2.0])], HOSTILE, HOSTILE, note=HOSTILE),
    Bars(HOSTILE, [Bar(HOSTILE, 0.5, 0.4, 0.6, HOSTILE)], note=HOSTILE),
    Histogram.of(HOSTILE, [1, 2, 3], x_label=HOSTILE, marks=[(HOSTILE, 2)], note=HOSTILE),
    TokenView(HOSTILE, [MarkedText(HOSTILE, ((HOSTILE, True),))], HOSTILE),
    SideBySide(HOSTILE, (HOSTILE, "b"), [HOSTILE_ROW], note=HOSTILE),
    Raw(HOSTILE, HOSTILE),
]  # fmt: skip


def test_a_page_allows_only_its_own_style_and_script() -> None:
    page = render(Page("t"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    for kind in ("style", "script"):
        code = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        assert len(code) == 1
        digest = base64.b64encode(hashlib.sha256(code[0].encode()).digest()).decode()
        assert f"{kind}-src &#x27;sha256-{digest}&#x27;;" in policy.group(1)
    assert policy.group(1).startswith("default-src &#x27;none&#x27;;")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: type(section).__name__)
def test_hostile_text_stays_text_in_every_section(section: Section) -> None:
    page = render(Page(HOSTILE, [(HOSTILE, HOSTILE)], [section], HOSTILE))
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\u202e" not in page
    page.encode("utf-8")


def test_a_page_refers_to_nothing_outside_itself() -> None:
    page = render(Page("t", [], [s for s in SECTIONS if not isinstance(s, Raw)]))
    assert not re.search(r"<(link|img|iframe|object|embed|base|form)\b", page)
    assert not re.search(r"\b(src|href)=\"(?!#)", page)
    assert "url(" not in page
    assert not re.search(r"\sstyle=", page)


def test_sections_are_headed_and_listed_in_order() -> None:
    page = render(Page("t", [("rows", "5")], [Prose("One", "x"), Prose("Two", "y"), Raw("Three", "z")]))
    assert re.findall(r'<a href="#(s\d)">(\w+)</a>', page) == [("s1", "One"), ("s2", "Two"), ("s3", "Three")]
    assert all(f'id="s{index}"' in page for index in (1, 2, 3))
    assert "<dt>rows</dt>" in page


def test_numbers_are_aligned_right_and_words_left() -> None:
    table = Table("t", ("name", "n", "both", "blank"), (("a", "1,234", "1", ""), ("b", "−5.0 %", "x", "")))
    assert table.numeric() == (False, True, False, False)
    assert '<th scope="col" class="number">n</th>' in render(Page("t", [], [table]))


def test_a_table_of_nameless_columns_has_no_head() -> None:
    assert "<thead>" not in render(Page("t", [], [Table("Row 1", ("", ""), (("asked", "why"),))]))
