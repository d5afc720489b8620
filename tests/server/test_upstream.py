"""`luthier serve --upstream`: a second server of ours stands there, or one that ignores, refuses, hangs or is away."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI
from other_servers import WORDS, Other, other_server
from serving import Running, serve, upload, wait_until

from luthier.config import bind
from luthier.errors import RemoteError, SpecError
from luthier.generation.remote import Remote
from luthier.report import ListReport
from luthier.server import upstream
from luthier.server.catalogue import Catalogue, Entry, catalogue_of
from luthier.server.options import WorkerOptions
from luthier.server.serve import Spec

ASKED: list[Any] = [{"role": "user", "content": "Name a tree"}]
BEHIND = Other(ignores={"seed", "echo", "response_format"}, refuses={"logprobs"}, key="sesame")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server before one that ignores and refuses some keys, and has one model."""
    with other_server(BEHIND):
        running = serve(
            tmp_path_factory.mktemp("before") / "home",
            *("--upstream", BEHIND.url, "--upstream-key-variable", "LUTHIER_TEST_KEY", "--workers", "0"),
            env={"LUTHIER_TEST_KEY": "sesame"},
        )
        yield running
        running.end()


@pytest.fixture(scope="module")
def client(before: Running) -> OpenAI:
    client = before.client()

    def refused() -> bool:
        try:
            client.chat.completions.create(model="oak", messages=ASKED, seed=1)
        except openai.BadRequestError:
            return True
        return False

    wait_until(refused)  # the probe is over
    return client


def log_of(running: Running) -> str:
    return "".join(file.read_text() for file in running.home.parent.glob("*.log"))


def test_the_one_model_there_is_served(before: Running, client: OpenAI) -> None:
    assert next(iter(client.models.list())).id == "oak"
    said = client.chat.completions.create(model="oak", messages=ASKED, temperature=0, max_tokens=3)
    assert said.choices[0].message.content == " ".join(WORDS[:3])
    assert client.completions.create(model="oak", prompt="x", temperature=0, max_tokens=2).choices[0].text == "oak elm"
    assert client.responses.create(model="oak", input="x", temperature=0).output_text.startswith("oak elm ash")
    assert client.embeddings.create(model="oak", input="x", encoding_format="float").data[0].embedding == [0.5, 0.25]


def test_what_it_was_seen_to_do_is_shown(before: Running, client: OpenAI) -> None:
    wait_until(lambda: "was probed" in log_of(before))
    said = log_of(before)
    assert "requests for these are refused: json_schema, echo, echo with logprobs, top_logprobs, seed, logprobs" in said
    assert "What the server does for oak" in said
    assert "two replies to the same seed differ" in said
    assert "sesame" not in said


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"seed": 3}, "seed"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}, "response_format"),
    ],
)
def test_what_would_be_dropped_there_is_refused_here(
    client: OpenAI, stream: bool, options: dict[str, Any], param: str
) -> None:
    asked = len(BEHIND.asked)
    with pytest.raises(openai.BadRequestError, match=r"oak: the server of this model (ignores|refuses)") as caught:
        client.chat.completions.create(model="oak", messages=ASKED, stream=stream, **options)
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")
    assert len(BEHIND.asked) == asked


def test_the_other_endpoints_refuse_it_too(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="ignores echo"):
        client.completions.create(model="oak", prompt="x", echo=True)
    with pytest.raises(openai.BadRequestError, match="ignores seed"):
        client.completions.create(model="oak", prompt="x", seed=1, stream=True)
    form: Any = {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}}
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    form["format"]["schema"] = schema
    with pytest.raises(openai.BadRequestError, match="ignores json_schema"):
        client.responses.create(model="oak", input="x", text=form)
    body = {"model": "oak", "messages": ASKED}
    lines = [
        {"custom_id": str(seed), "method": "POST", "url": "/v1/chat/completions", "body": body | {"seed": seed}}
        for seed in (None, 3)
    ]
    file = upload(client, lines, purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = wait_until(lambda: (b := client.batches.retrieve(batch.id)).status == "completed" and b)
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 1)
    assert "ignores seed" in client.files.content(batch.error_file_id).text


def test_it_cannot_be_tuned(client: OpenAI) -> None:
    file = upload(client, [{"messages": [*ASKED, {"role": "assistant", "content": "oak"}]}])
    with pytest.raises(openai.BadRequestError, match="on another server and cannot be tuned"):
        client.fine_tuning.jobs.create(model="oak", training_file=file.id)


