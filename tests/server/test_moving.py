"""Moving from a hosted account: pages, refusals, busy times, cuts, odd answers, and going on after any of them."""

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
from hosted_account import Account, hosted_account
from house import ROOT
from serving import rows, wait_until

from luthier.errors import Interrupted, RemoteError, SpecError
from luthier.report import ListReport
from luthier.server.moving import Result, Spec, run
from luthier.store.opened import Store
from luthier.store.options import StoreOptions

KEY_VARIABLE = "MOVING_KEY"
JOB = {
    "object": "fine_tuning.job",
    "created_at": 1_700_000_100,
    "finished_at": 1_700_000_200,
    "model": "gpt-4o-mini-2024-07-18",
    "organization_id": "org-tea",
    "status": "succeeded",
    "training_file": "file-rows",
    "hyperparameters": {"n_epochs": 2, "batch_size": 1, "learning_rate_multiplier": 1.8},
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 1}}},
    "result_files": ["file-result"],
    "seed": 42,
    "error": {},
    "user_provided_suffix": "tea",
}
ALL_ROWS = "".join(json.dumps(row) + "\n" for row in rows(4)).encode()


def job(id: str, **more: Any) -> dict[str, Any]:
    return JOB | {"id": id, "fine_tuned_model": f"ft:gpt-4o-mini-2024-07-18:acme:tea:{id[-4:]}"} | more


def event(number: int, **more: Any) -> dict[str, Any]:
    facts = {"id": f"ftevent-{number}", "object": "fine_tuning.job.event", "created_at": 1_700_000_100 + number}
    return facts | {"level": "info", "type": "message", "message": f"step {number}", "data": None} | more


def completion(number: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": f"reply {number}", "refusal": None}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000 + number,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "request_id": f"req_{number}",
        "metadata": {"number": str(number)},
    }


def full_account() -> Account:
    """Returns an account with several pages of everything."""
    account = Account()
    for name in ("rows", "more", "result", "notes", "last"):
        account.add_file(f"file-{name}", ALL_ROWS + name.encode())
    account.files["file-result"][0]["purpose"] = "fine-tune-results"
    account.refused["/files/file-notes/content"] = "Not allowed to download files of purpose: assistants"
    jobs = [job("ftjob-old1"), job("ftjob-old2"), job("ftjob-busy", status="running", fine_tuned_model=None)]
    account.lists["/fine_tuning/jobs"] = jobs
    for one in jobs:
        metrics = event(3, type="metrics", data={"step": 3, "train_loss": 0.5})
        account.lists[f"/fine_tuning/jobs/{one['id']}/events"] = [event(1), event(2, level="warn"), metrics]
        mark = {"created_at": 1_700_000_150, "step_number": 5, "metrics": {"train_loss": 0.25}}
        mark |= {"id": f"ftckpt_{one['id'][-4:]}", "fine_tuned_model_checkpoint": "ft:x:ckpt-step-5"}
        account.lists[f"/fine_tuning/jobs/{one['id']}/checkpoints"] = [mark]
    account.lists["/chat/completions"] = [completion(number) for number in range(5)]
    for number in range(5):
        said = [
            {"id": f"chatcmpl-{number}-{at}", "role": "user", "content": f"question {number}.{at}"} for at in range(3)
        ]
        account.lists[f"/chat/completions/chatcmpl-{number}/messages"] = said
    account.lists["/evals"] = [
        {"id": "eval_1", "object": "eval", "created_at": 1_700_000_000, "name": "teas", "testing_criteria": [{"a": 1}]}
    ]
    states = {"evalrun_1": "completed", "evalrun_2": "in_progress"}
    account.lists["/evals/eval_1/runs"] = [
        {"id": id, "object": "eval.run", "created_at": 1_700_000_001, "status": status, "eval_id": "eval_1"}
        for id, status in states.items()
    ]
    account.lists["/evals/eval_1/runs/evalrun_1/output_items"] = [
        {"id": f"outputitem_{number}", "status": "pass", "results": [{"score": number}]} for number in range(5)
    ]
    return account


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-moving")
    monkeypatch.setattr("luthier.server.hosted.FIRST_WAIT_S", 0.01)


@pytest.fixture
def account() -> Iterator[Account]:
    with hosted_account(full_account()) as running:
        yield running


