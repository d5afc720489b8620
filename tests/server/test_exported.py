"""Moving from a folder: what is looked for in it, ids that stay the same, and nothing at all where a line is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from serving import rows

from luthier.errors import RowsError, SpecError
from luthier.report import ListReport
from luthier.server.moving import Result, Spec, run
from luthier.store.opened import Store
from luthier.store.options import StoreOptions

REQUEST = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "fiddle"}}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "lira"}, "finish_reason": "stop"}],
    "metadata": {"team": "strings"},
    "messages": [{"role": "user", "content": "Say lira"}],
}
FILE = {"id": "file-abc", "object": "file", "bytes": 3, "created_at": 1_700_000_000, "purpose": "user_data"}
JOB = {
    "id": "ftjob-abc",
    "created_at": 1_700_000_000,
    "finished_at": 1_700_000_100,
    "model": "gpt-4o-mini",
    "fine_tuned_model": "ft:gpt-4o-mini:acme::abcd1234",
    "status": "succeeded",
    "training_file": "file-rows",
    "hyperparameters": {"n_epochs": 3},
    "seed": 1,
    "events": {"data": [{"created_at": 1_700_000_050, "level": "info", "message": "Step 1"}]},
    "checkpoints": [
        {"id": "ftckpt_1", "created_at": 1_700_000_060, "fine_tuned_model_checkpoint": "ft:x:ckpt", "step_number": 9}
    ],
}
EVAL = {
    "id": "eval_abc",
    "created_at": 1_700_000_000,
    "testing_criteria": [],
    "runs": [
        {"id": "evalrun_abc", "created_at": 1, "status": "completed", "output_items": [{"id": "outputitem_1"}]},
    ],
}


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a folder with one of everything."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "file-rows.jsonl").write_text(lines(*rows(3)))
    (folder / "pairs.jsonl").write_text(
        lines({"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []})
    )
    (folder / "requests.jsonl").write_text(lines(REQUEST))
    (folder / "answers.jsonl").write_text(lines({"id": "batch_req_1", "custom_id": "a", "response": {}}))
    (folder / "questions.jsonl").write_text(lines({"item": {"q": 1}}, {"item": {"q": 2}}))
    (folder / "chats.jsonl").write_text(lines(CHAT, CHAT | {"id": "chatcmpl-2"}))
    (folder / "notes.txt").write_text("abc")
    (folder / ".hidden").write_text("")
    (folder / "files.json").write_text(json.dumps({"object": "list", "data": [FILE | {"filename": "notes.txt"}]}))
    (folder / "fine_tuning_jobs.json").write_text(json.dumps([JOB]))
    (folder / "evals.json").write_text(lines(EVAL))
    return folder


def moved(folder: Path, **more: Any) -> Result:
    return run(Spec(source=str(folder), home=str(folder.parent / "home"), **more), ListReport())


def opened(folder: Path) -> Store:
    return Store.open(StoreOptions(home=str(folder.parent / "home")))


def test_everything_in_it_comes(folder: Path) -> None:
    result = moved(folder)
    assert {kind: (one.came, one.there, len(one.left)) for kind, one in result.tallies.items()} == {
        "files": (6, 0, 0),
        "fine-tuning jobs": (1, 0, 0),
        "stored completions": (2, 0, 0),
        "evals": (1, 0, 0),
        "eval runs": (1, 0, 0),
    }
    store = opened(folder)
    found = {row.body["filename"]: (row.id, row.body["purpose"]) for row in store.resources.list("file", None).items}
    purposes = {name: purpose for name, (_, purpose) in found.items()}
    assert purposes == {
        "notes.txt": "user_data",
        "file-rows.jsonl": "fine-tune",
        "pairs.jsonl": "fine-tune",
        "requests.jsonl": "batch",
        "answers.jsonl": "batch_output",
        "questions.jsonl": "evals",
    }
    assert found["notes.txt"][0] == "file-abc"
    assert found["file-rows.jsonl"][0] == "file-rows"
    job = store.jobs.get("ftjob-abc")
    assert (job.details["fine_tuned_model"], job.details["hyperparameters"]) == (
        JOB["fine_tuned_model"],
        {"n_epochs": 3},
    )
    assert [one.message for one in store.jobs.events("ftjob-abc")[0]] == ["Step 1"]
    assert store.resources.get("checkpoint", "ftckpt_1", "default").body["step"] == 9
    chat = store.resources.get("chat.completion", "chatcmpl-2", "default")
    assert chat.body["messages"] == CHAT["messages"]
    assert "messages" not in chat.body["completion"]
    assert "runs" not in store.resources.get("imported eval", "eval_abc", "default").body
    store.close()


def test_ids_that_no_listing_names_are_the_same_every_time(folder: Path) -> None:
    moved(folder)
    result = moved(folder)
    assert {kind: (one.came, one.there) for kind, one in result.tallies.items()} == {
        "files": (0, 6),
        "fine-tuning jobs": (0, 1),
        "stored completions": (0, 2),
        "evals": (0, 1),
        "eval runs": (0, 1),
    }
    (folder / "requests.jsonl").write_text(lines(REQUEST | {"custom_id": "b"}))
    assert moved(folder).tallies["files"].came == 1
    other = moved(folder, project="other")
    assert other.tallies["files"].came == 4  # those without an id of their own
    assert {one.id for one in other.tallies["files"].left} == {"file-abc", "file-rows"}


def test_what_is_listed_without_its_content_and_what_is_of_no_known_form_is_named(folder: Path) -> None:
    (folder / "notes.txt").unlink()
    (folder / "paper.pdf").write_bytes(b"%PDF")
    (folder / "more").mkdir()
    left = {one.id: one.cause for one in moved(folder).tallies["files"].left}
    assert left == {
        "file-abc": "there is no notes.txt in the folder, and no file-abc or file-abc.jsonl",
        "paper.pdf": "no JSON lines (*.jsonl), and files.json does not name it",
        "more": "a folder",
    }


def test_a_content_is_found_by_its_id_too_and_never_outside(folder: Path) -> None:
    (folder.parent / "secret").write_text("no")
    listed = [FILE | {"filename": "../secret"}, FILE | {"id": "file-def", "filename": "x.bin"}]
    (folder / "files.json").write_text(json.dumps(listed))
    (folder / "file-def").write_bytes(b"\x00\x01")
    result = moved(folder)
    store = opened(folder)
    part = store.resources.parts("file-def")["content"]
    assert store.blobs.path(part.sha256).read_bytes() == b"\x00\x01"
    store.close()
    assert [one.id for one in result.tallies["files"].left if one.id.startswith("file-")] == ["file-abc"]


WRONG = {
    "no JSON": ("pairs.jsonl", lines(rows(1)[0]) + "{\n", "pairs.jsonl:2: not valid JSON"),
    "unknown": ("pairs.jsonl", lines(rows(1)[0], {"text": "a"}), "pairs.jsonl:2: is not understood; a row to tune on"),
    "no object": ("pairs.jsonl", "3\n", "pairs.jsonl:1: is not understood"),
    "mixed": ("pairs.jsonl", lines(rows(1)[0], REQUEST), "pairs.jsonl:2: is of another kind (batch) than"),
    "empty": ("pairs.jsonl", "\n\n", "pairs.jsonl: holds no rows"),
    "no text": ("pairs.jsonl", b"\xff\xfe\xfa", "is not"),
    "chat without messages": (
        "chats.jsonl",
        lines(CHAT, {name: value for name, value in CHAT.items() if name != "messages"}),
        "chats.jsonl:2: messages: the messages that it answers are missing",
    ),
    "chat without a time": ("chats.jsonl", lines(CHAT | {"created": None}), "chats.jsonl:1: created: "),
    "half a character": ("chats.jsonl", lines(CHAT | {"system_fingerprint": "\ud83d"}), "chats.jsonl:1: cannot be"),
    "file without a name": ("files.json", json.dumps([FILE]), "files.json:1: file-abc: filename: field required"),
    "file with a path for an id": ("files.json", json.dumps([FILE | {"id": "../x"}]), "files.json:1: ../x: id: "),
    "twice": ("files.json", json.dumps([FILE | {"filename": "a"}] * 2), "id: file-abc is there 2 times"),
    "broken listing": ("files.json", "[{", "files.json:1: not valid JSON"),
    "job without a file": (
        "fine_tuning_jobs.json",
        json.dumps([JOB | {"training_file": None}]),
        "fine_tuning_jobs.json:1: ftjob-abc: training_file: ",
    ),
    "event without words": (
        "fine_tuning_jobs.json",
        json.dumps([JOB | {"events": [{"created_at": 1}]}]),
        "ftjob-abc: events: message: field required",
    ),
    "events that are no list": (
        "fine_tuning_jobs.json",
        json.dumps([JOB | {"events": 3}]),
        "ftjob-abc: events: is no list of objects",
    ),
    "items that are no objects": (
        "evals.json",
        json.dumps([EVAL | {"runs": [{"id": "evalrun_1", "created_at": 1, "status": "failed", "output_items": [3]}]}]),
        "evalrun_1: output_items: is no list of objects",
    ),
}


@pytest.mark.parametrize(("name", "content", "said"), WRONG.values(), ids=WRONG.keys())
def test_where_a_line_is_wrong_nothing_comes(folder: Path, name: str, content: str | bytes, said: str) -> None:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(RowsError) as caught:
        moved(folder)
    assert said in str(caught.value)
    assert str(caught.value).endswith("Nothing was imported.")
    store = opened(folder)
    assert not store.resources.list("file", None).items
    assert not store.jobs.list()[0]
    store.close()


def test_all_that_is_wrong_is_named_at_once(folder: Path) -> None:
    (folder / "pairs.jsonl").write_text("3\n" * 30)
    (folder / "files.json").write_text(json.dumps([FILE]))
    with pytest.raises(RowsError) as caught:
        moved(folder)
    assert len(caught.value.problems) == 31
    assert "and 11 more" in str(caught.value)


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such folder; write openai, or the path of a folder"):
        moved(tmp_path / "nowhere")
