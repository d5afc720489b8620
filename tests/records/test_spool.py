from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luthier.errors import CapacityError
from luthier.records import spool
from luthier.records.examples import Origin
from luthier.records.spool import SpoolWriter, canonical, fingerprint


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(st.binary(max_size=20), max_size=30), buffer=st.integers(1, 8))
def test_what_is_written_is_read(tmp_path: Path, lines: list[bytes], buffer: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "_INDEX_BUFFER_ROWS", buffer)
        writer = SpoolWriter(tmp_path)
        for number, line in enumerate(lines):
            writer.add(line, number % 2, number)
        written = writer.close(("a", "b"))
    assert [written.line(row) for row in range(len(written))] == lines
    assert [written.origin(row) for row in range(len(written))] == [
        Origin("ab"[row % 2], row) for row in range(len(lines))
    ]


def test_one_record_has_one_line() -> None:
    assert canonical({"é": "\n", "a": [1.5, None]}) == '{"é":"\\n","a":[1.5,null]}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"a": float("nan")})
    assert fingerprint([b"a", b"b"]) != fingerprint([b"b", b"a"]) != fingerprint([b"ab"])


def test_a_full_disk_says_where_to_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(tmp_path)

    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real: Any = writer._rows
    monkeypatch.setattr(writer, "_rows", Full())
    with pytest.raises(CapacityError, match=f"{tmp_path}: no space left for the rows; make room there"):
        writer.add(b"a", 0, 1)
    monkeypatch.setattr(writer, "_rows", real)
    writer.discard()
    assert list(tmp_path.iterdir()) == []
