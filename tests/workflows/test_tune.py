"""The main job: rows in, a tuned and measured model out; resumed, refused and stopped as a person would."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import luthier
from luthier.config import bind
from luthier.errors import CapacityError, Interrupted, LuthierError, RowsError, SpecError, TrainingError
from luthier.report import ListReport, Table
from luthier.training import checkpoint
from luthier.training.track import read_metrics
from luthier.workflows import tune

WORDS = ["".join(random.Random(index).choices("aeioubdgklmnprst", k=5)) for index in range(200)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty short chats: the reply repeats the last word of the question."""
    draw, file = random.Random(3), tmp_path_factory.mktemp("rows") / "echo.jsonl"
    lines = []
    for _ in range(40):
        said = draw.sample(WORDS, 4)
        messages = [{"role": "user", "content": " ".join(said)}, {"role": "assistant", "content": said[-1]}]
        lines.append(json.dumps({"messages": messages}))
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def settings(rows: Path, tiny_folder: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "rows": str(rows),
        "model": str(tiny_folder),
        "output": str(tmp_path / "run"),
        "precision": "fp32",
        "device": "cpu",
        "batch_size": 8,
        "max_steps": 6,
        "learning_rate": 1e-2,
        "save_steps": 1,
        "save_total_limit": 20,
        "resamples": 200,
        "answer_tokens": 4,
        "duplicates": "keep",
    }


def run(settings: Mapping[str, Any], report: ListReport | None = None, **changes: Any) -> tune.Result:
    spec = bind(tune.Spec, dict(settings) | changes, where="test")
    return tune.run(spec, report or ListReport())


def tensors(folder: str) -> dict[str, torch.Tensor]:
    return {name: value for file in Path(folder).glob("model/*.safetensors") for name, value in load_file(file).items()}


def same(left: str, right: str) -> bool:
    first, second = tensors(left), tensors(right)
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


