"""Files that mean harm: bombs, paths that lead out, entities, and parsers that hang, eat memory or crash."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from pathlib import Path

import pytest
from sources import bad_parsers, small_files

from luthier.sources.archives import MEMBER_BYTES, member_names, open_zip, read_member
from luthier.sources.finding import find_sources
from luthier.sources.pool import Outcome, Pool
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.reading import Place, parse, read_file


def read_all(*files: Path, timeout_s: float = 30, memory_mb: int = 700, **options: object) -> dict[str, Outcome]:
    pool = Pool(options, processes=1, timeout_s=timeout_s, memory_bytes=memory_mb * 2**20)
    return {outcome.place.source: outcome for outcome in pool.read([Place(str(file), file.name) for file in files])}


def test_bad_parsers_are_reported_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_parsers.install(tmp_path / "site")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    names = ["1.hang", "2.txt", "3.eat", "4.crash", "5.wrong", "6.txt"]
    for name in names:
        (tmp_path / name).write_text("Some words.")
    found = read_all(*(tmp_path / name for name in names), timeout_s=2)
    assert {name: one.problem for name, one in found.items() if one.problem} == {
        "1.hang": "took longer than 2 s; raise --timeout-s",
        "3.eat": found["3.eat"].problem,
        "4.crash": "its reader crashed (SIGABRT)",
        "5.wrong": "ZeroDivisionError: never mind",
    }
    assert "memory" in found["3.eat"].problem
    assert "raise --memory-mb" in found["3.eat"].problem
    for name in ("2.txt", "6.txt"):
        answer = found[name].answer
        assert answer is not None
        assert answer["document"]["text"] == "Some words."


def test_an_archive_goes_on_after_a_bad_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_parsers.install(tmp_path / "site")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site")])
    inner = small_files.zipped({"deep/c.md": "# C\n\nDeep."})
    members = {
        "a.txt": "A.",
        "b.crash": "x",
        "in.zip": inner,
        "m.eml": small_files.eml(),
        "z.pdf": small_files.pdf(["Z."]),
    }
    (tmp_path / "all.zip").write_bytes(small_files.zipped(members))
    found = read_all(tmp_path / "all.zip")
    read = {name for name, one in found.items() if one.answer is not None and one.answer["document"]}
    assert read == {
        "all.zip!/a.txt",
        "all.zip!/in.zip!/deep/c.md",
        "all.zip!/m.eml",
        "all.zip!/m.eml!/bill.txt",
        "all.zip!/m.eml!/mail-2.eml",
        "all.zip!/z.pdf",
    }
    assert found["all.zip!/b.crash"].problem == "its reader crashed (SIGABRT)"


@pytest.mark.parametrize("name", ["../up.txt", "a/../../up.txt", "/etc/passwd.txt", "..\\up.txt", "C:\\up.txt"])
def test_members_whose_names_lead_out_are_not_read(tmp_path: Path, name: str) -> None:
    data = small_files.zipped({name: "out", "in.txt": "in"})
    with open_zip(data) as archive:
        assert dict(member_names(archive)) == {name: "its name leads out of the archive", "in.txt": ""}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.zip").write_bytes(data)
    assert set(read_all(tmp_path / "a" / "x.zip")) == {"x.zip", "x.zip!/in.txt"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "x.zip"], "nothing is unpacked onto the disk"


def test_links_in_archives_are_text(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    (tmp_path / "x.zip").write_bytes(out.getvalue())
    answer = read_all(tmp_path / "x.zip")["x.zip!/link.txt"].answer
    assert answer is not None
    assert answer["document"]["text"] == "/etc/passwd"


def with_sizes(data: bytes, *, says: int) -> bytes:
    """Returns an archive whose list of members says another unpacked size."""
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", says) + data[at + 28 :]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (small_files.zipped({"zeros.txt": bytes(20 * 2**20)}), "times its size"),
        (small_files.zipped({f"{n}.txt": "" for n in range(10_001)}), "holds 10,001 members, more than 10,000"),
        (with_sizes(small_files.zipped({"a.txt": "x"}), says=MEMBER_BYTES * 2 + 1), "unpacks to"),
        (with_sizes(small_files.zipped({"a.txt": "x" * 9}), says=MEMBER_BYTES + 1), "unpacks to"),
    ],
)
def test_bombs_are_not_unpacked(data: bytes, said: str) -> None:
    for suffix in (".zip", ".docx", ".epub", ".xlsx"):
        with pytest.raises(UnreadableError, match=said):
            open_zip(data) if suffix == ".zip" else parse(Raw(data, f"a{suffix}"), suffix)


def test_a_member_never_gives_more_than_it_says() -> None:
    data = with_sizes(small_files.zipped({"a.txt": "x" * 5000}), says=100)
    with open_zip(data) as archive, pytest.raises(UnreadableError, match="is damaged"):
        read_member(archive, "a.txt")


def test_members_that_share_bytes_are_refused() -> None:
    data = small_files.zipped({"a.txt": b"aaaa" * 99, "b.txt": b"bbbb" * 99})
    first, second = [at for at in range(len(data)) if data.startswith(b"PK\x01\x02", at)]
    shared = data[: second + 42] + data[first + 42 : first + 46] + data[second + 46 :]
    with pytest.raises(UnreadableError, match="members overlap"):
        open_zip(shared)


def test_archives_in_archives_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = small_files.zipped({"a.txt": "deepest"})
    for depth in range(4):
        data = small_files.zipped({f"{depth}.zip": data})
    (tmp_path / "nest.zip").write_bytes(data)
    found = read_all(tmp_path / "nest.zip")
    problems = [one.problem for one in found.values() if one.problem]
    assert problems == ["is an archive within 3 others; unpack the outer ones"]
    monkeypatch.setattr("luthier.sources.pool.MOST_MEMBERS", 5)
    wide = small_files.zipped({f"{n}.zip": small_files.zipped({f"{m}.txt": "x" for m in range(3)}) for n in range(3)})
    (tmp_path / "wide.zip").write_bytes(wide)
    found = read_all(tmp_path / "wide.zip")
    assert len(found) < 3 + 9
    assert any("unpacks to too much" in one.problem for one in found.values())


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]><x>&c;&x;</x>"""


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("a.odt", {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": BOMB}),
        ("a.epub", {"mimetype": "application/epub+zip", "META-INF/container.xml": BOMB}),
        ("a.docx", {"word/document.xml": BOMB, "[Content_Types].xml": BOMB}),
        ("a.xlsx", {"xl/workbook.xml": BOMB}),
        ("a.pptx", {"ppt/presentation.xml": BOMB}),
    ],
)
def test_xml_entities_are_never_expanded(name: str, members: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableError, match="defines XML entities"):
        parse(Raw(small_files.zipped(members), name), Path(name).suffix)


