"""Every format: its text, its blocks, its pages and its title, from files made here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sources import small_files

from luthier.errors import SpecError
from luthier.records.documents import Document
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.reading import MEDIA_TYPES, PARSERS, known_parsers, parse, suffix_of


def read(name: str, data: bytes | str, **options: Any) -> Document:
    raw = Raw(data.encode() if isinstance(data, str) else data, f"/files/{name}", **options)
    document = parse(raw, suffix_of(name, data=raw.data))
    assert list(document.check()) == []
    return document


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_docx_keeps_order_and_structure() -> None:
    document = read("lute.docx", small_files.docx())
    assert blocks(document) == [
        ("heading", "The Lute"),
        ("text", "A lute has strings."),
        ("heading", "Care"),
        ("list", "- Dust it\n- Tune it"),
        ("table", "part | wood\ntop | spruce"),
        ("text", "kept"),
    ]
    assert (document.title, document.author) == ("The Lute", "Ada")


def test_slides_are_pages() -> None:
    document = read("lute.pptx", small_files.pptx())
    assert blocks(document) == [
        ("heading", "Strings"),
        ("list", "- Gut\n- Nylon"),
        ("heading", "Wood"),
        ("text", "Spruce"),
        ("table", "a | b"),
        ("text", "Say it slowly."),
    ]
    assert [document.page(document.text.index(word)) for word in ("Gut", "Wood", "slowly")] == ["1", "2", "2"]


def test_sheets_are_pages_with_their_names() -> None:
    document = read("stock.xlsx", small_files.xlsx())
    assert ("table", "wood | count\nspruce | 3\nmaple | 2.5") in blocks(document)
    assert "2026-05-01" in document.text
    assert [document.page(document.text.index(word)) for word in ("maple", "2026")] == ["Stock", "Dates"]


def test_chapters_of_a_book_stand_in_their_order() -> None:
    document = read("lutes.epub", small_files.epub())
    assert blocks(document) == [("heading", "First"), ("text", "Begin."), ("heading", "Second"), ("text", "End.")]
    assert (document.title, document.author, document.licence) == ("Lutes", "Ada", "CC BY 4.0")


def test_open_document_text() -> None:
    found = blocks(read("care.odt", small_files.odt()))
    assert found[:3] == [("heading", "Care"), ("text", "Two words\nmore"), ("list", "- dust")]
    assert found[3][0] == "table"
    assert found[3][1].strip(" |") == "a"
    assert len(found[3][1]) < 20, "empty cells that repeat are not written out"


def test_rtf() -> None:
    found = blocks(read("care.rtf", small_files.RTF))
    assert found == [
        ("heading", "Care"),
        ("text", "Café € and {braces}\nnext"),
        ("table", "a | b"),
        ("text", "after—"),
    ]


@pytest.mark.parametrize(("name", "data"), [("m.eml", small_files.eml()), ("m.msg", small_files.msg())])
def test_mails(name: str, data: bytes) -> None:
    document = read(name, data)
    assert document.title in ("Würzburg lutes", "Lute")
    assert "ready." in document.text
    assert "Ada" in document.author
    assert "ada@example.org" in document.text
    assert document.modified_at == pytest.approx(1_777_629_600, abs=1)
    assert "bill" not in document.text


def test_a_mail_of_html_alone() -> None:
    text = read("m.eml", small_files.eml(html=True)).text
    assert "Dear Bob" in text
    assert "no" not in text.split("\n")


MARKDOWN = """---
title: "The guide"
---
# Lutes #

Intro with *marks*.
And more.

Setext
======

- one
- two

| a | b |
|---|---|
| 1 | 2 |

```sh
# no heading
```

    still text
"""


def test_markdown_stays_as_it_is_written() -> None:
    document = read("guide.md", MARKDOWN)
    assert document.text == MARKDOWN
    assert document.title == "The guide"
    assert blocks(document) == [
        ("heading", "# Lutes #"),
        ("text", "Intro with *marks*.\nAnd more."),
        ("heading", "Setext\n======"),
        ("list", "- one\n- two"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", "```sh\n# no heading\n```"),
        ("text", "    still text"),
    ]


RST = """=====
Lutes
=====

Intro::

    code here

