"""`luthier index` and `luthier search`, as commands and from Python."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from other_servers import Other, other_server
from small_documents import TEXTS, by_paragraph, document, documents, save
from static_embeddings import save_static
from tiny_classifiers import save_classifier

import luthier
from luthier.cli import main
from luthier.errors import LuthierError, NotFoundError, SpecError, StateError
from luthier.records.documents import Document
from luthier.report import ListReport
from luthier.retrieval import embedders
from luthier.retrieval.durable import locked
from luthier.workflows import index as verb


@pytest.fixture(scope="module")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_static(tmp_path_factory.mktemp("models") / "static"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; passages are paragraphs."""
    monkeypatch.setenv("LUTHIER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(verb, "cutter", lambda embedder, most, overlap: by_paragraph)
    return tmp_path / "home"


def indexed(source: Path | None = None, report: ListReport | None = None, **options: Any) -> dict[str, Any]:
    given = {"source": str(source)} if source else {}
    found: dict[str, Any] = luthier.index(report or ListReport(), name="small", **given, **options).to_json()
    return found


def sources(query: str, **options: Any) -> list[str]:
    return [row["source"] for row in luthier.search(name="small", query=query, **options).to_json()["data"]]


def test_a_folder_is_indexed_and_searched(
    tmp_path: Path, static_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(tmp_path / "docs", [replace(one, page_starts=(0, 20)) for one in documents()])
    words = ["index", str(folder), "--name", "small", "--embedder", static_folder]
    assert main([*words, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert {name: made[name] for name in ("added", "documents", "passages", "put")} == {
        "added": 4,
        "documents": 4,
        "passages": 10,
        "put": 10,
    }
    assert main(words) == 0
    assert "4 as before" in capsys.readouterr().out
    search = ["search", "small", "green tea", "--k", "2", "--filter", "kind!=train", "--filter", "length>10"]
    assert main(search) == 0
    shown = capsys.readouterr().out
    assert "Green tea and black tea." in shown
    assert "Tea" in shown
    assert main([*search, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["data"]
    assert [row["rank"] for row in found] == [1, 2]
    assert found[0]["text"] == "Green tea and black tea."
    assert (found[0]["pages"], found[0]["headings"], found[0]["title"]) == ("1-2", ["Tea"], "Tea")
    assert main(["search", "small", "zzz", "--mode", "text"]) == 0
    assert "Nothing was found" in capsys.readouterr().out


def test_what_is_not_said_again_is_as_it_was(tmp_path: Path, static_folder: str) -> None:
    folder = save(tmp_path / "docs", documents())
    first = indexed(folder, embedder=static_folder, similarity="inner-product", passage_tokens=50, overlap_tokens=5)
    again = indexed()
    assert (again["embedder"], again["put"], again["id"]) == (static_folder, 0, first["id"])
    assert indexed(similarity="cosine")["put"] == 10
    assert indexed(rebuild=True)["put"] == 10
    assert indexed(folder, passage_tokens=60)["changed"] == 4


def test_other_documents_are_cut_anew_for_another_embedder(
    tmp_path: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are not given have passages of the length that the embedder reads, too."""
    cut: list[str] = []

    def cutter(embedder: Any, most: int, overlap: int) -> Any:
        def cuts(one: Document) -> Any:
            cut.append(f"{one.source} {embedder and embedder.dimensions}")
            return by_paragraph(one)

        return cuts

    monkeypatch.setattr(verb, "cutter", cutter)
    indexed(save(tmp_path / "docs", documents()), embedder=static_folder)
    other = str(save_static(tmp_path / "other", 16))
    made = indexed(save(tmp_path / "one", [document("tea")]), embedder=other)
    assert (made["documents"], made["put"], made["embedder"]) == (4, 10, other)
    assert sorted(cut[4:]) == sorted(f"{name}.md 16" for name in TEXTS)
    cut.clear()
    indexed()
    assert cut == []


def test_words_alone_where_there_is_no_embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedders, "installed", lambda: False)
    report = ListReport()
    made = indexed(save(tmp_path / "docs", documents()), report)
    assert made["embedder"] == "none"
    assert any("words alone" in said for kind, said in report.events if kind == "warning")
    assert sources("violin") == ["violin.md", "violin.md"]


def test_words_are_stemmed_in_the_language_of_most_documents(tmp_path: Path) -> None:
    some = [
        document("haus", "Die alten Häuser.", language="de"),
        document("wald", "Der Wald.", language="de"),
        document("tea", language="en"),
    ]
    report = ListReport()
    indexed(save(tmp_path / "docs", some), report, embedder="none")
    assert sources("Haus") == ["haus.md"]
    assert any("stemmed as de" in said and "1 in en" in said for _, said in report.events)


def test_documents_that_are_gone_are_pruned_when_asked(tmp_path: Path) -> None:
    indexed(save(tmp_path / "docs", documents()), embedder="none")
    folder = save(tmp_path / "docs", [document("tea")])
    assert indexed(folder)["documents"] == 4
    made = indexed(folder, prune=True)
    assert (made["removed"], made["documents"], made["passages"]) == (3, 1, 3)
    assert sources("violin") == []
    with pytest.raises(SpecError, match="prune"):
        indexed(prune=True)


def test_a_large_index_is_told_of(tmp_path: Path) -> None:
    report = ListReport()
    indexed(save(tmp_path / "docs", documents()), report, embedder="none", disk_share=1e-12)
    assert any("of the disk are free" in said for kind, said in report.events if kind == "warning")


def test_one_luthier_index_works_on_a_store(tmp_path: Path, home: Path) -> None:
    folder = save(tmp_path / "docs", documents())
    made = indexed(folder, embedder="none")
    with locked(home / "indexes" / made["id"], ".index"), pytest.raises(StateError, match="another luthier index"):
        indexed(folder)


def test_a_damaged_index_is_told_of_when_it_is_searched(tmp_path: Path, home: Path) -> None:
    indexed(save(tmp_path / "docs", documents()), embedder="none")
    min(home.rglob("*.manifest")).write_bytes(b"")
    report = ListReport()
    luthier.search(report, name="small", query="tea")
    assert any("luthier index --name small" in said for kind, said in report.events if kind == "warning")
    indexed()
    assert sources("violin") == ["violin.md", "violin.md"]


def test_only_some_documents_are_searched(tmp_path: Path) -> None:
    indexed(save(tmp_path / "docs", documents()), embedder="none")
    assert set(sources("the", document=document("tea").id)) <= {"tea.md"}
    assert set(sources("tea train", document=[document("tea").id, document("train").id])) == {"tea.md", "train.md"}
    assert set(sources("tea train", document=document("tea").id, filter="kind=train")) == set()


def test_a_cross_encoder_orders_anew(tmp_path: Path, static_folder: str) -> None:
    indexed(save(tmp_path / "docs", documents()), embedder=static_folder)
    scorer = str(save_classifier(tmp_path / "scorer", ("train", "station")))
    report = ListReport()
    found = luthier.search(report, name="small", query="tea", rerank=scorer, k=1).to_json()["data"]
    assert found[0]["text"] == "The train of the station."
    assert "rerank" in report.tasks


def test_a_writer_of_another_server_widens_the_search(tmp_path: Path, static_folder: str) -> None:
    indexed(save(tmp_path / "docs", documents()), embedder=static_folder)
    with other_server(Other()) as other:
        writer = f"{other.url}#oak"
        found = luthier.search(name="small", query="tea", hyde=True, multi_query=2, writer=writer).to_json()
    assert found["hypothetical"]
    assert found["also"]
    assert found["data"][0]["source"] == "tea.md"
    with pytest.raises(SpecError, match="writer"):
        luthier.search(name="small", query="tea", hyde=True)


def test_what_is_not_collected_yet_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole files, cut by structure: two runs do what changed, and a file that cannot be read is told of."""
    monkeypatch.undo()
    monkeypatch.setenv("LUTHIER_HOME", str(tmp_path / "home"))
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, text in TEXTS.items():
        (raw / f"{name}.md").write_text(f"# About {name}\n\n{text}\n")
    (raw / "broken.pdf").write_bytes(b"this is no PDF")
    report = ListReport()
    made = indexed(raw, report, embedder="none", passage_tokens=16)
    assert made["documents"] == 4
    assert any("broken.pdf" in said for kind, said in report.events if kind == "warning")
    found = luthier.search(name="small", query="green tea", k=1).to_json()["data"][0]
    assert found["headings"] == ["About tea"]
    (raw / "tea.md").write_text("# About tea\n\nBlack bread.\n")
    made = indexed(raw)
    assert (made["changed"], made["unchanged"]) == (1, 3)
    assert sources("green") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}\n", "documents.jsonl:1: holds no document"),
        ("{}\nnot json\n", "documents.jsonl:2: holds no document"),
        (json.dumps({"source": "a", "text": "b", "page_starts": [5]}), "a: pages do not begin at 0"),
    ],
)
def test_what_holds_no_documents_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "documents.jsonl").write_text(content)
    with pytest.raises(LuthierError, match=said):
        indexed(tmp_path, embedder="none")


def test_what_is_not_there_is_refused_before_anything_is_made(tmp_path: Path, home: Path) -> None:
    with pytest.raises(LuthierError, match="nowhere"):
        indexed(tmp_path / "nowhere", embedder="none")
    assert not home.exists()
    with pytest.raises(NotFoundError, match="no index 'small'"):
        indexed()
    with pytest.raises(NotFoundError, match="no index 'small'"):
        sources("tea")


def test_passages_longer_than_the_embedder_reads_are_refused(
    tmp_path: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "docs", documents())
    monkeypatch.setattr(embedders._Static, "max_tokens", 100, raising=False)
    monkeypatch.setattr("luthier.encoding.static.StaticEmbedder.max_tokens", 100)
    with pytest.raises(LuthierError, match="reads 100 tokens"):
        indexed(folder, embedder=static_folder, passage_tokens=101)
    with pytest.raises(LuthierError, match="more than half"):
        indexed(folder, embedder=static_folder, passage_tokens=50, overlap_tokens=30)