def test_a_server_of_ours_stands_behind_another(on_sqlite: Any, tmp_path: Path) -> None:
    key = ("--upstream-key-variable", "LUTHIER_KEY")
    words = ("--upstream", on_sqlite.running.url, "--model", "fiddle", "--workers", "0", *key)
    running = serve(tmp_path / "home", *words)
    try:
        asked: dict[str, Any] = {"model": "fiddle", "messages": ASKED, "temperature": 0, "max_tokens": 8}
        near = on_sqlite.client.chat.completions.create(**asked).choices[0]
        there = running.client().chat.completions.create(**asked).choices[0]
        assert there.message.content == near.message.content
    finally:
        running.end()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_one_that_is_away_is_a_warning_and_no_end(tmp_path: Path) -> None:
    running = serve(tmp_path / "home", "--upstream", f"http://127.0.0.1:{free_port()}/v1", "--model", "oak")
    try:
        assert "oak cannot be probed yet, and what it ignores is not refused" in log_of(running)
        assert "does not answer (ConnectError); check that it runs" in log_of(running)
        with pytest.raises(openai.InternalServerError, match="oak: does not answer"):
            running.client().chat.completions.create(model="oak", messages=ASKED)
    finally:
        assert running.end() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--upstream", "{url}"), "has 2 models (oak, elm); say which one is meant with --model NAME"),
        (("--upstream", "{url}", "--catalogue", "x.yaml"), "upstream and catalogue exclude each other"),
        (("--upstream-key-variable", "KEY"), "upstream_key_variable has no effect without upstream"),
        (("--upstream", "ftp://x"), "upstream"),
        (("--upstream", "http://me:secret@127.0.0.1/v1", "--model", "oak"), "has a name or password in its url"),
        (("--upstream", "http://127.0.0.1:9/v1"), "127.0.0.1:9/v1: does not answer"),
    ],
)
def test_what_cannot_be_served_ends_with_the_reason(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    with other_server(Other(models=["oak", "elm"])) as other, pytest.raises(RuntimeError) as caught:
        serve(tmp_path / "home", *(word.format(url=other.url) for word in words))
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)


# ---- the parts of it, without a process


class Reached:
    """Stands for the models that answer: one remote model."""

    def __init__(self, url: str) -> None:
        self.found = Remote(url, "oak", label="oak")

    def remote(self, name: str, kind: str) -> Remote:
        return self.found


def probing(url: str, report: ListReport) -> tuple[upstream.Probing, Remote]:
    reached: Any = Reached(url)
    return upstream.Probing(reached, Catalogue((Entry(id="oak", url=url, probe=True),)), report), reached.found


def test_one_that_comes_later_is_probed_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "AGAIN_S", 0.05)
    other, report = Other(key="open", ignores={"n"}), ListReport()
    with other_server(other):
        work, remote = probing(other.url, report)
        assert remote.findings is None
        assert [kind for kind, _ in report.events] == ["warning"]
        other.key = ""
        wait_until(lambda: remote.findings is not None)
        wait_until(lambda: work.look(report) or len(report.events) > 1)
        assert "requests for these are refused: n" in report.events[1][1]
        with pytest.raises(RemoteError, match="ignores n"):
            remote.findings.check("/completions", {"n": 2}, "oak")  # type: ignore[union-attr]
        work.close()


def test_one_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "PATIENCE_S", 0.3)
    report = ListReport()
    with other_server(Other(hangs={"max_tokens"})) as other:
        began = time.monotonic()
        work, remote = probing(other.url, report)
        assert time.monotonic() - began < 20  # and not the 30 seconds that a request may take
        assert (remote.findings, report.events) == (None, [])
        assert report.tasks == {"probe of oak": (0, 33)}
        work.close()


def test_workers_have_the_same_catalogue() -> None:
    with other_server(Other()) as other:
        named = upstream.with_model(bind(Spec, {"upstream": other.url}, where="test"))
    options = WorkerOptions.model_validate_json(named.model_dump_json(include=set(WorkerOptions.model_fields)))
    assert upstream.with_model(options) == options  # the server is gone, and nothing is asked
    entry = catalogue_of(options).entries[0]
    assert (entry.id, entry.url, entry.probe) == ("oak", other.url, True)
    plain = bind(WorkerOptions, {"model": "x"}, where="test")
    assert upstream.with_model(plain) is plain


def test_a_catalogue_may_ask_for_the_same(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(json.dumps({"models": [{"id": "far", "url": "http://x/v1", "probe": True}]}))
    assert catalogue_of(bind(WorkerOptions, {"catalogue": str(file)}, where="test")).entries[0].probe
    file.write_text(json.dumps({"models": [{"id": "near", "probe": True}]}))
    with pytest.raises(SpecError, match="near has a probe and no url"):
        catalogue_of(bind(WorkerOptions, {"catalogue": str(file)}, where="test"))
