"""The engine as the server shows it: metrics, health, adapters over one base, and requests that begin alike."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families
from serving import AS_OWNER, KEY, Running, ended, rows, serve, upload

from luthier.generation import service as room
from luthier.generation.passes import Passes
from luthier.server.app import create_app
from luthier.server.catalogue import open_catalogue
from luthier.server.options import ServerOptions
from luthier.server.state import Server
from luthier.store.opened import Store

LONG = "The bow is in the case, the case is in the hall, and the hall is in the house. " * 8


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = serve(tmp_path_factory.mktemp("engine") / "home", env={"LUTHIER_KEY": "secret"})
    yield server
    server.end()


@pytest.fixture(scope="module")
def client(running: Running) -> OpenAI:
    return running.client(api_key="secret")


def figures(running: Running) -> dict[str, dict[str, float]]:
    """Returns the metrics by name, each by model (and how requests ended)."""
    url = running.url.removesuffix("/v1") + "/metrics"
    found = httpx.get(url, headers={"authorization": "Bearer secret"})
    assert found.headers["content-type"].startswith("text/plain; version=")
    out: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(found.text):
        for sample in family.samples:
            labels = "/".join(sample.labels[key] for key in sorted(sample.labels) if key != "le")
            out.setdefault(sample.name, {})[labels] = sample.value
    return out


def ask(client: OpenAI, content: str, model: str = "fiddle", **options: Any) -> Any:
    return client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}], **{"max_tokens": 4, "temperature": 0} | options
    )


def test_metrics_count_what_was_asked_and_need_the_key(running: Running, client: OpenAI) -> None:
    ask(client, "Hello")
    before = figures(running)
    usage = ask(client, LONG).usage
    after = figures(running)

    def grown(name: str, label: str = "fiddle") -> float:
        return after[name].get(label, 0) - before[name].get(label, 0)

    assert grown("luthier_prompt_tokens_total") == usage.prompt_tokens
    assert grown("luthier_completion_tokens_total") == usage.completion_tokens
    assert grown("luthier_first_token_seconds_count") == 1
    assert grown("luthier_next_token_seconds_count") == usage.completion_tokens - 1
    assert sum(after["luthier_requests_total"].values()) - sum(before["luthier_requests_total"].values()) == 1
    assert after["luthier_engine_up"] == {"fiddle": 1}
    assert after["luthier_requests_running"] == after["luthier_requests_waiting"] == {"fiddle": 0}
    assert 0 < after["luthier_kv_used_bytes"]["fiddle"] <= after["luthier_kv_budget_bytes"]["fiddle"]
    assert httpx.get(running.url.removesuffix("/v1") + "/metrics").status_code == 401
    assert httpx.get(running.url.removesuffix("/v1") + "/health").json() == {"status": "ok"}


def test_what_was_read_once_is_not_read_again_and_usage_says_so(running: Running, client: OpenAI) -> None:
    text = LONG.replace("bow", "scroll")
    first, second = (ask(client, text + last).usage for last in ("Where is it?", "Why?"))
    cached = second.prompt_tokens_details.cached_tokens
    assert first.prompt_tokens_details.cached_tokens < 64
    assert cached > 100
    assert cached < second.prompt_tokens


def test_several_choices_read_their_prompt_once(running: Running, client: OpenAI) -> None:
    before = figures(running)
    reply = ask(client, LONG.replace("bow", "neck"), n=4, temperature=1.0, seed=1)
    after = figures(running)
    grown = {
        name: after[name]["fiddle"] - before[name]["fiddle"]
        for name in ("luthier_prompt_tokens_total", "luthier_reused_prompt_tokens_total")
    }
    assert len(reply.choices) == 4
    assert grown["luthier_prompt_tokens_total"] == 4 * reply.usage.prompt_tokens
    assert grown["luthier_reused_prompt_tokens_total"] >= 3 * (reply.usage.prompt_tokens - 1)


def test_adapters_answer_over_the_base_that_is_loaded(running: Running, client: OpenAI) -> None:
    file = upload(client, rows())
    names = []
    for seed in (1, 2):
        job = client.fine_tuning.jobs.create(
            model="fiddle",
            training_file=file.id,
            seed=seed,
            hyperparameters={"n_epochs": 1, "learning_rate_multiplier": 20},
        )
        names.append(ended(client, job.id).fine_tuned_model)
    replies = {name: ask(client, "Say lira", model=name) for name in [*names, "fiddle"]}
    assert all(reply.choices[0].message.content is not None for reply in replies.values())
    found = figures(running)
    assert list(found["luthier_engine_up"]) == ["fiddle"], "no other model was loaded for them"


@pytest.fixture
def inside(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server in this process, whose engine a test can break."""
    options = ServerOptions(home=str(tmp_path / "home"), precision="fp32")
    store = Store.open(options)
    server = Server.of(options, store, open_catalogue("fiddle", None))
    monkeypatch.setenv("LUTHIER_KEY", KEY)
    yield create_app(server)
    for service in server.answering.services().values():
        service.close()
    server.gate.close()
    store.close()


def test_a_broken_engine_is_down_tells_who_waits_and_comes_back(inside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AGAIN_S", 0.05)
    body = {"model": "fiddle", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}

    async def story() -> None:
        transport = httpx.ASGITransport(app=inside, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside", headers=AS_OWNER) as http:
            assert (await http.post("/v1/chat/completions", json=body)).status_code == 200
            with monkeypatch.context() as patched:
                patched.setattr(Passes, "__call__", _broken)
                failed = await http.post("/v1/chat/completions", json=body)
                assert failed.status_code == 503
                assert failed.json()["error"]["code"] == "engine_down"
                assert re.match(r"\d+$", failed.headers["retry-after"])
                assert "kernel" not in failed.text
                sick = await http.get("/health")
                assert sick.status_code == 503
                assert sick.json()["models"] == {"fiddle": "the engine has stopped"}
                assert b'luthier_engine_up{model="fiddle"} 0.0' in (await http.get("/metrics")).content
                assert (await http.post("/v1/chat/completions", json=body)).status_code == 503
            for _ in range(500):
                if (await http.get("/health")).status_code == 200:
                    break
                await asyncio.sleep(0.01)
            assert (await http.post("/v1/chat/completions", json=body)).status_code == 200

    asyncio.run(story())


def _broken(*_: Any) -> None:
    raise RuntimeError("a kernel failed")