Care
----

* one
* two

.. code-block:: python

    x = 1

=====  =====
a      b
=====  =====
1      2
=====  =====

Deeper
~~~~~~

End.
"""


def test_restructured_text() -> None:
    document = read("guide.rst", RST)
    assert document.text == RST
    found = blocks(document)
    assert [(kind, text.strip("=-~\n")) for kind, text in found if kind == "heading"] == [
        ("heading", "Lutes"),
        ("heading", "Care"),
        ("heading", "Deeper"),
    ]
    assert [block.level for block in document.blocks if block.kind == "heading"] == [1, 2, 3]
    assert ("code", "    code here") in found
    assert any(kind == "code" and "x = 1" in text for kind, text in found)
    assert any(kind == "table" and text.startswith("=====  =====\na") for kind, text in found)
    assert ("list", "* one\n* two") in found
    assert document.title == "Lutes"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Ein schöner Tag für Gäste"),
        ("utf-8-sig", "Ein schöner Tag für Gäste"),
        ("utf-16", "Ein schöner Tag für Gäste"),
        ("utf-16-le", "Ein schöner Tag für Gäste"),
        ("utf-32", "Ein schöner Tag für Gäste"),
        ("cp1252", "Der Gast öffnete die Tür, und draußen war es schön. Später kamen andere Gäste über die Brücke."),
        ("shift_jis", "これは日本語の文章です。リュートは弦楽器のひとつで、とても古い楽器です。音色は柔らかい。"),
        ("koi8-r", "Лютня это старинный струнный инструмент. Она звучит мягко и тихо, её любят многие. " * 3),
    ],
)
def test_text_in_any_encoding(encoding: str, text: str) -> None:
    assert read("a.txt", (text + "\r\n").encode(encoding)).text == text + "\n"


def test_tables_and_values_as_text() -> None:
    assert blocks(read("a.csv", 'name;note\nlute;"old, and\nsoft"\n')) == [
        ("table", "name | note\nlute | old, and soft")
    ]
    assert read("a.tsv", "a\tb\n1\t2\n").text == "a | b\n1 | 2"
    assert (
        read("a.json", json.dumps({"lute": {"strings": [6, 7]}, "maker": "Ada"})).text
        == "lute.strings: 6, 7\nmaker: Ada"
    )
    rows = [{"title": "Lute", "text": "Has strings."}, {"id": 3, "name": "x"}]
    assert blocks(read("a.jsonl", "\n".join(map(json.dumps, rows)))) == [
        ("heading", "Lute"),
        ("text", "Has strings."),
        ("text", "id: 3\nname: x"),
    ]


def test_notebooks_show_cells_and_what_they_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Plan\n", "\n", "Words."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}, {"data": {"text/plain": "2"}}]},
    ]
    found = blocks(read("a.ipynb", json.dumps({"cells": cells, "nbformat": 4})))
    assert found == [("heading", "Plan"), ("text", "Words."), ("code", "print(1)"), ("code", "1"), ("code", "2")]


PAGE = """<html><head><title>Lutes - Site</title></head><body>
<nav><a href=/>Home</a> <a href=/shop>Shop our sale</a></nav>
<article><h1>Lutes</h1><p>A lute has <b>strings</b> of gut or nylon, and a body of thin wood that was bent.</p>
<h2>Care</h2><ul><li>Dust it every week with a soft cloth.</li><li>Tune it <ul><li>slowly</li></ul></li></ul>
<table><tr><th>part</th><th>wood</th></tr><tr><td>top</td><td>spruce</td></tr></table>
<pre>for peg in pegs:
    turn(peg)</pre><p>Kept in its case, it lives for a hundred years or more, as many lutes have done.</p></article>
