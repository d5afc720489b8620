"""What is found out about servers of which it is known what they do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from other_servers import Other, other_server
from serving import KEY, serve
from tiny_models import tiny_model, tiny_tokenizer

import luthier
from luthier.errors import Interrupted, RemoteError, SpecError
from luthier.generation.checks import CHECKS
from luthier.generation.findings import CHAT, COMPLETIONS, EMBEDDINGS, Finding, Findings
from luthier.report import ListReport
from luthier.workflows import probe


def found(other: Other, **options: Any) -> dict[tuple[str, str], Finding]:
    with other_server(other):
        result = luthier.probe(url=other.url, **options)
    return {(one.feature, one.path): one for one in result.findings.found}


def test_a_server_that_does_everything() -> None:
    other = Other()
    report = ListReport()
    with other_server(other):
        result: probe.Result = luthier.probe(report, url=other.url)
    states = {(one.feature, one.path): (one.state, one.detail) for one in result.findings.found}
    assert set(states.values()) == {("honoured", "")}
    features = {(name, path) for path, some in CHECKS.items() for name, _, _ in some}
    assert set(states) == features | {("stream with usage", CHAT), ("embeddings", EMBEDDINGS)}
    assert report.tasks["probe"] == (len(states), len(states))
    assert all(asked["model"] == "oak" for asked in other.asked)
    assert max(asked.get("max_tokens", 0) for asked in other.asked) < 100
    assert json.loads(json.dumps(result.to_json()))["findings"][0]["state"] == "honoured"
    rows = {row[0]: row[1:] for row in result.tables()[0].rows}
    assert (rows["seed"], rows["tools"]) == (("honoured", "honoured", ""), ("honoured", "", ""))
    assert result.next_commands() == [f"luthier serve --model oak --upstream {other.url}"]


KEYS = {name: (keys[-1] if keys else "temperature") for some in CHECKS.values() for name, keys, _ in some}
KEYS |= {"tool_choice required": "tool_choice", "stream with usage": "stream_options"}


@pytest.mark.parametrize("feature", list(KEYS))
def test_what_is_dropped_in_silence_is_found(feature: str) -> None:
    """Each key that the server drops is found where it is asked, and nothing else is held against the server."""
    key = KEYS[feature]
    seen = {place: one for place, one in found(Other(ignores={key})).items() if one.missing}
    names = {name for name, _ in seen}
    assert feature in names
    assert {one.state for one in seen.values()} == {"ignored"}
    built_on_it = {"logprobs": {"top_logprobs", "echo with logprobs"}, "tools": {"tool_choice required"}}
    built_on_it |= {"echo": {"echo with logprobs"}}
    assert names <= {name for name in KEYS if KEYS[name] == key} | built_on_it.get(key, set()), seen
    assert all(one.detail for one in seen.values())


@pytest.mark.parametrize("key", ["seed", "logit_bias", "response_format", "tools", "echo", "n", "stream_options"])
def test_what_is_refused_is_found(key: str) -> None:
    seen = {place: one for place, one in found(Other(refuses={key})).items() if one.state != "honoured"}
    refused = {one.feature: one for one in seen.values() if one.state == "refused"}
    assert any(f"{key} is not supported" in one.detail for one in refused.values())
    assert not [one for one in seen.values() if one.state == "ignored"]


def test_a_server_of_ours_honours_what_it_does_not_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIER_KEY", KEY)
    tiny_model("llama").save_pretrained(tmp_path / "tiny")
    tiny_tokenizer().save_pretrained(tmp_path / "tiny")
    running = serve(tmp_path / "home", "--model", str(tmp_path / "tiny"), "--workers", "0")
    try:  # time enough for a busy machine
        result = luthier.probe(
            url=running.url, model="tiny", key_variable="LUTHIER_KEY", request_seconds=300, seconds=900
        )
    finally:
        running.end()
    seen = {(one.feature, one.path): one for one in result.findings.found}
    assert [one for one in seen.values() if one.state == "ignored"] == []
    refused = {name for (name, path), one in seen.items() if one.state == "refused"}
    # its chat template has no place for tools
    assert refused == {"embeddings", "tools", "tool_choice required"}
    sure = {"seed", "n", "temperature", "max_tokens", "logprobs", "logit_bias", "frequency_penalty"}
    assert {
        (name, path) for name in sure for path in (CHAT, COMPLETIONS) if seen[name, path].state != "honoured"
    } == set()
    for name in ("token ids as prompt", "echo", "echo with logprobs"):
        assert seen[name, COMPLETIONS].state == "honoured", seen[name, COMPLETIONS]
    for name in ("top_logprobs", "stream with usage"):
        assert seen[name, CHAT].state == "honoured", seen[name, CHAT]


def test_a_request_that_hangs_is_unclear_and_does_not_hold_the_rest_up() -> None:
    seen = found(Other(hangs={"response_format"}), request_seconds=0.5)
    assert seen["json_schema", CHAT].state == "unclear"
    assert "does not answer within 0.5 s" in seen["json_schema", CHAT].detail
    assert seen["seed", CHAT].state == "honoured"


def test_the_time_for_all_is_kept() -> None:
    seen = found(Other(hangs={"stop", "n", "logprobs"}), request_seconds=60, seconds=3)
    assert seen["stop", CHAT].state == "unclear"
    assert "no time" in seen["stop", CHAT].detail


def test_a_server_without_completions() -> None:
    seen = found(Other(paths={"/chat/completions"}))
    assert (seen["answers at all", COMPLETIONS].state, seen["embeddings", EMBEDDINGS].state) == ("refused", "refused")
    assert ("echo", COMPLETIONS) not in seen
    assert seen["seed", CHAT].state == "honoured"


def test_a_server_that_only_embeds() -> None:
    seen = found(Other(paths={"/embeddings"}))
    assert seen["embeddings", EMBEDDINGS].state == "honoured"
    assert seen["answers at all", CHAT].state == "refused"


def test_servers_that_cannot_be_probed() -> None:
    with pytest.raises(RemoteError, match=r"127.0.0.1:9/v1: does not answer \(ConnectError\); check that it runs"):
        luthier.probe(url="http://127.0.0.1:9/v1", model="oak")
    with pytest.raises(SpecError, match=r"has 2 models \(oak, elm\); say which one is meant with --model NAME"):
        found(Other(models=["oak", "elm"]))
    with pytest.raises(SpecError, match="lists no models"):
        found(Other(models=[]))
    with pytest.raises(RemoteError, match="answered 404: no /chat/completions for ash"):
        found(Other(), model="ash")
    with pytest.raises(RemoteError, match=r"does not answer within 0\.3 s"):
        found(Other(hangs={"temperature"}), request_seconds=0.3)
    with pytest.raises(SpecError, match="url"):
        luthier.probe(url="127.0.0.1:8000")


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIER_TEST_KEY", "sesame")
    assert found(Other(key="sesame"), key_variable="LUTHIER_TEST_KEY")["seed", CHAT].state == "honoured"
    with pytest.raises(RemoteError, match="401: wrong key"):
        found(Other(key="other"), key_variable="LUTHIER_TEST_KEY")


def test_it_stops_when_asked() -> None:
    with other_server(Other()) as other, pytest.raises(Interrupted, match="the probe was stopped"):
        luthier.probe(ListReport(stop=True), url=other.url)


def finding(keys: tuple[str, ...], path: str = CHAT, state: Any = "ignored") -> Findings:
    return Findings("oak", (Finding("it", path, keys, state, "seen"),))


@pytest.mark.parametrize(
    ("keys", "body"),
    [
        (("seed",), {"seed": 0, "temperature": 1}),
        (("seed",), {"seed": 3}),
        (("n",), {"n": 2}),
        (("echo", "logprobs"), {"echo": True, "logprobs": 0}),
        (("prompt",), {"prompt": [1, 2]}),
        (("prompt",), {"prompt": [[1], [2]]}),
        (("response_format",), {"response_format": {"type": "json_schema"}}),
        (("tool_choice",), {"tool_choice": "required"}),
        (("presence_penalty",), {"presence_penalty": -0.5}),
    ],
)
def test_requests_for_what_is_missing_are_refused(keys: tuple[str, ...], body: dict[str, Any]) -> None:
    with pytest.raises(RemoteError, match=r"far: the server of this model ignores it \(seen\); leave it out") as caught:
        finding(keys).check(CHAT, body, "far")
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, "unsupported_parameter", keys[0])
    finding(keys).check(COMPLETIONS, body, "far")
    for state in ("honoured", "unclear"):
        finding(keys, state=state).check(CHAT, body, "far")


@pytest.mark.parametrize(
    ("keys", "body"),
    [
        (("seed",), {"seed": 3, "temperature": 0}),
        (("seed",), {"seed": None}),
        (("n",), {"n": 1}),
        (("echo", "logprobs"), {"echo": True}),
        (("echo", "logprobs"), {"echo": False, "logprobs": 2}),
        (("prompt",), {"prompt": "text"}),
        (("prompt",), {"prompt": ["text"]}),
        (("response_format",), {"response_format": {"type": "json_object"}}),
        (("tool_choice",), {"tool_choice": "auto"}),
        (("frequency_penalty",), {"frequency_penalty": 0.0}),
        (("logprobs",), {"logprobs": False}),
        ((), {"temperature": 1}),
    ],
)
def test_requests_that_ask_for_nothing_of_it_pass(keys: tuple[str, ...], body: dict[str, Any]) -> None:
    finding(keys).check(CHAT, body, "far")
