from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_models import KINDS, make_model, save_model, train_adapter

from luthier.errors import ModelError
from luthier.models.adapters import save_adapter
from luthier.models.load import load_model
from luthier.models.lora import lora_layers
from luthier.models.opening import choose_device, choose_dtype, context_length, cpu_computes_bf16, load_config
from luthier.models.options import LoadOptions, ParameterOptions
from luthier.models.parameters import choose_parameters
from luthier.models.resolve import resolve_model

pytest.importorskip("luthier.tokens.template")
FP32 = LoadOptions(precision="fp32", device="cpu")


@pytest.fixture
def folder(saved: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a saved Llama that a test may damage."""
    return Path(shutil.copytree(saved("llama"), tmp_path / "llama"))


def edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize("kind", KINDS)
def test_loads_what_was_saved(kind: str, saved: Callable[[str], Path], tokens: torch.Tensor) -> None:
    loaded = load_model(str(saved(kind)), FP32)
    assert torch.equal(loaded.model(tokens).logits, make_model(kind)(tokens).logits)
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert not loaded.model.training
    assert (loaded.dtype, loaded.weight_dtype, loaded.device.type) == (torch.float32, torch.float32, "cpu")
    assert loaded.context_length == 128
    assert loaded.base_name == str(saved(kind))
    ids = loaded.tokenizer("a cello bow costs 340 euros").input_ids
    assert loaded.tokenizer.decode(ids) == "<|begin|>a cello bow costs 340 euros"
    assert loaded.template.tokenizer is loaded.tokenizer
    assert loaded.notes == ()


def test_precision_decides_the_weights_unless_they_are_to_be_trained(saved: Callable[[str], Path]) -> None:
    options = LoadOptions(precision="bf16", device="cpu")
    loaded = load_model(str(saved("llama")), options)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}
    assert (loaded.dtype, loaded.weight_dtype) == (torch.bfloat16, torch.bfloat16)
    loaded = load_model(str(saved("llama")), options, master_weights=True)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert (loaded.dtype, loaded.weight_dtype) == (torch.bfloat16, torch.float32)


def test_an_adapter_is_loaded_onto_its_base(
    saved: Callable[[str], Path], tokenizer: Any, tokens: torch.Tensor, tmp_path: Path
) -> None:
    loaded = load_model(str(saved("qwen2")), FP32)
    choose_parameters(loaded, ParameterOptions(lora_r=4), generator_seed=1)
    train_adapter(loaded.model)
    assert loaded.adapter is not None
    save_adapter(loaded.model, tmp_path, loaded.base_name)
    again = load_model(str(tmp_path), FP32)
    assert torch.equal(again.model(tokens).logits, loaded.model(tokens).logits)
    assert again.adapter == loaded.adapter
    assert (again.base_name, again.folder) == (str(saved("qwen2")), tmp_path)
    assert not any(parameter.requires_grad for parameter in again.model.parameters())
    assert len(lora_layers(again.model)) == 14


def test_the_adapters_own_tokenizer_and_template_win(
    saved: Callable[[str], Path], tokenizer: Any, tmp_path: Path
) -> None:
    loaded = load_model(str(saved("llama")), FP32)
    choose_parameters(loaded, ParameterOptions(), generator_seed=1)
    save_adapter(loaded.model, tmp_path, loaded.base_name)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %} of the adapter")
    again = load_model(str(tmp_path), FP32)
    assert "of the adapter" in again.tokenizer.chat_template


def test_eos_ids_come_from_the_generation_config_too(folder: Path) -> None:
    edit(folder / "generation_config.json", eos_token_id=[2, 9])
    assert load_model(str(folder), FP32).eos_ids == {2, 9}


def test_tied_embeddings_stay_tied(tokenizer: Any, tmp_path: Path) -> None:
    model = load_model(str(save_model(tmp_path, make_model("llama", tied=True), tokenizer)), FP32).model
    assert model.lm_head.weight is model.model.embed_tokens.weight


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_text_is_split_as_the_tokenizer_file_says(kind: str, saved: Callable[[str], Path], tmp_path: Path) -> None:
    from tokenizers import Tokenizer, pre_tokenizers

    folder = Path(shutil.copytree(saved(kind), tmp_path / kind))
    raw = Tokenizer.from_file(str(folder / "tokenizer.json"))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    raw.save(str(folder / "tokenizer.json"))
    loaded = load_model(str(folder), FP32)
    for text in ("a cello bow costs 340 euros", " x  y\n"):
        assert loaded.tokenizer(text).input_ids == raw.encode(text).ids
    assert (loaded.tokenizer.bos_token, loaded.tokenizer.eos_token) == ("<|begin|>", "<|end|>")
    assert loaded.tokenizer.chat_template


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def lost_shard(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"")


def cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def lost_weight(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def other_shape(folder: Path) -> None:
    edit(folder / "config.json", intermediate_size=56)


def own_code(folder: Path) -> None:
    edit(folder / "config.json", model_type="mine", auto_map={"AutoModelForCausalLM": "code.Mine"})


def unknown_type(folder: Path) -> None:
    edit(folder / "config.json", model_type="mine")


def encoder(folder: Path) -> None:
    edit(folder / "config.json", model_type="bert", architectures=["BertForMaskedLM"])


def seq2seq(folder: Path) -> None:
    edit(folder / "config.json", model_type="t5", architectures=["T5ForConditionalGeneration"])


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def damaged_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def other_tokenizer(folder: Path) -> None:
    tokens = json.loads((folder / "tokenizer.json").read_text())
    tokens["model"]["vocab"]["one too many"] = 320
    (folder / "tokenizer.json").write_text(json.dumps(tokens))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (pickled, r"weights are pickled \(pytorch_model\.bin\).*any code"),
        (without_weights, r"holds no model\.safetensors"),
        (lost_shard, r"1 of 2 weight files are missing: model-00002"),
        (cut_short, "cannot be loaded"),
        (lost_weight, r"1 weights of the model are not in its files.*up_proj"),
        (other_shape, r"cannot be loaded|another shape"),
        (own_code, "give --trust-remote-code"),
        (unknown_type, "does not know the model type 'mine'"),
        (encoder, r"not a causal language model \(BertForMaskedLM\)"),
        (seq2seq, r"not a causal language model \(T5ForConditionalGeneration\)"),
        (no_tokenizer, "holds no tokenizer"),
        (damaged_tokenizer, "cannot be loaded"),
        (other_tokenizer, "has token 320, but the model has embeddings for 320 tokens"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused(damage: Callable[[Path], None], message: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder), FP32)
    assert str(folder) in str(caught.value)


def test_pickled_weights_are_never_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pickled(folder)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("a pickle was opened"))
    with pytest.raises(ModelError, match="pickled"):
        load_model(str(folder), FP32)


def test_unused_weights_are_said(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    save_file(tensors | {"vision.weight": torch.zeros(2)}, folder / "model.safetensors", metadata={"format": "pt"})
    assert "vision.weight" in load_model(str(folder), FP32).notes[0]


def test_a_configuration_is_read_without_weights(folder: Path) -> None:
    assert load_config(resolve_model(str(folder))).hidden_size == 32
    pickled(folder)
    with pytest.raises(ModelError, match="pickled"):
        load_config(resolve_model(str(folder)))


def test_context_length_has_many_names() -> None:
    assert context_length({"max_position_embeddings": 512}) == 512
    assert context_length({"n_positions": 1024}) == 1024
    assert context_length({"text_config": {"max_position_embeddings": 4096}}) == 4096
    assert context_length({}, 77) == 77
    assert context_length({}, 10**30) == 2048


def test_devices_and_number_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import luthier.models.opening as module

    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == cpu
    with pytest.raises(ModelError, match="no usable cuda device; use auto or cpu"):
        choose_device("cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    assert choose_dtype("auto", choose_device("mps")) == torch.float32
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    for fast, wanted in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(module, "cpu_computes_bf16", lambda fast=fast: fast)
        assert choose_dtype("auto", cpu) == wanted
    assert choose_dtype("bf16", cpu) == torch.bfloat16
    with pytest.raises(ModelError, match="fp16"):
        choose_dtype("fp16", cpu)
    for flags, wanted in (("avx2 avx512_bf16", True), ("amx_tile amx_bf16", True), ("avx512f", False)):
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: fpu {flags} sse\n")
        assert cpu_computes_bf16(tmp_path / "cpuinfo") is wanted
    assert cpu_computes_bf16(tmp_path / "nothing") is False
