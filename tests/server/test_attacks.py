"""Attacks on a server: names that are paths, addresses to fetch, odd headers and forms, slow clients, secrets."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import psutil
import pytest
from openai import OpenAI
from serving import AS_OWNER, KEY, Running, ended, rows, serve, upload, wait_until

ASK: list[Any] = [{"role": "user", "content": "Say lira"}]
PATIENCE_S = 1.5
SECRET = "hunter2-of-the-database"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that soon loses its patience; its home has a name that nobody should be told."""
    home = tmp_path_factory.mktemp("attacked") / "the-hidden-home"
    running = serve(home, "--client-timeout-s", str(PATIENCE_S))
    yield running
    running.end()


@pytest.fixture(scope="module")
def client(running: Running) -> OpenAI:
    return running.client()


def raw(running: Running, request: bytes, *, read_s: float = 20) -> bytes:
    """Returns all that a server sends back until it closes the connection, or says nothing for `read_s`."""
    place = urlsplit(running.url)
    with socket.create_connection((place.hostname, place.port), timeout=read_s) as connection:
        connection.sendall(request)
        out = b""
        try:
            while piece := connection.recv(65_536):
                out += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return out


def answers(running: Running) -> bool:
    return httpx.get(running.url.removesuffix("/v1") + "/health", timeout=10).json() == {"status": "ok"}


# ---- names that are paths

PATHS = (
    "../../../../etc/passwd",
    "..%2F..%2F..%2Fetc%2Fpasswd",
    "%2e%2e/%2e%2e/luthier.db",
    "/etc/passwd",
    "..\\..\\luthier.db",
    "file-x/../../luthier.db",
    "./luthier.db",
    "~/.ssh/id_rsa",
    "file:///etc/passwd",
    "a" * 5000,
)
ROUTES = ("files/{}", "files/{}/content", "models/{}", "batches/{}", "fine_tuning/jobs/{}", "luthier/jobs/{}/result")


@pytest.mark.parametrize("route", ROUTES)
def test_an_id_that_is_a_path_is_no_id(running: Running, route: str) -> None:
    for path in PATHS:
        target = f"/v1/{route.format(path)}".encode()
        request = b"GET " + target + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer "
        answer = raw(running, request + KEY.encode() + b"\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        assert status == 404, (path, answer[:200])
        assert b"root:" not in answer
        assert b"SQLite" not in answer


@pytest.fixture(scope="module")
def evil(client: OpenAI) -> str:
    """Returns the id of a file of an evil name that a job has trained on."""
    file = upload(client, rows(), name="../../evil.jsonl")
    settings = {"n_epochs": 1, "batch_size": 16}
    job = client.fine_tuning.jobs.create(model="fiddle", training_file=file.id, hyperparameters=settings)
    assert ended(client, job.id).status == "succeeded"
    return file.id


def test_a_model_that_is_a_path_is_no_model(running: Running, client: OpenAI, evil: str) -> None:
    """A folder with weights of the server's own, named in every way, is not loaded."""
    weights = [str(path.parent) for path in running.home.rglob("*.safetensors")]
    weights += [str(Path(one).relative_to(running.home)) for one in weights]
    for name in (*weights, *PATHS, "hub:gpt2", "meta-llama/Llama-3.2-1B", str(running.home)):
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model=name, messages=ASK)
        assert caught.value.code == "model_not_found"
        with pytest.raises(openai.APIStatusError) as refused:
            client.fine_tuning.jobs.create(model=name, training_file=evil)
        assert 400 <= refused.value.status_code < 500
    assert answers(running)


def test_what_a_file_is_called_is_never_a_place(running: Running, client: OpenAI, evil: str) -> None:
    """What was trained on it is inside the home folder, as is what is only stored."""
    names = ["/tmp/evil.jsonl", "a\x00b.jsonl", "evil\r\nx: y.jsonl", "e" * 300 + ".jsonl", ".."]
    for id in [evil, *(upload(client, "x", name=name).id for name in names)]:
        assert "/" not in client.files.retrieve(id).filename
        assert "x" not in client.files.with_raw_response.content(id).headers
    beside = [path for path in running.home.parent.iterdir() if path.suffix != ".log"]
    assert beside == [running.home]
    assert not Path("/tmp/evil.jsonl").exists()
    assert not list(running.home.parent.parent.glob("evil*"))


