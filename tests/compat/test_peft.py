"""What `luthier tune` leaves is read by peft and plain transformers, in an environment that has no Luthier.

Luthier runs here through its command line and its Python door; the readers run in .venv-compat, which `make compat`
makes. Both sides answer the same tokens in fp32, and the logits must agree.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from house import ROOT, Run

import luthier

OTHERS = ROOT / ".venv-compat" / "bin" / "python"
FIDDLE = Path(luthier.__file__).parent / "models" / "fiddle"
TOKENS = [5, 17, 3, 99, 42, 8, 250, 131, 7, 64]
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why does the bridge hum?"}]

pytestmark = [
    pytest.mark.skipif(not OTHERS.exists(), reason="make compat makes the environment for this test"),
]

OURS = """
import json, sys, torch
from luthier.models.load import load_model
from luthier.models.options import ModelOptions
run, tokens = sys.argv[1], json.loads(sys.argv[2])
loaded = load_model(run, ModelOptions(precision="fp32", device="cpu"))
with torch.no_grad():
    logits = loaded.model(input_ids=torch.tensor([tokens])).logits[0]
print(json.dumps(logits.tolist()))
"""

THEIRS = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, base, tokens, chat = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
assert "luthier" not in sys.modules
model = AutoModelForCausalLM.from_pretrained(base or folder, dtype=torch.float32)
if base:
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, folder)
model.eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
with torch.no_grad():
    logits = model(input_ids=torch.tensor([tokens])).logits[0]
prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
print(json.dumps({"logits": logits.tolist(), "prompt": prompt}))
"""


def tuned(luthier_command: Run, rows: Path, run: Path, *settings: str) -> Path:
    done = luthier_command(
        *("tune", str(rows), "--model", "fiddle", "--max-steps", "3", "--batch-size", "8", "--learning-rate", "1e-2"),
        *("--output", str(run), *settings),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return run


def read_by_others(folder: Path, base: Path | None) -> dict[str, Any]:
    args = [str(folder), str(base or ""), json.dumps(TOKENS), json.dumps(CHAT)]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([OTHERS, "-c", THEIRS, *args], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def read_by_us(run: Path, fresh_python: Run) -> list[list[float]]:
    done = fresh_python(OURS, str(run), json.dumps(TOKENS))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def furthest(ours: list[list[float]], theirs: list[list[float]]) -> float:
    assert [len(row) for row in ours] == [len(row) for row in theirs]
    return max(abs(a - b) for row, other in zip(ours, theirs, strict=True) for a, b in zip(row, other, strict=True))


def test_the_other_environment_has_no_luthier() -> None:
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('luthier') is not None)"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    assert subprocess.run([OTHERS, "-c", code], env=env, check=False).returncode == 0


@pytest.mark.parametrize("settings", [("--train", "lora"), ("--train", "dora"), ("--train", "lora", "--no-use-rslora")])
def test_peft_reads_our_adapter_to_the_same_logits(
    luthier_command: Run, fresh_python: Run, small_rows: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    run = tuned(luthier_command, small_rows, tmp_path / "run", *settings)
    theirs = read_by_others(run / "model", base=FIDDLE)
    assert furthest(read_by_us(run, fresh_python), theirs["logits"]) < 1e-5
    untouched = read_by_others(FIDDLE, base=None)
    assert furthest(untouched["logits"], theirs["logits"]) > 1e-3, "the adapter changes nothing"
    assert untouched["prompt"] == theirs["prompt"]


def test_transformers_reads_our_full_weights_to_the_same_logits(
    luthier_command: Run, fresh_python: Run, small_rows: Path, tmp_path: Path
) -> None:
    run = tuned(luthier_command, small_rows, tmp_path / "run", "--train", "full")
    theirs = read_by_others(run / "model", base=None)
    assert furthest(read_by_us(run, fresh_python), theirs["logits"]) < 1e-5
