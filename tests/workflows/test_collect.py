"""`luthier collect`: what lands in the folder, what a second run does again, and what a stop or a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sources import small_files
from sources.small_site import Answer, Site, page, running

import luthier
from luthier import cli
from luthier.errors import Interrupted, SpecError
from luthier.records.document_files import DocumentFile
from luthier.records.documents import Document
from luthier.report import ListReport
from luthier.workflows import collect

LONG = "The lute maker bends thin ribs of maple over a mould and glues them, one by one, until the bowl is whole. "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files: dict[str, bytes] = {
        "a.md": b"# Lutes\n\nThey have strings. Write to ada@example.org.\n",
        "b/report.pdf": small_files.pdf(["Page one.", "Page two."], title="Report"),
        "b/scan.pdf": small_files.pdf([""]),
        "c.zip": small_files.zipped({"in.txt": "Inside.", "bad.pdf": b"%PDF-1.4 nothing"}),
        ".hidden/x.txt": b"not me",
    }
    for name, data in files.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_bytes(data)
        os.utime(tmp_path / "docs" / name, (1_700_000_000, 1_700_000_000))
    return tmp_path / "docs"


def run(*sources: Path | str, output: Path, report: ListReport | None = None, **options: Any) -> collect.Result:
    chosen = {"processes": 1, **options}
    result = luthier.collect(sources=[*map(str, sources)], output=str(output), report=report, **chosen)
    assert isinstance(result, collect.Result)
    assert not (output / "collect.journal").exists()
    return result


def documents(output: Path) -> dict[str, Document]:
    found = {document.source.rpartition("docs/")[2]: document for document in DocumentFile(output / "documents.jsonl")}
    assert all(list(document.check()) == [] for document in found.values())
    return found


def fresh(result: collect.Result) -> set[str]:
    return {source.rpartition("docs/")[2] for source in result.fresh}


def test_what_came_from_each_file(folder: Path, tmp_path: Path) -> None:
    report = ListReport()
    result = run(folder, output=tmp_path / "out", report=report)
    found = documents(tmp_path / "out")
    assert list(found) == ["a.md", "c.zip!/in.txt", "b/report.pdf"]
    assert found["b/report.pdf"].page_starts == (0, 11)
    assert found["a.md"].modified_at == 1_700_000_000
    assert found["a.md"].collected_at == pytest.approx(time.time(), abs=600)
    assert len(found["a.md"].digest) == 64
    assert result.counts() == {"read": 3, "duplicate": 0, "failed": 2, "skipped": 0, "unchanged": 0, "gone": 0}
    shown, summary = result.tables()
    reasons = {row[0].rpartition("docs/")[2]: row[5] for row in shown.rows}
    assert "is scanned" in reasons["b/scan.pdf"]
    assert "is not a PDF" in reasons["c.zip!/bad.pdf"]
    assert reasons["a.md"] == "1 email"
    assert ("personal data", "1 email") in summary.rows
    assert [kind for kind, _ in report.events].count("warning") == 2
    assert result.to_json()["problems"][0]["status"] == "failed"
    assert result.next_commands() == [f"luthier index {tmp_path / 'out'} --name out"]


def test_a_second_run_touches_only_what_changed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, output=out)
    before = (out / "documents.jsonl").read_bytes()
    assert fresh(run(folder, output=out)) == set()
    assert (out / "documents.jsonl").read_bytes() == before
    (folder / "a.md").write_text("# Lutes\n\nNew words here.\n")
    (folder / "new.txt").write_text("New file.")
    os.utime(folder / "c.zip")  # the same bytes at another time
    (folder / "b" / "report.pdf").unlink()
    result = run(folder, output=out)
    assert fresh(result) == {"a.md", "new.txt"}
    assert [source.rpartition("docs/")[2] for source in result.gone] == ["b/report.pdf"]
    assert list(documents(out)) == ["a.md", "c.zip!/in.txt", "new.txt"]
    assert "New words" in documents(out)["a.md"].text


def test_a_file_that_is_written_again_within_the_clock_tick_is_seen(folder: Path, tmp_path: Path) -> None:
    file, out = folder / "a.md", tmp_path / "out"
    file.write_text("first!")
    status = file.stat()
    run(folder, output=out)
    file.write_text("second")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fresh(run(folder, output=out)) == {"a.md"}
    assert documents(out)["a.md"].text == "second"


def test_other_options_read_everything_again_and_higher_limits_what_failed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, output=out)
    assert fresh(run(folder, output=out, timeout_s=60.0)) == {"b/scan.pdf", "c.zip!/bad.pdf"}
    result = run(folder, output=out, redact=["email"], licence="CC0")
    assert len(result.fresh) == 6
    text = documents(out)["a.md"].text
    assert "[EMAIL_" in text
    assert "ada@" not in text
    assert {document.licence for document in documents(out).values()} == {"CC0"}
    assert (out / "redaction.key").stat().st_mode & 0o777 == 0o600
    assert "ada@" not in (out / "collect.json").read_text()


def test_passwords_open_files_and_are_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "locked.pdf").write_bytes(small_files.pdf(["Secret lutes."], password="gut-string"))
    out = tmp_path / "out"
    assert run(tmp_path / "docs", output=out).counts()["failed"] == 1
    run(tmp_path / "docs", output=out, password="gut-string")
    assert documents(out)["locked.pdf"].text == "Secret lutes."
    assert not any(b"gut-string" in file.read_bytes() for file in out.rglob("*") if file.is_file())


def test_the_output_within_the_sources_is_no_source(folder: Path) -> None:
    before = run(folder, output=folder / "out")
    again = run(folder, output=folder / "out")
    assert len(before.entries) == len(again.entries) == 6
    assert again.fresh == set()


def test_repeats_are_left_out_and_come_back(tmp_path: Path) -> None:
    docs, out = tmp_path / "docs", tmp_path / "out"
    docs.mkdir()
    words = " ".join(f"{LONG}{number}" for number in range(20))
    for name, text in {"a.txt": words, "b.txt": words + "\n", "c.txt": words + " And more."}.items():
        (docs / name).write_text(text)
    result = run(docs, output=out)
    assert list(documents(out)) == ["a.txt", "c.txt"]
    assert result.counts()["duplicate"] == 1
    notes = {entry.source.rpartition("/")[2]: entry.notes for entry in result.entries}
    assert "nearly repeats" in notes["c.txt"]
    assert list(run(docs, output=out, duplicates="drop-near").entries)[2].status == "duplicate"
    assert list(documents(out)) == ["a.txt"]
    (docs / "a.txt").unlink()
    result = run(docs, output=out, duplicates="keep")
    assert fresh(result) == set()
    assert list(documents(out)) == ["b.txt", "c.txt"]


def test_a_run_that_is_stopped_goes_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    class Stopping(ListReport):
        def cancelled(self) -> bool:
            return bool(self.tasks)

    with pytest.raises(Interrupted, match="give the same command to go on"):
        run(folder, output=out, report=Stopping())
    done = [json.loads(line)["entry"]["source"] for line in (out / "collect.journal").read_text().splitlines()]
    assert done
    result = run(folder, output=out)
    assert not set(done) & result.fresh
    assert list(documents(out)) == ["a.md", "c.zip!/in.txt", "b/report.pdf"]


def test_a_run_that_is_killed_goes_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(f"{LONG}{number}")
    command = [sys.executable, "-m", "luthier", "collect", str(folder), "--output", str(out), "--processes", "1"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = out / "collect.journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 5) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if journal.exists():
        with journal.open("ab") as file:
            file.write(b'{"entry": {"source": "cut o')
    result = run(folder, output=out)
    assert len(documents(out)) == 43
    assert result.counts()["failed"] == 2
    state = json.loads((out / "collect.json").read_text())
    assert len({entry["source"] for entry in state["entries"]}) == len(state["entries"])


@pytest.mark.parametrize("name", ["documents.jsonl", "collect.json"])
def test_a_folder_that_was_damaged_is_said_or_mended(folder: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    run(folder, output=out)
    file = out / name
    file.write_bytes(file.read_bytes()[:-40])
    if name == "collect.json":
        with pytest.raises(SpecError, match=r"cannot be read .*; remove it to begin anew"):
            run(folder, output=out)
    else:
        assert fresh(run(folder, output=out)) >= {"a.md", "b/report.pdf"}
        assert len(documents(out)) == 3


def test_the_documents_of_others_are_not_written_over(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "documents.jsonl").write_text("mine")
    with pytest.raises(SpecError, match="not of `collect`"):
        run(folder, output=tmp_path / "out")


def test_sources_that_lead_nowhere_are_all_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"(?s)a.mdd: no such file or folder; did you mean.*\*.docx: no file matches"):
        run(folder / "a.mdd", str(folder / "*.docx"), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    found = run(str(folder / "*.md"), folder / "a.md", output=tmp_path / "out")
    assert found.counts()["read"] == 1


def test_the_command_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["collect", str(folder), "--output", str(tmp_path / "out"), "--processes", "1"]) == 0
    shown = capsys.readouterr()
    assert "is scanned" in shown.out
    assert "luthier index" in shown.out
    assert cli.main(["collect", str(folder), "--output", str(tmp_path / "o"), "--include", "("]) == 2
    assert "not a regular expression" in capsys.readouterr().err


# ------------------------------------------------------------------ the web


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as one:
        yield one


def from_web(site: Site, output: Path, **options: Any) -> collect.Result:
    return run(site.address, output=output, depth=2, delay_s=0.0, allow_private=True, **options)


def test_a_site_is_collected_and_only_what_changed_is_read_again(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    home = page("Home of lutes", "/a", "/b.pdf", "/dead")
    tagged = page("Page of ribs", text=LONG * 5)
    site.answers |= {
        "/": home,
        "/a": Answer(
            tagged.body, headers={**tagged.headers, "ETag": '"1"', "Last-Modified": "Fri, 01 May 2026 10:00:00 GMT"}
        ),
        "/b.pdf": Answer(small_files.pdf(["On paper."]), headers={"Content-Type": "application/pdf"}),
    }
    result = from_web(site, out)
    found = {document.source.removeprefix(site.address): document for document in DocumentFile(out / "documents.jsonl")}
    assert set(found) == {"/", "/a", "/b.pdf"}
    assert found["/b.pdf"].text == "On paper."
    assert found["/b.pdf"].page_starts == (0,)
    assert found["/a"].title == "Page of ribs"
    assert found["/a"].media_type == "text/html"
    assert found["/a"].modified_at is not None
    assert not (out / ".crawl").exists()
    assert {entry.source.removeprefix(site.address): entry.status for entry in result.entries}["/dead"] == "skipped"

    site.answers["/b.pdf"] = Answer(small_files.pdf(["On new paper."]), headers={"Content-Type": "application/pdf"})
    again = from_web(site, out)
    assert {source.removeprefix(site.address) for source in again.fresh} == {"/b.pdf"}
    assert len(DocumentFile(out / "documents.jsonl")) == 3

    site.answers["/"] = Answer(b"", 503)
    del site.answers["/b.pdf"]
    last = from_web(site, out)
    sources = [source.removeprefix(site.address) for source in DocumentFile(out / "documents.jsonl").sources]
    assert set(sources) == {"/", "/a"}, "what cannot be fetched stays as it was, what is gone goes"
    assert [source.removeprefix(site.address) for source in last.gone] == ["/b.pdf"]
    notes = {entry.source.removeprefix(site.address): entry.notes for entry in last.entries}
    assert "as it was before: the server answers 503" in notes["/"]


def test_private_addresses_are_refused_unless_allowed(site: Site, tmp_path: Path) -> None:
    site.answers["/"] = page("Home")
    result = run(site.address, output=tmp_path / "out", delay_s=0.0)
    (entry,) = result.entries
    assert entry.status == "failed"
    assert "is a private address; give --allow-private" in entry.reason
    assert site.asked == []