class StopAt(ListReport):
    """Asks to stop once `step` steps are done."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.at = step

    def cancelled(self) -> bool:
        return self.tasks.get("training", (0, None))[0] >= self.at


def test_a_run_leaves_everything_a_person_needs(settings: dict[str, Any]) -> None:
    report = ListReport()
    result = run(settings, report)
    folder = Path(result.output)
    kept = json.loads((folder / "run.json").read_text())
    assert kept["status"] == "succeeded"
    assert kept["spec"]["batch_size"] == 8
    assert {"python", "torch", "transformers", "luthier"} <= kept["versions"].keys()
    assert len(kept["rows"]["fingerprint"]) == 64
    assert [line["step"] for line in read_metrics(folder / "metrics.jsonl") if "loss" in line] == [1, 2, 3, 4, 5, 6]
    assert {path.name for path in (folder / "model").iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
        "README.md",
    }
    assert list((folder / "tensorboard").iterdir())
    page = (folder / "report.html").read_text()
    assert "Answers side by side" in page
    assert "<script src" not in page
    held = [json.loads(line) for line in (folder / "heldout.jsonl").read_text().splitlines()]
    assert all(set(line["replies"]) == {"base", "tuned"} for line in held)
    assert report.tables[0].title.startswith("Plan: sft")
    assert result.comparison["loss"]["tuned"]["loss"] < result.comparison["loss"]["base"]["loss"]
    shown = result.tables()
    assert any(isinstance(one, Table) and one.title.startswith("Scores on") for one in shown)
    assert shown[-1] == f"report: {folder / 'report.html'}"
    assert result.next_commands()[0] == f"luthier chat {folder}"
    assert "loss per token" in (folder / "model" / "README.md").read_text()


def test_the_chat_command_says_the_system_message_of_the_rows(settings: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "system.jsonl"
    lines = [
        {"messages": [{"role": r, "content": c} for r, c in (("system", "Be brief."), ("user", a), ("assistant", b))]}
        for a, b in zip(WORDS[:30], WORDS[60:], strict=False)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    result = run(settings, rows=str(file), max_steps=1)
    assert result.next_commands()[0] == f"luthier chat {result.output} --system 'Be brief.'"


def test_the_tuned_model_loads_again_and_answers(settings: dict[str, Any]) -> None:
    from luthier.models.load import load_model

    result = run(settings)
    loaded = load_model(result.output)
    assert loaded.adapter is not None
    assert loaded.template.is_default


@pytest.mark.parametrize("train", ["lora", "full"])
def test_three_ways(settings: dict[str, Any], tmp_path: Path, train: str) -> None:
    """Uninterrupted equals stopped and resumed, bit for bit, in weights and in figures; a cold start differs."""
    options = {"train": train, "lora_dropout": 0.1 if train == "lora" else 0.0}
    whole = run(settings, output=str(tmp_path / "whole"), **options)
    parts = {"output": str(tmp_path / "parts"), **options}
    with pytest.raises(Interrupted, match="step 3 of 6"):
        run(settings, StopAt(3), **parts)
    torch.rand(3)
    resumed = run(settings, resume=True, **parts)
    assert same(whole.output, resumed.output)
    assert whole.comparison == resumed.comparison
    cold = run(settings, output=str(tmp_path / "cold"), max_steps=3, **options)
    assert not same(whole.output, cold.output)


STEPS = 60
"""Long enough that a process can be killed in the middle of it."""


@pytest.mark.parametrize(
    ("seed", "kills", "train"),
    [
        pytest.param(1, 3, "lora", id="sample"),
        *[pytest.param(seed, 10, train, marks=pytest.mark.soak) for seed in (2, 3) for train in ("lora", "full")],
    ],
)
def test_killed_at_random_points_it_ends_the_same(
    settings: dict[str, Any], tmp_path: Path, seed: int, kills: int, train: str
) -> None:
    """A real process, killed with SIGKILL while it loads, trains, saves or measures, and resumed until it ends."""
    options = settings | {"max_steps": STEPS, "train": train, "lora_dropout": 0.1 if train == "lora" else 0.0}
    whole = run(options, output=str(tmp_path / "whole"))
    killed, draw = tmp_path / "killed", random.Random(seed)
    done = 0
    for _ in range(kills):
        process = _start(options | {"output": str(killed), "resume": (killed / "run.json").exists()})
        done += _kill(process, killed, draw) == -signal.SIGKILL
    assert done >= min(2, kills)
    process = _start(options | {"output": str(killed), "resume": (killed / "run.json").exists()})
    assert process.wait(timeout=300) == 0
    assert json.loads((killed / "run.json").read_text())["status"] == "succeeded"
    assert same(whole.output, str(killed))


def _start(options: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if name not in ("rows", "resume")]
    command = [sys.executable, "-m", "luthier", "tune", str(options["rows"]), *words, "--quiet"]
    return subprocess.Popen(command + (["--resume"] if options["resume"] else []), stderr=subprocess.DEVNULL)


def _last_step(folder: Path) -> int:
    found = checkpoint.checkpoints(folder / "checkpoints")
    return int(found[-1].name.removeprefix(checkpoint.PREFIX)) if found else 0


def _kill(process: subprocess.Popen[bytes], folder: Path, draw: random.Random) -> int:
    """Kills the process some steps on, or after a random time when it has none left; returns how it ended."""
    target = _last_step(folder) + draw.randint(1, STEPS // 3)
    deadline = time.monotonic() + (120 if target < STEPS else draw.uniform(0.5, 6))
    while process.poll() is None and time.monotonic() < deadline and _last_step(folder) < target:
        time.sleep(0.002)
    time.sleep(draw.random() * 0.02)
    process.kill()
    return process.wait(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_first(settings: dict[str, Any], tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "signalled"
    process = _start(dict(settings) | {"output": str(folder), "resume": False, "max_steps": 100000})
    deadline = time.monotonic() + 120
    while not checkpoint.checkpoints(folder / "checkpoints") and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, number)
    assert process.wait(timeout=60) == 130
    kept = json.loads((folder / "run.json").read_text())
    assert kept["status"] == "interrupted"
    step = int(kept["error"].split("step ")[1].split()[0])
    assert checkpoint.checkpoints(folder / "checkpoints")[-1].name == f"step-{step:08d}"


def test_recomputed_activations_train_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    whole = run(settings, max_steps=3, answer_rows=0)
    again = run(settings, max_steps=3, answer_rows=0, gradient_checkpointing=True, output=str(tmp_path / "again"))
    first, second = tensors(whole.output), tensors(again.output)
    assert all(torch.allclose(value, second[name], atol=1e-6) for name, value in first.items())


def test_the_plan_counts_what_is_cut_of_the_held_out_rows_too(settings: dict[str, Any]) -> None:
    report = ListReport()
    run(settings, report, max_length=8, truncate="start", plan_only=True)
    changed = dict(report.tables[0].rows)["changed rows"]
    assert "held out: " in changed


def test_held_out_rows_that_cannot_be_answered_are_said_with_their_reason(
    settings: dict[str, Any], tiny_folder: Path, tmp_path: Path
) -> None:
    long, file = " ".join(WORDS * 4), tmp_path / "long.jsonl"
    rows = [
        {"messages": [{"role": "user", "content": f"{long} {word}"}, {"role": "assistant", "content": word}]}
        for word in WORDS[:40]
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    report = ListReport()
    result = run(settings, report, rows=str(file), truncate="start", max_steps=1)
    warned = [text for kind, text in report.events if kind == "warning" and "rows failed" in text]
    assert [text.partition(":")[0] for text in warned] == ["answers of base", "answers of tuned"]
    assert all("the first, " in text and f"{file}:" in text and "leave no room" in text for text in warned)
    assert "held-out loss" in result.sentence
    samples = [one for one in result.tables() if isinstance(one, Table) and one.title.startswith("Held-out row")]
    assert dict(samples[0].rows)["tuned"].startswith("failed: ")


def test_planning_a_resume_removes_nothing(settings: dict[str, Any]) -> None:
    with pytest.raises(Interrupted):
        run(settings, StopAt(3))
    run(settings, resume=True, plan_only=True)
    assert len(checkpoint.checkpoints(Path(settings["output"]) / "checkpoints")) == 3
    assert run(settings, resume=True).comparison


class StopWhileAnswering(ListReport):
    """Asks to stop as soon as held-out rows are answered, before anything is trained."""

    def cancelled(self) -> bool:
        return "answers of base" in self.tasks


def test_a_run_stopped_before_training_can_be_resumed(settings: dict[str, Any], tmp_path: Path) -> None:
    whole = run(settings, output=str(tmp_path / "whole"))
    with pytest.raises(Interrupted, match="--resume"):
        run(settings, StopWhileAnswering())
    assert json.loads((Path(settings["output"]) / "run.json").read_text())["status"] == "interrupted"
    assert same(whole.output, run(settings, resume=True).output)


def test_a_refused_resume_leaves_a_finished_run_finished(settings: dict[str, Any]) -> None:
    run(settings)
    with pytest.raises(LuthierError, match="another run"):
        run(settings, resume=True, seed=9)
    assert json.loads((Path(settings["output"]) / "run.json").read_text())["status"] == "succeeded"


def test_a_resumed_run_computes_with_the_threads_it_began_with(settings: dict[str, Any]) -> None:
    with pytest.raises(Interrupted):
        run(settings, StopAt(3))
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        assert run(settings, resume=True).comparison
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def _kept(folder: str) -> list[str]:
    return sorted(path.name for path in (Path(folder) / "models").iterdir())


@pytest.mark.parametrize("train", ["lora", "full"])
def test_models_of_the_last_epochs_are_kept_ready_to_use(settings: dict[str, Any], train: str) -> None:
    report = ListReport()
    done = run(settings, report, train=train, max_steps=None, num_train_epochs=3.0, keep_models=2)
    kept = [data for kind, data in report.data if kind == "model"]
    steps = [data["step"] for data in kept]
    assert len(steps) == 3
    assert _kept(done.output) == [f"step-{step:08d}" for step in steps[1:]]
    assert {"loss", "token_accuracy", "eval_loss", "eval_token_accuracy"} <= set(kept[0]["figures"])
    last = Path(done.output) / "models" / f"step-{steps[-1]:08d}"
    assert luthier.chat(model=str(last), message="a b c", max_tokens=4, device="cpu").to_json()["finish_reason"]


def test_a_stopped_run_leaves_the_model_it_had(settings: dict[str, Any], tmp_path: Path) -> None:
    whole = run(settings, output=str(tmp_path / "whole"), keep_models=3)
    with pytest.raises(Interrupted):
        run(settings, StopAt(3), keep_models=3)
    assert "step-00000003" in _kept(settings["output"])
    again = run(settings, resume=True, keep_models=3)
    assert same(whole.output, again.output)
    assert _kept(again.output)[-1] == _kept(whole.output)[-1]


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore")  # torch's compiler warns of torch's own parts
def test_compiled_blocks_learn_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    plain = run(settings, output=str(tmp_path / "plain"))
    compiled = run(settings, output=str(tmp_path / "compiled"), compile=True)
    first, second = (read_metrics(Path(one.output) / "metrics.jsonl") for one in (plain, compiled))
    losses = [[line["loss"] for line in lines if "loss" in line] for lines in (first, second)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_plain_text_is_learned_token_by_token(settings: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "text.jsonl"
    file.write_text("\n".join(json.dumps({"text": f"{a} {b} {a}"}) for a, b in zip(WORDS, WORDS[50:], strict=False)))
    result = run(settings, rows=str(file), method="clm")
    assert result.comparison["scores"] is None
    assert result.comparison["loss"]["difference"] < 0
    assert result.plan["labelled"] > result.plan["tokens"] * 0.8


def test_a_new_model_from_nothing(settings: dict[str, Any]) -> None:
    options = {"from_scratch": True, "train": "full", "vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2}
    result = run(settings, **options)
    again = run(settings, output=result.output + "-2", **options)
    assert same(result.output, again.output)
    assert (Path(result.output) / "model" / "config.json").exists()
    assert "base_model:" not in (Path(result.output) / "model" / "README.md").read_text()


def test_without_held_out_rows_nothing_is_compared(settings: dict[str, Any]) -> None:
    result = run(settings, validation_fraction=0.0, test_fraction=0.0)
    assert result.comparison == {}
    assert (Path(result.output) / "model" / "adapter_config.json").exists()


def test_plan_only_leaves_nothing_behind(settings: dict[str, Any]) -> None:
    report = ListReport()
    result = run(settings, report, plan_only=True)
    assert result.plan["steps"] == 6
    assert report.tables
    assert not Path(settings["output"]).exists()


def test_plan_compute_needs_no_rows() -> None:
    result = tune.run(tune.Spec(plan_compute=1e18), ListReport())
    table = result.tables()[0]
    assert isinstance(table, Table)
    assert table.rows


def test_python_takes_the_same_words(settings: dict[str, Any]) -> None:
    assert luthier.tune(**settings, plan_only=True).plan["batch_size"] == 8


def change_checkpoint(folder: Path) -> None:
    file = checkpoint.checkpoints(folder / "checkpoints")[-1] / checkpoint.TENSORS
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_a_damaged_checkpoint_is_said_and_passed_over(settings: dict[str, Any], tmp_path: Path) -> None:
    whole = run(settings, output=str(tmp_path / "whole"))
    with pytest.raises(Interrupted):
        run(settings, StopAt(4))
    change_checkpoint(Path(settings["output"]))
    report = ListReport()
    resumed = run(settings, report, resume=True)
    assert any("step-00000004" in text and "damaged" in text for kind, text in report.events if kind == "warning")
    assert any("resumed from step 3" in text for _, text in report.events)
    assert same(whole.output, resumed.output)


def refused(error: type[LuthierError], match: str, settings: Mapping[str, Any], **changes: Any) -> None:
    with pytest.raises(error, match=match):
        run(settings, **changes)
    assert not Path(settings["output"]).exists(), "a refused run leaves nothing behind"


def test_errors_are_rehearsed(settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "bad.jsonl").write_text('{"messages": [{"role": "usr", "content": "x"}]}\n{"messages"')
    (tmp_path / "text.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    refused(RowsError, r"missing\.jsonl", settings, rows=str(tmp_path / "missing.jsonl"))
    refused(RowsError, r"empty\.jsonl", settings, rows=str(tmp_path / "empty.jsonl"))
    refused(RowsError, r"bad\.jsonl:1.*'usr'", settings, rows=str(tmp_path / "bad.jsonl"))
    refused(SpecError, r"kind 'text'.*--method clm", settings, rows=str(tmp_path / "text.jsonl"))
    refused(SpecError, "train is lora.*--train full", settings, from_scratch=True)
    refused(SpecError, "add --from-scratch", settings, parameters=100_000)
    refused(LuthierError, "no such folder", settings, model=str(tmp_path / "nowhere"))
    with pytest.raises(SpecError, match=r"learning_rat.*did you mean 'learning_rate'"):
        run(settings, learning_rat=1)
    with pytest.raises(SpecError, match="write num_train_epochs"):
        run(settings, epochs=1)


def test_a_folder_that_holds_a_run_is_not_overwritten(settings: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="holds no run to resume"):
        run(settings, resume=True)
    run(settings)
    with pytest.raises(SpecError, match="holds a run already; add --resume"):
        run(settings)
    with pytest.raises(LuthierError, match=r"another run \(learning_rate: 0.01 there, 0.02 here\)"):
        run(settings, resume=True, learning_rate=2e-2)
    assert (Path(settings["output"]) / "model" / "adapter_config.json").exists()


def test_what_cannot_fit_is_refused_with_what_would(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from luthier.training import setup

    monkeypatch.setattr(setup, "free_memory", lambda _: 1000)
    refused(CapacityError, "the run needs .* more, and .* are free; ", settings)


def test_a_full_disk_keeps_the_checkpoints_there_are(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = checkpoint.save_file, []

    def fills_up(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(checkpoint, "save_file", fills_up)
    with pytest.raises(CapacityError, match=r"step 3 could not be written.*--resume"):
        run(settings)
    monkeypatch.undo()
    assert json.loads((Path(settings["output"]) / "run.json").read_text())["status"] == "failed"
    assert run(settings, resume=True).comparison


def test_a_loss_that_is_not_a_number_names_the_rows(settings: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"echo\.jsonl:\d+.*is (nan|inf).*--learning-rate"):
        run(settings, learning_rate=10.0, max_grad_norm=0, train="full", lr_scheduler_type="constant", max_steps=500)
