"""The folder of a collection under faults: torn journals, runs that end between two steps of the last writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from luthier.records.document_files import DocumentFile
from luthier.records.documents import Document
from luthier.sources import collection
from luthier.sources.collection import DOCUMENTS, JOURNAL, STATE, Collection, Entry


def add(one: Collection, name: str, text: str = "words") -> None:
    document = Document(name, text)
    one.add(Entry(name, "read", document=document.id), document.to_json())


def test_a_torn_journal_is_cut_where_it_is_whole(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        with Collection(tmp_path) as one:
            add(one, name, f"text of {name} \u2028")
        with (tmp_path / JOURNAL).open("ab") as file:
            file.write(b'{"entry": {"source": "torn')
    with Collection(tmp_path) as one:
        assert one.resumed == {"a", "b", "c"}
        assert one.document("b")["text"] == "text of b \u2028"


def test_what_was_read_again_wins_over_what_was_before(tmp_path: Path) -> None:
    with Collection(tmp_path) as one:
        add(one, "a", "old")
        one.finish(["a"], {}, {})
    with Collection(tmp_path) as one:
        add(one, "a", "new")
    with Collection(tmp_path) as one:
        known = one.known("a")
        assert known is not None
        assert one.document("a")["text"] == "new"


@pytest.mark.parametrize("steps", range(4))
def test_a_run_that_ends_while_it_writes_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    with Collection(tmp_path) as one:
        add(one, "a")
        add(one, "b")
        one.finish(["a", "b"], {}, {})
    done = []
    replace = collection.os.replace

    def replace_some(old: Path, new: Path) -> None:
        if len(done) == steps:
            raise OSError("no more")
        done.append(new)
        replace(old, new)

    monkeypatch.setattr(collection.os, "replace", replace_some)
    with Collection(tmp_path) as one:
        for name in ("a", "b"):
            known = one.known(name)
            assert known is not None
            one.keep(known)
        add(one, "c")
        try:
            one.finish(["a", "b", "c"], {"b": "repeats a"}, {})
        except OSError:
            assert steps < 3
    monkeypatch.setattr(collection.os, "replace", replace)
    with Collection(tmp_path) as one:
        assert [one.known(name) is not None for name in ("a", "b", "c")] == [True] * 3
        assert [one.document(name)["text"] for name in ("a", "b", "c")] == ["words"] * 3
        for name in ("a", "b", "c"):
            known = one.known(name)
            assert known is not None
            one.keep(known)
        one.finish(["a", "b", "c"], {}, {})
    assert DocumentFile(tmp_path / DOCUMENTS).sources == ["a", "b", "c"]
    assert (tmp_path / STATE).exists()
    assert not (tmp_path / JOURNAL).exists()
