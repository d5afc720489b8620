"""The files beside exported weights: the script runs with a vllm that writes down what it is told."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny_model, tiny_tokenizer

from luthier.errors import ModelError
from luthier.models.adapters import save_adapter
from luthier.models.bundle import check_bundle, serving_section, start_script, write_bundle
from luthier.models.load import LoadedModel, load_model
from luthier.models.lora import LoraShape, insert_lora, linear_layers
from luthier.models.options import LoadOptions

TOLD = '#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n'


def load(folder: Path) -> LoadedModel:
    return load_model(str(folder), LoadOptions(precision="fp32", device="cpu"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base of mine"
    tiny_model("llama").save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def with_adapter(base: Path, folder: Path, **shape: Any) -> LoadedModel:
    loaded = load(base)
    names = list(linear_layers(loaded.model))[:3]
    insert_lora(loaded.model, names, LoraShape(**{"r": 4, "alpha": 8.0} | shape))
    save_adapter(loaded.model, folder, str(base))
    tiny_tokenizer().save_pretrained(folder)
    return load(folder)


def started(script: Path, *words: str, vllm: str | None = TOLD, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a script with a `vllm` of ours on the path, or with none."""
    tools = script.parent / "tools"
    tools.mkdir(exist_ok=True)
    if vllm is not None:
        (tools / "vllm").write_text(vllm)
        (tools / "vllm").chmod(0o755)
    for name in ("sh", "dirname"):
        if not (tools / name).exists():
            (tools / name).symlink_to(Path("/bin") / name if Path("/bin", name).exists() else Path("/usr/bin") / name)
    return subprocess.run(
        ["sh", str(script), *words], env={"PATH": str(tools)} | env, capture_output=True, text=True, check=False
    )


def flags(said: str) -> dict[str, str]:
    words = said.splitlines()
    return {word: after for word, after in zip(words, [*words[1:], ""], strict=True) if word.startswith("--")}


@pytest.fixture
def merged(base: Path, tmp_path: Path) -> Path:
    """A bundle of whole weights, in a folder whose name needs quotes."""
    folder = tmp_path / "it's here"
    folder.mkdir()
    write_bundle(load(base), folder, "merged", name="it's mine")
    return folder


def test_the_script_starts_the_weights_beside_it(merged: Path) -> None:
    assert subprocess.run(["sh", "-n", str(merged / "serve.sh")], check=False).returncode == 0
    assert os.access(merged / "serve.sh", os.X_OK)
    done = started(merged / "serve.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["serve", str(merged)]
    assert flags(done.stdout) == {
        "--served-model-name": "it's mine",
        "--chat-template": str(merged / "chat_template.jinja"),
        "--generation-config": str(merged),
        "--max-model-len": "128",
        "--host": "127.0.0.1",
        "--port": "8000",
    }


def test_variables_and_flags_change_what_is_started(merged: Path) -> None:
    done = started(merged / "serve.sh", "--api-key", "a b", HOST="0.0.0.0", PORT="9", NAME="other name")
    told = flags(done.stdout)
    assert (told["--host"], told["--port"], told["--served-model-name"]) == ("0.0.0.0", "9", "other name")
    assert done.stdout.splitlines()[-2:] == ["--api-key", "a b"]


def test_what_vllm_ends_with_is_what_the_script_ends_with(merged: Path) -> None:
    assert started(merged / "serve.sh", vllm="#!/bin/sh\nexit 7\n").returncode == 7


def test_without_vllm_it_says_so(merged: Path) -> None:
    done = started(merged / "serve.sh", vllm=None)
    assert done.returncode == 127
    assert "vllm is not installed" in done.stderr
    assert done.stderr.count("\n") == 1  # nothing was tried after that


def test_replies_end_there_where_they_end_here(base: Path, merged: Path) -> None:
    (base / "generation_config.json").write_text('{"eos_token_id": 5, "repetition_penalty": 1.3, "temperature": 0.6}')
    loaded = load(base)
    write_bundle(loaded, merged, "merged", name="x")
    settings = json.loads((merged / "generation_config.json").read_text())
    assert settings == {"bos_token_id": 1, "eos_token_id": sorted(loaded.template.stop_ids), "pad_token_id": 0}
    assert 5 in settings["eos_token_id"]
    assert (merged / "chat_template.jinja").read_text() == loaded.template.source


def test_an_adapter_is_started_on_its_base(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    loaded = with_adapter(base, folder, r=20)
    write_bundle(loaded, folder, "adapter", name="shop")
    done = started(folder / "serve.sh")
    assert done.stdout.splitlines()[:2] == ["serve", str(base)]
    told = flags(done.stdout)
    assert told["--lora-modules"] == f"shop={folder}"
    assert (told["--max-lora-rank"], told["--tokenizer"]) == ("32", str(folder))
    assert "--enable-lora" in told
    assert "--served-model-name" not in told
    assert started(folder / "serve.sh", BASE="hub/name").stdout.splitlines()[1] == "hub/name"


def test_the_embedded_base_is_the_folder_it_is_in(tmp_path: Path) -> None:
    loaded = load_model("fiddle", LoadOptions(precision="fp32", device="cpu"))
    insert_lora(loaded.model, list(linear_layers(loaded.model))[:1], LoraShape(r=4, alpha=8.0))
    assert "/models/fiddle}" in start_script(loaded, "adapter", name="x")


def test_adapters_that_vllm_does_not_load_are_refused(base: Path, tmp_path: Path) -> None:
    check_bundle(with_adapter(base, tmp_path / "plain"), "adapter")
    dora = with_adapter(base, tmp_path / "dora", use_dora=True)
    with pytest.raises(ModelError, match="is a DoRA adapter, which vLLM does not load"):
        check_bundle(dora, "adapter")
    check_bundle(dora, "merged")
    with pytest.raises(ModelError, match="has rank 513"):
        check_bundle(with_adapter(base, tmp_path / "wide", r=513), "adapter")


def test_the_card_says_how_to_start_and_to_check_it() -> None:
    text = serving_section("adapter", name="it's", code=True)
    assert "sh serve.sh --trust-remote-code" in text
    assert "luthier verify http://127.0.0.1:8000/v1 RUN --model 'it'\"'\"'s'" in text
    assert "BASE=" in text
    assert "BASE=" not in serving_section("merged", name="x", code=False)
