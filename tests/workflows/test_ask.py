"""`luthier ask`, as a command and from Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_documents import by_paragraph, document, save

import luthier
from luthier.cli import main
from luthier.errors import ContextError, SpecError
from luthier.workflows import index

MILL = "Ada Quill keeps the mill at Tarn.\n\nThe ferry to Isk leaves at noon."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a folder of documents, which an index of words holds too."""
    monkeypatch.setenv("LUTHIER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(index, "cutter", lambda embedder, most, overlap: by_paragraph)
    made = save(tmp_path / "docs", [document("mill", MILL, page_starts=(0, 35))])
    luthier.index(source=str(made), name="handbook", embedder="none")
    return made


def test_an_index_answers_with_sources(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ask", "handbook", "Who keeps the mill at Tarn?", "--threshold", "0", "--k", "1"]
    assert main([*words, "--show-context"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Ada Quill [1]\n")
    assert "mill.md" in shown
    assert "0-33" in shown
    assert shown.count("Ada Quill keeps the mill at Tarn.") == 2
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["answer"], told["enough_evidence"]) == ("Ada Quill [1]", True)
    (cited,) = told["citations"]
    assert (cited["source"], cited["pages"], cited["start"], cited["end"]) == ("mill.md", "1", 0, 33)
    assert "context" not in told


def test_what_is_not_there_is_not_answered(folder: Path) -> None:
    told = luthier.ask(name="handbook", question="Who keeps the mill?", threshold=0.99).to_json()
    assert (told["enough_evidence"], told["citations"], told["prompt_tokens"]) == (False, [], 0)
    none = luthier.ask(name="handbook", question="Who keeps the mill?", filter=["kind=ferry"]).to_json()
    assert not none["enough_evidence"]


def test_whole_documents(folder: Path) -> None:
    told = luthier.ask(name="Who keeps the mill at Tarn?", whole=[str(folder)], show_context=True).to_json()
    assert "Ferry".casefold() in told["context"][0]["text"]
    assert told["citations"]
    with pytest.raises(ContextError, match="luthier index"):
        luthier.ask(name="Who?", whole=[str(folder)], context_tokens=32, max_tokens=8)
    with pytest.raises(SpecError, match="costs"):
        luthier.ask(name="Who?", whole=[str(folder)], input_price=1000.0, max_cost=0.001)
    with pytest.raises(SpecError, match="stands beside whole"):
        luthier.ask(name="handbook", question="Who?", whole=[str(folder)])


def test_a_question_is_needed(folder: Path) -> None:
    with pytest.raises(SpecError, match="is missing"):
        luthier.ask(name="handbook")
