from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import KINDS, make_model, train_adapter

from luthier.errors import ModelError
from luthier.models.adapters import AdapterConfig, load_adapter, read_adapter_config, save_adapter, target_names
from luthier.models.lora import LoraShape, insert_lora, linear_layers, lora_layers

# peft warns about its own use of transformers and about patterns it treats as we do
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
VARIANTS = {
    "lora": {"use_rslora": False, "use_dora": False},
    "rslora": {"use_rslora": True, "use_dora": False},
    "dora": {"use_rslora": False, "use_dora": True},
    "rsdora": {"use_rslora": True, "use_dora": True},
}
TARGETS = {"gpt2": ["c_attn", "c_proj", "c_fc"]}
LLAMA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def ours(kind: str, variant: str) -> Any:
    model = make_model(kind)
    names = [name for name in linear_layers(model) if name != "lm_head"]
    insert_lora(model, names, LoraShape(4, 6.0, **VARIANTS[variant]))
    train_adapter(model)
    return model


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_peft_loads_ours(kind: str, variant: str, tokens: torch.Tensor, tmp_path: Path) -> None:
    model = ours(kind, variant)
    save_adapter(model, tmp_path, "base")
    base = make_model(kind)
    theirs = peft.PeftModel.from_pretrained(base, tmp_path).eval()
    wanted = model(tokens).logits
    assert (wanted - make_model(kind)(tokens).logits).abs().max() > 0.01
    assert (theirs(tokens).logits - wanted).abs().max() < 1e-5
    sizes = {name: value.numel() for name, value in theirs.named_parameters() if "lora_" in name}
    assert sum(sizes.values()) == sum(
        tensor.numel() for tensor in load_file(tmp_path / "adapter_model.safetensors").values()
    )


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_we_load_pefts(kind: str, variant: str, tokens: torch.Tensor, tmp_path: Path) -> None:
    targets = TARGETS.get(kind, LLAMA_TARGETS)
    config = peft.LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=targets,
        fan_in_fan_out=kind == "gpt2",
        task_type="CAUSAL_LM",
        **VARIANTS[variant],
    )
    theirs = peft.get_peft_model(make_model(kind), config).eval()
    train_adapter(theirs)
    theirs.save_pretrained(tmp_path)
    model = make_model(kind)
    read = load_adapter(model, tmp_path)
    wanted = theirs(tokens).logits
    assert (wanted - make_model(kind)(tokens).logits).abs().max() > 0.01
    assert (model(tokens).logits - wanted).abs().max() < 1e-5
    assert (read.r, read.lora_alpha, read.target_modules) == (4, 6.0, tuple(sorted(targets)))


def test_ranks_and_alphas_by_pattern_and_chosen_layers(tokens: torch.Tensor, tmp_path: Path) -> None:
    config = peft.LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=["q_proj", "up_proj"],
        layers_to_transform=[1],
        rank_pattern={"up_proj": 2},
        alpha_pattern={r"layers\.1\.mlp\.up_proj": 20},
        task_type="CAUSAL_LM",
    )
    theirs = peft.get_peft_model(make_model("llama"), config).eval()
    train_adapter(theirs)
    theirs.save_pretrained(tmp_path / "theirs")
    model = make_model("llama")
    load_adapter(model, tmp_path / "theirs")
    assert list(lora_layers(model)) == ["model.layers.1.self_attn.q_proj", "model.layers.1.mlp.up_proj"]
    assert (model(tokens).logits - theirs(tokens).logits).abs().max() < 1e-5
    save_adapter(model, tmp_path / "ours", "base")
    back = peft.PeftModel.from_pretrained(make_model("llama"), tmp_path / "ours").eval()
    assert (back(tokens).logits - theirs(tokens).logits).abs().max() < 1e-5


def test_ours_come_back_to_the_bit(tokens: torch.Tensor, tmp_path: Path) -> None:
    model = ours("qwen2", "rsdora")
    written = save_adapter(model, tmp_path, "a/base")
    again = make_model("qwen2")
    assert load_adapter(again, tmp_path) == written
    assert written.base_model == "a/base"
    assert written.target_modules == tuple(sorted(LLAMA_TARGETS))
    assert torch.equal(again(tokens).logits, model(tokens).logits)


def test_target_names_are_suffixes_only_where_these_mean_the_same_layers() -> None:
    model = make_model("llama")
    both = ["model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj"]
    assert target_names(model, both) == ("up_proj",)
    assert target_names(model, both[:1]) == tuple(both[:1])


def edit(folder: Path, **changes: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "IA3"}, "peft_type = 'IA3'"),
        ({"bias": "all"}, "bias = 'all'"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights = 'pissa'"),
        ({"alora_invocation_tokens": [1]}, "alora_invocation_tokens"),
        ({"a_key_of_tomorrow": {"x": 1}}, "a_key_of_tomorrow"),
        ({"r": "many"}, "not a LoRA configuration"),
    ],
)
def test_what_cannot_be_honoured_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    save_adapter(ours("llama", "lora"), tmp_path, "base")
    edit(tmp_path, **changes)
    with pytest.raises(ModelError, match=message):
        load_adapter(make_model("llama"), tmp_path)


def broken_key(tensors: dict[str, torch.Tensor]) -> None:
    tensors["base_model.model.lm_head.weight"] = torch.zeros(2)


def broken_half(tensors: dict[str, torch.Tensor]) -> None:
    del tensors[next(key for key in tensors if "lora_B" in key)]


def broken_shape(tensors: dict[str, torch.Tensor]) -> None:
    key = next(key for key in tensors if "lora_A" in key)
    tensors[key] = torch.zeros(4, 31)


def broken_name(tensors: dict[str, torch.Tensor]) -> None:
    for key in [key for key in tensors if "layers.1.mlp.up_proj" in key]:
        tensors[key.replace("layers.1", "layers.7")] = tensors.pop(key)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (broken_key, "lm_head"),
        (broken_half, "holds only lora_A"),
        (broken_shape, r"the file holds \(4, 31\), the base model needs \(4, 48\)"),
        (broken_name, r"layers\.7\.mlp\.up_proj"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    damage: Callable[[dict[str, torch.Tensor]], None], message: str, tmp_path: Path
) -> None:
    save_adapter(ours("llama", "lora"), tmp_path, "base")
    file = tmp_path / "adapter_model.safetensors"
    tensors = load_file(file)
    damage(tensors)
    save_file(tensors, file)
    with pytest.raises(ModelError, match=message):
        load_adapter(make_model("llama"), tmp_path)


def test_missing_pickled_and_cut_weights_are_refused(tmp_path: Path) -> None:
    save_adapter(ours("llama", "lora"), tmp_path, "base")
    file = tmp_path / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be read"):
        load_adapter(make_model("llama"), tmp_path)
    file.unlink()
    with pytest.raises(ModelError, match=r"has no adapter_model\.safetensors"):
        load_adapter(make_model("llama"), tmp_path)
    (tmp_path / "adapter_model.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match="pickled"):
        load_adapter(make_model("llama"), tmp_path)


def test_nothing_to_save_and_a_damaged_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no adapter to save"):
        save_adapter(make_model("llama"), tmp_path, "base")
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        read_adapter_config(tmp_path)


def test_config_has_the_keys_other_tools_read() -> None:
    written = AdapterConfig("base", 8, 16.0, target_modules=("q_proj",)).to_json()
    assert written["lora_alpha"] == 16
    assert isinstance(written["lora_alpha"], int)
    known = peft.LoraConfig(**{key: value for key, value in written.items() if key != "peft_type"})
    assert known.r == 8
