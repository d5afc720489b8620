from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from luthier.errors import ModelError
from luthier.models.load import load_model
from luthier.models.opening import open_model
from luthier.records.messages import Message


def test_a_model_reads_without_its_weights_as_it_does_with_them(saved: Callable[[str], Path], tmp_path: Path) -> None:
    whole = load_model(str(saved("llama")))
    folder = tmp_path / "bare"
    shutil.copytree(saved("llama"), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    reading = open_model(str(folder), weights=False)
    assert reading.context_length == whole.context_length
    assert reading.template.stop_ids == whole.template.stop_ids
    assert reading.template.source == whole.template.source
    messages = [Message("user", "tune the lute")]
    assert reading.template.prompt(messages) == whole.template.prompt(messages)


def test_an_adapter_reads_with_its_own_tokenizer_and_its_bases_length(
    saved: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(saved("llama"))}))
    assert (
        open_model(str(tmp_path), weights=False).template.source
        == open_model(str(saved("llama")), weights=False).template.source
    )
    shutil.copy(saved("llama") / "tokenizer.json", tmp_path)
    config = json.loads((saved("llama") / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}</s>{% endfor %}")
    reading = open_model(str(tmp_path), weights=False)
    assert reading.template.source == "{% for m in messages %}{{ m.content }}</s>{% endfor %}"
    assert reading.context_length == 128


def test_generation_config_adds_the_tokens_that_end_a_reply(saved: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved("llama"), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 5]}))
    assert {2, 5} <= open_model(str(folder), weights=False).template.stop_ids


def test_a_name_that_is_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        open_model(str(tmp_path / "none"), weights=False)
