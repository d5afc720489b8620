"""PDFs: pages, headings by the outline, passwords, scanned pages, running lines."""

from __future__ import annotations

import pytest
from sources import small_files

from luthier.errors import SpecError
from luthier.records.documents import Document
from luthier.sources import ocr
from luthier.sources.editing import without_running_lines
from luthier.sources.pdf import read_pdf, tidied
from luthier.sources.raw import Raw, UnreadableError


def read(data: bytes, **options: object) -> Document:
    document = read_pdf(Raw(data, "/files/report.pdf", **options))  # type: ignore[arg-type]
    assert list(document.check()) == []
    return document


def test_pages_and_title() -> None:
    document = read(small_files.pdf(["One lute.\nSix strings.", "Two lutes.", "Three."], title="All the lutes"))
    assert document.text == "One lute.\nSix strings.\n\nTwo lutes.\n\nThree."
    assert [document.page(document.text.index(word)) for word in ("One", "strings", "Two", "Three")] == [*"1123"]
    assert document.title == "All the lutes"
    assert read(small_files.pdf(["x"], title="untitled")).title == "report"


def test_headings_come_from_the_outline() -> None:
    pages = ["Contents\nCare 2", "Intro words\n1.2 Care of  lutes\nDust it.", "Wood\nSpruce."]
    document = read(small_files.pdf(pages, outline=[("Care of lutes", 2), ("wood", 3), ("Not there", 1)]))
    found = [(block.kind, document.text[block.start : block.end]) for block in document.blocks]
    assert found[1:] == [
        ("text", "Intro words"),
        ("heading", document.text[found_at(document, "1.2") : found_at(document, "\nDust")]),
        ("text", "Dust it."),
        ("heading", "Wood"),
        ("text", "Spruce."),
    ]


def found_at(document: Document, words: str) -> int:
    return document.text.index(words)


def test_encrypted_files_need_their_password() -> None:
    locked = small_files.pdf(["Secret lutes."], password="gut")
    assert read(locked, password="gut").text == "Secret lutes."
    with pytest.raises(UnreadableError, match="is encrypted; give its --password"):
        read(locked)
    with pytest.raises(UnreadableError, match="the password does not open it"):
        read(locked, password="steel")


def test_scanned_pages_are_named() -> None:
    with pytest.raises(UnreadableError, match="is scanned: none of its 2 pages has a text layer; give --ocr tesseract"):
        read(small_files.pdf(["", ""]))
    document = read(small_files.pdf(["", "Words.", "", "", "More."]))
    assert document.attributes == {"pages_without_text": "1, 3-4"}
    assert document.page(document.text.index("More")) == "5"


def test_a_reader_of_pictures_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def reader(picture: object) -> str:
        seen.append(picture.size)  # type: ignore[attr-defined]
        return "read\nby eye"

    monkeypatch.setattr(ocr.READERS, "load", lambda name: reader)
    document = read(small_files.pdf(["Words.", ""]), ocr="eye")
    assert document.text == "Words.\n\nread\nby eye"
    assert seen == [(1700, 2200)]
    assert dict(document.attributes) == {}


def test_a_reader_that_is_not_there_is_said_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pytesseract", None)
    with pytest.raises(SpecError, match="Tesseract is not installed; pip install pytesseract"):
        ocr.check_ocr("tesseract")
    with pytest.raises(SpecError, match="did you mean 'tesseract'"):
        ocr.check_ocr("teseract")


def test_too_many_pages_and_damaged_files_are_refused() -> None:
    data = small_files.pdf(["x"] * 4)
    with pytest.raises(UnreadableError, match="has 4 pages, more than 3; raise --max-pages"):
        read(data, max_pages=3)
    with pytest.raises(UnreadableError, match="is not a PDF that can be read"):
        read(b"%PDF-1.4\nnothing")
    read(data[: len(data) // 2] + data[len(data) // 2 :])


@pytest.mark.parametrize(
    ("found", "tidy"),
    [("num\x02\r\nber", "number"), ("num\ufffe\r\nber", "number"), ("a \r\nb\r\n", "a\nb"), ("x\x00y", "xy")],
)
def test_words_parted_at_the_end_of_a_line_are_joined(found: str, tidy: str) -> None:
    assert tidied(found) == tidy


def test_running_lines_go_and_the_rest_stays_where_it_was() -> None:
    pages = [
        f"The Lute Society\nChapter {1 + n // 4}\nBody of page {n} begins here.\nTable row 7\n{word} ends.\n- {n + 1} -"
        for n, word in enumerate(["Oak", "Elm", "Ash", "Yew", "Fir", "Fig", "Box", "Bay"])
    ]
    before = read(small_files.pdf(pages))
    document = without_running_lines(before)
    assert list(document.check()) == []
    assert "Society" not in document.text
    assert "Chapter" not in document.text
    assert "- 3 -" not in document.text
    assert document.text.count("Table row 7") == 8, "what repeats within the page is no running line"
    for n in range(8):
        at = document.text.index(f"Body of page {n}")
        assert document.page(at) == str(n + 1)
    assert [document.text[b.start : b.end].split("\n")[0] for b in document.blocks] == [
        f"Body of page {n} begins here." for n in range(8)
    ]


def test_a_heading_of_the_outline_stays_though_it_runs_on() -> None:
    pages = [f"Care of lutes\nWords {word}.\nMore.\nEnd {word}." for word in ("one", "two", "three", "four")]
    document = without_running_lines(read(small_files.pdf(pages, outline=[("Care of lutes", 1)])))
    assert document.text.count("Care of lutes") == 1
    assert [document.text[b.start : b.end] for b in document.blocks if b.kind == "heading"] == ["Care of lutes"]


def test_lines_that_only_look_alike_stay() -> None:
    pages = ["Total 120\nWords.", "Total 7\nOther words.", "Sum\nEnd."]
    assert "Total 7" in without_running_lines(read(small_files.pdf(pages))).text
    numbers = [f"{n * 100}\nWords {n}." for n in (3, 9, 14, 21)]
    assert without_running_lines(read(small_files.pdf(numbers))).text == read(small_files.pdf(numbers)).text
