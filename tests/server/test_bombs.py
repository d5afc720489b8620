"""Bodies and schemas that are made to take the server's time or memory: refused in words, while others are answered."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import pytest
from serving import AS_OWNER, Running

LIMIT_S, OTHERS_S = 30.0, 15.0
"""How long a bomb and somebody else's request may take: far above what they do, and far below a hang."""
MIB = 2**20
ROOM_MIB = 700
"""What the server may take for a body of 63 MiB beside its models."""
ASK = [{"role": "user", "content": "x"}]
CHAT = {"model": "fiddle", "max_tokens": 2, "messages": ASK}
AS_JSON = {"content-type": "application/json"}


@dataclass
class Seen:
    """What was seen meanwhile: the longest that another request took, and the most memory of the server."""

    longest_s: float = 0.0
    memory_mib: list[float] = field(default_factory=list)


@contextmanager
def others(server: Running) -> Iterator[Seen]:
    """Asks for the models and for chats all the while, and looks at the server's memory."""
    seen, over = Seen(), threading.Event()
    process = psutil.Process(server.process.pid)

    def ask() -> None:
        with httpx.Client(base_url=server.url, headers=AS_OWNER, timeout=LIMIT_S) as http:
            while not over.wait(0.05) or not seen.memory_mib:
                began = time.monotonic()
                http.get("/models").raise_for_status()
                http.post("/chat/completions", json=CHAT).raise_for_status()
                seen.longest_s = max(seen.longest_s, time.monotonic() - began)
                seen.memory_mib.append(process.memory_info().rss / MIB)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield seen
    finally:
        over.set()
        asking.join()
    assert 0 < seen.longest_s < OTHERS_S


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=AS_OWNER | AS_JSON, timeout=LIMIT_S) as http:
        http.post("/chat/completions", json=CHAT, timeout=120).raise_for_status()  # it loads the model
        yield http


def refused(answer: httpx.Response, status: int, param: str | None = None, said: str = "") -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param), answer.text[:500]
    assert said in error["message"]
    assert len(error["message"]) < 600


def chat(**more: Any) -> str:
    return json.dumps(CHAT | more)


DEEP = 100_000
NO_JSON = {
    "deep lists": "[" * DEEP + "]" * DEEP,
    "deep lists in a key": '{"model": "x", "messages": ' + "[" * DEEP + "]" * DEEP + "}",
    "deep objects in an ignored key": chat(user=None).replace("null", '{"a":' * DEEP + "1" + "}" * DEEP),
    "cut off": chat()[:-1],
    "digits without end": chat(seed=1).replace('"seed": 1', '"seed": ' + "1" * 10_000),
    "digits in an ignored key": chat(user=None).replace("null", "1" * 10_000),
    "invalid UTF-8": chat(model="x").encode().replace(b'"x"', b'"\xff"'),
    "a surrogate": chat(model="x").encode().replace(b'"x"', b'"\xed\xa0\x80"'),
    "half a pair": chat(model="x").replace('"x"', r'"\ud800"'),
    "a byte order mark": b"\xef\xbb\xbf" + chat().encode(),
    "UTF-16": chat().encode("utf-16"),
}


