"""Access over HTTP: keys, projects that do not see each other, limits, use, and a log without people's words."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from serving import AS_OWNER, Running, ended, rows, serve, upload, wait_until

from luthier.access.keys import Keys
from luthier.access.options import Limits
from luthier.access.usage import Usage
from luthier.server.routes import ENDPOINTS
from luthier.store.database import Database

ASK: list[Any] = [{"role": "user", "content": "Say lira"}]
OPEN = {"/health"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("access") / "home"


@pytest.fixture(scope="module")
def running(home: Any) -> Iterator[Running]:
    """A server that has made its first key; two models with prices."""
    catalogue = home.parent / "models.yaml"
    models = [
        {"id": "fiddle", "aliases": ["gpt-4o-mini"], "input_price": 1000, "output_price": 5000, "training_price": 7},
        {"id": "all-minilm-l6-v2", "kind": "embedding", "input_price": 20},
    ]
    catalogue.write_text(json.dumps({"models": models}))
    running = serve(home, "--catalogue", str(catalogue), env={"LUTHIER_KEY": ""})
    yield running
    running.end()


@pytest.fixture(scope="module")
def keys(running: Running) -> Iterator[Keys]:
    database = Database.open(f"sqlite:///{running.home / 'luthier.db'}")
    yield Keys(database)
    database.close()


def log_of(running: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (running.home / "logs" / "server.jsonl").read_text().splitlines()]


def use_of(text: str, running: Running, **query: str) -> list[dict[str, Any]]:
    """Returns what was used, once it does not change any more: it is written together, a moment later."""

    def read() -> list[dict[str, Any]]:
        answer = httpx.get(f"{running.url}/luthier/usage", params=query, headers={"authorization": f"Bearer {text}"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return found

    before: list[dict[str, Any]] | None = None
    while (now := read()) != before:
        before = now
        time.sleep(1.0)
    return now


def test_the_first_start_prints_a_key_that_works(running: Running) -> None:
    said = "".join(file.read_text() for file in running.home.parent.glob("*.log"))
    (text,) = re.findall(r"OPENAI_API_KEY=(sk-luthier-\S+)", said)
    assert running.client(api_key=text).models.list().data
    with pytest.raises(openai.AuthenticationError, match="luthier keys create"):
        running.client(api_key="anything").models.list()


def test_only_health_is_open(running: Running) -> None:
    """Every route there is, with no key, a wrong one, and another scheme."""
    root = running.url.removesuffix("/v1")
    paths = [(one.method, "/v1" + one.path.replace(":path}", "}")) for one in ENDPOINTS]
    paths += [("GET", path) for path in ("/", "/metrics", "/health", "/openapi.json")]
    for method, path in paths:
        for headers in ({}, AS_OWNER, {"authorization": "Basic YTpi"}, {"authorization": "Bearer ="}):
            answer = httpx.request(method, root + path, headers=headers)
            assert answer.status_code == (200 if path in OPEN else 401), (method, path, headers)


def test_a_revoked_key_ends_within_moments(running: Running, keys: Keys) -> None:
    key, text = keys.add("shop", "till")
    client = running.client(api_key=text)
    assert client.models.list().data
    keys.revoke(key.id)

    def refused() -> bool:
        try:
            client.models.list()
        except openai.AuthenticationError:
            return True
        return False

    wait_until(refused, within_s=5)


def test_requests_are_limited_by_the_minute(running: Running, keys: Keys) -> None:
    _, text = keys.add("shop", "slow", Limits(requests_per_minute=2))
    client = running.client(api_key=text)
    first = client.models.with_raw_response.list()
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    client.models.list()
    with pytest.raises(openai.RateLimitError, match="2 requests a minute are used up") as caught:
        client.models.list()
    assert caught.value.code == "rate_limit_exceeded"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 30
    assert caught.value.response.headers["x-should-retry"] == "true"
    assert httpx.get(running.url.removesuffix("/v1") + "/health").status_code == 200


def test_tokens_are_limited_by_the_minute(running: Running, keys: Keys) -> None:
    _, text = keys.add("shop", "short", Limits(tokens_per_minute=5))
    client = running.client(api_key=text)
    reply = client.chat.completions.with_raw_response.create(model="fiddle", messages=ASK, max_tokens=16)
    assert reply.headers["x-ratelimit-limit-tokens"] == "5"
    with pytest.raises(openai.RateLimitError, match="5 tokens a minute are used up"):
        client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=16)
    assert client.models.list().data  # what uses no tokens goes on


def test_money_is_limited_by_the_month(running: Running, keys: Keys) -> None:
    _, text = keys.add("shop", "poor", Limits(monthly_budget=0.001))
    client = running.client(api_key=text)
    client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=4)
    with pytest.raises(openai.RateLimitError, match=r"the budget of 0\.001 for this month is spent") as caught:
        client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=4)
    assert caught.value.code == "insufficient_quota"
    assert caught.value.response.headers["x-should-retry"] == "false"
    with pytest.raises(openai.RateLimitError):
        client.fine_tuning.jobs.create(model="fiddle", training_file="file-none")
    assert client.models.list().data


def test_what_was_used_is_counted(running: Running, keys: Keys) -> None:
    key, text = keys.add("counted", "till")
    client = running.client(api_key=text)
    whole = client.chat.completions.create(model="gpt-4o-mini", messages=ASK, max_tokens=5, n=2).usage
    chunks = client.chat.completions.create(
        model="fiddle", messages=ASK, max_tokens=5, stream=True, stream_options={"include_usage": True}
    )
    streamed = [chunk.usage for chunk in chunks][-1]
    told = client.responses.create(model="fiddle", input="Say lira", max_output_tokens=16).usage
    plain = client.completions.create(model="fiddle", prompt=["a b", "c"], max_tokens=3, n=2).usage
    vectors = client.embeddings.create(model="all-minilm-l6-v2", input=["one", "two words"]).usage
    client.moderations.create(input="hello")
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="fiddle", messages=ASK, temperature=9)
    found = {one["kind"]: one for one in use_of(text, running, by="kind")}
    tokens = {kind: (one["requests"], one["input_tokens"], one["output_tokens"]) for kind, one in found.items()}
    assert whole is not None
    assert streamed is not None
    assert told is not None
    assert plain is not None
    both = (whole.prompt_tokens + streamed.prompt_tokens, whole.completion_tokens + streamed.completion_tokens)
    assert tokens == {
        "chat": (2, *both),
        "responses": (1, told.input_tokens, told.output_tokens),
        "completions": (1, plain.prompt_tokens, plain.completion_tokens),
        "embeddings": (1, vectors.prompt_tokens, 0),
        "moderations": (1, 0, 0),
    }
    assert found["chat"]["cost"] == pytest.approx((1000 * both[0] + 5000 * both[1]) / 1e6)
    assert {one["model"] for one in use_of(text, running, by="model")} >= {"fiddle", "all-minilm-l6-v2"}
    assert use_of(text, running, by="kind", key=key.id) == list(found.values())
    assert use_of(text, running, by="kind", since="2200-01-01") == []
    for query in ({"by": "colour"}, {"since": "soon"}, {"what": "1"}):
        answer = httpx.get(f"{running.url}/luthier/usage", params=query, headers={"authorization": f"Bearer {text}"})
        assert answer.status_code == 400, query


def test_a_reply_that_is_given_up_counts_as_far_as_it_went(running: Running, keys: Keys) -> None:
    _, text = keys.add("given-up", "till")
    client = running.client(api_key=text)
    listed = {"type": "array", "items": {"type": "boolean"}, "minItems": 700}
    schema = {"type": "object", "properties": {"a": listed}, "required": ["a"], "additionalProperties": False}
    form: Any = {"type": "json_schema", "json_schema": {"name": "list", "schema": schema}}
    stream = client.chat.completions.create(model="fiddle", messages=ASK, response_format=form, stream=True)
    for number, _ in enumerate(stream):
        if number == 10:
            break
    stream.close()

    def counted() -> Any:
        return use_of(text, running, by="kind")

    (one,) = wait_until(counted)
    assert (one["requests"], one["input_tokens"] > 0) == (1, True)
    assert 10 <= one["output_tokens"] < 1000


def test_batches_and_training_count_as_their_makers(running: Running, keys: Keys) -> None:
    key, text = keys.add("made", "till", Limits(requests_per_minute=10_000))
    client = running.client(api_key=text)
    lines = [
        {
            "custom_id": str(number),
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "fiddle", "messages": ASK, "max_tokens": 2},
        }
        for number in range(3)
    ]
    file = upload(client, lines, purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    job = client.fine_tuning.jobs.create(
        model="fiddle", training_file=upload(client, rows()).id, hyperparameters={"n_epochs": 1}
    )
    wait_until(lambda: client.batches.retrieve(batch.id).status == "completed")
    job = ended(client, job.id)
    client.chat.completions.create(model=job.fine_tuned_model, messages=ASK, max_tokens=2)
    found = {(one["kind"], one["model"]): one for one in use_of(text, running, by="kind,model", key=key.id)}
    assert found["chat", "fiddle"]["requests"] == 3
    assert found["training", "fiddle"]["input_tokens"] == job.trained_tokens
    assert found["training", "fiddle"]["cost"] == pytest.approx(7e-6 * job.trained_tokens)
    assert found["chat", job.fine_tuned_model]["cost"] > 0


def test_the_command_line_and_the_page_show_it(running: Running, keys: Keys) -> None:
    import luthier.server.usage as verb
    from luthier.report import ListReport

    _, text = keys.add("shown", "till")
    client = running.client(api_key=text)
    client.embeddings.create(model="all-minilm-l6-v2", input="one")
    client.moderations.create(input="one")
    assert len(use_of(text, running, by="kind")) == 2
    result = verb.run(verb.Spec(home=str(running.home), by=("project", "kind")), ListReport())
    assert ("shown", "embeddings") in [group for group, _ in result.groups]
    assert result.tables()[0].rows[-1][0] == "in all"
    page = httpx.get(running.url.removesuffix("/v1"), auth=("me", text)).text
    assert "Used this month" in page
    assert "embeddings" in page


def test_another_projects_header_is_said_to_be_ignored(running: Running, keys: Keys) -> None:
    _, text = keys.add("shop", "till")
    client = running.client(api_key=text, project="proj_abc")
    assert client.models.with_raw_response.list().headers["x-luthier-ignored"] == "OpenAI-Project"


# ---- projects


@pytest.fixture(scope="module")
def made(running: Running, keys: Keys) -> dict[str, str]:
    """Things of one project, by the name that routes give their ids."""
    _, text = keys.add("first-project", "till")
    client = running.client(api_key=text)
    file = upload(client, rows())
    job = ended(
        client,
        client.fine_tuning.jobs.create(
            model="fiddle", training_file=file.id, hyperparameters={"n_epochs": 1}, suffix="mine"
        ).id,
    )
    lines = [{"custom_id": "1", "method": "POST", "url": "/v1/embeddings", "body": {"model": "x", "input": "x"}}]
    batch_file = upload(client, lines, purpose="batch")
    chat = client.chat.completions.create(
        model="fiddle", messages=ASK, max_tokens=2, store=True, extra_headers={"x-test": "1"}
    )
    permission = client.fine_tuning.checkpoints.permissions.create(job.fine_tuned_model, project_ids=["a"])
    conversation = client.conversations.create(items=[{"type": "message", "role": "user", "content": "secret tea"}])
    verb = httpx.post(
        f"{running.url}/luthier/jobs",
        json={"kind": "tune", "spec": {"rows": [file.id], "max_steps": 1}},
        headers={"authorization": f"Bearer {text}"},
    ).json()
    upload_id = client.uploads.create(bytes=4, filename="a.jsonl", mime_type="text/plain", purpose="batch").id
    store = client.vector_stores.create(name="mine", file_ids=[file.id])
    files = client.vector_stores.file_batches.create(store.id, file_ids=[batch_file.id])
    return {
        "text": text,
        "file_id": file.id,
        "fine_tuning_job_id": job.id,
        "model": job.fine_tuned_model,
        "permission_id": permission.data[0].id,
        "batch_id": client.batches.create(
            input_file_id=batch_file.id, endpoint="/v1/embeddings", completion_window="24h"
        ).id,
        "batch_file": batch_file.id,
        "completion_id": chat.id,
        "response_id": client.responses.create(model="fiddle", input="Say lira", max_output_tokens=16).id,
        "conversation_id": conversation.id,
        "item_id": client.conversations.items.list(conversation.id).data[0].id,
        "job_id": verb["id"],
        "upload_id": upload_id,
        "vector_store_id": store.id,
        "file_batch_id": files.id,
    }


def test_no_route_shows_or_changes_what_is_another_projects(
    running: Running, keys: Keys, made: Mapping[str, str]
) -> None:
    """Every route with ids in its path, asked for another project's: not found, as if it were nowhere."""
    _, text = keys.add("second-project", "till")
    names = set()
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {text}"}, timeout=60) as other:
        for endpoint in ENDPOINTS:
            said_path = endpoint.path.replace("file_batches/{batch_id}", "file_batches/{file_batch_id}")
            inside = re.findall(r"{(\w+)(?::path)?}", said_path)
            if not inside:
                continue
            names |= set(inside)
            path = re.sub(r"{(\w+)(?::path)?}", lambda found: made[found[1]], said_path)
            answer = other.request(endpoint.method, path, **_body_of(endpoint.path))
            assert answer.status_code == 404, (endpoint.method, endpoint.path, answer.text)
            absent = re.sub(r"{(\w+)(?::path)?}", lambda found: _like(made[found[1]]), said_path)
            said = [other.request(endpoint.method, one, **_body_of(endpoint.path)).text for one in (path, absent)]
            for name in inside:
                said = [one.replace(made[name], "ID").replace(_like(made[name]), "ID") for one in said]
            assert said[0] == said[1], "what is another's looks like what is nowhere"
    assert names == set(made) - {"text", "batch_file"}, "every kind of id was tried"


