"""A web site on this machine: pages by path, and what was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server says for one path."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def page(title: str, *links: str, text: str = "", head: str = "") -> Answer:
    """Returns an article with links below it."""
    words = text or f"This is the page about {title}. It has a few sentences, so that it reads as an article. " * 4
    anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    body = (
        f"<html><head><title>{title}</title>{head}</head><body><nav><ul>{anchors}</ul></nav>"
        f"<article><h1>{title}</h1><p>{words}</p></article></body></html>"
    )
    return Answer(body.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


@dataclass
class Site:
    """A running site. `asked` are the paths and headers of every request, in order."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[Site]:
    """Runs a site until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            answer = site.answers.get(self.path, Answer(b"no such page", 404))
            tag = answer.headers.get("ETag")
            if tag and self.headers.get("If-None-Match") == tag:
                answer = Answer(b"", 304)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
