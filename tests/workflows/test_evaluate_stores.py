"""`luthier evaluate store:NAME` on questions whose answers have a known place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_documents import TEXTS, documents, save
from static_embeddings import WORDS, save_static
from tiny_classifiers import save_classifier

import luthier
from luthier.cli import main
from luthier.errors import NotFoundError, SpecError
from luthier.evaluation.stores import _tails
from luthier.report import ListReport


@pytest.fixture(scope="module")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_static(tmp_path_factory.mktemp("models") / "static"))


@pytest.fixture
def asked(tmp_path: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store called small, and a file of questions about it."""
    monkeypatch.setenv("LUTHIER_HOME", str(tmp_path / "home"))
    folder = save(tmp_path / "docs", documents())
    luthier.index(source=str(folder), name="small", embedder=static_folder, passage_tokens=16)
    at = TEXTS["tea"].index("A garden")
    rows = [
        {"question": "keeper of the boat", "source": "lighthouse.md", "slice": "test"},
        {"question": "a garden", "relevant": [{"source": "tea.md", "start": at, "end": at + 8}], "slice": "unseen"},
        {"question": "ticket of the station", "source": "train.md", "slice": "test"},
        {"question": "violin string", "source": "violin.md"},
        {"question": "who wrote the sea?", "relevant": []},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_every_way_is_measured_on_the_same_questions(
    asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "store:small", "--data", str(asked), "--output", str(tmp_path / "out"), "--resamples", "300"]
    more = ["--legs", "vector", "--legs", "text", "--legs", "hybrid", "--legs", "rrf", "--weight", "1.0"]
    assert main([*words, *more, "--k", "1", "--k", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["questions"], found["skipped"]) == (4, {"no relevant place (unanswerable)": 1})
    assert found["slices"] == {"test": 2, "unseen": 1}
    ways = {one["way"].removeprefix("store:small: "): one for one in found["ways"]}
    assert list(ways) == ["vector", "text", "hybrid", "rrf", "hybrid, weight 1"]
    for one in ways.values():
        values = one["values"]
        assert set(values) == {"recall@1", "recall@2", "nDCG@10", "MRR", "MAP"}
        assert values["recall@1"]["mean"] <= values["recall@2"]["mean"]
        assert one["words"]["1"] < one["words"]["2"]
    assert ways["text"]["values"]["recall@2"]["mean"] == 1
    assert ways["hybrid, weight 1"]["values"] == ways["vector"]["values"] != ways["hybrid"]["values"]
    joined = ("hybrid", "rrf", "hybrid, weight 1")
    assert [(one["joined"].removeprefix("store:small: "), one["slice"]) for one in found["gains"]] == [
        (way, slice) for way in joined for slice in ("all", "test", "unseen")
    ]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Recall by passages read" in page
    assert "Recall by cost" in page
    assert "<svg" in page
    items = [json.loads(line) for line in (tmp_path / "out" / "items.jsonl").read_text().splitlines()]
    assert [item["question"] for item in items][:2] == ["keeper of the boat", "a garden"]
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["spec"]["k"] == [1, 2]


def test_other_passages_and_embedders_are_measured_beside(asked: Path, tmp_path: Path) -> None:
    other = str(save_static(tmp_path / "other", dimensions=4, seed=3, words=WORDS[:20]))
    given = {"systems": "store:small", "data": str(asked), "output": str(tmp_path / "out"), "legs": ["vector", "text"]}
    report = ListReport()
    found = luthier.evaluate(report, passage_tokens=40, embedder=other, resamples=300, **given).to_json()
    indexes = list(dict.fromkeys(one["index"] for one in found["ways"]))
    assert indexes == [
        "store:small",
        "store:small, passages of 40",
        f"store:small, {other}",
        f"store:small, {other}, passages of 40",
    ]
    read = {one["index"]: one["words"]["1"] for one in found["ways"] if one["leg"] == "text"}
    assert read["store:small, passages of 40"] > read["store:small"]
    assert found["gains"] == []
    assert luthier.search(name="small", query="tea").to_json()["data"]  # the store is as it was


def test_a_reranker_is_one_more_way(asked: Path, tmp_path: Path) -> None:
    scorer = str(save_classifier(tmp_path / "scorer", ("train", "station")))
    found = luthier.evaluate(
        systems="store:small",
        data=str(asked),
        output=str(tmp_path / "out"),
        resamples=300,
        rerank=scorer,
        legs="hybrid",
    ).to_json()
    plain, anew = found["ways"]
    assert (plain["way"], anew["way"]) == ("store:small: hybrid", f"store:small: hybrid, reranked by {scorer}")
    assert anew["values"]["MRR"]["mean"] < plain["values"]["MRR"]["mean"]  # it wants stations, whatever is asked


def test_sources_go_by_the_end_that_only_one_has() -> None:
    found = _tails({"/a/b/c.md": "1", "/a/d/c.md": "2", "/a/e.md": "3", "f.md": "4"})
    assert found == {"/a/b/c.md": "1", "a/b/c.md": "1", "b/c.md": "1"} | {
        "/a/d/c.md": "2",
        "a/d/c.md": "2",
        "d/c.md": "2",
        "/a/e.md": "3",
        "a/e.md": "3",
        "e.md": "3",
        "f.md": "4",
    }


def test_words_alone_are_one_way(asked: Path, tmp_path: Path) -> None:
    luthier.index(source=str(tmp_path / "docs"), name="bare", embedder="none")
    found = luthier.evaluate(systems="store:bare", data=str(asked), output=str(tmp_path / "out"), resamples=300)
    assert [one["way"] for one in found.to_json()["ways"]] == ["store:bare: text"]


def test_what_does_nothing_is_refused(asked: Path, tmp_path: Path) -> None:
    data = {"data": str(asked)}
    with pytest.raises(SpecError, match="has no effect on stores"):
        luthier.evaluate(systems="store:small", temperature=0.5, **data)
    with pytest.raises(SpecError, match="has no effect on models"):
        luthier.evaluate(systems="fiddle", weight=0.5, **data)
    with pytest.raises(SpecError, match="is no store"):
        luthier.evaluate(systems=["store:small", "fiddle"], **data)
    with pytest.raises(SpecError, match="twice"):
        luthier.evaluate(systems=["store:small", "store:small"], **data)
    with pytest.raises(NotFoundError, match="no index 'none'"):
        luthier.evaluate(systems="store:none", **data)
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"question": "a?", "relevant": []}\n')
    with pytest.raises(SpecError, match="no row holds"):
        luthier.evaluate(systems="store:small", data=str(empty))
