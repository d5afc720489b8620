"""The evaluate verb over tiny models on disk."""

from __future__ import annotations

import json
import shutil

import pytest

from luthier.config import bind
from luthier.errors import Interrupted, LuthierError, ModelError, SpecError
from luthier.report import ListReport
from luthier.workflows import evaluate


@pytest.fixture
def data(tmp_path):
    """Twelve rows, one of them too long for the model and one without a question."""
    rows = [
        {"messages": [{"role": "user", "content": f"name of part {i}?"}, {"role": "assistant", "content": f"part{i}"}]}
        for i in range(10)
    ]
    rows.append({"messages": [{"role": "user", "content": "x" * 900}, {"role": "assistant", "content": "long"}]})
    rows.append({"messages": [{"role": "system", "content": "s"}, {"role": "assistant", "content": "hello"}]})
    file = tmp_path / "held.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def spec_of(systems, data, folder, **values):
    given = {"systems": [str(one) for one in systems], "data": [str(data)], "output": str(folder), "resamples": 300}
    return bind(evaluate.Spec, given | {"max_tokens": 6} | values, where="evaluate")


@pytest.fixture
def other_folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "other")


def test_two_systems_on_the_same_rows(tiny_folder, other_folder, data, tmp_path):
    report = ListReport()
    result = evaluate.run(spec_of([tiny_folder, other_folder], data, tmp_path / "out"), report)
    assert result.scores.metrics == ("exact_match",)
    assert {replies.n for replies in result.scores.replies} == {11}
    assert {replies.failed for replies in result.scores.replies} == {1}
    assert result.scores.comparisons[0].verdict == "cannot tell"
    values = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert values["skipped"] == {"no user turn before the reference": 1}
    assert values["spec"]["max_tokens"] == 6
    lines = [json.loads(line) for line in (tmp_path / "out" / "items.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(11))
    assert "leave no room" in lines[10]["replies"][str(tiny_folder)]["error"]
    assert lines[0]["replies"][str(tiny_folder)] == lines[0]["replies"][str(other_folder)]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Answers side by side" in page
    assert ("plan", f"results go to {tmp_path / 'out'}") in report.events
    said = f"1 of 11 rows failed, and count as wrong; the first, {data}:"
    assert any(said in text and "leave no room" in text for kind, text in report.events if kind == "warning")
    assert report.tasks[f"answer: {other_folder}"] == (11, 11)
    assert dict(report.tables[0].rows)["rows"] == "11; 1 left out: no user turn before the reference"
    assert json.dumps(result.to_json(), allow_nan=False)
    assert result.next_commands() == [f"luthier chat {tiny_folder}"]


class StopsAfter(ListReport):
    """Asks to stop once so many replies are in."""

    replies = 0

    def progress(self, task, done, total, figures=None):
        super().progress(task, done, total, figures)
        self.replies += figures is not None
        self.stop = self.replies >= 3


def test_a_stopped_evaluation_goes_on_where_it_was(tiny_folder, data, tmp_path):
    spec = spec_of([tiny_folder], data, tmp_path / "out", kv_memory="32KB")
    with pytest.raises(Interrupted, match="same command"):
        evaluate.run(spec, StopsAfter())
    kept = (tmp_path / "out" / "replies.jsonl").read_text().splitlines()
    assert 1 <= len(kept) < 10
    first = evaluate.run(spec, ListReport())
    whole = evaluate.run(spec_of([tiny_folder], data, tmp_path / "fresh"), ListReport())
    assert first.scores.to_json() == whole.scores.to_json()
    assert len((tmp_path / "out" / "replies.jsonl").read_text().splitlines()) == 10


def test_a_finished_evaluation_loads_no_weights_again(tiny_folder, data, tmp_path, monkeypatch):
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:5]))
    spec = spec_of([tiny_folder], data, tmp_path / "out")
    first = evaluate.run(spec, ListReport())
    monkeypatch.setattr("luthier.models.load.load_opened", lambda *_: pytest.fail("weights were loaded"))
    again = evaluate.run(spec, ListReport())
    assert again.scores == first.scores


def test_changed_weights_are_asked_anew(tiny_folder, other_folder, data, tmp_path):
    spec = spec_of([other_folder], data, tmp_path / "out")
    evaluate.run(spec, ListReport())
    shutil.copy(tiny_folder / "config.json", other_folder / "config.json")
    (other_folder / "config.json").touch()
    evaluate.run(spec, ListReport())
    assert len((tmp_path / "out" / "replies.jsonl").read_text().splitlines()) == 20


def test_limits_metrics_and_lengths_by_default(tiny_folder, data, tmp_path):
    spec = spec_of([tiny_folder], data, tmp_path / "out", limit=4, metric=["token_f1", "exact_match"], max_tokens=None)
    result = evaluate.run(spec, ListReport())
    assert len(result.scores.items) == 4
    assert result.scores.metrics == ("token_f1", "exact_match")
    assert 16 < result.facts["max_tokens"] < 40


def test_results_have_a_place_of_their_own_by_default(tiny_folder, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = set()
    for values in ({}, {}, {"limit": 2}, {"temperature": 0.5}):
        folders.add(evaluate.run(spec_of([tiny_folder], data, "x", **values | {"output": None}), ListReport()).folder)
    assert len(folders) == 3
    assert all(folder.parent.name == "evaluations" and folder.name.startswith("held-") for folder in folders)


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        ({"systems": ["nowhere/at/all"]}, ModelError, "nowhere"),
        ({"systems": ["fiddle", "fiddle"]}, SpecError, "twice"),
        ({"metric": ["token_f"]}, SpecError, "token_f1"),
        ({"data": ["missing.jsonl"]}, LuthierError, "missing.jsonl"),
    ],
)
def test_what_is_wrong_is_said_before_any_model_is_loaded(
    tiny_folder, data, tmp_path, monkeypatch, values, error, match
):
    monkeypatch.setattr("luthier.models.load.load_opened", lambda *_: pytest.fail("a model was loaded"))
    given = {"systems": [str(tiny_folder)], "data": [str(data)]} | values
    with pytest.raises(error, match=match):
        evaluate.run(bind(evaluate.Spec, given, where="evaluate"), ListReport())


def test_rows_without_any_question_are_refused(tiny_folder, tmp_path):
    file = tmp_path / "t.jsonl"
    file.write_text(
        json.dumps({"messages": [{"role": "system", "content": "s"}, {"role": "assistant", "content": "a"}]})
    )
    with pytest.raises(SpecError, match="reference answer"):
        evaluate.run(spec_of([tiny_folder], file, tmp_path / "out"), ListReport())


def test_a_name_known_from_elsewhere_is_pointed_at():
    with pytest.raises(SpecError, match="write max_tokens"):
        bind(evaluate.Spec, {"systems": ["a"], "data": ["b"], "max_new_tokens": 3}, where="evaluate")
