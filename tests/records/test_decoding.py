from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_writers import ENCODINGS, write

from luthier.records import decoding
from luthier.records.decoding import UnreadableText, decoded, lines

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)
fresh = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@fresh
@given(text=texts, encoding=st.sampled_from(sorted(ENCODINGS)), packed=st.booleans(), chunk=st.integers(1, 9))
def test_text_is_kept_exactly_whatever_the_encoding_and_chunks(
    tmp_path: Path, text: str, encoding: str, packed: bool, chunk: int
) -> None:
    if encoding == "utf-8":
        text = text.lstrip("\ufeff")  # there it is the mark
    path = Path(write(tmp_path, "a.txt", text, encoding=encoding, packed=packed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "CHUNK_BYTES", chunk)
        assert "".join(decoded(path)) == text
        found = list(lines(path))
    assert "".join(found) == text
    assert all("\n" not in line[:-1] for line in found)


@pytest.mark.parametrize("chunk", [1, 3, 1000])
@pytest.mark.parametrize(("mark", "codec"), [(b"", "utf-8"), (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le")])
def test_a_bad_byte_is_named_by_line_and_offset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, mark: bytes, codec: str
) -> None:
    monkeypatch.setattr(decoding, "CHUNK_BYTES", chunk)
    good = mark + "één\ntwee\n".encode(codec)
    bad = b"\xe9" if codec == "utf-8" else b"\x00\xdc"
    path = tmp_path / "a.txt"
    path.write_bytes(good + bad + "x\n".encode(codec))
    found: list[str] = []
    with pytest.raises(UnreadableText) as error:
        found.extend(lines(path))  # the lines before it are still read
    assert found == ["één\n", "twee\n"]
    assert error.value.line == 3
    assert error.value.problem == f"the byte at offset {len(good)} is not {codec.upper()}"
    assert "save the file as UTF-8" in error.value.remedy


def test_utf_16_without_its_mark_and_binary_data_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("é\nab".encode() + b"\0c")
    found: list[str] = []
    with pytest.raises(UnreadableText) as error:
        found.extend(decoded(path))
    assert "".join(found) == "é\nab"
    assert (error.value.line, error.value.problem) == (2, "the byte at offset 5 is NUL, so this is not UTF-8 text")


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(b"packed"))
    assert "".join(decoded(path)) == "packed"


def test_a_very_long_line_is_put_together_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 3_000_000 + b"\ny")
    assert [len(line) for line in lines(path)] == [3_000_001, 1]


def test_an_endless_line_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LONGEST_LINE", 10_000)
    monkeypatch.setattr(decoding, "CHUNK_BYTES", 1000)
    path = tmp_path / "a.jsonl"
    path.write_text("a\nb\n" + "c" * 9000 + "\nd\n" + "e" * 50_000)
    read = []
    with pytest.raises(UnreadableText) as caught:
        read.extend(lines(path))
    assert (caught.value.line, caught.value.problem) == (5, "the line has more than 10,000 characters")


def test_packed_text_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 2_000_000))
    assert sum(1 for _ in lines(path)) == 2_000_000
    monkeypatch.setattr(decoding, "UNPACKED_AT_LEAST", 10_000)
    most = 200 * path.stat().st_size
    with pytest.raises(UnreadableText, match="unpacks") as caught:
        list(lines(path))
    assert caught.value.problem == f"it unpacks to more than {most:,} bytes"
    plain = tmp_path / "b.jsonl"
    plain.write_text("{}\n" * 100_000)
    assert sum(1 for _ in lines(plain)) == 100_000
