"""Other people's clients, unmodified, each in an environment of its own, against one server.

What they do is in clients/*.py, which import nothing of Luthier; the versions of all their parts are in clients/*.txt.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from serving import KEY, Running, ended, rows, serve, upload

CLIENTS = Path(__file__).parent / "clients"
MODEL, EMBEDDINGS = "gpt-4o-mini", "text-embedding-3-small"
CATALOGUE = f"""
models:
  - {{id: {MODEL}, model: fiddle, aliases: [fiddle]}}
  - {{id: {EMBEDDINGS}, kind: embedding, model: all-minilm-l6-v2}}
"""
"""Some clients know the hosted models' names and no others."""
LANGCHAIN = ["-q", "--noconftest", "-c", os.devnull, "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
LANGCHAIN += ["-o", "asyncio_default_test_loop_scope=session", "-o", "asyncio_default_fixture_loop_scope=session"]
"""Its tests with no settings of ours; one event loop for all of them, as its client keeps connections in one."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("clients")
    (folder / "models.yaml").write_text(CATALOGUE, encoding="utf-8")
    running = serve(folder / "home", "--catalogue", str(folder / "models.yaml"))
    yield running
    running.end()


@pytest.fixture(scope="module")
def tuned(server: Running) -> Any:
    client = server.client()
    job = client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=upload(client, rows(16)).id,
        validation_file=upload(client, rows(4, seed=9)).id,
        hyperparameters={"n_epochs": 2, "batch_size": 8},
    )
    return ended(client, job.id)


def program(environment: str, name: str = "python") -> str:
    """Returns a program of an environment that `make compat` makes."""
    file = ROOT / f".venv-{environment}" / "bin" / name
    if not file.exists():
        pytest.skip("make compat makes the environment for this test")
    return str(file)


def said(server: Running, folder: Path, *command: str, status: int = 0, limit_s: float = 300) -> str:
    """Returns what a command prints that knows of nothing but the server and a folder of its own."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
    env |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "WANDB_MODE": "offline", "URL": server.url, "MODEL": MODEL}
    env |= {"EMBEDDINGS": EMBEDDINGS, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=limit_s, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stdout + done.stderr


def tour(server: Running, folder: Path, client: str, *words: str) -> None:
    script = CLIENTS / f"{client.replace('-', '_')}_tour.py"
    last = said(server, folder, program(f"client-{client}"), str(script), *words).splitlines()[-1]
    assert re.fullmatch(rf"{client}.*: done", last), last


def test_the_page_names_what_is_tested() -> None:
    page = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    for name, file, part in (
        ("instructor", "instructor", "instructor"),
        ("langchain-openai", "langchain", "langchain-openai"),
        ("langchain-tests", "langchain", "langchain-tests"),
        ("LiteLLM", "litellm", "litellm"),
        ("DSPy", "dspy", "dspy"),
        ("llama-index-finetuning", "llama-index", "llama-index-finetuning"),
        ("W&B", "wandb-sync", "wandb"),
    ):
        pins = dict(line.split("==") for line in (CLIENTS / f"{file}.txt").read_text().splitlines() if "==" in line)
        assert f"{name} {pins[part]}" in page


def test_instructor(server: Running, tmp_path: Path) -> None:
    tour(server, tmp_path, "instructor", server.url, MODEL)


def test_litellm(server: Running, tmp_path: Path) -> None:
    tour(server, tmp_path, "litellm", server.url, MODEL, EMBEDDINGS)


def test_dspy_finetunes(server: Running, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join(map(json.dumps, rows(16, seed=3))), encoding="utf-8")
    tour(server, tmp_path, "dspy", server.url, MODEL, str(data))


def test_llama_index_finetunes(server: Running, tmp_path: Path) -> None:
    tour(server, tmp_path, "llama-index", MODEL)


def test_langchain_and_its_standard_tests(server: Running, tmp_path: Path) -> None:
    command = [program("client-langchain"), "-m", "pytest", *LANGCHAIN, str(CLIENTS / "langchain_standard.py")]
    assert "47 passed, 7 skipped, 5 xfailed" in said(server, tmp_path, *command)


def test_wandb_syncs_a_job(server: Running, tuned: Any, tmp_path: Path) -> None:
    python = program("client-wandb-sync")
    assert "completed successfully" in said(server, tmp_path, python, str(CLIENTS / "wandb_sync.py"), tuned.id)
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    run = json.loads(said(server, tmp_path, python, str(CLIENTS.with_name("read_wandb.py")), str(file)))
    assert run["run"] == [tuned.id, "mill", tuned.id]
    assert run["exit"] == 0
    assert run["config"]["fine_tuned_model"] == tuned.fine_tuned_model
    assert run["config"]["hyperparameters"]["n_epochs"] == 2
    table = base64.b64decode(server.client().files.content(tuned.result_files[0]).read()).decode()
    steps = [
        [int(line.pop("step")), {name: float(value) for name, value in line.items() if value}]
        for line in csv.DictReader(io.StringIO(table))
    ]
    assert run["steps"] == steps
    assert [step for step, _ in steps] == [1, 2, 3, 4]


def test_open_webui_would_connect(server: Running, tmp_path: Path) -> None:
    check = [program("client-litellm"), str(CLIENTS / "open_webui_check.py"), server.url]
    status, found = json.loads(said(server, tmp_path, *check, KEY))
    assert status == 200
    assert {MODEL, EMBEDDINGS} <= {model["id"] for model in found["data"]}
    status, found = json.loads(said(server, tmp_path, *check, "wrong"))
    assert (status, found["error"]["code"]) == (401, "invalid_api_key")


class CommandLine:
    """The `openai` command line of 1.109.1, the last that many pages of instructions are written for."""

    def __init__(self, server: Running, folder: Path) -> None:
        self._server, self._folder, self._program = server, folder, program("openai-1.109.1", "openai")

    def api(self, *words: str, status: int = 0) -> str:
        return said(self._server, self._folder, self._program, "api", *words, status=status)

    def json(self, *words: str) -> Any:
        return json.loads(self.api(*words))


@pytest.fixture
def line(server: Running, tmp_path: Path) -> CommandLine:
    return CommandLine(server, tmp_path)


def test_the_command_line_asks(line: CommandLine, tuned: Any) -> None:
    asked = ["-g", "user", "Text: Ada Quill keeps the mill.\nQuestion: Who keeps the mill?", "-M", "8", "-t", "0"]
    whole = line.api("chat.completions.create", "-m", MODEL, *asked).strip()
    assert whole
    assert line.api("chat.completions.create", "-m", MODEL, *asked, "--stream").strip() == whole
    assert line.api("chat.completions.create", "-m", tuned.fine_tuned_model, *asked).strip()
    assert "===== Chat Completion 1 =====" in line.api("chat.completions.create", "-m", MODEL, *asked, "-n", "2")
    assert line.api("completions.create", "-m", MODEL, "-p", "Once", "-M", "4", "-t", "0", "--echo").startswith("Once")
    assert line.json("models.retrieve", "-i", tuned.fine_tuned_model)["id"] == tuned.fine_tuned_model
    assert f'"id": "{MODEL}"' in line.api("models.list")


def test_the_command_line_tunes(line: CommandLine, tuned: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows(200))), encoding="utf-8")
    file = line.json("files.create", "-f", "rows.jsonl", "-p", "fine-tune")
    assert file["filename"] == "rows.jsonl"
    assert file["id"] in line.api("files.list")
    for broken in ("files.retrieve", "files.delete"):
        assert "CLIFileCreateArgs" in line.api(broken, "-i", file["id"], status=1), "it asks, and does not want a file"
    job = line.json("fine_tuning.jobs.create", "-m", MODEL, "-F", file["id"], "-s", "line", "-H", '{"n_epochs": 20}')
    assert line.json("fine_tuning.jobs.cancel", "-i", job["id"])["id"] == job["id"]
    for _ in range(30):
        found = line.json("fine_tuning.jobs.retrieve", "-i", job["id"])
        if found["status"] == "cancelled":
            break
        time.sleep(0.5)
    assert found["status"] == "cancelled"
    listed = line.json("fine_tuning.jobs.list", "-l", "10")["data"]
    assert {job["id"], tuned.id} <= {one["id"] for one in listed}
    events = line.json("fine_tuning.jobs.list_events", "-i", tuned.id, "-l", "1")["data"]
    assert [event["message"] for event in events] == ["The job has successfully completed"]


def test_the_command_line_says_what_is_wrong(line: CommandLine) -> None:
    assert "404" in line.api("models.retrieve", "-i", "nothing", status=1)
    assert "403" in line.api("models.delete", "-i", MODEL, status=1)
    assert "temperature" in line.api("chat.completions.create", "-m", MODEL, "-g", "user", "x", "-t", "9", status=1)