# ---- addresses


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """A server in the private network (here: this machine), and what was asked of it."""
    asked: list[str] = []

    class Trap(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_that_a_request_names_is_fetched(running: Running, client: OpenAI, trap: tuple[str, list[str]]) -> None:
    url, asked = trap
    image = {"type": "image_url", "image_url": {"url": url}}
    lines = [{"messages": [{"role": "user", "content": [image]}, {"role": "assistant", "content": "x"}]}] * 12
    file = upload(client, lines).id
    bodies: list[tuple[str, Any]] = [
        ("chat/completions", {"model": "fiddle", "messages": [{"role": "user", "content": [image]}]}),
        ("chat/completions", {"model": url, "messages": ASK}),
        ("responses", {"model": "fiddle", "input": [{"role": "user", "content": [image | {"type": "input_image"}]}]}),
        (
            "responses",
            {"model": "fiddle", "input": [{"role": "user", "content": [{"type": "input_file", "file_url": url}]}]},
        ),
        ("responses", {"model": "fiddle", "input": "x", "tools": [{"type": "mcp", "server_url": url}]}),
        ("responses", {"model": "fiddle", "input": "x", "prompt": {"id": url}}),
        ("moderations", {"input": [image]}),
        ("embeddings", {"model": url, "input": "x"}),
        ("fine_tuning/jobs", {"model": url, "training_file": file}),
        ("fine_tuning/jobs", {"model": "fiddle", "training_file": url}),
        ("batches", {"input_file_id": url, "endpoint": "/v1/embeddings", "completion_window": "24h"}),
        ("luthier/jobs", {"kind": "tune", "spec": {"rows": [url]}}),
        ("luthier/jobs", {"kind": "tune", "spec": {"rows": [file], "model": url}}),
        ("luthier/jobs", {"kind": "evaluate", "spec": {"systems": [url], "data": [file]}}),
        ("luthier/jobs", {"kind": "probe", "spec": {"url": url}}),
        ("luthier/jobs", {"kind": "verify", "spec": {"url": url, "run": "x"}}),
    ]
    for path, body in bodies:
        answer = httpx.post(f"{running.url}/{path}", json=body, headers=AS_OWNER, timeout=60)
        assert 400 <= answer.status_code < 500, (path, body, answer.text)
    job = client.fine_tuning.jobs.create(model="fiddle", training_file=file)
    assert ended(client, job.id).status == "failed"
    assert asked == []


# ---- headers and forms


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"content-length: 5\r\ncontent-length: 50\r\n", b"{}"),
        (b"content-length: -1\r\n", b"{}"),
        (b"content-length: 99999999999999999999\r\n", b"{}"),
        (b"transfer-encoding: chunked\r\ncontent-length: 2\r\n", b"0\r\n\r\n"),
        (b"transfer-encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
        (b"transfer-encoding: gzip, chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
        (b"content-length: 2\r\n" + b"x: " + b"y" * 200_000 + b"\r\n", b"{}"),
        (b"content-length: 2\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(20_000)), b"{}"),
        (b"content-length: 2\r\nx\x00y: z\r\n", b"{}"),
        (b"content-length: 2\r\n x: folded\r\n", b"{}"),
        (b"content-length: 2\r\nupgrade: websocket\r\nconnection: upgrade\r\n", b"{}"),
        (b"content-length: 2\r\nexpect: 100-continue\r\n", b"{}"),
        (b"content-length: 2\r\ncontent-type: application/json; charset=utf-7\r\n", b"{}"),
        (b"content-length: 2\r\ncontent-encoding: gzip\r\n", b"{}"),
        (b"content-length: 2\r\nx-forwarded-for: 127.0.0.1\r\nx-original-url: /health\r\n", b"{}"),
        (b"content-length: 2\r\nhost: evil.example\r\nhost: other\r\n", b"{}"),
    ],
)
def test_odd_headers_are_refused_and_hurt_nobody(running: Running, head: bytes, body: bytes) -> None:
    for key in (b"", b"authorization: Bearer " + KEY.encode() + b"\r\n"):
        request = (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + key + head + b"\r\n" + body
        )
        answer = raw(running, request)
        lines = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
        finals = [int(line.split(b" ")[1]) for line in lines if not line.startswith(b"HTTP/1.1 100")]
        assert all(400 <= status < 500 for status in finals), answer[:300]
        assert key or not any(status == 400 and b"messages" in answer for status in finals), "read without a key"
    assert answers(running)


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://evil.example/v1/models HTTP/1.1",
        b"GET //evil.example/v1/models HTTP/1.1",
        b"GET /v1/v1/models HTTP/1.1",
        b"GET /v1/../v1/models HTTP/1.1",
        b"GET /v1/models/../files HTTP/1.1",
        b"CONNECT evil.example:443 HTTP/1.1",
        b"TRACE /v1/models HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET /v1/models%00 HTTP/1.1",
        b"GET /v1/models?after=%ff%fe HTTP/1.1",
        b"GET /v1/files?limit=" + b"9" * 5000 + b" HTTP/1.1",
        b"GET /v1/\xff HTTP/1.1",
        b"GET /v1/models HTTP/9.9",
        b"NONSENSE",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_odd_request_lines_show_nothing_and_hurt_nobody(running: Running, line: bytes) -> None:
    answer = raw(running, line + b"\r\nhost: x\r\nconnection: close\r\n\r\n", read_s=5)
    if answer:
        assert 400 <= int(answer.split(b" ", 2)[1]) < 500, answer[:300]
    assert b'"object":"model"' not in answer
    assert answers(running)


FORM = b"--b\r\ncontent-disposition: form-data; name="


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"multipart/form-data", FORM + b'"file"; filename="a"\r\n\r\nx\r\n--b--\r\n'),
        (b"multipart/form-data; boundary=", FORM + b'"file"; filename="a"\r\n\r\nx\r\n--b--\r\n'),
        (b"multipart/form-data; boundary=b", b""),
        (b"multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
        (b"multipart/form-data; boundary=b", FORM + b'"file"; filename="a"\r\n\r\nno end'),
        (b"multipart/form-data; boundary=b", (FORM + b'"f"; filename="a"\r\n\r\nx\r\n') * 50 + b"--b--\r\n"),
        (b"multipart/form-data; boundary=b", (FORM + b'"purpose"\r\n\r\nx\r\n') * 5000 + b"--b--\r\n"),
        (b"multipart/form-data; boundary=b", FORM + b'"purpose"\r\n\r\n' + b"x" * 3_000_000 + b"\r\n--b--\r\n"),
        (b"multipart/form-data; boundary=b", FORM + b'"purpose"\r\n\r\n\xff\xfe\r\n--b--\r\n'),
        (b"multipart/form-data; boundary=b", FORM + b'"a[b][c][d]"\r\n\r\nx\r\n--b--\r\n'),
        (b"multipart/form-data; boundary=b", FORM + b'"expires_after[seconds]"\r\n\r\n' + b"9" * 17 + b"\r\n--b--\r\n"),
        (b"multipart/form-data; boundary=b", FORM + b'"file"\r\nx: ' + b"y" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n"),
        (b"multipart/form-data; boundary=" + b"b" * 5000, b"--b"),
        (b"application/x-www-form-urlencoded", b"purpose=batch&file=x"),
        (b"text/plain", b"purpose"),
        (b"application/json", b'{"purpose": "batch"}'),
    ],
)
def test_odd_forms_are_refused_and_hurt_nobody(running: Running, kind: bytes, body: bytes) -> None:
    headers = {"content-type": kind.decode()} | AS_OWNER
    answer = httpx.post(f"{running.url}/files", content=body, headers=headers, timeout=30)
    assert answer.status_code in {400, 415}, answer.text
    assert answer.json()["error"]["message"]
    assert answers(running)


