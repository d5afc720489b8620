"""A server of another make that answers the API: it does all but what it is told to ignore, refuse or hang on."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ["oak", "elm", "ash", "yew", "fir", "box", "bay", "fig", "may", "rue"]
NEUTRAL: Mapping[str, Any] = {"top_p": 1, "top_k": 0, "min_p": 0, "frequency_penalty": 0, "presence_penalty": 0, "n": 1}


@dataclass
class Other:
    """How it behaves, by the keys of requests; `asked` are the requests it got."""

    ignores: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=lambda: {"/chat/completions", "/completions", "/embeddings"})
    models: list[str] = field(default_factory=lambda: ["oak"])
    key: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@contextmanager
def other_server(other: Other) -> Iterator[Other]:
    """Runs it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not _locked(self, other):
                _answer(self, 200, {"object": "list", "data": [{"id": name} for name in other.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            path = self.path.removeprefix("/v1")
            other.asked.append({"path": path, **body})
            if _locked(self, other):
                return
            if path not in other.paths or body["model"] not in other.models:
                _answer(self, 404, {"error": {"message": f"no {path} for {body['model']}"}})
            elif refused := other.refuses & set(body):
                _answer(self, 400, {"error": {"message": f"{min(refused)} is not supported"}})
            elif other.hangs & set(body):
                time.sleep(3600)
            elif path == "/embeddings":
                _answer(self, 200, {"data": [{"index": 0, "embedding": [0.5, 0.25]}], "usage": {}})
            elif body.get("stream"):
                _stream(self, other, body)
            else:
                _answer(self, 200, _whole(other, body))

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False  # a request that hangs is not waited for
    threading.Thread(target=server.serve_forever, daemon=True).start()
    other.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield other
    finally:
        server.shutdown()
        server.server_close()


def _locked(handler: BaseHTTPRequestHandler, other: Other) -> bool:
    if other.key and handler.headers.get("authorization") != f"Bearer {other.key}":
        _answer(handler, 401, {"error": {"message": "wrong key"}})
        return True
    return False


def _answer(handler: BaseHTTPRequestHandler, status: int, content: Any) -> None:
    data = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def _words(given: Mapping[str, Any], place: int) -> list[str]:
    """Returns the words of one choice."""
    narrow = given.get("top_k") == 1 or given.get("min_p") == 1 or (given.get("top_p") or 1) < 0.01
    hot = (given.get("temperature", 1) or 0) > 0 and not narrow
    seed = given.get("seed")
    draw = random.Random(None if seed is None else seed + place)
    words = [draw.choice(WORDS) for _ in range(20)] if hot else WORDS * 2
    for key in ("frequency_penalty", "presence_penalty"):
        if given.get(key):
            words = [word if number % 3 else word + "s" for number, word in enumerate(words)]
    return ["gum"] * 20 if given.get("logit_bias") else words


def _whole(other: Other, body: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in body.items() if key not in other.ignores}
    chat = "messages" in body
    choices = [_choice(given, chat, place) for place in range(given.get("n") or 1)]
    prompt = body.get("prompt")
    read = len(prompt) if isinstance(prompt, list) and "prompt" not in other.ignores else 9
    read += 30 if given.get("tools") else 0
    limit = given.get("max_tokens", 20)
    return {"choices": choices, "usage": {"prompt_tokens": read, "completion_tokens": min(20, limit)}}


def _choice(given: Mapping[str, Any], chat: bool, place: int) -> dict[str, Any]:
    words = _words(given, place)
    limit = min(20, given.get("max_tokens", 20))
    text, reason = " ".join(words[:limit]), "length" if limit < 20 else "stop"
    for end in given.get("stop") or ():
        if end in text:
            text, reason = text[: text.index(end)], "stop"
    calls = []
    if (given.get("response_format") or {}).get("type") == "json_schema":
        schema = given["response_format"]["json_schema"]["schema"]
        text, reason = json.dumps({name: one["enum"][0] for name, one in schema["properties"].items()}), "stop"
    if given.get("tools") and given.get("tool_choice") == "required":
        name = given["tools"][0]["function"]["name"]
        calls, text = [{"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}], ""
    tokens = [{"token": word, "logprob": -0.5, "top_logprobs": []} for word in words[:limit]]
    for token in tokens:
        token["top_logprobs"] = [{"token": "oak", "logprob": -0.5}] * (given.get("top_logprobs") or 0)
    if chat:
        shown = {"content": tokens} if given.get("logprobs") else None
        message = {"role": "assistant", "content": text, "tool_calls": calls}
        return {"index": place, "message": message, "logprobs": shown, "finish_reason": reason}
    values = [-0.5] * limit
    if given.get("echo"):
        text, values = f"{given['prompt']} {text}", [None, -1.0, -1.0, *values]
    shown = None if given.get("logprobs") is None else {"tokens": [""] * len(values), "token_logprobs": values}
    return {"index": place, "text": text, "logprobs": shown, "finish_reason": reason}


def _stream(handler: BaseHTTPRequestHandler, other: Other, body: Mapping[str, Any]) -> None:
    whole = _whole(other, body)
    first = whole["choices"][0]
    piece = {"delta": first["message"]} if "message" in first else {"text": first["text"]}
    frames = [{"choices": [{"index": 0, **piece, "logprobs": first["logprobs"], "finish_reason": None}]}]
    frames.append({"choices": [{"index": 0, "delta": {}, "text": "", "finish_reason": first["finish_reason"]}]})
    if body.get("stream_options") and "stream_options" not in other.ignores:
        frames.append({"choices": [], "usage": whole["usage"]})
    data = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames).encode() + b"data: [DONE]\n\n"
    handler.send_response(200)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
