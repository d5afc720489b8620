"""`luthier synthesize`: from documents to rows that tune, evaluate and retrieval evaluation take."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from scripted_writer import Writer
from static_embeddings import save_static

import luthier
from luthier.cli import main
from luthier.errors import RowsError, SpecError, StateError
from luthier.evaluation.items import System, items_of
from luthier.records.document_files import document_line
from luthier.records.documents import Document
from luthier.records.options import FormatOptions
from luthier.records.prompts import NO_ANSWER
from luthier.records.reading import read_rows
from luthier.report import ListReport
from luthier.synthesis.asking import Streamed
from luthier.workflows import synthesize as verb

SUBJECTS = ("keeper", "lighthouse", "boat", "harbour", "bread", "oven", "train", "ticket", "garden", "rose", "violin")


@pytest.fixture(scope="module")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_static(tmp_path_factory.mktemp("models") / "static"))


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of eleven documents of two passages each, and a twelfth that nearly repeats the first."""
    monkeypatch.setenv("LUTHIER_HOME", str(tmp_path / "home"))
    made = list[Document]()
    for at, one in enumerate(SUBJECTS):
        other = SUBJECTS[at - 1]
        first = f"The {one} number {at} stands alone. " + f"It is of the {other} kind in row {at}. " * 2
        second = f"My {other} of year {at} was sold. " + f"Nobody has seen the {one} since day {at}. " * 2
        starts = (0, len(first) + 2)
        made.append(Document(f"{one}.md", f"{first}\n\n{second}", language="en", page_starts=starts))
    made.append(Document("copy.md", made[0].text + " Yes.", language="en"))
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "documents.jsonl").write_bytes(b"".join(map(document_line, made)))
    return folder


