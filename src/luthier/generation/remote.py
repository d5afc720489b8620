"""A chat with a model behind another server that speaks the OpenAI API: vLLM, Ollama, llama-server, a hosted one."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, get_args

import httpx

from luthier.errors import RemoteError, SpecError
from luthier.generation.findings import Findings
from luthier.records.messages import Delta, FinishReason, Message, Ranked, Sampling, ToolCall, Usage

LOG = logging.getLogger("luthier.remote")
TIMEOUT = httpx.Timeout(600.0, connect=10.0)
NEW_LIMIT_HOSTS = frozenset({"api.openai.com"})
"""Hosts whose newer models take only `max_completion_tokens`; others know only `max_tokens`."""
LONGEST = 300
FoundT = TypeVar("FoundT")


class TokenTable:
    """Numbers for the tokens that a server names by their bytes: the same bytes are the same number."""

    special: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._bytes: list[bytes] = []
        self._lock = threading.Lock()

    def __call__(self, token: int) -> bytes:
        return self._bytes[token]

    def number(self, content: bytes) -> int:
        """Returns the number of a token."""
        with self._lock:
            if content not in self._numbers:
                self._numbers[content] = len(self._bytes)
                self._bytes.append(content)
            return self._numbers[content]


class Remote:
    """A model of another server: `url` ends in /v1, `key_variable` names the environment variable with its key.

    `label` is what errors call it: its address, unless those who read them should not see that. `findings` are what
    is known of it; a request for what it does not do is refused before it is sent.
    """

    def __init__(self, url: str, model: str, *, key_variable: str | None = None, label: str | None = None) -> None:
        self.url, self.model, self.key_variable = url.rstrip("/"), model, key_variable
        self.label = label or self.url
        self.findings: Findings | None = None
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            weakref.WeakKeyDictionary()
        )

    @property
    def limit_key(self) -> str:
        """The key of a chat that bounds its reply."""
        return "max_completion_tokens" if httpx.URL(self.url).host in NEW_LIMIT_HOSTS else "max_tokens"

    async def models(self) -> list[str]:
        """Returns what the server calls its models. `RemoteError` when it does not say."""
        answer = self._read((await self._send("/models", None, stream=False)).text)
        listed = answer.get("data") or answer.get("models") or []
        named = [one.get("id") or one.get("name") for one in listed if isinstance(one, dict)]
        return [str(name) for name in named if name]

    async def close(self) -> None:
        """Ends the connections of the event loop that runs."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def send(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the object that answers `body` at `path`. `RemoteError` when the server refuses or fails."""
        response = await self._send(path, body, stream=False)
        return self._read(response.text)

    async def events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yields the objects of a streamed answer to `body`; closing the iterator ends the request."""
        response = await self._send(path, body, stream=True)
        try:
            lines = response.aiter_lines()
            async for line in lines:
                kind, _, data = line.partition(":")
                if kind != "data" or not (data := data.strip()):
                    continue
                if data.startswith("[DONE]"):
                    break
                event = self._read(data)
                if event.get("error"):
                    raise RemoteError(_message(event) or data[:LONGEST], status=500, where=self.label)
                yield event
            with suppress(TimeoutError):
                async with asyncio.timeout(1):  # a connection whose answer was read to its end is used again
                    async for _ in lines:
                        pass
        except httpx.HTTPError as error:
            raise self._away(error) from None
        finally:
            await response.aclose()

    async def _send(self, path: str, body: Mapping[str, Any] | None, *, stream: bool) -> httpx.Response:
        if body is not None and self.findings is not None:
            self.findings.check(path, body, self.label)
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx.AsyncClient(timeout=TIMEOUT)
        client = self._clients[loop]
        said = None if body is None else {**body, "model": self.model}
        method = "GET" if body is None else "POST"
        request = client.build_request(method, f"{self.url}{path}", json=said, headers=self._headers())
        try:
            response = await client.send(request, stream=stream)
            if response.status_code >= 300:
                await response.aread()
                await response.aclose()
                raise _refusal(response, self.label)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        return response

    def _headers(self) -> dict[str, str]:
        if self.key_variable is None:
            return {}
        if not (key := os.environ.get(self.key_variable)):
            LOG.error("%s: %s is not set", self.url, self.key_variable)
            raise RemoteError("its key is not set", status=401, where=self.label, remedy="set it where this runs")
        return {"authorization": f"Bearer {key}"}

    def _away(self, error: httpx.HTTPError) -> RemoteError:
        LOG.error("%s: %r", self.url, error)
        return RemoteError(f"does not answer ({type(error).__name__})", where=self.label, remedy="check that it runs")

    def _read(self, data: str) -> dict[str, Any]:
        try:
            event = json.loads(data)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise RemoteError(f"sent what is no JSON object: {data[:80]!r}", status=500, where=self.label)
        return event


class RemoteChat:
    """A chat with a model of another server. Implements `records.messages.Chat`.

    `token_ids` of its replies are numbers of a table of this object, `token_bytes`: other servers say tokens, not ids.
    """

    def __init__(self, remote: Remote) -> None:
        self.remote, self.name, self.token_bytes = remote, remote.model, TokenTable()

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        tools: Sequence[Mapping[str, Any]] = (),
        *,
        extra: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yields the reply piece by piece; calls come whole, at its end. `extra` are further keys of the request.

        `RemoteError` when the server refuses or fails, `SpecError` for what cannot be said to it.
        """
        body = self._body(messages, sampling, tools) | dict(extra or {})
        reply = _Reply(self.token_bytes)
        async with aclosing(self.remote.events("/chat/completions", body)) as events:
            async for event in events:
                try:
                    delta = reply.take(event)
                except (AttributeError, KeyError, TypeError, ValueError):
                    said = json.dumps(event)[:80]
                    raise RemoteError(
                        f"sent no piece of a reply: {said}", status=500, where=self.remote.label
                    ) from None
                if delta is not None:
                    yield delta
        if reply.reason is None:
            raise RemoteError("ended in the middle of a reply", where=self.remote.label, remedy="try again")
        yield reply.last()

    def _body(
        self, messages: Sequence[Message], sampling: Sampling, tools: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        if sampling.grammar is not None:
            raise SpecError("another server cannot be given a grammar", where="sampling", remedy="give it a schema")
        if sampling.logit_bias:
            raise SpecError(
                "token ids mean something else to another server", where="logit_bias", remedy="leave it out"
            )
        keys = {
            self.remote.limit_key: sampling.max_tokens,
            "top_p": sampling.top_p if sampling.top_p != 1 else None,
            "top_k": sampling.top_k or None,
            "min_p": sampling.min_p or None,
            "stop": list(sampling.stop) or None,
            "seed": sampling.seed,
            "frequency_penalty": sampling.frequency_penalty or None,
            "presence_penalty": sampling.presence_penalty or None,
            "logprobs": True if sampling.logprobs else None,
            "top_logprobs": sampling.top_logprobs or None,
            "tools": [dict(tool) for tool in tools] or None,
        }
        return {
            "messages": [_message_json(message) for message in messages],
            "temperature": sampling.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            **{key: value for key, value in keys.items() if value is not None},
        }


def waited(work: Coroutine[Any, Any, FoundT]) -> FoundT:
    """Returns what `work` comes to. It runs in a thread of its own, so that this may be called in a notebook."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def only_model(remote: Remote) -> str:
    """Returns what the one model of a server is called. `SpecError` names them where there are several, or none."""
    try:
        names = await remote.models()
    finally:
        await remote.close()
    if len(names) == 1:
        return names[0]
    there = f"has {len(names)} models ({', '.join(names[:20])})" if names else "lists no models"
    raise SpecError(there, where=remote.label, remedy="say which one is meant with --model NAME", param="model")


@dataclass
class _Reply:
    """Gathers a streamed reply; the piece that ends it waits for the usage, which comes after it."""

    table: TokenTable
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    reason: str | None = None
    usage: Usage | None = None

    def take(self, event: Mapping[str, Any]) -> Delta | None:
        """Returns what an event adds to the reply; None when that is nothing yet."""
        if isinstance(given := event.get("usage"), Mapping):
            self.usage = Usage(int(given.get("prompt_tokens") or 0), int(given.get("completion_tokens") or 0))
        choice = next(iter(event.get("choices") or ()), None)
        if choice is None:
            return None
        self.reason = choice.get("finish_reason") or self.reason
        said = choice.get("delta") or {}
        for call in said.get("tool_calls") or ():
            held = self.calls.setdefault(int(call.get("index") or 0), {"id": "", "name": "", "arguments": ""})
            function = call.get("function") or {}
            held["id"] = call.get("id") or held["id"]
            held["name"] += function.get("name") or ""
            held["arguments"] += function.get("arguments") or ""
        tokens = (choice.get("logprobs") or {}).get("content") or ()
        text = said.get("content") or said.get("refusal") or ""
        if not text and not tokens:
            return None
        return Delta(
            text=text,
            token_ids=tuple(self._number(token) for token in tokens),
            logprobs=tuple(_logprob(token) for token in tokens),
            top_logprobs=tuple(self._ranked(token.get("top_logprobs") or ()) for token in tokens),
        )

    def last(self) -> Delta:
        """Returns the piece that ends the reply."""
        calls = tuple(
            ToolCall(call["id"] or f"call_{place}", call["name"], call["arguments"] or "{}")
            for place, call in sorted(self.calls.items())
        )
        reason = self.reason if self.reason in get_args(FinishReason) else "stop"
        reason = "tool_calls" if calls and reason == "stop" else reason
        return Delta(tool_calls=calls, finish_reason=cast("FinishReason", reason), usage=self.usage)

    def _number(self, token: Mapping[str, Any]) -> int:
        given = token.get("bytes")
        return self.table.number(bytes(given) if given is not None else str(token.get("token", "")).encode())

    def _ranked(self, tokens: Sequence[Mapping[str, Any]]) -> Ranked:
        return tuple((self._number(token), _logprob(token)) for token in tokens)


def _message_json(message: Message) -> dict[str, Any]:
    """Returns a turn in the words that every server knows: no weight, and no reasoning of earlier turns."""
    left_out = {"weight", "reasoning_content"}
    return {key: value for key, value in message.to_json().items() if key not in left_out}


def _logprob(token: Mapping[str, Any]) -> float:
    value = float(token.get("logprob") or 0.0)
    return value if math.isfinite(value) else -9999.0


def _refusal(response: httpx.Response, where: str) -> RemoteError:
    """Returns the error of an answer: the server's own words, or the start of whatever it sent."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    inner = error if isinstance(error, dict) else {}
    said = _message(answer) or response.text[:LONGEST] or "nothing"
    return RemoteError(
        f"answered {response.status_code}: {said}",
        status=response.status_code,
        where=where,
        code=str(inner["code"]) if inner.get("code") else None,
        param=str(inner["param"]) if inner.get("param") else None,
        later=response.headers.get("retry-after"),
    )


def _message(answer: Any) -> str | None:
    """Returns the message of an error object, in the forms that servers write it."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    said = (error.get("message") or error.get("detail")) if isinstance(error, dict) else error
    return None if said is None else str(said)[:LONGEST]
