"""Jobs of our own verbs over HTTP: ids where the command line has paths, and nothing else that reaches outside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from openai import OpenAI
from serving import AS_OWNER, ENDED, Running, rows, upload, wait_until

from luthier import workflows
from luthier.config import fields
from luthier.server.bound import servers_own
from luthier.server.options import WorkerOptions

PLAIN_TEXT = {
    "columns": "names of columns",
    "format": "a name of a row format, checked",
    "group_by": "a name of a column",
    "kv_memory": "a size, checked",
    "metric": "names of metrics, checked",
    "stop": "texts that end a reply",
    "target_modules": "names of a model's modules",
    "trainable_modules": "names of a model's modules",
}
"""Options that hold free text, each looked at: none names a path, an address or a model."""


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/luthier/", headers=AS_OWNER, timeout=60) as client:
        yield client


def begin(http: httpx.Client, kind: str, spec: Mapping[str, Any], **more: Any) -> Any:
    answer = http.post("jobs", json={"kind": kind, "spec": spec, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def done(http: httpx.Client, id: str) -> Any:
    def look() -> Any:
        job = http.get(f"jobs/{id}").json()
        return job if job["status"] in ENDED else None

    job = wait_until(look)
    assert job["status"] == "succeeded", job["error"]
    return http.get(f"jobs/{id}/result").json()


def content(client: OpenAI, result: Any, name: str) -> str:
    return client.files.content(next(one["id"] for one in result["files"] if one["filename"] == name)).text


def test_rows_are_tuned_evaluated_and_exported(http: httpx.Client, client: OpenAI, server: Running) -> None:
    training, held_out = upload(client, rows()).id, upload(client, rows(6, seed=5), purpose="evals").id
    spec = {"rows": [training], "validation_fraction": 0.0, "test_fraction": 0.0, "max_steps": 3, "batch_size": 4}
    job = begin(http, "tune", spec | {"answer_rows": 0}, metadata={"team": "verbs"})
    assert (job["object"], job["status"], job["spec"]["model"]) == ("luthier.job", "queued", "fiddle")
    tuned = done(http, job["id"])
    assert tuned["model"].startswith("ft:fiddle:")
    assert client.chat.completions.create(
        model=tuned["model"], messages=[{"role": "user", "content": "Say x"}], max_tokens=3
    )
    assert {"run.json", "metrics.jsonl", "report.html"} <= {one["filename"] for one in tuned["files"]}
    assert not any(one["filename"].startswith(("data/", "checkpoints/", "model/")) for one in tuned["files"])

    systems = ["fiddle", tuned["model"]]
    scored = done(http, begin(http, "evaluate", {"systems": systems, "data": [held_out], "max_tokens": 4})["id"])
    told = json.dumps(scored["result"])
    assert tuned["model"] in told
    assert held_out in told

    exported = done(http, begin(http, "export", {"run": tuned["model"], "to": "adapter"})["id"])
    assert "adapter_config.json" in {one["filename"] for one in exported["files"]}

    looked = done(http, begin(http, "data", {"rows": [training]})["id"])
    assert looked["result"]["rows"] == 24
    page = content(client, looked, "rows.html")
    assert page.startswith("<!doctype html>")
    for text in (told, page, json.dumps(looked), json.dumps(exported), content(client, tuned, "run.json")):
        assert str(server.home) not in text

    found = http.get("jobs", params={"limit": 2, "kind": "tune", "metadata[team]": "verbs"}).json()
    assert [one["id"] for one in found["data"]] == [job["id"]]
    listed = http.get("jobs", params={"limit": 3}).json()
    assert [one["kind"] for one in listed["data"]] == ["data", "export", "evaluate"]
    events = http.get(f"jobs/{job['id']}/events", params={"limit": 100}).json()["data"]
    assert {"metric", "info"} <= {event["kind"] for event in events}
    assert http.get(f"jobs/{tuned['job']}/events", params={"after": events[0]["id"]}).json()["data"] == events[1:21]


def test_a_plan_alone_makes_no_model(http: httpx.Client, client: OpenAI) -> None:
    spec = {"rows": [upload(client, rows()).id], "max_steps": 2, "plan_only": True}
    assert done(http, begin(http, "tune", spec)["id"])["model"] is None


def test_a_job_can_be_paused_resumed_and_cancelled(http: httpx.Client, client: OpenAI) -> None:
    spec = {"rows": [upload(client, rows()).id], "max_steps": 5000, "batch_size": 4, "answer_rows": 0}
    id = begin(http, "tune", spec)["id"]

    def status(wanted: str) -> None:
        job = wait_until(lambda: (found := http.get(f"jobs/{id}").json())["status"] in {wanted, *ENDED} and found)
        assert job["status"] == wanted, job["error"]

    status("running")
    assert http.get(f"jobs/{id}/result").status_code == 400
    http.post(f"jobs/{id}/pause")
    status("paused")
    http.post(f"jobs/{id}/resume")
    status("running")
    assert http.post(f"jobs/{id}/resume").status_code == 400
    http.post(f"jobs/{id}/cancel")
    status("cancelled")
    again = http.post(f"jobs/{id}/cancel")
    assert (again.status_code, "has ended" in again.json()["error"]["message"]) == (400, True)


HOSTILE = (
    "/etc/passwd",
    "../../secret.jsonl",
    "http://169.254.169.254/latest",
    "file:///etc/passwd",
    "s3://bucket/rows.jsonl",
    "some/hub-model",
    "~/.ssh/id_rsa",
    True,
    {"a": 1},
)


def _outside() -> list[tuple[str, str]]:
    return [
        (kind, field.name) for kind in workflows.jobs() for field in fields(workflows.verb(kind).Spec) if field.outside
    ]


@pytest.mark.parametrize(("kind", "name"), _outside())
def test_no_field_reaches_outside(http: httpx.Client, client: OpenAI, kind: str, name: str) -> None:
    file = upload(client, rows(4)).id
    good = {"tune": {"rows": [file]}, "data": {"rows": [file]}, "export": {"run": "fiddle"}}
    spec: dict[str, Any] = {"evaluate": {"systems": ["fiddle"], "data": [file]}, **good}[kind]
    many = next(field.many for field in fields(workflows.verb(kind).Spec) if field.name == name)
    before = http.get("jobs", params={"limit": 100}).json()["data"]
    for value in HOSTILE:
        answer = http.post("jobs", json={"kind": kind, "spec": spec | {name: [value] if many else value}})
        assert answer.status_code in {400, 404}, (name, value, answer.text)
    assert http.get("jobs", params={"limit": 100}).json()["data"] == before


def test_every_other_text_has_been_looked_at() -> None:
    for kind in workflows.jobs():
        spec = workflows.verb(kind).Spec
        own = servers_own(spec, "x", WorkerOptions())
        texts = {
            field.name
            for field in fields(spec)
            if field.kind.startswith("text") and field.outside is None and field.name not in own
        }
        assert texts <= PLAIN_TEXT.keys(), f"{kind}: mark {texts - PLAIN_TEXT.keys()} as Outside, or say what they hold"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "serve", "spec": {}}, "no job"),
        ({"kind": "tun", "spec": {}}, "did you mean 'tune'"),
        ({"kind": "tune", "spec": {"rows": ["file-none"]}}, "no file 'file-none'"),
        ({"kind": "tune", "spec": {"output": "x"}}, "output is the server's to set"),
        ({"kind": "tune", "spec": {"resume": True}}, "resume is the server's to set"),
        ({"kind": "tune", "spec": {"rows": "x", "learning_rat": 1}}, "no file 'x'"),
        ({"kind": "export", "spec": {"run": "fiddle", "to": "gguf"}}, "to"),
        ({"kind": "evaluate", "spec": {"systems": ["all-minilm-l6-v2"], "data": []}}, "does not write text"),
        ({"kind": "evaluate", "spec": {"systems": ["none"], "data": []}}, "'none' does not exist"),
        ({"kind": "tune"}, "spec"),
    ],
)
def test_what_is_wrong_is_said_at_once(http: httpx.Client, body: Any, said: str) -> None:
    answer = http.post("jobs", json=body)
    assert answer.status_code in {400, 404}
    assert said in answer.json()["error"]["message"]


def test_a_batch_is_no_job_of_a_verb(http: httpx.Client, client: OpenAI) -> None:
    file = upload(client, "\n", purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h")
    assert http.get(f"jobs/{batch.id}").status_code == 404