def moved(account: Account, home: Path, report: ListReport | None = None, **more: Any) -> Result:
    return run(
        Spec(source="openai", url=account.url, key_variable=KEY_VARIABLE, home=str(home), **more),
        report or ListReport(),
    )


def counts(result: Result) -> dict[str, tuple[int, int, int]]:
    return {kind: (one.came, one.there, len(one.left)) for kind, one in result.tallies.items()}


def causes(result: Result) -> dict[str, str]:
    return {one.id: one.cause for one in result.left}


def content_of(home: Path, id: str) -> bytes:
    store = Store.open(StoreOptions(home=str(home)))
    try:
        return store.blobs.path(store.resources.parts(id)["content"].sha256).read_bytes()
    finally:
        store.close()


def snapshot(home: Path) -> dict[str, Any]:
    """Returns every row of a store."""
    store = Store.open(StoreOptions(home=str(home)))
    try:
        kinds = ("file", "chat.completion", "checkpoint", "imported eval", "imported eval run")
        found: dict[str, Any] = {kind: store.resources.list(kind, None, limit=1000).items for kind in kinds}
        found["jobs"] = [(job, store.jobs.events(job.id, limit=1000)) for job in store.jobs.list(limit=1000)[0]]
        return found
    finally:
        store.close()


FIRST = {
    "files": (4, 0, 1),
    "fine-tuning jobs": (2, 0, 1),
    "stored completions": (5, 0, 0),
    "evals": (1, 0, 0),
    "eval runs": (1, 0, 1),
}


def test_every_page_of_everything_comes_and_what_cannot_is_named(account: Account, tmp_path: Path) -> None:
    result = moved(account, tmp_path / "home")
    assert counts(result) == FIRST
    assert causes(result) == {
        "file-notes": "answered 400: Not allowed to download files of purpose: assistants",
        "ftjob-busy": "it is running there: import again once it has ended",
        "evalrun_2": "it is in_progress there: import again once it has ended",
    }
    said = "\n".join(part for part in result.tables() if isinstance(part, str))
    assert "The weights of 2 tuned models stay with the hosted API (ft:gpt-4o-mini-2024-07-18:acme:tea:old1" in said
    assert "no evals API here yet" in said


def test_rows_keep_their_ids_times_and_insides(account: Account, tmp_path: Path) -> None:
    moved(account, tmp_path / "home")
    found = snapshot(tmp_path / "home")
    assert [(row.id, row.created_at) for row in found["file"]] == [
        ("file-rows", 1_700_000_000),
        ("file-more", 1_700_000_001),
        ("file-result", 1_700_000_002),
        ("file-last", 1_700_000_004),
    ]
    assert content_of(tmp_path / "home", "file-more") == ALL_ROWS + b"more"
    assert [one.id for one, _ in found["jobs"]] == ["ftjob-old2", "ftjob-old1"]
    events, _ = found["jobs"][0][1]
    assert [(one.kind, one.message, one.created_at) for one in events] == [
        ("metric", "step 3", 1_700_000_103),
        ("warning", "step 2", 1_700_000_102),
        ("info", "step 1", 1_700_000_101),
    ]
    assert [(row.id, row.parent, row.body["step"]) for row in found["checkpoint"]] == [
        ("ftckpt_old1", "ftjob-old1", 5),
        ("ftckpt_old2", "ftjob-old2", 5),
    ]
    assert [len(row.body["messages"]) for row in found["chat.completion"]] == [3] * 5
    assert found["imported eval"][0].body["testing_criteria"] == [{"a": 1}]
    run_row = found["imported eval run"][0]
    assert (run_row.id, run_row.parent, run_row.body["status"]) == ("evalrun_1", "eval_1", "completed")
    store = Store.open(StoreOptions(home=str(tmp_path / "home")))
    items = store.blobs.path(store.resources.parts("evalrun_1")["output_items"].sha256).read_text().splitlines()
    store.close()
    assert [json.loads(line)["id"] for line in items] == [f"outputitem_{number}" for number in range(5)]