def test_entities_of_web_pages_do_not_read_files() -> None:
    page = (
        b'<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/hostname">]><html><body><p>Hello &x; world</p></body></html>'
    )
    text = parse(Raw(page, "a.html"), ".html").text
    assert "Hello" in text
    assert Path("/etc/hostname").read_text().strip() not in text


def test_deep_nesting_does_not_crash(tmp_path: Path) -> None:
    files = {
        "deep.html": b"<div>" * 50_000 + b"words" + b"</div>" * 50_000,
        "deep.json": b"[" * 100_000 + b"]" * 100_000,
        "deep.rtf": b"{\\rtf1 " + b"{" * 100_000,
        "list.html": b"<ul><li>" * 20_000 + b"x",
        "good.txt": b"Good.",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    found = read_all(*(tmp_path / name for name in files))
    assert not any("crash" in one.problem or "longer" in one.problem for one in found.values())
    assert found["good.txt"].answer is not None


@pytest.mark.parametrize("name", ["a.zip", "a.docx"])
def test_encrypted_members_need_their_password(name: str, tmp_path: Path) -> None:
    data = bytearray(small_files.zipped({"a.txt": "x"}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1  # says that it is encrypted
    if name.endswith(".zip"):
        (tmp_path / name).write_bytes(bytes(data))
        assert read_all(tmp_path / name)["a.zip!/a.txt"].problem == "is encrypted; give its --password"
        assert "is encrypted (" in read_all(tmp_path / name, password="no")["a.zip!/a.txt"].problem


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.txt").write_text("words")
    (inside / "b.txt").symlink_to(inside / "a.txt")
    (inside / "leak.txt").symlink_to(outside / "a.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "dead.txt").symlink_to(tmp_path / "nowhere")
    found = find_sources([str(inside)])
    assert [Path(place.path).name for place in found.files] == ["a.txt"]
    assert {Path(source).name: why for source, why in found.skipped} == {
        "leak.txt": "a link that leads out of the folder",
        "dead.txt": "a link that leads out of the folder",
        "folder": "a link to a folder: give that folder itself",
        "loop": "a link to a folder: give that folder itself",
    }
    assert len(find_sources([str(inside / "leak.txt")]).files) == 1, "who names a link means it"


def test_what_nobody_named_and_nobody_reads_is_left_out_and_named(tmp_path: Path) -> None:
    for name in ("a.txt", "b.png", "c.exe", "d.unknown", "out/e.txt", "node_modules/f.txt", "~$lock.docx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("words")
    found = find_sources([str(tmp_path)], output=tmp_path / "out")
    assert [Path(place.path).name for place in found.files] == ["a.txt", "d.unknown"]
    assert [Path(source).name for source, _ in found.skipped] == ["b.png", "c.exe"]
    assert "give --ocr" in found.skipped[0][1]
    assert len(find_sources([str(tmp_path)], pictures=True).files) == 4
    assert len(find_sources([str(tmp_path / "b.png"), str(tmp_path / "c.exe")]).files) == 2


def test_files_that_are_too_large_are_not_opened(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(bytes(3 * 2**20))
    pool = Pool({}, processes=1, max_file_bytes=2**20)
    (outcome,) = pool.read([Place(str(file), "a.txt")])
    assert outcome.problem == "has 3 MB, more than 1; raise --max-file-mb"


def test_a_member_that_is_not_there_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(small_files.zipped({"a.txt": "one"}))
    with pytest.raises(UnreadableError, match=r"holds no member 'b\.txt'"):
        read_file(str(file), "a.zip!/b.txt", "", ["b.txt"], {})