@pytest.mark.parametrize("raw", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_said_to_be_none(http: httpx.Client, raw: str | bytes) -> None:
    answer = http.post("/chat/completions", content=raw)
    refused(answer, 400, None, "not valid JSON")
    assert answer.json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize("raw", ["null", "[]", '"x"', "12", "[" + chat() + "]"], ids=lambda raw: raw[:8])
def test_a_body_is_an_object(http: httpx.Client, raw: str) -> None:
    refused(http.post("/chat/completions", content=raw), 400, None, "should be an object")


def test_an_empty_body_is_an_empty_object(http: httpx.Client) -> None:
    for raw in (b"", b" \n"):
        refused(http.post("/chat/completions", content=raw), 400, "model", "Missing")


def test_of_a_key_that_is_there_twice_the_last_counts(http: httpx.Client) -> None:
    """As the parsers of Python, JavaScript and most others have it."""
    body = chat()[:-1]
    assert http.post("/chat/completions", content=body + ', "n": 0, "n": 1}').status_code == 200
    refused(http.post("/chat/completions", content=body + ', "n": 1, "n": 0}'), 400, "n", "from 1 to 128")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_of_another_type_is_refused(http: httpx.Client, kind: str) -> None:
    answer = http.post("/chat/completions", content=chat(), headers={"content-type": kind})
    refused(answer, 415, None, "must be application/json")
    for given in ("application/json; charset=utf-8", "APPLICATION/JSON"):
        assert http.post("/chat/completions", content=chat(), headers={"content-type": given}).status_code == 200
    cancel = http.post("/uploads/none/cancel", content=b"", headers={"content-type": kind})
    assert cancel.status_code == 404


def test_a_compressed_body_is_refused(http: httpx.Client) -> None:
    for raw in (gzip.compress(chat().encode()), chat().encode()):
        answer = http.post("/chat/completions", content=raw, headers={"content-encoding": "gzip"})
        refused(answer, 415, None, "not compressed")


def test_no_number_that_is_none_comes_back(http: httpx.Client) -> None:
    """Schemas are repeated in a response, and JSON has no word for what is not finite."""
    for value in ("NaN", "Infinity", "1e400"):
        tool = {"type": "function", "name": "f", "parameters": {"a": 0}}
        content = json.dumps({"model": "fiddle", "input": "x", "tools": [tool]}).replace("0}", value + "}")
        refused(http.post("/responses", content=content), 400, "tools[0].parameters", "not finite")


LARGE = {
    "text of a chat": ("/chat/completions", lambda: chat(messages=[ASK[0] | {"content": "x" * 63 * MIB}]), 400),
    "a prompt": ("/completions", lambda: json.dumps({"model": "fiddle", "prompt": "x " * 31 * MIB}), 400),
    "tools": (
        "/chat/completions",
        lambda: chat(
            tools=[{"type": "function", "function": {"name": "f", "parameters": {"description": "x" * 9 * MIB}}}]
        ),
        400,
    ),
    "empty lists": ("/completions", lambda: '{"model": "fiddle", "prompt": [' + "[]," * 21 * MIB + "[1]]}", 413),
    "tokens": ("/completions", lambda: '{"model": "fiddle", "prompt": [' + "1," * 31 * MIB + "1]}", 413),
    "messages": ("/chat/completions", lambda: chat(messages=ASK * 20_000), 400),
    "a text to moderate": ("/moderations", lambda: json.dumps({"input": "a b " * 15 * MIB}), 400),
    "texts to embed": (
        "/embeddings",
        lambda: json.dumps({"model": "all-minilm-l6-v2", "input": ["ab " * 10_000] * 2048}),
        400,
    ),
    "beyond the limit": ("/chat/completions", lambda: chat(messages=[ASK[0] | {"content": "x" * 65 * MIB}]), 413),
}


@pytest.mark.slow
@pytest.mark.parametrize(("path", "body", "status"), LARGE.values(), ids=LARGE)
def test_a_large_body_takes_little_memory_and_holds_nobody_up(
    http: httpx.Client, server: Running, path: str, body: Any, status: int
) -> None:
    content, before = body().encode(), psutil.Process(server.process.pid).memory_info().rss / MIB
    with others(server) as seen:
        answer = http.post(path, content=content)
    assert answer.status_code == status, answer.text[:300]
    assert answer.json()["error"]["message"]
    assert max(seen.memory_mib) - before < ROOM_MIB


def test_many_values_are_counted_outside_of_texts(http: httpx.Client) -> None:
    """A text with more commas than a body may have values is still a text."""
    answer = http.post("/moderations", json={"input": ',"[{' * 400_000})
    assert answer.status_code == 200


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def pattern(text: str) -> dict[str, Any]:
    return {"type": "string", "pattern": text}


REFUSED_SCHEMAS = {
    "deep": nested(40),
    "of itself": {"$ref": "#"},
    "a circle": {
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "$ref": "#/$defs/a",
    },
    "all of itself": {"allOf": [{"$ref": "#"}]},
    "10,000 alternatives": {"anyOf": [{"const": number} for number in range(10_000)]},
    "alternatives of objects": {"anyOf": [{"properties": {f"a{number}": {}}} for number in range(1_200)]},
    "alternatives multiplied": {
        "allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"properties": {f"a{n}": {"type": "null"}}}]} for n in range(20)]
    },
    "quantifiers multiplied": pattern("^(a{1000}){1000}$"),
    "three of them": pattern("^((a{100}){100}){100}$"),
    "groups in groups": pattern("(" * 5_000 + "a" + ")" * 5_000),
    "two patterns at once": {"allOf": [pattern("^.*a.{18}$"), pattern("^.*b.{18}$")]},
    "a reference back": pattern(r"^(a+)\1$"),
    "no pattern": pattern("("),
    "more than there is": {"type": "array", "minItems": 5, "maxItems": 2},
    "a length below 0": {"type": "string", "maxLength": -1},
    "half an item": {"type": "array", "minItems": 1.5},
    "numbers beyond floats": {"type": "integer", "maximum": 10**400},
    "a file": {"$ref": "file:///etc/passwd"},
    "another server": {"$ref": "http://127.0.0.1:1/x"},
}
HONOURED_SCHEMAS = {
    "endlessly many items": {"type": "array", "items": {"type": "integer"}, "minItems": 10**9},
    "an endless text": {"type": "string", "minLength": 10**9},
    "an object of itself": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "what takes matchers ages": pattern("^(a+)+$"),
    "and this": pattern("^(a|a)*b$"),
    "many states": pattern("^(.*a.{40}|.*b.{40})$"),
    "doubled 28 times": {
        "$defs": {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(28)} | {"a28": {}},
        "$ref": "#/$defs/a0",
    },
}


def formed(schema: Any) -> dict[str, Any]:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    return CHAT | {"response_format": form, "temperature": 0}


@pytest.mark.parametrize("schema", REFUSED_SCHEMAS.values(), ids=REFUSED_SCHEMAS)
def test_a_schema_that_is_a_bomb_is_refused_by_its_key(http: httpx.Client, server: Running, schema: Any) -> None:
    with others(server):
        answer = http.post("/chat/completions", json=formed(schema))
    refused(answer, 400, "response_format.json_schema.schema", "response_format: schema")


@pytest.mark.parametrize("schema", HONOURED_SCHEMAS.values(), ids=HONOURED_SCHEMAS)
def test_a_schema_that_only_looks_like_one_is_followed(http: httpx.Client, server: Running, schema: Any) -> None:
    with others(server):
        answer = http.post("/chat/completions", json=formed(schema))
    assert answer.status_code == 200, answer.text[:300]


def test_a_bomb_in_a_tool_is_refused_too(http: httpx.Client) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": REFUSED_SCHEMAS["quantifiers multiplied"]}}
    answer = http.post("/chat/completions", json=CHAT | {"tools": [tool], "tool_choice": "required"})
    refused(answer, 400, "tools", "tools: schema")
    form = {"format": {"type": "json_schema", "name": "a", "schema": REFUSED_SCHEMAS["a circle"]}}
    answer = http.post("/responses", json={"model": "fiddle", "input": "x", "max_output_tokens": 16, "text": form})
    refused(answer, 400, "text.format.schema", "allows no reply")
