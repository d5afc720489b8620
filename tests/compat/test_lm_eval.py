"""What lm-eval measures through the server is what it measures on the model itself, row by row, in fp32.

lm-eval runs as people run it, in an environment that has no Luthier: its `local-completions` model asks a real server,
and its `hf` model reads the folder of the same weights.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from serving import KEY, serve

OTHERS = ROOT / ".venv-lm-eval" / "bin" / "python"
FIDDLE = ROOT / "src" / "luthier" / "models" / "fiddle"
HERE = Path(__file__).parent
TASKS = HERE / "lm_eval_tasks"
SHORT = ("fiddle_choice", "fiddle_text", "fiddle_write")
LOCAL = f"model=fiddle,base_url={{url}}/completions,tokenizer={FIDDLE},tokenizer_backend=huggingface"
# lm-eval keeps two tokens of the context of a server to itself: 2,046 of Fiddle's 2,048 are left on either side
HF = f"pretrained={FIDDLE},dtype=float32,max_length=2046"

RUNS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "model": ("hf", HF, (*SHORT, "fiddle_long"), ()),
    "tokens": (
        "local-completions",
        f"{LOCAL},tokenized_requests=True,add_bos_token=True",
        (*SHORT, "fiddle_long"),
        (),
    ),
    "texts": (
        "local-completions",
        f"{LOCAL},tokenized_requests=False,add_bos_token=True,num_concurrent=4",
        SHORT,
        ("--batch_size", "3"),
    ),
    "model, no begin": ("hf", f"{HF},add_bos_token=False", SHORT, ("--apply_chat_template", "--batch_size", "4")),
    "tokens, no begin": (
        "local-completions",
        f"{LOCAL},tokenized_requests=True,num_concurrent=4",
        SHORT,
        ("--apply_chat_template", "--batch_size", "4"),
    ),
}
"""Each run's model, its arguments, its tasks, and further words. A text that opens with the begin-of-text token gets no
second one, so texts are scored as tokens are; without that token lm-eval counts a server's tokens one off in texts."""
PAIRS = (("tokens", "model"), ("texts", "model"), ("tokens, no begin", "model, no begin"))

pytestmark = pytest.mark.skipif(not OTHERS.exists(), reason="make compat makes the environment for this test")

Found = dict[str, tuple[dict[str, list[Any]], dict[str, Any]]]
"""Each run's replies by task, in the order of the rows, and its metrics by task."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    room = tmp_path_factory.mktemp("lm-eval")
    running = serve(room / "home")
    try:
        file = room / "runs.json"
        file.write_text(json.dumps([_words(name, running.url, room / name) for name in RUNS]))
        done = subprocess.run(
            [OTHERS, HERE / "lm_eval_runs.py", file],
            cwd=TASKS,
            env=_environment(room),
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    finally:
        running.end()
    assert done.returncode == 0, done.stderr[-4000:]
    return {name: (_replies(room / name, RUNS[name][2]), _metrics(room / name)) for name in RUNS}


def _words(name: str, url: str, output: Path) -> list[str]:
    model, arguments, tasks, more = RUNS[name]
    words = ["--model", model, "--model_args", arguments.format(url=url), "--tasks", ",".join(tasks), *more]
    return [*words, "--device", "cpu", "--include_path", str(TASKS), "--log_samples", "--output_path", str(output)]


def _environment(room: Path) -> dict[str, str]:
    own = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(room / "hf"), "OPENAI_API_KEY": KEY}
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own


def _replies(folder: Path, tasks: tuple[str, ...]) -> dict[str, list[Any]]:
    out = {}
    for task in tasks:
        (file,) = folder.glob(f"*/samples_{task}_*.jsonl")
        rows = sorted(map(json.loads, file.read_text().splitlines()), key=lambda row: row["doc_id"])
        out[task] = [reply for row in rows for (reply,) in row["resps"]]
    return out


def _metrics(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("*/results_*.json")
    results = json.loads(file.read_text())["results"]
    return {
        task: {name: value for name, value in one.items() if isinstance(value, float)} for task, one in results.items()
    }


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_continuation_has_the_same_log_probability_and_is_as_greedy(found: Found, ours: str, theirs: str) -> None:
    here, there = (found[name][0]["fiddle_choice"] for name in (ours, theirs))
    assert [float(value) for value, _ in here] == pytest.approx([float(value) for value, _ in there], abs=1e-4)
    assert [greedy for _, greedy in here] == [greedy for _, greedy in there]


def test_some_continuations_are_greedy_and_end_where_the_model_would_stop(found: Found) -> None:
    """Where the one token that is asked for after the prompt ends the reply, lm-eval must not count one too few."""
    assert {greedy for _, greedy in found["model"][0]["fiddle_choice"]} == {"True", "False"}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_text_has_the_same_log_probability(found: Found, ours: str, theirs: str) -> None:
    here, there = (found[name][0]["fiddle_text"] for name in (ours, theirs))
    assert [float(value) for value in here] == pytest.approx([float(value) for value in there], abs=1e-4)


def test_a_text_over_several_windows_has_the_same_log_probability(found: Found) -> None:
    here, there = (float(found[name][0]["fiddle_long"][0]) for name in ("tokens", "model"))
    # thousands of tokens, of which lm-eval itself takes the sum in fp32: that holds about seven digits
    assert here == pytest.approx(there, abs=1e-4, rel=2**-22)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_reply_is_the_same_text(found: Found, ours: str, theirs: str) -> None:
    here, there = (found[name][0]["fiddle_write"] for name in (ours, theirs))
    assert here == there
    assert len(set(there)) > len(there) / 2


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_metrics_are_the_same(found: Found, ours: str, theirs: str) -> None:
    here, there = found[ours][1], found[theirs][1]
    for task, metrics in here.items():
        assert metrics, task
        assert metrics == pytest.approx(there[task], rel=1e-5), task
