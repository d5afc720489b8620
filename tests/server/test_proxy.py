"""Models behind another server: a second server of ours stands there, unless it has to misbehave."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from serving import KEY, TOOL, Running, serve, upload

ASKED = [{"role": "user", "content": "Text: Ada Quill keeps the mill at Tarn.\nQuestion: Who keeps the mill at Tarn?"}]
SCHEMA = {
    "type": "object",
    "properties": {"keeper": {"type": "string", "maxLength": 20}},
    "required": ["keeper"],
    "additionalProperties": False,
}


class Odd(BaseHTTPRequestHandler):
    """A server that answers what its model is called."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        kind = asked["model"]
        if kind == "busy":
            self.answer(429, {"error": {"message": "slow down"}})
        elif kind == "locked":
            self.answer(401, {"error": {"message": f"key {self.headers.get('authorization')}"}})
        elif kind == "broken":
            self.answer(500, {"detail": "oh"})
        else:
            text = {"loose": '{"keeper": 3}', "cut": "Ada"}[kind]
            chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            frames = [chunk] if kind == "cut" else [chunk, end]
            body = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames).encode()
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def odd() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def proxy(on_sqlite: Any, odd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, url, far = tmp_path_factory.mktemp("proxy"), on_sqlite.running.url, "LUTHIER_FAR_KEY"
    entries: list[dict[str, Any]] = [
        {
            "id": "far",
            "model": "fiddle",
            "url": url,
            "key_variable": far,
            "aliases": ["gpt-far"],
            "context": 2048,
            "quality": "a <b>",
        },
        {"id": "far-vectors", "model": "all-minilm-l6-v2", "kind": "embedding", "url": url, "key_variable": far},
        {"id": "nobody", "url": "http://127.0.0.1:9/v1"},
        {"id": "unset", "model": "locked", "url": odd, "key_variable": "LUTHIER_TEST_UNSET"},
        {"id": "locked", "url": odd, "key_variable": "LUTHIER_TEST_KEY"},
        *({"id": name, "url": odd, "input_price": 2.5} for name in ("busy", "broken", "loose", "cut")),
    ]
    (folder / "models.yaml").write_text(json.dumps({"models": entries}))
    env = {"LUTHIER_TEST_KEY": "sesame", "LUTHIER_KEY": "abc", far: KEY}
    running = serve(folder / "home", "--catalogue", str(folder / "models.yaml"), "--workers", "0", env=env)
    yield running
    running.end()


@pytest.fixture(scope="module")
def far(proxy: Running) -> OpenAI:
    return proxy.client(api_key="abc")


def say(client: OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "far", "messages": ASKED, "temperature": 0, "max_tokens": 12} | options
    )


def test_replies_are_those_of_the_other_server(client: OpenAI, far: OpenAI) -> None:
    near = say(client, model="fiddle", logprobs=True, top_logprobs=2).choices[0]
    there = say(far, model="gpt-far", logprobs=True, top_logprobs=2)
    assert there.model == "gpt-far"
    assert there.choices[0].message.content == near.message.content
    assert there.choices[0].finish_reason == near.finish_reason
    for one, other in zip(there.choices[0].logprobs.content, near.logprobs.content, strict=True):
        assert one.token == other.token
        assert one.logprob == pytest.approx(other.logprob, abs=1e-5)  # one of them begins in the other's state
        assert [each.token for each in one.top_logprobs] == [each.token for each in other.top_logprobs]
    assert there.usage.completion_tokens > 0
    chunks = list(say(far, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == near.message.content
    assert chunks[-1].usage.model_dump() == there.usage.model_dump()


def test_settings_are_handed_on(client: OpenAI, far: OpenAI) -> None:
    for options in (
        {"temperature": 1.2, "seed": 5, "n": 2, "top_p": 0.9, "presence_penalty": 1.0, "stop": ["a"]},
        {"tools": [TOOL], "tool_choice": "required", "max_tokens": 60},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}, "max_tokens": 60},
    ):
        near, there = say(client, **options | {"model": "fiddle"}), say(far, **options)
        for ours, theirs in zip(near.choices, there.choices, strict=True):
            assert ours.message.content == theirs.message.content
            assert ours.finish_reason == theirs.finish_reason
            calls = [[call.function.arguments for call in one.message.tool_calls or []] for one in (ours, theirs)]
            assert calls[0] == calls[1]


