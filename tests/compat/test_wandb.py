"""What W&B keeps of a run, written offline by W&B itself and read back from its file with its own record type.

Luthier runs in its own environment, with the packages of .venv-compat behind its own.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import openai
import pytest
from house import ROOT, Run
from serving import ended, rows, serve, upload

OTHERS = ROOT / ".venv-compat"
SITE = next(OTHERS.glob("lib/python*/site-packages"), Path("none"))
READER = Path(__file__).with_name("read_wandb.py")
STEPS, STOP = 5, 3

pytestmark = pytest.mark.skipif(not SITE.exists(), reason="make compat makes the environment for this test")

TUNE = """
import json, sys
sys.path.append(sys.argv[1])
from luthier.config import bind
from luthier.errors import Interrupted
from luthier.report import ListReport
from luthier.workflows import tune

stop = json.loads(sys.argv[3])

class StopAt(ListReport):
    def cancelled(self):
        return stop is not None and self.tasks.get("training", (0, None))[0] >= stop

report = StopAt()
try:
    tune.run(bind(tune.Spec, json.loads(sys.argv[2]), where="test"), report)
except Interrupted:
    pass
print(json.dumps(report.events))
"""

REACH = "import sys; sys.path.append({site!r})"
"""A sitecustomize: every process of the server finds those packages, behind its own."""
WANDB = {"project": "tea-house", "name": "first try", "tags": ["small", "echo"]}


def tuned(fresh_python: Run, rows: Path, folder: Path, *, stop: int | None = None, resume: bool = False) -> list[Any]:
    spec = {"rows": str(rows), "model": "fiddle", "output": str(folder), "report_to": ["wandb"], "resume": resume}
    spec |= {"max_steps": STEPS, "batch_size": 8, "answer_rows": 0, "eval_steps": 2, "resamples": 200}
    done = fresh_python(TUNE, str(SITE), json.dumps(spec), json.dumps(stop), cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def kept(folder: Path) -> list[dict[str, Any]]:
    """Returns what each of the run's files holds, oldest first."""
    files = sorted(folder.glob("wandb/offline-run-*/*.wandb"), key=lambda file: file.stat().st_mtime)
    commands = [[str(OTHERS / "bin" / "python"), str(READER), str(file)] for file in files]
    return [json.loads(subprocess.run(one, capture_output=True, text=True, check=True).stdout) for one in commands]


def figures(folder: Path) -> list[list[Any]]:
    """Returns the step and the figures of metrics.jsonl, a step's lines together."""
    steps: dict[int, dict[str, float]] = {}
    for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        steps.setdefault(values.pop("step"), {}).update(values)
    return [[step, values] for step, values in steps.items()]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))


def test_wandb_has_every_figure_and_setting_and_none_of_the_rows(
    fresh_python: Run, small_rows: Path, tmp_path: Path
) -> None:
    events = tuned(fresh_python, small_rows, tmp_path / "run")
    (run,) = kept(tmp_path / "run")
    assert run["steps"] == figures(tmp_path / "run")
    assert [step for step, _ in run["steps"]] == list(range(1, STEPS + 1))
    assert run["run"][1:] == ["luthier", "run"]
    assert run["run"][0] != "run", "another run in a folder of that name would be the same one to W&B"
    assert run["config"]["batch_size"] == 8
    assert run["exit"] == 0
    assert not {"output", "output_raw"} & set(run["kinds"]), "what the terminal shows holds rows"
    assert any("wandb sync" in text for _, text in events)


def test_a_stopped_run_has_ended_and_goes_on_as_the_same_run(
    fresh_python: Run, small_rows: Path, tmp_path: Path
) -> None:
    tuned(fresh_python, small_rows, tmp_path / "run", stop=STOP)
    (begun,) = kept(tmp_path / "run")
    assert begun["exit"] == 255
    assert [step for step, _ in begun["steps"]] == list(range(1, STOP + 1))
    tuned(fresh_python, small_rows, tmp_path / "run", resume=True)
    first, last = kept(tmp_path / "run")
    assert first == begun
    assert last["run"] == begun["run"]
    assert last["steps"] == figures(tmp_path / "run")
    assert last["exit"] == 0


def test_without_a_key_the_run_is_refused_before_anything_is_done(
    fresh_python: Run, small_rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(AssertionError, match=r"report_to: W&B: .*WANDB_MODE=offline"):
        tuned(fresh_python, small_rows, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def asked(client: openai.OpenAI, **wandb: Any) -> Any:
    """Returns a job of the API, four steps long, that W&B is to hear of."""
    return client.fine_tuning.jobs.create(
        model="fiddle",
        training_file=upload(client, rows(16)).id,
        validation_file=upload(client, rows(4, seed=9)).id,
        hyperparameters={"n_epochs": 2, "batch_size": 8},
        integrations=[{"type": "wandb", "wandb": wandb}],  # type: ignore[typeddict-item]
    )


def test_a_job_of_the_api_tells_wandb_what_it_was_asked_to(tmp_path: Path) -> None:
    (tmp_path / "reach").mkdir()
    (tmp_path / "reach" / "sitecustomize.py").write_text(REACH.format(site=str(SITE)))
    path = os.pathsep.join([str(ROOT / "src"), str(tmp_path / "reach")])
    server = serve(tmp_path / "home", env={"PYTHONPATH": path, "WANDB_DIR": str(tmp_path / "elsewhere")})
    try:
        client = server.client()
        jobs = [ended(client, asked(client, **wandb).id) for wandb in (WANDB, {"project": "second"})]
        for job in jobs:
            assert (job.status, job.error) == ("succeeded", None)
        assert [one.model_dump(exclude_none=True)["wandb"] for one in jobs[0].integrations] == [WANDB]
        events = list(client.fine_tuning.jobs.list_events(jobs[0].id, limit=100))
        (run,), (second,) = (kept(server.home / "runs" / job.id / "run") for job in jobs)
    finally:
        server.end()
    assert (run["run"][1:], run["tags"], run["exit"]) == ([WANDB["project"], WANDB["name"]], WANDB["tags"], 0)
    assert run["steps"] == figures(server.home / "runs" / jobs[0].id / "run")
    said = {event.data["step"]: event.data["train_loss"] for event in events if "train_loss" in (event.data or {})}
    assert {step: values["loss"] for step, values in run["steps"]} == said
    assert sorted(said) == [1, 2, 3, 4]
    assert "eval_loss" in run["steps"][-1][1]
    assert second["run"][1:] == ["second", jobs[1].id], "a run without a name is called by its job"
    assert second["tags"] == [], "nothing is left of the job before"
    assert any("wandb sync $LUTHIER_HOME" in event.message for event in events)
    assert not any(str(tmp_path) in event.message for event in events)


def test_without_wandb_the_same_job_is_refused_at_once(tmp_path: Path) -> None:
    server = serve(tmp_path / "home", "--workers", "0")
    try:
        with pytest.raises(openai.BadRequestError, match=r"pip install 'luthier\[tracking\]'") as caught:
            asked(server.client(), **WANDB)
        assert caught.value.param == "integrations"
        assert list(server.client().fine_tuning.jobs.list()) == []
    finally:
        server.end()
