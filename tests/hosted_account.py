"""A hosted account on loopback: small pages, what it refuses to hand out, and the faults it is told to have."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]
NO_KEY = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}


@dataclass
class Account:
    """What is in it, each list oldest first; `lists` holds those inside of things by their paths."""

    key: str = "sk-moving"
    page: int = 2
    files: dict[str, tuple[Object, bytes]] = field(default_factory=dict)
    lists: dict[str, list[Object]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Path -> why it is refused."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """Path -> what is sent instead, as it is."""
    busy: Counter[str] = field(default_factory=Counter)
    """Path -> how many times more it answers `busy_status`."""
    busy_status: int = 429
    retry_after: str | None = "0"
    cut: set[str] = field(default_factory=set)
    """Paths whose answers end in the middle."""
    stalls: set[str] = field(default_factory=set)
    """Paths whose answers begin and do not go on, until `released`."""
    stalled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def add_file(self, id: str, content: bytes, *, purpose: str = "fine-tune", **more: Any) -> None:
        facts = {"id": id, "object": "file", "filename": f"{id}.jsonl", "purpose": purpose, "bytes": len(content)}
        self.files[id] = (facts | {"created_at": 1_700_000_000 + len(self.files)} | more, content)

    def every(self, path: str) -> list[Object] | None:
        """Returns the whole list at a path, in the order it is paged through."""
        if path == "/files":
            return [facts for facts, _ in self.files.values()]
        return self.lists.get(path)


@contextmanager
def hosted_account(account: Account) -> Iterator[Account]:
    """Runs it on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path.removeprefix("/v1")
            account.asked.append(path)
            if self.headers.get("authorization") != f"Bearer {account.key}":
                _send(self, account, path, 401, json.dumps(NO_KEY).encode())
            elif account.busy[path] > 0:
                account.busy[path] -= 1
                _send(self, account, path, account.busy_status, b'{"error": {"message": "slow down"}}')
            elif path in account.refused:
                _send(self, account, path, 400, json.dumps({"error": {"message": account.refused[path]}}).encode())
            elif path in account.answers:
                _send(self, account, path, 200, account.answers[path])
            elif path.endswith("/content") and path.split("/")[2] in account.files:
                _send(self, account, path, 200, account.files[path.split("/")[2]][1])
            elif (every := account.every(path)) is not None:
                _send(self, account, path, 200, json.dumps(_page(account, self.path, every)).encode())
            else:
                _send(self, account, path, 404, b'{"error": {"message": "no such path"}}')

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    account.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield account
    finally:
        account.released.set()
        server.shutdown()
        server.server_close()


def _page(account: Account, target: str, every: list[Object]) -> Object:
    """Returns a page of a list: newest first, unless the query asks for another order."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    ordered = every if query.get("order") == "asc" else every[::-1]
    ids = [one["id"] for one in ordered]
    start = ids.index(query["after"]) + 1 if "after" in query else 0
    size = min(account.page, int(query.get("limit", account.page)))
    return {"object": "list", "data": ordered[start : start + size], "has_more": start + size < len(ordered)}


def _send(handler: BaseHTTPRequestHandler, account: Account, path: str, status: int, data: bytes) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(data)))
    if status == account.busy_status and account.retry_after is not None:
        handler.send_header("retry-after", account.retry_after)
    handler.end_headers()
    half = len(data) // 2
    if status == 200 and path in account.cut:
        handler.wfile.write(data[:half])
        handler.close_connection = True
    elif status == 200 and path in account.stalls:
        handler.wfile.write(data[:half])
        handler.wfile.flush()
        account.stalled.set()
        account.released.wait(120)
        handler.wfile.write(data[half:])
    else:
        handler.wfile.write(data)