def _like(id: str) -> str:
    return id[:-4] + "zzzz"


def _body_of(path: str) -> dict[str, Any]:
    known: dict[str, dict[str, Any]] = {
        "/chat/completions/{completion_id}": {"json": {"metadata": {"a": "b"}}},
        "/conversations/{conversation_id}": {"json": {"metadata": {"a": "b"}}},
        "/conversations/{conversation_id}/items": {
            "json": {"items": [{"type": "message", "role": "user", "content": "x"}]}
        },
        "/uploads/{upload_id}/parts": {"files": {"data": ("a", b"x")}},
        "/uploads/{upload_id}/complete": {"json": {"part_ids": ["part_x"]}},
        "/fine_tuning/checkpoints/{model:path}/permissions": {"json": {"project_ids": ["x"]}},
        "/vector_stores/{vector_store_id}": {"json": {"name": "x"}},
        "/vector_stores/{vector_store_id}/search": {"json": {"query": "x"}},
        "/vector_stores/{vector_store_id}/files": {"json": {"file_id": "x"}},
        "/vector_stores/{vector_store_id}/files/{file_id}": {"json": {"attributes": {"a": "b"}}},
        "/vector_stores/{vector_store_id}/file_batches": {"json": {"file_ids": ["x"]}},
    }
    return known.get(path, {})


