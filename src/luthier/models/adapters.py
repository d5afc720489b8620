"""Adapters on disk, in the PEFT file format: adapter_config.json and adapter_model.safetensors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from luthier.errors import ModelError
from luthier.models.lora import ADAPTER_PARTS, LoraLinear, LoraShape, insert_lora, linear_layers, lora_layers
from luthier.models.resolve import read_json

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
_PARTS = {".lora_A.weight": "lora_A", ".lora_B.weight": "lora_B", ".lora_magnitude_vector": "magnitude"}
_NEUTRAL = (
    *("alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "ensure_weight_tying", "exclude_modules"),
    *("fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha"),
    *("lora_dropout", "megatron_core", "modules_to_save", "peft_type", "peft_version", "qalora_group_size", "r"),
    *("rank_pattern", "revision", "runtime_config", "target_modules", "task_type", "use_dora", "use_rslora"),
)
"""Keys that are used here, or that change nothing once an adapter is trained; which layers have weights, and of which
rank, is read from the weights themselves."""
_EXACT_START = (True, False, None, "gaussian", "orthogonal", "eva", "mica")
"""Values of init_lora_weights that leave the base model's weights as they are."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What adapter_config.json says. `ranks` and `alphas` hold what differs from `r` and `lora_alpha`: their keys
    are regular expressions for the end of a layer's name."""

    base_model: str
    r: int
    lora_alpha: float
    lora_dropout: float = 0.0
    use_rslora: bool = True
    use_dora: bool = False
    target_modules: tuple[str, ...] = ()
    ranks: Mapping[str, int] | None = None
    alphas: Mapping[str, float] | None = None
    fan_in_fan_out: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns the keys that peft, vLLM and llama.cpp read."""
        alpha = int(self.lora_alpha) if float(self.lora_alpha).is_integer() else self.lora_alpha
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.base_model,
            "revision": None,
            "r": self.r,
            "lora_alpha": alpha,
            "lora_dropout": self.lora_dropout,
            "use_rslora": self.use_rslora,
            "use_dora": self.use_dora,
            "target_modules": list(self.target_modules),
            "rank_pattern": dict(self.ranks or {}),
            "alpha_pattern": dict(self.alphas or {}),
            "fan_in_fan_out": self.fan_in_fan_out,
            "bias": "none",
            "modules_to_save": None,
            "init_lora_weights": True,
            "inference_mode": True,
        }


def save_adapter(model: nn.Module, folder: str | Path, base_name: str) -> AdapterConfig:
    """Writes the adapter of `model` as PEFT does, and returns its configuration; `base_name` is what it belongs to."""
    layers = lora_layers(model)
    if not layers:
        raise ModelError("has no adapter to save", where=base_name, remedy="train with train: lora or dora")
    config = adapter_config(model, base_name)
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        for suffix, part in _PARTS.items():
            tensor = _part(layer, part)
            if tensor is not None:
                tensors[f"{_PREFIX}{name}{suffix}"] = tensor.detach().cpu().contiguous()
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    save_file(tensors, place / WEIGHTS_FILE, metadata={"format": "pt"})
    text = json.dumps(config.to_json(), indent=2, sort_keys=True) + "\n"
    (place / CONFIG_FILE).write_text(text, encoding="utf-8")
    return config


def load_adapter(model: nn.Module, folder: str | Path) -> AdapterConfig:
    """Inserts the adapter in `folder` into `model`, and returns its configuration.

    `ModelError` when the adapter is not a LoRA one, does not fit the model, or needs what cannot be honoured here.
    """
    place = Path(folder)
    config = read_adapter_config(place)
    parts = read_parts(place)
    layers = linear_layers(model)
    for name, tensors in parts.items():
        layer = layers.get(name)
        if layer is None:
            raise ModelError(
                f"has weights for {name!r}, which is not a linear layer of the base model",
                where=str(place / WEIGHTS_FILE),
                remedy="check that the base model is the one the adapter was trained on",
            )
        shape = layer_shape(config, name, tensors["lora_A"].shape[0])
        _fill(insert_lora(model, [name], shape)[0], tensors, place, name)
    return config


def layer_shape(config: AdapterConfig, name: str, rank: int) -> LoraShape:
    """Returns what the adapter's part of layer `name` is made of."""
    return LoraShape(
        r=rank,
        alpha=_matched(name, config.alphas, config.lora_alpha),
        dropout=config.lora_dropout,
        use_rslora=config.use_rslora,
        use_dora=config.use_dora,
    )


def read_adapter_config(folder: Path) -> AdapterConfig:
    """Returns what adapter_config.json says; `ModelError` names each key that cannot be honoured."""
    file = folder / CONFIG_FILE
    config = read_json(file)
    refused = [f"{key} = {config[key]!r}" for key in config if key not in _NEUTRAL and config[key]]
    if config.get("peft_type") != "LORA":
        refused.append(f"peft_type = {config.get('peft_type')!r}")
    if config.get("bias", "none") != "none":
        refused.append(f"bias = {config['bias']!r}")
    if config.get("modules_to_save"):
        refused.append(f"modules_to_save = {config['modules_to_save']!r}")
    if config.get("init_lora_weights", True) not in _EXACT_START:
        refused.append(f"init_lora_weights = {config['init_lora_weights']!r}")
    if refused:
        raise ModelError(
            f"needs what is not supported here: {', '.join(refused)}",
            where=str(file),
            remedy="merge it into its base model with peft, then use the merged model",
        )
    try:
        return _parse(config)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"is not a LoRA configuration ({error!r})", where=str(file), remedy="copy it again") from None