# ---- slow clients


def closed_after(running: Running, request: bytes) -> tuple[float, bytes]:
    """Returns how long a connection stays open after `request`, in seconds, and what came back."""
    began = time.monotonic()
    out = raw(running, request, read_s=15)
    return time.monotonic() - began, out


HEAD = (
    b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode() + b"\r\ncontent-length: 900\r\n"
)


def test_half_a_request_does_not_hold_a_connection(running: Running) -> None:
    halves = (b"", b"GET /v1/mod", HEAD, HEAD + b"\r\n{")
    with ThreadPoolExecutor(len(halves)) as threads:
        *heads, body = threads.map(lambda half: closed_after(running, half), halves)
    for took, out in heads:
        assert (out, PATIENCE_S * 0.8 < took < PATIENCE_S + 8) == (b"", True)
    assert body[1].startswith(b"HTTP/1.1 408 ")
    assert b"has not come within 1.5 s" in body[1]


def test_a_head_that_comes_a_byte_at_a_time_is_cut_off(running: Running) -> None:
    place, began = urlsplit(running.url), time.monotonic()
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection, suppress(OSError):
        for byte in HEAD * 3:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
    assert time.monotonic() - began < PATIENCE_S + 8, "it would take 19 s to say it all"


def test_a_client_that_reads_nothing_is_left_and_frees_the_engine(running: Running, client: OpenAI) -> None:
    listed = {"type": "array", "items": {"type": "boolean"}, "minItems": 900}
    schema = {"type": "object", "properties": {"a": listed}, "required": ["a"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "l", "schema": schema}}
    body = {"model": "fiddle", "messages": ASK, "stream": True, "response_format": form, "n": 8, "logprobs": True}
    data = json.dumps(body | {"top_logprobs": 20}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + KEY.encode()
    place = urlsplit(running.url)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((place.hostname, place.port))
        connection.sendall(head + b"\r\ncontent-length: %d\r\n\r\n" % len(data) + data)
        server = psutil.Process(running.process.pid)

        def left() -> bool:
            here = [one for one in server.net_connections("tcp") if one.status == "ESTABLISHED"]
            return not any(one.raddr and one.raddr.port == connection.getsockname()[1] for one in here)

        wait_until(left, within_s=120)
    assert client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=2).choices


