from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from luthier.reports.markup import Markup, join, paragraphs, tag, text

ANY_TEXT = st.text(st.characters(codec=None))


class Seen(HTMLParser):
    """Collects what a browser would see as elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.data += data


@given(ANY_TEXT)
def test_no_text_becomes_an_element_an_attribute_or_broken_utf8(value: str) -> None:
    page = tag("p", {"title": value}, text(value))
    page.encode("utf-8")
    seen = Seen(page)
    assert [name for name, _ in seen.elements] == ["p"]
    assert list(seen.elements[0][1]) == ["title"]


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_ordinary_text_is_read_back_as_it_was(value: str) -> None:
    seen = Seen(tag("p", {"title": value}, text(value)))
    assert seen.data == value
    assert seen.elements[0][1]["title"] == value


def test_bidi_overrides_control_characters_and_half_surrogates_are_written_out() -> None:
    assert text("a\u202eb\x1b[2Jc\ud800\x00") == "a⟨U+202E⟩b⟨U+001B⟩[2Jc⟨U+D800⟩⟨U+0000⟩"
    assert text("tab\tline\r\nend") == "tab\tline\nend"


def test_attributes_stand_alone_or_go() -> None:
    assert tag("details", {"open": True, "id": None, "hidden": False}) == "<details open></details>"
    assert tag("meta", {"charset": "utf-8"}) == '<meta charset="utf-8">'


def test_paragraphs_part_at_blank_lines() -> None:
    assert paragraphs("one\ntwo\n\n\n<b>three") == '<p dir="auto">one\ntwo</p><p dir="auto">&lt;b&gt;three</p>'


def test_join_escapes_what_stands_between() -> None:
    assert join([Markup("<i></i>"), Markup("<b></b>")], " < ") == "<i></i> &lt; <b></b>"