def test_a_second_run_brings_only_what_is_new(account: Account, tmp_path: Path) -> None:
    home = tmp_path / "home"
    moved(account, home)
    before = snapshot(home)
    account.asked.clear()
    result = moved(account, home)
    assert {kind: came for kind, (came, _, _) in counts(result).items()} == dict.fromkeys(FIRST, 0)
    assert {kind: there for kind, (_, there, _) in counts(result).items()} == {
        k: came for k, (came, _, _) in FIRST.items()
    }
    assert snapshot(home) == before
    assert [path for path in account.asked if path.endswith(("/content", "/events", "/messages"))] == [
        "/files/file-notes/content"
    ]
    account.add_file("file-new", b"{}")
    account.lists["/fine_tuning/jobs"][2].update(status="failed", error={"code": "server_error", "message": "no"})
    account.lists["/evals/eval_1/runs"][1]["status"] = "failed"
    account.lists["/evals/eval_1/runs/evalrun_2/output_items"] = []
    result = moved(account, home)
    assert [came for came, _, _ in counts(result).values()] == [1, 1, 0, 0, 1]


def test_jobs_that_came_are_no_work_and_say_what_runs_them_again(account: Account, tmp_path: Path) -> None:
    account.lists["/fine_tuning/jobs"].append(job("ftjob-dpo1", method={"type": "dpo", "dpo": {}}))
    account.lists["/fine_tuning/jobs"].append(job("ftjob-lost", training_file="file-gone"))
    for id in ("ftjob-dpo1", "ftjob-lost"):
        account.lists |= {f"/fine_tuning/jobs/{id}/{what}": [] for what in ("events", "checkpoints")}
    result = moved(account, tmp_path / "home")
    store = Store.open(StoreOptions(home=str(tmp_path / "home")))
    assert store.jobs.lease("somebody") is None
    store.close()
    why = {job["id"]: job["why_not"] for job in result.to_json()["jobs"]}
    assert why["ftjob-lost"] == "there is no file-gone here"
    assert "dpo" in why["ftjob-dpo1"]
    assert why["ftjob-old1"] is why["ftjob-old2"] is None
    assert result.to_json()["jobs"][0]["run_again"] == {
        "model": "fiddle",
        "training_file": "file-rows",
        "method": JOB["method"],
        "suffix": "tea",
        "seed": 42,
    }
    serve, *commands = result.next_commands()
    assert serve == f"luthier serve --home {tmp_path / 'home'}"
    assert [command.rpartition("# ")[2] for command in commands] == ["ftjob-old1", "ftjob-old2"]


def test_a_dry_run_counts_and_keeps_nothing(account: Account, tmp_path: Path) -> None:
    result = moved(account, tmp_path / "home", dry_run=True)
    assert [came for came, _, _ in counts(result).values()] == [5, 2, 5, 1, 1]
    assert not any(snapshot(tmp_path / "home").values())
    assert not [path for path in account.asked if path.endswith(("/content", "/events", "/messages", "/output_items"))]
    moved(account, tmp_path / "home")
    result = moved(account, tmp_path / "home", dry_run=True)
    assert [there for _, there, _ in counts(result).values()] == [4, 2, 5, 1, 1]


