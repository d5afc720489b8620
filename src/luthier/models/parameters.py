"""Chooses which parameters are trained, and freezes the rest."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from luthier.errors import ModelError
from luthier.models.adapters import adapter_config
from luthier.models.load import LoadedModel
from luthier.models.lora import ADAPTER_PARTS, LoraShape, insert_lora, linear_layers, lora_layers
from luthier.models.options import ParameterOptions
from luthier.registry import nearest


@dataclass(frozen=True, slots=True)
class Trainable:
    """What is trained: names of parameters in the model's order, how many numbers they hold, and the whole model.

    `notes` are things to tell the user once, such as a head and embeddings that are the same weights.
    """

    names: tuple[str, ...]
    count: int
    total: int
    notes: tuple[str, ...] = ()


def choose_parameters(loaded: LoadedModel | nn.Module, options: ParameterOptions, *, generator_seed: int) -> Trainable:
    """Returns what is trained; freezes every other parameter, and inserts new low-rank layers where asked.

    `generator_seed` draws the new weights. A model that already holds an adapter goes on training that adapter.
    `ModelError` when a name matches nothing, with the nearest one, or when the choice does not fit the model.
    """
    model: Any = loaded.model if isinstance(loaded, LoadedModel) else loaded
    if lora_layers(model) and options.train not in ("lora", "dora"):
        raise ModelError(
            f"the model holds an adapter, and train is {options.train}",
            where="train",
            remedy="merge the adapter first (luthier export --to merged), or set train to lora",
        )
    model.requires_grad_(False)
    if options.train in ("lora", "dora"):
        names, notes = _low_rank(model, options, generator_seed)
    else:
        names, notes = _own(model, options)
    wanted = set(names)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in wanted)
    if isinstance(loaded, LoadedModel) and lora_layers(model):
        loaded.adapter = adapter_config(model, loaded.base_name)
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    chosen = tuple(name for name in counts if name in wanted)
    return Trainable(chosen, sum(counts[name] for name in chosen), sum(counts.values()), tuple(notes))


def decoder_layers(model: Any) -> tuple[str, nn.ModuleList]:
    """Returns the name and the list of a model's repeated decoder layers, such as "model.layers".

    `ModelError` when there is no list of as many layers as the configuration says.
    """
    config = model.config.get_text_config()
    count = getattr(config, "num_hidden_layers", None)  # third-party configurations need not have it
    lists = {name: module for name, module in model.named_modules() if isinstance(module, nn.ModuleList)}
    fitting = {name: module for name, module in lists.items() if count is None or len(module) == count}
    if not fitting:
        raise ModelError(
            f"no list of {count} decoder layers was found in {type(model).__name__}",
            where="train",
            remedy="name what to train: train: named with trainable_modules, or target_modules for lora",
        )
    return max(fitting.items(), key=lambda item: _size(item[1]))


def _low_rank(model: Any, options: ParameterOptions, seed: int) -> tuple[list[str], list[str]]:
    notes = []
    layers = lora_layers(model)
    if layers:
        shape = next(iter(layers.values())).shape
        kind = "dora" if shape.use_dora else "lora"
        notes.append(
            f"training goes on with the adapter the model came with ({kind}, r = {shape.r}, alpha = {shape.alpha:g})"
        )
    else:
        chosen = _targets(model, options.target_modules)
        shape = LoraShape(
            r=options.lora_r,
            alpha=options.lora_alpha,
            dropout=options.lora_dropout,
            use_rslora=options.use_rslora,
            use_dora=options.train == "dora",
        )
        insert_lora(model, chosen, shape, torch.Generator().manual_seed(seed))
        stacked = [name for name, parameter in model.named_parameters() if parameter.ndim == 3]
        if stacked:
            notes.append(f"{len(stacked)} weights of experts are not linear layers and stay as they are ({stacked[0]})")
    held = {f"{name}.{part}" for name in lora_layers(model) for part in ADAPTER_PARTS}
    return [name for name, _ in model.named_parameters() if name in held], notes


def _targets(model: Any, wanted: Sequence[str]) -> list[str]:
    """Returns the linear layers that get low-rank weights; names match a whole dotted name or its last parts."""
    layers = linear_layers(model)
    if "all-linear" in wanted:
        if len(wanted) > 1:
            raise ModelError(f"{list(wanted)!r} mixes all-linear with names", where="target_modules", remedy="give one")
        inside = decoder_layers(model)[0] + "."
        chosen = [name for name in layers if name.startswith(inside)]
    else:
        chosen = [name for name in layers if any(_ends_in(name, want) for want in wanted)]
        for want in wanted:
            if not any(_ends_in(name, want) for name in chosen):
                known = sorted({name.rpartition(".")[2] for name in layers})
                raise ModelError(
                    f"no linear layer is called {want!r}", where="target_modules", remedy=nearest(want, known)
                )
    if not chosen:
        raise ModelError("the model has no linear layers to adapt", where="target_modules", remedy="set train to full")
    head = model.get_output_embeddings()
    for name in chosen:
        if layers[name] is head and _tied(model):
            raise ModelError(
                f"{name} shares its weights with the embeddings, so low-rank weights there cannot be merged",
                where="target_modules",
                remedy=f"leave {name} out",
            )
    return chosen


def _own(model: Any, options: ParameterOptions) -> tuple[list[str], list[str]]:
    everything = dict(model.named_parameters())
    if options.train == "full":
        return list(everything), []
    if options.train == "last_layers":
        return _last_layers(model, options.num_layers_to_train), []
    if options.train == "named":
        return _by_pattern(list(everything), options.trainable_modules), []
    module = model.get_output_embeddings() if options.train == "head" else model.get_input_embeddings()
    if module is None:
        raise ModelError(f"the model has no {options.train} of its own", where="train", remedy="use train: named")
    wanted = {id(parameter) for parameter in module.parameters()}
    notes = []
    if _tied(model):
        notes.append("the head and the embeddings of this model are the same weights, so both are trained")
    return [name for name, parameter in everything.items() if id(parameter) in wanted], notes


def _last_layers(model: Any, count: int) -> list[str]:
    """Returns the parameters of the last `count` decoder layers and of the norm behind them."""
    path, layers = decoder_layers(model)
    if count > len(layers):
        raise ModelError(
            f"the model has {len(layers)} layers, not {count}", where="num_layers_to_train", remedy="ask for fewer"
        )
    parent, _, own = path.rpartition(".")
    children = list(model.get_submodule(parent).named_children())
    behind = children[[name for name, _ in children].index(own) + 1 :]
    norms = [name for name, module in behind if "norm" in type(module).__name__.lower()]
    starts = [f"{path}.{index}." for index in range(len(layers) - count, len(layers))]
    starts += [f"{parent}.{name}." if parent else f"{name}." for name in norms]
    return [name for name, _ in model.named_parameters() if name.startswith(tuple(starts))]


def _by_pattern(names: Sequence[str], patterns: Iterable[str]) -> list[str]:
    """Returns the parameters that a pattern names: itself, or a module it lies in, with or without what is before."""
    chosen: set[str] = set()
    for pattern in patterns:
        forms = (pattern, f"{pattern}.*", f"*.{pattern}", f"*.{pattern}.*")
        found = [name for name in names if any(fnmatch.fnmatchcase(name, form) for form in forms)]
        if not found:
            known = sorted({part for name in names for part in _parts(name)})
            close = nearest(pattern, known) if len(known) <= 40 else _close(pattern, known)
            raise ModelError(f"{pattern!r} names no parameter", where="trainable_modules", remedy=close)
        chosen.update(found)
    return [name for name in names if name in chosen]


def _close(pattern: str, known: list[str]) -> str:
    answer = nearest(pattern, known)
    return answer if answer.startswith("did you") else f"names look like {known[0]} or {known[-1]}"


def _parts(name: str) -> list[str]:
    """Returns the dotted name of a parameter, of the modules around it, and the last part of each."""
    pieces = name.split(".")
    whole = [".".join(pieces[:end]) for end in range(1, len(pieces) + 1)]
    return whole + [piece for piece in pieces if not piece.isdigit()]


def _ends_in(name: str, want: str) -> bool:
    return name == want or name.endswith("." + want)


def _tied(model: Any) -> bool:
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    return head is not None and embeddings is not None and head.weight is embeddings.weight


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