def test_many_idle_connections_keep_nobody_out(running: Running, client: OpenAI) -> None:
    place = urlsplit(running.url)
    idle = [socket.create_connection((place.hostname, place.port)) for _ in range(200)]
    try:
        for one in idle:
            one.sendall(b"GET /v1/models HTTP/1.1\r\nx: ")
        assert client.models.list().data
    finally:
        for one in idle:
            one.close()


# ---- what errors and the disk say


def test_no_error_shows_a_place_of_the_machine(running: Running, client: OpenAI) -> None:
    """What fails in a job, in a route and in a model is said without folders and without traces."""
    file = upload(client, '{"messages": []}\n' * 12).id
    job = ended(client, client.fine_tuning.jobs.create(model="fiddle", training_file=file).id)
    said = [job.to_json(), *(event.message for event in client.fine_tuning.jobs.list_events(job.id))]
    verb = httpx.post(
        f"{running.url}/luthier/jobs",
        json={"kind": "data", "spec": {"rows": [file]}},
        headers=AS_OWNER,
    ).json()
    path = f"{running.url}/luthier/jobs/{verb['id']}"
    wait_until(lambda: httpx.get(path, headers=AS_OWNER).json()["status"] in {"failed", "succeeded"})
    said += [httpx.get(path, headers=AS_OWNER).text, httpx.get(f"{path}/events", headers=AS_OWNER).text]
    for body in (b"{", b"\xff", b"[]", b'{"model": {}}', b'{"model": "fiddle", "messages": [{"role": "x"}]}'):
        for route in ("chat/completions", "embeddings", "responses", "fine_tuning/jobs", "luthier/jobs", "batches"):
            said.append(httpx.post(f"{running.url}/{route}", content=body, headers=AS_OWNER).text)
    for one in said:
        assert "the-hidden-home" not in one
        assert "Traceback" not in one
        assert "site-packages" not in one
        assert str(Path(__file__).parents[2]) not in one


def test_secrets_are_nowhere_but_where_they_were_given(tmp_path: Path, postgres_server: str) -> None:
    """The key, the database's password and another server's key: not in words of processes, files, logs or answers."""
    import postgres
    import sqlalchemy as sa

    url = sa.make_url(postgres.new_database(postgres_server)).set(password=SECRET)
    others = {"LUTHIER_KEY": "key-of-the-owner", "FAR_KEY": "key-of-the-far-server"}
    models = [{"id": "fiddle"}, {"id": "far", "url": "http://127.0.0.1:9/v1", "key_variable": "FAR_KEY"}]
    (tmp_path / "models.yaml").write_text(json.dumps({"models": models}))
    env = others | {"LUTHIER_DATABASE": url.render_as_string(hide_password=False)}
    running = serve(tmp_path / "home", "--catalogue", str(tmp_path / "models.yaml"), env=env)
    try:
        client = running.client(api_key=others["LUTHIER_KEY"])
        job = client.fine_tuning.jobs.create(
            model="fiddle", training_file=upload(client, rows()).id, hyperparameters={"n_epochs": 1}
        )
        words: set[str] = set()

        def seen() -> bool:
            for process in psutil.Process(running.process.pid).children(recursive=True):
                try:
                    words.update(process.cmdline())
                except psutil.Error:
                    continue
            return client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"

        wait_until(seen)
        assert "luthier.server.runner" in words
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="far", messages=ASK)
        said = str(caught.value) + json.dumps(sorted(words))
        said += httpx.get(f"{running.url}/models", headers={"authorization": "Bearer key-of-the-owner"}).text
    finally:
        running.end()
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()] + list(tmp_path.glob("*.log"))
    assert len(files) > 5
    for secret in (SECRET, *others.values()):
        assert secret not in said
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