def adapter_config(model: nn.Module, base_name: str) -> AdapterConfig:
    """Returns the configuration of the adapter a model holds."""
    layers = lora_layers(model)
    shapes = {name: layer.shape for name, layer in layers.items()}
    first = next(iter(shapes.values()))
    if len({(shape.use_rslora, shape.use_dora) for shape in shapes.values()}) > 1:
        raise ModelError("mixes kinds of low-rank layers, which one adapter file cannot say", where=base_name)
    return AdapterConfig(
        base_model=base_name,
        r=first.r,
        lora_alpha=first.alpha,
        lora_dropout=first.dropout,
        use_rslora=first.use_rslora,
        use_dora=first.use_dora,
        target_modules=target_names(model, list(layers)),
        ranks={re.escape(name): shape.r for name, shape in shapes.items() if shape.r != first.r},
        alphas={re.escape(name): shape.alpha for name, shape in shapes.items() if shape.alpha != first.alpha},
        fan_in_fan_out=all(layer.transposed for layer in layers.values()),
    )


def target_names(model: nn.Module, chosen: Sequence[str]) -> tuple[str, ...]:
    """Returns the shortest names that mean exactly the chosen layers to peft, which matches names by their end."""
    suffixes = sorted({name.rpartition(".")[2] for name in chosen})
    meant = {name for name, _ in model.named_modules() if name.rpartition(".")[2] in suffixes}
    return tuple(suffixes) if meant == set(chosen) else tuple(chosen)


def _parse(config: Mapping[str, Any]) -> AdapterConfig:
    targets = config.get("target_modules") or ()
    return AdapterConfig(
        base_model=str(config.get("base_model_name_or_path") or ""),
        r=int(config["r"]),
        lora_alpha=float(config["lora_alpha"]),
        lora_dropout=float(config.get("lora_dropout") or 0.0),
        use_rslora=bool(config.get("use_rslora", False)),
        use_dora=bool(config.get("use_dora", False)),
        target_modules=(targets,) if isinstance(targets, str) else tuple(sorted(targets)),
        ranks={str(name): int(value) for name, value in (config.get("rank_pattern") or {}).items()},
        alphas={str(name): float(value) for name, value in (config.get("alpha_pattern") or {}).items()},
        fan_in_fan_out=bool(config.get("fan_in_fan_out", False)),
    )


def read_parts(folder: Path) -> dict[str, dict[str, Tensor]]:
    """Returns the tensors of each layer: {layer name: {"lora_A": ..., "lora_B": ..., "magnitude": ...}}."""
    file = folder / WEIGHTS_FILE
    if not file.is_file():
        pickled = (folder / "adapter_model.bin").is_file()
        raise ModelError(
            f"has no {WEIGHTS_FILE}" + (", only pickled weights, which can run any code" if pickled else ""),
            where=str(folder),
            remedy="save the adapter again with safetensors weights",
        )
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"cannot be read ({error})", where=str(file), remedy="copy it again") from None
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        suffix = next((suffix for suffix in _PARTS if key.endswith(suffix)), None)
        if suffix is None or not key.startswith(_PREFIX):
            raise ModelError(f"holds {key!r}, which no LoRA layer has", where=str(file), remedy="merge it with peft")
        layers.setdefault(key[len(_PREFIX) : -len(suffix)], {})[_PARTS[suffix]] = tensor
    for name, parts in layers.items():
        if not {"lora_A", "lora_B"} <= set(parts):
            raise ModelError(f"holds only {', '.join(parts)} of {name!r}", where=str(file), remedy="copy it again")
    return layers


def _fill(layer: LoraLinear, tensors: Mapping[str, Tensor], folder: Path, name: str) -> None:
    for part in ADAPTER_PARTS:
        target, tensor = _part(layer, part), tensors.get(part)
        if target is None and tensor is None:
            continue
        if target is None or tensor is None or target.shape != tensor.shape:
            got = "nothing" if tensor is None else tuple(tensor.shape)
            wanted = "nothing" if target is None else tuple(target.shape)
            raise ModelError(
                f"{name}.{part}: the file holds {got}, the base model needs {wanted}",
                where=str(folder / WEIGHTS_FILE),
                remedy="check that the base model is the one the adapter was trained on",
            )
        with torch.no_grad():
            target.copy_(tensor)


def _part(layer: LoraLinear, part: str) -> Tensor | None:
    parts: dict[str, Tensor | None] = {
        "lora_A": layer.lora_A,
        "lora_B": layer.lora_B,
        "magnitude": layer.magnitude,
    }
    return parts[part]


def _matched(name: str, pattern: Mapping[str, float] | None, default: float) -> float:
    """Returns the value of the first key, a regular expression, that matches the last parts of a layer's name."""
    found = (value for key, value in (pattern or {}).items() if re.fullmatch(rf"(?:.*\.)?(?:{key})", name))
    return next(found, default)