<footer>All rights reserved, cookies and so on</footer><script>alert(1)</script></body></html>"""


@pytest.mark.parametrize("main_text", [True, False])
def test_web_pages(main_text: bool) -> None:
    document = read("lute.html", PAGE, main_text=main_text)
    found = blocks(document)
    assert ("heading", "Care") in found
    assert ("table", "part | wood\ntop | spruce") in found
    assert any(kind == "list" and text.startswith("- Dust it every week") for kind, text in found)
    assert ("code", "for peg in pegs:\n    turn(peg)") in found
    assert ("Shop our sale" in document.text, "cookies" in document.text) == (not main_text, not main_text)
    assert "alert" not in document.text
    assert document.title.startswith("Lutes")


def test_a_page_without_an_article_gives_all_of_its_text() -> None:
    assert read("a.html", "<html><body><div>Only <i>this</i></div><nav>menu</nav></body></html>").text == "Only this"
    encoded = "<html><head><meta charset=iso-8859-2></head><body><p>zażółć</p></body></html>".encode("iso-8859-2")
    assert read("a.html", encoded).text == "zażółć"


@pytest.mark.parametrize(
    ("name", "data", "suffix"),
    [
        ("report", small_files.pdf(["x"]), ".pdf"),
        ("report.txt", small_files.pdf(["x"]), ".pdf"),
        ("data.zip", small_files.docx(), ".docx"),
        ("noname", small_files.epub(), ".epub"),
        ("noname", small_files.zipped({"a": "b"}), ".zip"),
        ("mail", small_files.msg(), ".msg"),
        ("x.php", b"<!DOCTYPE html><p>x", ".html"),
        ("code.py", b"print()", ".py"),
        ("what?.md", b"# A", ".md"),
        ("http://x.example/a.csv?x=b.pdf", b"a,b", ".csv"),
    ],
)
def test_content_says_what_a_file_is(name: str, data: bytes, suffix: str) -> None:
    assert suffix_of(name, data=data) == suffix


def test_media_types_lead_to_parsers_and_names_of_addresses_do_not_mislead() -> None:
    assert suffix_of("http://x.example/a.pdf?q=1", media_type="text/html; charset=x", data=b"<p>") == ".html"
    assert suffix_of("http://x.example/README.md", media_type="text/plain", data=b"# A") == ".md"
    assert set(MEDIA_TYPES.values()) <= {*PARSERS.names(), ".zip"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.doc", b"\xd0\xcf\x11\xe0" + bytes(600), "today's format"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + bytes(600), "format of Office 97"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "is encrypted"),
        ("a.docx", small_files.zipped({"a.txt": "x"}), "is damaged"),
        ("a.pptx", b"PK\x03\x04 cut off", "not a zip archive"),
        ("a.xlsx", b"plain", "not a zip archive"),
        ("a.7z", b"7z\xbc\xaf", "unpack it"),
        ("a.mp4", b"...", "transcript"),
        ("a.png", b"\x89PNG", "is a picture; give --ocr"),
        ("a.txt", bytes(range(256)) * 4, "is not text"),
        ("a.xyz", bytes(100), "is not text"),
        ("a.txt", b"  \n", "holds no text"),
        ("a.json", b"{", "is not JSON"),
        ("a.jsonl", b'{"a": 1}\n{', "JSON in line 2"),
        ("a.ipynb", b"{}", "holds no cells"),
        ("a.eml", b"hello", "none of a mail's headers"),
        ("a.msg", b"hello", "not a mail of Outlook's"),
        ("a.rtf", b"hello", "is not RTF"),
        ("a.epub", small_files.zipped({"x": "y"}), "holds no member"),
        ("a.html", b"", "is not HTML"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, data: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        read(name, data)


@pytest.mark.parametrize(("name", "module"), [("a.pdf", "pypdfium2"), ("a.html", "trafilatura"), ("a.docx", "docx")])
def test_a_part_that_is_not_installed_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    data = {"a.pdf": small_files.pdf(["x"]), "a.html": b"<p>x</p>", "a.docx": small_files.zipped({"a": "b"})}[name]
    with pytest.raises(SpecError, match=rf"needs {module}, which is not installed; pip install 'luthier\[documents\]'"):
        read(name, data)


def test_others_add_parsers_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = ".lute"

        @staticmethod
        def load() -> Callable[[Raw], Document]:
            return lambda raw: Document(raw.source, raw.data.decode().upper())

    monkeypatch.setattr("luthier.registry.entry_points", lambda group: [Point] if group == "luthier.sources" else [])
    known_parsers.cache_clear()
    try:
        assert read("a.lute", b"soft").text == "SOFT"
    finally:
        known_parsers.cache_clear()
