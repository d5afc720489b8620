"""Batches, by the real client: answered, refused, cancelled, taken up again after a kill."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI
from serving import Running, serve, upload, wait_until

from luthier.store.opened import Store
from luthier.store.options import StoreOptions

ENDED = {"completed", "failed", "cancelled", "expired"}
CHAT = "/v1/chat/completions"


def line(custom_id: str, body: dict[str, Any], *, url: str = CHAT) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}


def chat(text: str, **options: Any) -> dict[str, Any]:
    asked = [{"role": "user", "content": text}]
    return {"model": "fiddle", "messages": asked, "temperature": 0, "max_tokens": 6} | options


def begin(client: OpenAI, lines: Any, *, endpoint: Any = CHAT, **options: Any) -> Any:
    file = upload(client, lines, name="batch.jsonl", purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h", **options)


def ended(client: OpenAI, id: str) -> Any:
    def look() -> Any:
        batch = client.batches.retrieve(id)
        return batch if batch.status in ENDED else None

    return wait_until(look)


def results(client: OpenAI, file_id: str) -> dict[str, Any]:
    lines = [json.loads(text) for text in client.files.content(file_id).text.splitlines()]
    assert len({one["custom_id"] for one in lines}) == len(lines)
    return {one["custom_id"]: one for one in lines}


@pytest.mark.both_databases
def test_every_line_gets_its_answer(client: OpenAI) -> None:
    lines = [line(f"r{number}", chat(f"Say {number}")) for number in range(10)]
    lines.append(line("bad", chat("x", model="none")))
    begun = begin(client, lines, metadata={"for": "test"})
    assert (begun.status, begun.metadata) == ("validating", {"for": "test"})
    batch = ended(client, begun.id)
    assert batch.status == "completed"
    assert batch.request_counts.model_dump() == {"total": 11, "completed": 10, "failed": 1}
    assert batch.created_at <= batch.in_progress_at <= batch.finalizing_at <= batch.completed_at
    found = results(client, batch.output_file_id)
    for number in range(10):
        response = found[f"r{number}"]["response"]
        said = client.chat.completions.create(**chat(f"Say {number}"))
        assert response["status_code"] == 200
        assert response["body"]["choices"][0]["message"]["content"] == said.choices[0].message.content
    assert batch.usage.output_tokens == sum(
        one["response"]["body"]["usage"]["completion_tokens"] for one in found.values()
    )
    wrong = results(client, batch.error_file_id)["bad"]["response"]
    assert (wrong["status_code"], wrong["body"]["error"]["code"]) == (404, "model_not_found")
    file = client.files.retrieve(batch.output_file_id)
    assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert batch.id in [one.id for one in client.batches.list(limit=1)]


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("/v1/embeddings", {"model": "all-minilm-l6-v2", "input": "a mill"}),
        ("/v1/responses", {"model": "fiddle", "input": "Say x", "max_output_tokens": 16, "store": False}),
        ("/v1/completions", {"model": "fiddle", "prompt": "The mill", "max_tokens": 3}),
        ("/v1/moderations", {"input": "a mill"}),
    ],
)
def test_every_endpoint_can_be_asked(client: OpenAI, endpoint: str, body: dict[str, Any]) -> None:
    batch = ended(client, begin(client, [line("one", body, url=endpoint)], endpoint=endpoint).id)
    assert (batch.status, batch.error_file_id) == ("completed", None)
    assert results(client, batch.output_file_id)["one"]["response"]["status_code"] == 200


def test_a_file_with_bad_lines_is_refused_whole(client: OpenAI) -> None:
    good = line("a", chat("x"))
    lines = [
        json.dumps(good),
        "",
        "{",
        json.dumps(good),
        json.dumps(line("b", chat("x"), url="/v1/embeddings")),
        json.dumps(good | {"custom_id": "c", "method": "GET"}),
        json.dumps({"custom_id": "d"}),
        json.dumps(line("e", chat("x", stream=True))),
        "[]",
        json.dumps(line("f", chat("x", seed=float("nan")))),
        json.dumps(line("\ud83d", chat("x"))),
        "[" * 100_000,
    ]
    batch = ended(client, begin(client, "\n".join(lines)).id)
    assert (batch.status, batch.output_file_id) == ("failed", None)
    assert [(error.line, error.code) for error in batch.errors.data] == [
        (3, "invalid_json_line"),
        (4, "duplicate_custom_id"),
        (5, "invalid_url"),
        (6, "invalid_method"),
        (7, "missing_required_parameter"),
        (8, "invalid_value"),
        (9, "invalid_json_line"),
        (10, "invalid_json_line"),
        (11, "invalid_json_line"),
        (12, "invalid_json_line"),
    ]
    assert ended(client, begin(client, "\n").id).errors.data[0].code == "empty_file"


def test_what_is_wrong_at_once_is_said_at_once(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no file 'file-none'"):
        client.batches.create(input_file_id="file-none", endpoint=CHAT, completion_window="24h")
    file = upload(client, [{"messages": []}])
    with pytest.raises(openai.BadRequestError, match="purpose='batch'"):
        client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    with pytest.raises(openai.BadRequestError):
        client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="1h")  # type: ignore[arg-type]
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_none")


def slow(count: int, tokens: int = 200) -> list[dict[str, Any]]:
    return [
        line(f"r{number}", chat(f"Say {number} ", temperature=2, seed=1, max_tokens=tokens)) for number in range(count)
    ]


@pytest.mark.both_databases
def test_a_cancelled_batch_keeps_what_it_has(client: OpenAI) -> None:
    begun = begin(client, slow(300))

    def some() -> Any:
        return client.batches.retrieve(begun.id).request_counts.completed >= 3

    wait_until(some)
    assert client.batches.cancel(begun.id).status == "cancelling"
    batch = ended(client, begun.id)
    assert (batch.status, batch.cancelled_at >= batch.cancelling_at) == ("cancelled", True)
    assert 3 <= len(results(client, batch.output_file_id)) == batch.request_counts.completed < 300
    with pytest.raises(openai.BadRequestError, match=r"has ended \(cancelled\)"):
        client.batches.cancel(begun.id)


def test_a_killed_server_goes_on_after_what_it_has(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = serve(home, "--workers", "0")
    batch = begin(first.client(), slow(120, tokens=150))

    def count(running: Running) -> int:
        return int(running.clients[0].batches.retrieve(batch.id).request_counts.completed)

    wait_until(lambda: count(first) >= 5)
    first.end(signal.SIGKILL)
    (partial,) = (home / "batches" / batch.id).glob("output.*")
    kept = partial.read_text().lstrip("\n").splitlines(keepends=True)
    with partial.open("a") as stream:
        stream.write(kept[-1][:40])  # a line that was cut off
    second = serve(home, "--workers", "0")
    try:
        done = ended(second.client(), batch.id)
        assert done.status == "completed"
        assert done.request_counts.model_dump() == {"total": 120, "completed": 120, "failed": 0}
        found = second.client().files.content(done.output_file_id).text
        assert set(kept) <= set(found.splitlines(keepends=True))
        assert len(results(second.client(), done.output_file_id)) == 120
        assert not partial.parent.exists()
    finally:
        second.end()


def test_a_batch_that_is_cancelled_while_no_server_runs_keeps_its_answers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = serve(home, "--workers", "0")
    batch = begin(first.client(), slow(240, tokens=150))
    wait_until(lambda: first.clients[0].batches.retrieve(batch.id).request_counts.completed >= 3)
    first.end()
    store = Store.open(StoreOptions(home=str(home)))
    assert store.jobs.get(batch.id).attempts == 0, "an orderly end is no failed attempt"
    assert store.jobs.want(batch.id, "cancel").status == "queued"
    store.close()
    second = serve(home, "--workers", "0")
    try:
        done = ended(second.client(), batch.id)
        assert done.status == "cancelled"
        assert 3 <= len(results(second.client(), done.output_file_id)) == done.request_counts.completed < 240
    finally:
        second.end()
