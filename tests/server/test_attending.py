"""Replies that nobody waits for any more, or that take too long, are given up; the engine is free then."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import psutil
import pytest
from openai import OpenAI
from serving import AS_OWNER, KEY, Running, serve
from starlette.requests import ClientDisconnect

from luthier.models.load import load_model
from luthier.models.options import LoadOptions
from luthier.server.attending import attended, deadline_of, until
from luthier.server.errors import ApiError

TOKENS = 400


class Client:
    """An ASGI client that leaves when told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}


class Work:
    """Work that never ends by itself, and says whether it was given up."""

    def __init__(self) -> None:
        self.begun, self.given_up = asyncio.Event(), False

    async def run(self) -> None:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.given_up = True

    async def pieces(self) -> AsyncIterator[int]:
        yield 1
        await self.run()


def test_work_ends_with_its_client_at_its_deadline_or_by_itself() -> None:
    async def follow() -> None:
        client, work = Client(), Work()
        waiting = asyncio.ensure_future(attended(work.run(), client.receive, None))
        await work.begun.wait()
        client.left.set()
        with pytest.raises(ClientDisconnect):
            await waiting
        assert work.given_up
        late = Work()
        with pytest.raises(ApiError, match="request-timeout-s") as caught:
            await attended(late.run(), Client().receive, deadline_of(0.01))
        assert (caught.value.status, caught.value.code, late.given_up) == (504, "timeout", True)
        assert await attended(asyncio.sleep(0, "done"), Client().receive, deadline_of(100)) == "done"
        assert deadline_of(0) is None

    asyncio.run(follow())


def test_whose_work_is_ended_from_outside_or_fails_by_itself_is_told_so() -> None:
    async def fail(error: Exception) -> None:
        raise error

    async def follow() -> None:
        for error in (ValueError("mine"), TimeoutError("mine")):
            with pytest.raises(type(error), match="mine"):
                await attended(fail(error), Client().receive, deadline_of(100))
        work = Work()
        waiting = asyncio.ensure_future(attended(work.run(), Client().receive, None))
        await work.begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert work.given_up

    asyncio.run(follow())


def test_a_stream_gives_what_there_is_until_its_deadline() -> None:
    async def follow() -> None:
        work = Work()
        pieces = until(work.pieces(), deadline_of(0.01))
        assert await anext(pieces) == 1
        with pytest.raises(ApiError, match="longer"):
            await anext(pieces)
        assert work.given_up

    asyncio.run(follow())


# ---- a server process


@pytest.fixture(scope="module")
def no_end() -> dict[str, int]:
    """Returns the bias that keeps the embedded model from ending a reply."""
    template = load_model("fiddle", LoadOptions(device="cpu")).template
    return {str(token): -100 for token in template.stop_ids}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yields a server whose processor time is that of this module's requests."""
    running = serve(tmp_path_factory.mktemp("alone") / "home", "--workers", "0")
    running.client().chat.completions.create(model="fiddle", messages=[{"role": "user", "content": "x"}], max_tokens=1)
    yield running
    running.end()


@pytest.fixture(scope="module")
def bodies(no_end: dict[str, int]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Returns requests for replies of hundreds of tokens, none as a stream, with their paths."""
    said = [{"role": "user", "content": "Go on"}]
    free = {"model": "fiddle", "temperature": 1, "max_tokens": TOKENS, "logit_bias": no_end}
    return {
        "chat": ("chat/completions", free | {"messages": said}),
        "choices": ("chat/completions", free | {"messages": said, "n": 3}),
        "completions": ("completions", free | {"prompt": ["Once", "Twice"], "n": 2}),
        "responses": ("responses", {"model": "fiddle", "input": "Go on", "text": _held(300)}),
    }


def _held(count: int) -> dict[str, Any]:
    """Returns the format of a reply that has to list so many things."""
    listed = {"type": "array", "items": {"type": "boolean"}, "minItems": count}
    schema = {"type": "object", "properties": {"a": listed}, "required": ["a"], "additionalProperties": False}
    return {"format": {"type": "json_schema", "name": "list", "schema": schema}}


def spent(server: Running) -> float:
    """Returns the seconds of processor time that a server has used."""
    times = psutil.Process(server.process.pid).cpu_times()
    return times.user + times.system


def spent_when_quiet(server: Running) -> float:
    """Returns the processor time once a second goes by without any to speak of."""
    for _ in range(120):
        before = spent(server)
        time.sleep(1.0)
        if spent(server) - before < 0.05:
            return spent(server)
    raise TimeoutError


def leave(server: Running, path: str, body: dict[str, Any], *, after_s: float) -> None:
    """Asks, lets the server compute for `after_s` of its processor time, and closes the connection."""
    place, data = urlsplit(server.url), json.dumps(body).encode()
    head = (
        f"POST /v1/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    before = spent(server)
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(head.encode() + data)
        while spent(server) - before < after_s:
            time.sleep(0.02)


@pytest.mark.parametrize("kind", ["chat", "choices", "completions", "responses"])
def test_a_client_that_leaves_frees_the_engine(alone: Running, bodies: dict[str, Any], kind: str) -> None:
    """The engine's work is counted in processor time: that of a reply written to its end, and that of one given up."""
    path, body = bodies[kind]
    before = spent_when_quiet(alone)
    httpx.post(f"{alone.url}/{path}", json=body, headers=AS_OWNER, timeout=600).raise_for_status()
    whole = spent_when_quiet(alone) - before
    leave(alone, path, body, after_s=whole / 8)
    given_up = spent_when_quiet(alone) - before - whole
    print(f"{kind}: whole {whole:.2f} s, given up after {given_up:.2f} s")
    assert given_up < whole / 2


def test_a_reply_that_takes_too_long_is_an_error_and_the_next_is_answered(
    tmp_path: Path, bodies: dict[str, Any]
) -> None:
    running = serve(tmp_path / "home", "--workers", "0", "--request-timeout-s", "2")
    try:
        client = running.client()
        _warm(client)
        for kind in ("chat", "choices", "completions"):
            path, body = bodies[kind]
            answer = httpx.post(
                f"{running.url}/{path}", json=body | {"max_tokens": 1900, "n": 8}, headers=AS_OWNER, timeout=600
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout"), kind
            assert answer.headers["x-should-retry"] == "false"
        path, body = bodies["chat"]
        body = body | {"max_tokens": 1900, "n": 8, "stream": True}
        lines = httpx.post(f"{running.url}/{path}", json=body, headers=AS_OWNER, timeout=600).text.split("\n\n")
        assert json.loads(lines[0].removeprefix("data: "))["object"] == "chat.completion.chunk"
        assert json.loads(lines[-3].removeprefix("data: "))["error"]["code"] == "timeout"
        assert lines[-2] == "data: [DONE]"
        path, body = bodies["responses"]
        told = httpx.post(
            f"{running.url}/{path}", json=body | {"text": _held(3000), "stream": True}, headers=AS_OWNER, timeout=600
        ).text
        last = json.loads(told.strip().rpartition("data: ")[2])
        assert (last["type"], last["response"]["error"]["code"]) == ("response.failed", "timeout")
        _warm(client)
    finally:
        running.end()


def _warm(client: OpenAI) -> None:
    """Returns once a short reply was written in time: the first takes as long as the model takes to load."""
    for _ in range(30):
        try:
            client.chat.completions.create(model="fiddle", messages=[{"role": "user", "content": "x"}], max_tokens=1)
        except openai.InternalServerError:
            continue
        return
    raise TimeoutError