def test_no_list_shows_what_is_another_projects(running: Running, keys: Keys, made: Mapping[str, str]) -> None:
    _, text = keys.add("second-project", "till")
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET" and "{" not in endpoint.path:
            answer = httpx.get(running.url + endpoint.path, headers={"authorization": f"Bearer {text}"})
            assert answer.status_code == 200
            assert not [id for name, id in made.items() if name != "text" and id in answer.text], endpoint.path
    page = httpx.get(running.url.removesuffix("/v1"), auth=("me", text)).text
    assert made["model"] not in page


def test_no_request_can_use_what_is_another_projects(
    running: Running, keys: Keys, made: Mapping[str, str], tmp_path: Any
) -> None:
    _, text = keys.add("second-project", "till")
    other = running.client(api_key=text)
    file = upload(other, rows())
    uses: list[Any] = [
        lambda: other.chat.completions.create(model=made["model"], messages=ASK),
        lambda: other.completions.create(model=made["model"], prompt="x"),
        lambda: other.responses.create(model=made["model"], input="x"),
        lambda: other.responses.create(model="fiddle", input="x", previous_response_id=made["response_id"]),
        lambda: other.responses.create(model="fiddle", input="x", conversation=made["conversation_id"]),
        lambda: other.responses.create(model="fiddle", input=[{"type": "item_reference", "id": made["item_id"]}]),
        lambda: other.fine_tuning.jobs.create(model="fiddle", training_file=made["file_id"]),
        lambda: other.fine_tuning.jobs.create(model="fiddle", training_file=file.id, validation_file=made["file_id"]),
        lambda: other.fine_tuning.jobs.create(model=made["model"], training_file=file.id),
        lambda: other.batches.create(
            input_file_id=made["batch_file"], endpoint="/v1/embeddings", completion_window="24h"
        ),
    ]
    for use in uses:
        with pytest.raises(openai.NotFoundError):
            use()
    for spec in ({"rows": [made["file_id"]]}, {"rows": [file.id], "model": made["model"]}):
        answer = httpx.post(
            f"{running.url}/luthier/jobs",
            json={"kind": "tune", "spec": spec},
            headers={"authorization": f"Bearer {text}"},
        )
        assert answer.status_code == 404, answer.text


def test_a_model_is_shared_with_a_project_by_permission_alone(
    running: Running, keys: Keys, made: Mapping[str, str]
) -> None:
    owner = running.client(api_key=made["text"])
    friend, stranger = (running.client(api_key=keys.add(name, "till")[1]) for name in ("friends", "strangers"))
    model = made["model"]
    (permission,) = owner.fine_tuning.checkpoints.permissions.create(model, project_ids=["friends"]).data
    assert friend.chat.completions.create(model=model, messages=ASK, max_tokens=2).choices
    assert (friend.models.retrieve(model).owned_by, model in [one.id for one in friend.models.list()]) == (
        "first-project",
        True,
    )
    job = friend.fine_tuning.jobs.create(
        model=model, training_file=upload(friend, rows()).id, hyperparameters={"n_epochs": 1}
    )
    assert ended(friend, job.id).status == "succeeded"
    for refused in (
        lambda: friend.models.delete(model),
        lambda: friend.fine_tuning.jobs.retrieve(made["fine_tuning_job_id"]),
        lambda: friend.fine_tuning.checkpoints.permissions.create(model, project_ids=["strangers"]),
        lambda: stranger.chat.completions.create(model=model, messages=ASK),
        lambda: stranger.models.retrieve(model),
    ):
        with pytest.raises(openai.NotFoundError):
            refused()
    assert model not in [one.id for one in stranger.models.list()]
    owner.fine_tuning.checkpoints.permissions.delete(permission.id, fine_tuned_model_checkpoint=model)
    with pytest.raises(openai.NotFoundError):
        friend.chat.completions.create(model=model, messages=ASK)
    assert model not in [one.id for one in friend.models.list()]


def test_beginnings_are_not_shared_between_projects(running: Running, keys: Keys) -> None:
    """Otherwise the time of an answer would say what others ask."""
    words = "The lamp of the lighthouse was lit by the keeper every evening before the storm came in. " * 8
    asked: list[Any] = [{"role": "system", "content": words}, {"role": "user", "content": "Say lira"}]
    clients = [running.client(api_key=keys.add(project, "till")[1]) for project in ("apart-a", "apart-b")]

    def cached(client: OpenAI) -> int:
        usage = client.chat.completions.create(model="fiddle", messages=asked, max_tokens=2).usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        return usage.prompt_tokens_details.cached_tokens or 0

    assert cached(clients[0]) == 0
    assert cached(clients[0]) > 0
    assert cached(clients[1]) == 0


# ---- the log


def test_the_log_has_requests_and_none_of_their_words(running: Running, keys: Keys) -> None:
    key, text = keys.add("logged", "till")
    client = running.client(api_key=text)
    word = "xylographer"
    messages: list[Any] = [{"role": "user", "content": f"Say {word}"}]
    reply = client.chat.completions.with_raw_response.create(model="fiddle", messages=messages, max_tokens=3)
    for _ in client.chat.completions.create(model="fiddle", messages=messages, max_tokens=3, stream=True):
        pass
    client.embeddings.create(model="all-minilm-l6-v2", input=word)
    file = upload(client, f'{{"no": "{word}"', name=f"{word}.jsonl")
    job = client.fine_tuning.jobs.create(model="fiddle", training_file=file.id)
    assert ended(client, job.id).status == "failed"
    refused = [
        {"model": word, "messages": messages},
        {"model": "fiddle", "messages": messages, "temperature": word},
        {"model": "fiddle", "messages": [{"role": word, "content": word}]},
        {"model": "fiddle", "messages": messages, word: 1},
    ]
    for body in refused:
        answer = httpx.post(f"{running.url}/chat/completions", json=body, headers={"authorization": f"Bearer {text}"})
        assert answer.status_code in {400, 404}
    httpx.get(f"{running.url}/models/{word}?{word}={word}", headers={"authorization": f"Bearer {word}"})
    lines = wait_until(lambda: [one for one in log_of(running) if one.get("project") == "logged"])
    (line,) = [one for one in lines if one["request_id"] == reply.headers["x-request-id"]]
    usage = json.loads(reply.text)["usage"]
    wanted = {
        "message": "request",
        "method": "POST",
        "route": "/chat/completions",
        "status": 200,
        "key": key.id,
        "models": ["fiddle"],
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
    }
    assert {name: line[name] for name in wanted} == wanted
    assert line["ms"] > 0
    # a line is written once its answer has been sent: the last request's comes last
    wait_until(lambda: [one for one in log_of(running) if one.get("route") == "" and one["status"] == 401])
    everything = (running.home / "logs" / "server.jsonl").read_text()
    everything += "".join(file.read_text() for file in running.home.parent.glob("*.log"))
    assert word not in everything
    assert text not in everything


def test_use_outlives_the_server(tmp_path: Any) -> None:
    """A server that is asked to end writes what has not been written yet."""
    running = serve(tmp_path / "home", "--workers", "0")
    client = running.client()
    client.embeddings.create(model="all-minilm-l6-v2", input="one")
    client.embeddings.create(model="all-minilm-l6-v2", input="two")
    running.end()
    database = Database.open(f"sqlite:///{tmp_path / 'home' / 'luthier.db'}")
    found = Usage(database).summed(["kind"])
    database.close()
    assert [(group, used.requests) for group, used in found] == [(("embeddings",), 2)]
