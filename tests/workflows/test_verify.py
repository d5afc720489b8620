"""A model beside servers: `luthier serve` in a process of its own, with that model, and with what it should not be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from other_servers import Other, other_server
from serving import KEY, Running, serve
from tiny_models import TEMPLATE, tiny_model, tiny_tokenizer

import luthier
from luthier import cli
from luthier.errors import Interrupted, ModelError, RemoteError, SpecError
from luthier.generation.elsewhere import Served
from luthier.report import ListReport

QUESTIONS = ["the bow", "a neck", "who plays?", "the scroll and the bridge", "fiddle", "old wood", "a string"]
ROWS = [
    {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": f"the {text}"}]}
    for text in QUESTIONS
]


def model_folder(folder: Path, *, noise: float = 0.0, template: str = TEMPLATE) -> Path:
    model, tokenizer = tiny_model("llama"), tiny_tokenizer()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * noise)
    tokenizer.chat_template = template
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    model_folder(folder / "same")
    model_folder(folder / "perturbed", noise=0.05)
    model_folder(folder / "nudged", noise=1e-6)
    model_folder(folder / "template", template=TEMPLATE.replace("<|end|>", "\n<|end|>"))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return folder


@pytest.fixture(scope="module")
def served(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("verify")
    names = ["same", "perturbed", "nudged", "template"]
    entries = [{"id": name, "model": str(models / name)} for name in names]
    (folder / "models.yaml").write_text(json.dumps({"models": entries}))
    running = serve(folder / "home", "--catalogue", str(folder / "models.yaml"), "--workers", "0")
    yield running
    running.end()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIER_KEY", KEY)


def verify(url: str, models: Path, report: ListReport | None = None, **options: Any) -> Any:
    given = {"run": str(models / "same"), "prompts": str(models / "rows.jsonl"), "max_tokens": 12}
    given["key_variable"] = "LUTHIER_KEY"
    return luthier.verify(report, url=url, precision="fp32", device="cpu", **given | options)


def test_the_same_model_is_the_same(served: Running, models: Path) -> None:
    report = ListReport()
    result = verify(served.url, models, report, model="same")
    found = result.agreement
    assert (found.faults, found.count("equal"), found.scored_by) == ([], 7, "the reference answers")
    assert len(found.differences) > 30
    assert found.largest < 1e-4
    assert all(row.prompt_tokens is not None and not row.read_apart for row in found.rows)
    for task in ("answers there", "answers here", "scores there", "scores here"):
        assert report.tasks[task] == (7, 7)
    assert report.events[-1] == ("result", f"same at {served.url} is the same, within the tolerance")
    assert result.next_commands() == [f"luthier serve --model same --upstream {served.url}"]
    assert json.loads(json.dumps(result.to_json()))["verdict"] == "the same, within the tolerance"


def test_weights_that_moved_by_less_than_the_tolerance_are_the_same(served: Running, models: Path) -> None:
    assert verify(served.url, models, model="nudged").agreement.faults == []
    strict = verify(served.url, models, model="nudged", tolerance=0, max_difference=0).agreement
    assert any("on average" in fault for fault in strict.faults)


def test_other_weights_are_found(served: Running, models: Path) -> None:
    found = verify(served.url, models, model="perturbed").agreement
    assert found.count("different") > 3
    assert found.mean > 0.05
    assert not any(row.read_apart for row in found.rows)
    assert "answers differ" in found.verdict
    shown = found.tables()[1].rows[0]
    assert shown[2] != shown[3]


def test_another_chat_template_is_found(served: Running, models: Path) -> None:
    found = verify(served.url, models, model="template").agreement
    assert all(row.read_apart for row in found.rows)
    assert "7 prompts were read as another number of tokens (another chat template or tokenizer)" in found.verdict
    assert found.largest < 1e-4  # the weights are the same


def test_an_adapter_is_not_its_base(served: Running, models: Path, tmp_path: Path) -> None:
    from luthier.models.export import save_model
    from luthier.models.load import load_model
    from luthier.models.lora import LoraShape, insert_lora, linear_layers
    from luthier.models.options import LoadOptions

    loaded = load_model(str(models / "same"), LoadOptions(precision="fp32", device="cpu"))
    for layer in insert_lora(loaded.model, list(linear_layers(loaded.model))[:4], LoraShape(r=4, alpha=8.0)):
        torch.nn.init.normal_(layer.lora_B, std=0.5, generator=torch.Generator().manual_seed(1))
    save_model(loaded, tmp_path / "tuned")
    found = verify(served.url, models, run=str(tmp_path / "tuned"), model="same").agreement
    assert found.faults
    assert found.mean > 0.05


def test_replies_are_scored_where_prompts_are_not(
    served: Running, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: Any) -> None:
        return None

    monkeypatch.setattr(Served, "_score", none)
    found = verify(served.url, models, model="same").agreement
    assert (found.faults, found.scored_by) == ([], "the answers")
    assert len(found.differences) > 30
    assert found.largest < 1e-4
    assert verify(served.url, models, model="perturbed").agreement.faults


@pytest.mark.parametrize("how", [{"refuses": {"logprobs"}}, {"ignores": {"logprobs", "echo"}}])
def test_a_server_without_log_probabilities_is_judged_by_its_answers(models: Path, how: dict[str, Any]) -> None:
    with other_server(Other(**how)) as other:
        found = verify(other.url, models).agreement
    assert (found.count("different"), found.differences) == (7, ())
    assert dict(found.tables()[0].rows)["log-probabilities"] == "the server says none"


def test_the_command_ends_with_0_or_1(served: Running, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", served.url, str(models / "same"), "--prompts", str(models / "rows.jsonl"), "--count", "2"]
    words += ["--max-tokens", "4", "--precision", "fp32", "--device", "cpu", "--quiet", "--key-variable", "LUTHIER_KEY"]
    assert cli.main([*words, "--model", "same"]) == 0
    assert "equal answers" in capsys.readouterr().out
    assert cli.main([*words, "--model", "template"]) == 1
    assert f"template at {served.url} is different: " in capsys.readouterr().out
    assert cli.main([*words, "--model", "nobody"]) == 2
    assert "The model 'nobody' does not exist here" in capsys.readouterr().err


def test_what_cannot_be_compared_says_why(served: Running, models: Path, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match=r"127.0.0.1:9/v1: does not answer \(ConnectError\); check that it runs"):
        verify("http://127.0.0.1:9/v1", models)
    with pytest.raises(SpecError, match=r"has 4 models \(same, perturbed, nudged, template\); say which"):
        verify(served.url, models)
    with pytest.raises(ModelError, match="no such folder"):
        verify(served.url, models, model="same", run="./nowhere")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"messages": [{"role": "assistant", "content": "alone"}]}))
    with pytest.raises(SpecError, match=r"rows.jsonl: no row holds a question with an answer"):
        verify(served.url, models, model="same", prompts=str(tmp_path / "rows.jsonl"))
    with pytest.raises(SpecError, match="is no run folder, and so has no rows to ask; give --prompts FILE"):
        verify(served.url, models, model="same", prompts=())
    with pytest.raises(Interrupted, match="the comparison was stopped"):
        verify(served.url, models, ListReport(stop=True), model="same")


def test_a_prompt_that_does_not_fit_is_left_out_or_counts_against_the_server(
    served: Running, models: Path, tmp_path: Path
) -> None:
    long = {"messages": [{"role": "user", "content": "x" * 200}, {"role": "assistant", "content": "y"}]}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [ROWS[0], long]))
    report = ListReport()
    found = verify(served.url, models, report, model="same", prompts=str(tmp_path / "rows.jsonl")).agreement
    assert (found.faults, len(found.rows)) == ([], 1)
    assert ("warning", "1 prompts do not fit the model here, and are left out") in report.events
    (tmp_path / "rows.jsonl").write_text(json.dumps(long))
    with pytest.raises(SpecError, match="none of 1 prompts fits the model"):
        verify(served.url, models, model="same", prompts=str(tmp_path / "rows.jsonl"))


def test_a_run_brings_its_prompts(served: Running, models: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(models / "same", run / "model")
    rows = str(models / "rows.jsonl")
    (run / "run.json").write_text(json.dumps({"spec": {"rows": [rows], "format": "openai-chat"}}))
    found = verify(served.url, models, run=str(run), model="same", prompts=(), count=3).agreement
    assert (found.faults, len(found.rows)) == ([], 3)
    turns = [{"role": "user", "content": "held out"}]
    held = {"index": 0, "fingerprint": "f", "origin": "x:1", "messages": turns, "tools": []}
    held["reference"] = {"role": "assistant", "content": "the reference"}
    (run / "heldout.jsonl").write_text(json.dumps(held) + "\n")
    found = verify(served.url, models, run=str(run), model="same", prompts=()).agreement
    assert [row.prompt for row in found.rows] == ["user: held out"]
    (run / "heldout.jsonl").unlink()
    (run / "run.json").write_text("{}")
    with pytest.raises(SpecError, match=r"run.json: says nothing of its rows; give --prompts FILE"):
        verify(served.url, models, run=str(run), model="same", prompts=())
