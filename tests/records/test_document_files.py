"""Documents in a file: in order, one at a time, and what is wrong with its lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luthier.errors import RowsError
from luthier.records.document_files import DocumentFile, document_line
from luthier.records.documents import Block, Document

DOCUMENTS = [
    Document("a.txt", "Grüße\u2028 aus\nWürzburg", blocks=(Block("text", 0, 5),), attributes={"n": 1.0}),
    Document("b.txt", ""),
    Document("c.txt", "Ende", title="C", page_starts=(0, 2)),
]


def test_documents_come_back_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    path.write_bytes(b"".join(map(document_line, DOCUMENTS)))
    file = DocumentFile(path)
    assert list(file) == DOCUMENTS
    assert [file[2], file[0], file[-1]] == [DOCUMENTS[2], DOCUMENTS[0], DOCUMENTS[2]]
    assert file[1:] == DOCUMENTS[1:]
    assert (len(file), file.sources) == (3, ["a.txt", "b.txt", "c.txt"])
    assert file.line(1) == document_line(DOCUMENTS[1])


def test_lines_that_hold_no_document_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    bad = [b"{\n", json.dumps({"text": "x"}).encode() + b"\n", b'{"source": 1, "text": "x"}\n', b"[]\n"]
    path.write_bytes(b"".join([document_line(DOCUMENTS[0]), *bad]))
    with pytest.raises(RowsError, match="collect again") as caught:
        DocumentFile(path)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 5]