def test_plain_completions_and_vectors_are_forwarded(client: OpenAI, far: OpenAI) -> None:
    asked: dict[str, Any] = {"prompt": ["The mill at", "One two"], "max_tokens": 4, "temperature": 0, "logprobs": 1}
    near, there = (c.completions.create(model=m, **asked) for c, m in ((client, "fiddle"), (far, "far")))
    assert [one.model_dump() for one in there.choices] == [one.model_dump() for one in near.choices]
    assert there.model == "far"
    pieces = list(far.completions.create(model="far", prompt="The mill", max_tokens=4, temperature=0, stream=True))
    assert {piece.model for piece in pieces} == {"far"}
    vectors = far.embeddings.create(model="far-vectors", input="a mill").data[0].embedding
    assert vectors == client.embeddings.create(model="all-minilm-l6-v2", input="a mill").data[0].embedding


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        ("nobody", openai.InternalServerError, "does not answer"),
        ("unset", openai.InternalServerError, "unset: its key is not set"),
        ("locked", openai.InternalServerError, "Bearer sesame"),
        ("busy", openai.RateLimitError, "slow down"),
        ("broken", openai.InternalServerError, "answered 500: oh"),
        ("cut", openai.InternalServerError, "ended in the middle"),
    ],
)
def test_what_goes_wrong_there_is_said_here(far: OpenAI, model: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        say(far, model=model)
    assert "127.0.0.1" not in str(caught.value)
    with pytest.raises(openai.APIError) as streamed:
        list(say(far, model=model, stream=True))
    assert type(streamed.value) is (openai.APIError if model == "cut" else kind)  # its first pieces were sent
    retry = {"nobody": "true", "busy": "true", "broken": "true", "cut": "true"}.get(model, "false")
    assert caught.value.response.headers["x-should-retry"] == retry  # type: ignore[attr-defined]


def test_a_reply_that_ignores_its_schema_is_an_error(far: OpenAI) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    with pytest.raises(openai.InternalServerError, match=r"keeper.*3 is not of type 'string'"):
        say(far, model="loose", response_format=form)
    assert say(far, model="loose").choices[0].message.content == '{"keeper": 3}'
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"properties": {"a": deep}}
    with pytest.raises(openai.BadRequestError, match="levels"):
        say(far, model="loose", response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": deep}})


def test_a_reply_that_calls_no_tool_where_it_must_is_an_error(far: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        say(far, model="loose", tools=[TOOL], tool_choice="required")
    assert caught.value.code == "tool_not_called"


def test_responses_and_conversations_go_through(client: OpenAI, far: OpenAI) -> None:
    talk = far.conversations.create()
    asked: dict[str, Any] = {"input": ASKED[0]["content"], "temperature": 0, "max_output_tokens": 16}
    near = client.responses.create(model="fiddle", **asked)
    there = far.responses.create(model="far", conversation=talk.id, **asked)
    assert there.output_text == near.output_text
    assert len(list(far.conversations.items.list(talk.id))) == 2
    with pytest.raises(openai.RateLimitError):
        far.responses.create(model="busy", stream=True, **asked)
    with pytest.raises(openai.BadRequestError, match="only models of this machine"):
        far.responses.create(model="far", truncation="auto", **asked)


def test_what_another_server_cannot_do_is_refused(far: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="token ids mean something else"):
        say(far, logit_bias={"5": 1})
    with pytest.raises(openai.BadRequestError, match="token ids mean something else"):
        far.completions.create(model="far", prompt="x", logit_bias={"5": 1})
    with pytest.raises(openai.BadRequestError, match="it writes no text"):
        far.completions.create(model="far-vectors", prompt="x")
    with pytest.raises(openai.BadRequestError, match="it makes no vectors"):
        far.embeddings.create(model="far", input="x")
    file = upload(far, [{"messages": [*ASKED, {"role": "assistant", "content": "x"}]}])
    with pytest.raises(openai.BadRequestError, match="on another server and cannot be tuned"):
        far.fine_tuning.jobs.create(model="far", training_file=file.id)


def test_the_page_lists_the_models_to_those_with_the_key(proxy: Running) -> None:
    address = proxy.url.removesuffix("v1")
    refused = httpx.get(address)
    assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic")
    word = base64.b64encode(b"me:abc").decode()
    page = httpx.get(address, headers={"authorization": f"Basic {word}"})
    assert page.status_code == 200
    for said in ("gpt-far", "another server", "2,048", "2.5", "a &lt;b&gt;", proxy.url):
        assert said in page.text
    assert httpx.get(address, headers={"authorization": "Basic !"}).status_code == 401
    assert httpx.get(f"{proxy.url}/models", headers={"authorization": f"Basic {word}"}).status_code == 401


def test_a_model_that_cannot_be_loaded_is_called_by_its_name(tmp_path: Path) -> None:
    broken = tmp_path / "secret place" / "weights"
    broken.mkdir(parents=True)
    (broken / "config.json").write_text("{}")
    (tmp_path / "models.yaml").write_text(json.dumps({"models": [{"id": "mine", "model": str(broken)}]}))
    running = serve(tmp_path / "home", "--catalogue", str(tmp_path / "models.yaml"), "--workers", "0")
    try:
        with pytest.raises(openai.BadRequestError, match="mine") as caught:
            say(running.client(), model="mine")
        assert "secret" not in str(caught.value)
    finally:
        running.end()