def test_only_what_is_asked_for_comes(account: Account, tmp_path: Path) -> None:
    result = moved(account, tmp_path / "home", what=("completions",))
    assert counts(result) == {"stored completions": (5, 0, 0)}
    assert {path.split("/")[1] for path in account.asked} == {"chat"}


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("later", ["0", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", None])
def test_a_server_that_is_busy_is_asked_again(account: Account, tmp_path: Path, status: int, later: str | None) -> None:
    account.busy_status, account.retry_after = status, later
    for path in ("/files", "/files/file-more/content", "/fine_tuning/jobs/ftjob-old1/events", "/evals"):
        account.busy[path] = 3
    assert counts(moved(account, tmp_path / "home")) == FIRST


def test_one_that_stays_busy_ends_the_run_and_the_next_goes_on(account: Account, tmp_path: Path) -> None:
    account.busy["/files/file-more/content"] = 6
    with pytest.raises(RemoteError, match=r"answered 429: slow down; what came is kept: import again to go on"):
        moved(account, tmp_path / "home")
    assert [row.id for row in snapshot(tmp_path / "home")["file"]] == ["file-rows"]
    assert counts(moved(account, tmp_path / "home"))["files"] == (3, 1, 1)


def test_one_that_asks_for_an_hour_is_not_waited_for(account: Account, tmp_path: Path) -> None:
    account.busy["/files"], account.retry_after = 1, "3600"
    with pytest.raises(RemoteError, match=r"is busy for 3,600 s more"):
        moved(account, tmp_path / "home")


def test_one_thing_that_fails_does_not_stop_the_others(account: Account, tmp_path: Path) -> None:
    account.busy_status, account.busy["/files/file-more/content"] = 500, 6
    result = moved(account, tmp_path / "home")
    assert counts(result)["files"] == (3, 0, 2)
    assert causes(result)["file-more"] == "answered 500: slow down"


def test_a_server_that_fails_at_everything_is_left(account: Account, tmp_path: Path) -> None:
    account.busy_status = 500
    for id in account.files:
        account.busy[f"/files/{id}/content"] = 100
    with pytest.raises(RemoteError, match=r"file-result/content: answered 500"):
        moved(account, tmp_path / "home")


def test_a_wrong_key_says_which(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-other")
    with pytest.raises(RemoteError, match=r"answered 401: Incorrect API key provided; check the key in \$MOVING_KEY"):
        moved(account, tmp_path / "home")
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(SpecError, match=r"\$MOVING_KEY: is not set"):
        moved(account, tmp_path / "home")


def test_a_server_that_is_away_says_so(tmp_path: Path) -> None:
    with hosted_account(Account()) as gone:
        pass
    with pytest.raises(RemoteError, match=r"does not answer \(ConnectError\)"):
        moved(gone, tmp_path / "home")


def test_a_server_that_knows_no_list_is_another_one(account: Account, tmp_path: Path) -> None:
    account.url += "/v1"
    with pytest.raises(RemoteError, match=r"files: answered 404: no such path; .*check --url, which ends in /v1"):
        moved(account, tmp_path / "home")


def test_a_kind_that_is_refused_does_not_stop_the_others(account: Account, tmp_path: Path) -> None:
    account.refused["/evals"] = "Evals have ended"
    result = moved(account, tmp_path / "home")
    assert counts(result) == FIRST | {"evals": (0, 0, 1), "eval runs": (0, 0, 0)}
    assert causes(result)["all"] == "answered 400: Evals have ended"


def test_a_connection_that_is_cut_leaves_that_file_for_the_next_run(account: Account, tmp_path: Path) -> None:
    account.cut.add("/files/file-more/content")
    result = moved(account, tmp_path / "home")
    assert "the connection ended after" in causes(result)["file-more"]
    assert counts(result)["files"] == (3, 0, 2)
    assert account.asked.count("/files/file-more/content") == 3
    assert not list((tmp_path / "home" / "blobs").glob(".partial*"))
    account.cut.clear()
    assert counts(moved(account, tmp_path / "home"))["files"] == (1, 3, 1)
    assert content_of(tmp_path / "home", "file-more") == ALL_ROWS + b"more"


def test_a_list_that_is_cut_is_asked_for_again_and_then_given_up(account: Account, tmp_path: Path) -> None:
    account.cut.add("/fine_tuning/jobs")
    with pytest.raises(RemoteError, match=r"does not answer \(RemoteProtocolError\)"):
        moved(account, tmp_path / "home")
    account.cut.clear()
    assert counts(moved(account, tmp_path / "home"))["files"] == (0, 4, 1)


ODD = {
    "no JSON": b"<html>",
    "no object": b"[]",
    "no list": b'{"data": 3}',
    "no objects": b'{"data": [3]}',
    "no end": b'{"data": [{"id": "eval_9", "created_at": 1}], "has_more": true}',
    "no number": b'{"data": [{"id": "eval_9", "created_at": NaN}]}',
    "too deep": b'{"data": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_a_list_of_another_kind_is_named(account: Account, tmp_path: Path, odd: bytes) -> None:
    account.answers["/evals"] = odd
    account.lists["/evals/eval_9/runs"] = []
    result = moved(account, tmp_path / "home")
    assert counts(result)["stored completions"] == (5, 0, 0)
    left = result.tallies["evals"].left
    assert len(left) == 1
    assert left[0].cause.startswith("/evals: ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../../etc/passwd"},
        {"id": "file-a/b"},
        {"id": 3},
        {"id": ""},
        {"id": "x" * 81},
        {"created_at": -1},
        {"created_at": "soon"},
        {"created_at": 2**70},
        {"filename": "\x00"},
        {"filename": None},
        {"filename": "half \ud83d"},
        {"purpose": "a b"},
    ],
    ids=str,
)
def test_a_thing_of_another_form_is_named_and_the_others_come(
    account: Account, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    account.page = 10
    facts, content = account.files["file-more"]
    account.files["file-more"] = (facts | wrong, content)
    result = moved(account, tmp_path / "home", what=("files",))
    assert counts(result)["files"] == (3, 0, 2)
    assert not any(path.startswith("/etc") or ".." in path for path in account.asked)


def test_names_of_files_lose_their_folders(account: Account, tmp_path: Path) -> None:
    account.files["file-more"][0]["filename"] = "..\\up/../rows.jsonl"
    moved(account, tmp_path / "home", what=("files",))
    names = {row.id: row.body["filename"] for row in snapshot(tmp_path / "home")["file"]}
    assert names["file-more"] == "rows.jsonl"


def test_two_projects_of_a_store_do_not_share_ids(account: Account, tmp_path: Path) -> None:
    moved(account, tmp_path / "home")
    before = snapshot(tmp_path / "home")
    result = moved(account, tmp_path / "home", project="other")
    assert {came for came, _, _ in counts(result).values()} == {0}
    assert (
        causes(result)["file-rows"]
        == causes(result)["ftjob-old1"]
        == "its id is taken by another project of this store"
    )
    assert snapshot(tmp_path / "home") == before


def test_what_was_deleted_here_stays_deleted(account: Account, tmp_path: Path) -> None:
    moved(account, tmp_path / "home")
    store = Store.open(StoreOptions(home=str(tmp_path / "home")))
    store.resources.delete("file", "file-more", "default")
    store.close()
    result = moved(account, tmp_path / "home")
    assert causes(result)["file-more"] == "it was here, and was deleted here"


def test_a_stop_is_heard_in_the_middle_of_a_file(account: Account, tmp_path: Path) -> None:
    class Stopping(ListReport):
        def cancelled(self) -> bool:
            return "/files/file-result/content" in account.asked

    with pytest.raises(Interrupted, match="import again to go on"):
        moved(account, tmp_path / "home", Stopping())
    assert [row.id for row in snapshot(tmp_path / "home")["file"]] == ["file-rows", "file-more"]
    assert counts(moved(account, tmp_path / "home")) == FIRST | {"files": (2, 2, 1)}


STALLS = [
    "/files/file-more/content",
    "/fine_tuning/jobs/ftjob-old2/checkpoints",
    "/evals/eval_1/runs/evalrun_1/output_items",
]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
@pytest.mark.parametrize("stalls", STALLS)
def test_a_process_that_is_ended_anywhere_leaves_what_the_next_goes_on_from(
    account: Account, tmp_path: Path, stalls: str, number: signal.Signals
) -> None:
    home = tmp_path / "home"
    account.stalls.add(stalls)
    words = ["import", "openai", "--url", account.url, "--key-variable", KEY_VARIABLE, "--home", str(home)]
    process = subprocess.Popen(
        [sys.executable, "-m", "luthier", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert account.stalled.wait(60)
    process.send_signal(number)
    time.sleep(0.1)
    account.released.set()
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -number), said
    account.stalls.clear()
    moved(account, home)
    whole = moved(account, tmp_path / "whole")
    assert counts(whole) == FIRST
    assert _timeless(snapshot(home)) == _timeless(snapshot(tmp_path / "whole"))


def _timeless(found: dict[str, Any]) -> dict[str, Any]:
    """Returns rows without what is drawn anew for each store: the ids of events."""
    jobs = [(job, [(one.kind, one.message, one.created_at) for one in events]) for job, (events, _) in found["jobs"]]
    return found | {"jobs": jobs}


def test_the_command_says_it_in_json(account: Account, tmp_path: Path) -> None:
    words = ["import", "openai", "--url", account.url, "--key-variable", KEY_VARIABLE, "--home", str(tmp_path / "home")]
    done = wait_until(
        lambda: subprocess.run(
            [sys.executable, "-m", "luthier", *words, "--what", "files", "evals", "--json"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            timeout=60,
        )
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["counts"]["files"] == {"came": 4, "there": 0, "left": 1}
    assert said["left"][0]["id"] == "file-notes"
    assert "sk-moving" not in done.stdout + done.stderr
