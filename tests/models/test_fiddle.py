"""The embedded model: small, plain, quick to load, and honest about what it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recipes.fiddle.heldout import BOUNDS, SETS

FOLDER = Path(__file__).parents[2] / "src/luthier/models/fiddle"
SAYS = "A small model for trying Luthier; name a real one with `--model`."


def test_it_is_a_plain_llama_of_at_most_16_mb() -> None:
    from safetensors import safe_open

    assert (FOLDER / "model.safetensors").stat().st_size <= 16_000_000
    config = json.loads((FOLDER / "config.json").read_text())
    assert (config["model_type"], config["max_position_embeddings"]) == ("llama", 2048)
    assert 4096 <= config["vocab_size"] <= 8192
    with safe_open(FOLDER / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.bfloat16}  # noqa: SIM118
        assert all(torch.isfinite(file.get_tensor(name)).all() for name in file.keys())  # noqa: SIM118


def test_plain_transformers_loads_it_and_knows_every_turn() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(FOLDER)
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    call = {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add one."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Thanks!"},
    ]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    for part in ("<|system|>", "Be brief.", "<|user|>", "<tool_call>", "add", "<|tool|>", "Two.", "Thanks!"):
        assert part in text
    given = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    assert len(tokenizer.encode("1234", add_special_tokens=False)) == 4
    answer = model.generate(**given, max_new_tokens=4, do_sample=False)
    assert answer.shape[1] > given["input_ids"].shape[1]


def test_it_says_what_it_is() -> None:
    assert SAYS in (FOLDER / "README.md").read_text()


_LOAD = """
import time
from luthier.models.load import load_opened
from luthier.models.opening import open_model
load_opened(open_model("fiddle"))  # brings transformers' modules in, which takes two seconds of its own
began = time.process_time()
load_opened(open_model("fiddle"))
print(time.process_time() - began)
"""


@pytest.mark.slow
def test_loading_takes_under_a_second_of_cpu_once_all_is_imported() -> None:
    found = [
        float(subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(found) < 1.0, found


def test_every_text_it_read_is_credited() -> None:
    """The weights read prose; the manifest says which, and the credits go with the weights."""
    credits = (FOLDER / "ATTRIBUTION").read_text(encoding="utf-8")
    manifest = Path(__file__).parents[2] / "recipes/fiddle/corpus.jsonl"
    entries = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    assert len(entries) > 500
    for entry in entries:
        named = f"{entry['author']} (died " if entry["licence"] == "public domain" else f"({entry['source']})"
        assert entry["licence"] in ("public domain", "CC BY")
        assert entry["title"] in credits
        assert named in credits
    assert "ATTRIBUTION" in (FOLDER / "README.md").read_text()


def test_the_card_says_what_was_measured() -> None:
    """Every held-out set has its line; those with a bound say whether it holds."""
    card = (FOLDER / "README.md").read_text()
    lines = [line for line in card.splitlines() if line.startswith("| ") and "[" in line]
    assert len(lines) == len(SETS)
    for line in lines[: len(BOUNDS)]:
        share = float(line.split("|")[2].split()[0])
        assert ("holds" if share >= 0.8 else "missed") in line
