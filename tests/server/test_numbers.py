"""Every number of every endpoint, with values that are none, are too much, or are of another type.

They are found by walking the models of bodies, queries and specs. What is outside of a range is a 400 that names the
number and the range; what is inside is honoured, or refused for another stated reason; nothing is a 5xx or takes long,
no reply holds what is no number in JSON, and afterwards the server still answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from serving import AS_OWNER, Running, rows, upload

from luthier import workflows
from luthier.config import fields
from luthier.server.routes import ENDPOINTS
from luthier.server.wire.numbers import Number, numbers_of

VALUES = (
    "-1",
    "0",
    "NaN",
    "Infinity",
    "1e9",
    "1000000000",
    "1e308",
    "1" + "0" * 30,
    "true",
    '"1"',
    "null",
    "[]",
    "1.5",
)
PLACE = "@"
LIMIT_S = 20
ASK = [{"role": "user", "content": "Say lira"}]
CHAT = {"model": "fiddle", "messages": ASK, "max_tokens": 1, "max_completion_tokens": 1, "logprobs": True}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "/chat/completions": CHAT,
    "/completions": {"model": "fiddle", "prompt": "Say lira", "max_tokens": 1},
    "/responses": {"model": "fiddle", "input": "Say lira", "temperature": 0, "max_output_tokens": 16},
    "/embeddings": {"model": "all-minilm-l6-v2", "input": "lira"},
    "/files": {"purpose": "batch"},
    "/uploads": {"filename": "a.jsonl", "purpose": "batch", "bytes": 1, "mime_type": "text/plain"},
    "/fine_tuning/jobs": {"model": "fiddle", "training_file": "file_id"},
    "/batches": {"input_file_id": "batch_file", "endpoint": "/v1/embeddings", "completion_window": "24h"},
    "/responses/input_tokens": {"model": "fiddle", "input": "Say lira"},
    "/vector_stores/{vector_store_id}/search": {"query": "lira"},
    "/vector_stores/{vector_store_id}/files": {"file_id": "file_id"},
    "/vector_stores/{vector_store_id}/file_batches": {"file_ids": ["file_id"]},
}
"""What is sent around a number; ids stand for what `made` has."""
BESIDE = {
    "expires_after": {"anchor": "created_at"},
    "output_expires_after": {"anchor": "created_at"},
    "method": {"type": "supervised"},
    "chunking_strategy": {"type": "static"},
    "static": {"max_chunk_size_tokens": 4096, "chunk_overlap_tokens": 0},
}
TOOL = {"type": "file_search", "vector_store_ids": ["vector_store_id"]}
SHARES = {"embedding_weight": 1, "text_weight": 1}
SPECS: Mapping[str, Mapping[str, Any]] = {
    "tune": {"rows": ["file_id"]},
    "data": {"rows": ["file_id"]},
    "evaluate": {"systems": ["fiddle"], "data": ["file_id"]},
    "export": {"run": "fiddle"},
}


@pytest.fixture(scope="module")
def http(idle: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=idle.url, headers=AS_OWNER, timeout=LIMIT_S) as http:
        http.post("/embeddings", json=BODIES["/embeddings"], timeout=120).raise_for_status()
        yield http


@pytest.fixture(scope="module")
def made(idle: Running, http: httpx.Client) -> dict[str, str]:
    client = idle.client()
    lines = [{"custom_id": "1", "method": "POST", "url": "/v1/embeddings", "body": {}}]
    file = upload(client, rows()).id
    return {
        "file_id": file,
        "batch_file": upload(client, lines, purpose="batch").id,
        "fine_tuning_job_id": client.fine_tuning.jobs.create(model="fiddle", training_file=file).id,
        "completion_id": http.post("/chat/completions", json=CHAT | {"store": True}).json()["id"],
        "response_id": http.post("/responses", json=BODIES["/responses"]).json()["id"],
        "conversation_id": client.conversations.create(items=[{"role": "user", "content": "x"}]).id,
        "job_id": http.post("/luthier/jobs", json={"kind": "data", "spec": {"rows": [file]}}).json()["id"],
        "vector_store_id": (store := client.vector_stores.create().id),
        "batch_id": client.vector_stores.file_batches.create(store, file_ids=[file]).id,
        "model": "none",  # there is no tuned model without a worker
    }


def named(value: Any, made: Mapping[str, str]) -> Any:
    """Returns `value` with ids where it has names of `made`."""
    if isinstance(value, Mapping):
        return {key: named(one, made) for key, one in value.items()}
    if isinstance(value, list):
        return [named(one, made) for one in value]
    return made.get(value, value) if isinstance(value, str) else value


def put(path: str) -> dict[str, Any]:
    """Returns the keys that lead to a number, with a mark in its place."""
    key, _, rest = path.partition(".")
    name, lists = key.removesuffix("[]").removesuffix("[]"), key.count("[]")
    inner: Any = {"3": PLACE} if rest == "*" else put(rest) if rest else PLACE
    for _ in range(lists):
        inner = [inner]
    return {name: BESIDE.get(name, {}) | inner if isinstance(inner, dict) else inner}


def around(endpoint: Any, path: str) -> dict[str, Any]:
    """Returns a body with a mark in the place of the number at `path`."""
    given, body = put(path), dict(BODIES.get(endpoint.path, {}))
    if "vector_stores" in endpoint.path and "expires_after" in given:
        given["expires_after"] |= {"anchor": "last_active_at"}
    if "files" in given:  # each has chunking of its own
        given = {"files": [{"file_id": "file_id"} | given["files"][0]]}
        body.pop("file_ids", None)
    if "tools" in given:
        given = {"tools": [TOOL | given["tools"][0]]}
        ranking = given["tools"][0].get("ranking_options", {})
        if "hybrid_search" in ranking:
            ranking["hybrid_search"] = SHARES | ranking["hybrid_search"]
    return body | given


def inside(number: Number) -> str:
    """Returns a value that is in the range."""
    usual = (number.default, 1, number.least, number.most, 1e-3)
    return json.dumps(next(value for value in usual if number.allows(value)))


def no_number(name: str) -> Any:
    raise AssertionError(f"{name} in a reply")


def told(answer: httpx.Response) -> dict[str, Any]:
    """Returns the reply, which has numbers of JSON only, or the error object."""
    assert answer.status_code < 500, answer.text
    said: dict[str, Any] = json.loads(answer.text, parse_constant=no_number)
    if answer.status_code >= 400:
        assert set(said["error"]) == {"message", "type", "param", "code"}
        assert said["error"]["message"]
    return said


def check(number: Number, raw: str, answer: httpx.Response, param: str, range_: str) -> None:
    """Fails unless `answer` is what the range says of the value `raw`."""
    said, where = told(answer), f"{param} = {raw}: {answer.status_code} {answer.text[:300]}"
    value = json.loads(raw)
    if value is None and answer.status_code < 400:
        return  # it stands for a key that was left out
    if "[]" in number.path and isinstance(value, str | list):
        return  # the list may hold these as well
    if number.allows(value):
        assert answer.status_code < 400 or range_ not in said["error"]["message"], where
        return
    assert answer.status_code == 400, where
    assert said["error"]["param"] == param, where
    assert range_ in said["error"]["message"], where


def at(endpoint: Any, made: Mapping[str, str]) -> str:
    return re.sub(r"{(\w+)(?::path)?}", lambda found: made[found[1]], endpoint.path)


WITH_BODIES = [one for one in ENDPOINTS if one.body is not None and numbers_of(one.body)]
WITH_QUERIES = [one for one in ENDPOINTS if numbers_of(one.query)]


@pytest.mark.parametrize("endpoint", WITH_BODIES, ids=lambda one: one.path)
def test_in_bodies(http: httpx.Client, made: dict[str, str], endpoint: Any) -> None:
    url = at(endpoint, made)
    for path, number in numbers_of(endpoint.body).items():
        place = path.replace("[]", "[0]").removesuffix(".*")
        body = named(around(endpoint, path), made)
        for raw in (inside(number), *VALUES):
            if endpoint.file:
                texts = {f"{name}[{key}]": one for name, part in put(path).items() for key, one in part.items()}
                data = {"purpose": "batch"} | {k: raw.strip('"') if v == PLACE else v for k, v in texts.items()}
                answer = http.post(url, data=data, files={"file": ("a", b"x")})
            else:
                content = json.dumps(body).replace(json.dumps(PLACE), raw)
                answer = http.post(url, content=content, headers={"content-type": "application/json"})
            check(number, raw, answer, place, number.said)
            if raw == inside(number) and path != "input[]" and path != "input[][]":  # those are another model's ids
                assert answer.status_code == 200, answer.text
    assert http.get("/models").status_code == 200


@pytest.mark.parametrize("endpoint", WITH_QUERIES, ids=lambda one: one.path)
def test_in_queries(http: httpx.Client, made: dict[str, str], endpoint: Any) -> None:
    url = at(endpoint, made)
    for path, number in numbers_of(endpoint.query).items():
        for raw in (inside(number), *VALUES):
            answer = http.get(url, params={path: raw.strip('"')})
            if raw != '"1"':  # a query has no types
                check(number, raw, answer, path, number.said)
            if number.allows(json.loads(raw)) and "none" not in url:
                assert answer.status_code == 200, answer.text
    assert http.get("/models").status_code == 200


@pytest.mark.parametrize("kind", workflows.jobs())
def test_in_specs_of_jobs(http: httpx.Client, made: dict[str, str], kind: str) -> None:
    bounds = {field.name: field.bounds for field in fields(workflows.verb(kind).Spec)}
    for path, number in numbers_of(workflows.verb(kind).Spec).items():
        for raw in (inside(number), *VALUES):
            spec = named(SPECS[kind] | put(path), made)
            content = json.dumps({"kind": kind, "spec": spec}).replace(json.dumps(PLACE), raw)
            answer = http.post("/luthier/jobs", content=content, headers={"content-type": "application/json"})
            name = path.removesuffix("[]")  # of a list the whole is named
            check(number, raw, answer, f"spec.{name}", f"expected {'integer' if number.whole else 'number'} ")
            if answer.status_code == 400 and answer.json()["error"]["param"] == f"spec.{name}":
                assert bounds[name] in answer.json()["error"]["message"]
    assert http.get("/models").status_code == 200


def test_whoever_is_asked_last_still_answers(http: httpx.Client, idle: Running) -> None:
    answer = http.post("/chat/completions", json=CHAT)
    assert answer.json()["choices"][0]["message"]["role"] == "assistant"
    assert httpx.get(idle.url.removesuffix("/v1") + "/health").json() == {"status": "ok"}