def by(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> Writer:
    """Lets `writer` write the questions."""

    @contextmanager
    def system(spec: Any) -> Iterator[tuple[System, str]]:
        yield Streamed(writer, "writer"), "writer 1"

    monkeypatch.setattr(verb, "_system", system)
    return writer


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def made(docs: Path, static_folder: str, report: ListReport | None = None, **options: Any) -> dict[str, Any]:
    given = {"passage_tokens": 40, "embedder": static_folder, "near": 1.0} | options
    found: dict[str, Any] = luthier.synthesize(report or ListReport(), source=str(docs), **given).to_json()
    return found


def test_rows_feed_what_comes_next(docs: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by(Writer(), monkeypatch)
    found = made(docs, static_folder, test_fraction=0.3, unseen_fraction=0.5)
    folder, counts = docs / "questions", found["counts"]
    assert all(counts.values())
    assert found["passed"]["quote"] == found["asked"]
    rows = lines(folder / "questions.jsonl")
    assert {row["slice"] for row in rows} == {"train", "test", "unseen"}
    assert sum(counts.values()) == len(rows) == sum(found["passed"]["near"].values())
    documents = {one["id"]: one for one in lines(docs / "documents.jsonl")}
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(row["group"], set()).add("test" if row["slice"] == "test" else "known")
        assert row["model"] == "fiddle"
        assert re.fullmatch("[0-9a-f]{16}", row["prompt"])
        assert row["relevant"] or row["kind"] == "unanswerable"
        for gold in row["relevant"]:
            text = documents[gold["document"]]["text"]
            assert text[gold["start"] : gold["end"]] == gold["quote"]
            assert gold["page"] in ("1", "2") or gold["source"] == "copy.md"
    assert all(len(sides) == 1 for sides in groups.values())  # a cluster is on one side
    copies = {row["group"] for row in rows for one in row["asked_of"] if one["source"] in ("copy.md", "keeper.md")}
    assert len(copies) == 1
    slices = {row["id"]: row["slice"] for row in rows}
    assert all(slices.get(row["of"], row["slice"]) == row["slice"] for row in rows if "of" in row)
    for part, count in counts.items():
        read = read_rows([str(folder / f"{part}.jsonl")], FormatOptions(group_by="group"))
        items, skipped = items_of(read)
        assert (len(items), dict(skipped)) == (count, {})
        assert {item.group for item in items} <= set(groups)
    card = json.loads((folder / "card.json").read_text())
    assert card["passed"] == found["passed"]
    assert "| fact |" in (folder / "card.md").read_text()
    luthier.index(source=str(docs), name="docs", embedder=static_folder, passage_tokens=40)
    measured = luthier.evaluate(
        systems="store:docs", data=str(folder / "questions.jsonl"), output=str(docs / "ev"), resamples=300
    ).to_json()
    assert measured["questions"] == sum(row["kind"] != "unanswerable" for row in rows)
    assert set(measured["slices"]) == {"train", "test", "unseen"}


def test_a_trial_says_what_the_whole_takes(
    docs: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = by(Writer(), monkeypatch)
    words = ["synthesize", str(docs), "--passage-tokens", "40", "--embedder", static_folder, "--near", "1.0"]
    trial = ["--dry-run", "--dry-passages", "6", "--price-input", "2", "--price-output", "8"]
    assert main([*words, *trial]) == 0
    assert "tokens written" in capsys.readouterr().out
    tried = len(writer.heard)
    assert not (docs / "questions" / "train.jsonl").exists()
    assert main([*words, *trial, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["estimate"]
    assert len(writer.heard) == tried  # kept
    with pytest.raises(StateError, match="may cost 0"):
        made(docs, static_folder, dry_passages=6, price_input=2.0, max_cost=0.0)
    assert main([*words, "--dry-passages", "6", "--json"]) == 0
    json.loads(capsys.readouterr().out)
    wrote = sum(reply["tokens"] for reply in lines(docs / "questions" / "requests.jsonl"))
    assert 0.9 * said["wrote"]["low"] <= wrote <= 1.1 * said["wrote"]["high"]
    assert said["cost"]["value"] == pytest.approx((said["read"]["value"] * 2 + said["wrote"]["value"] * 8) / 1e6)
    asked = [json.dumps([one.to_json() for one in messages]) for messages in writer.heard]
    assert len(asked) == len(set(asked))  # what two passages have in common is asked once


def test_what_finds_another_passage_is_out_of_reach(
    docs: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by(Writer(lambda asked, reply: re.sub(r"mayor of .*\?", "mayor of the oven?", reply)), monkeypatch)
    near = made(docs, static_folder, kinds=["unanswerable"], reach=1, near=1.0)
    refused = {row["passage"] for row in lines(docs / "questions" / "refused.jsonl") if row["filter"] == "reach"}
    assert len(refused) == near["passed"]["round trip"]["unanswerable"] - near["passed"]["reach"]["unanswerable"] > 0
    far = made(docs, static_folder, kinds=["unanswerable"], reach=30, near=1.0)
    assert far["passed"]["reach"] == far["passed"]["round trip"]
    assert far["passed"]["near"]["unanswerable"] == 1  # all ask the same


def test_questions_alone_leave_out_the_unanswerable(
    docs: Path, static_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by(Writer(), monkeypatch)
    made(docs, static_folder, context="none", passages=4)
    rows = [row for part in ("train", "test", "unseen") for row in lines(docs / "questions" / f"{part}.jsonl")]
    assert rows
    assert all(len(row["messages"]) == 2 for row in rows)
    assert all(row["messages"][-1]["content"] != NO_ANSWER for row in rows)


def test_a_set_of_which_nothing_is_left_says_so(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by(Writer(lambda asked, reply: "no"), monkeypatch)
    report = ListReport()
    found = made(docs, "none", report, passages=3)
    assert found["counts"] == {"train": 0, "test": 0, "unseen": 0}
    assert any(kind == "warning" and "no question passed" in text for kind, text in report.events)
    assert {row["filter"] for row in lines(docs / "questions" / "refused.jsonl")} == {"schema"}


def test_what_holds_no_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="luthier collect"):
        luthier.synthesize(source=str(tmp_path))
    (tmp_path / "documents.jsonl").write_text("{}\n")
    with pytest.raises(RowsError):
        luthier.synthesize(source=str(tmp_path), embedder="none")


def test_fiddle_writes(docs: Path, static_folder: str) -> None:
    """A smoke test: the embedded model can be asked; how few of its questions stay is its own affair."""
    found = made(docs, static_folder, kinds=["fact", "unanswerable"], passages=2, max_tokens=60)
    assert found["asked"] == {"fact": 2, "several": 0, "unanswerable": 2, "paraphrase": 0}
    assert found["estimate"]["wrote"]["value"] > 0
