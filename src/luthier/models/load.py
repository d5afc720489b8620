"""Loads a causal language model with its tokenizer, template and adapter, ready to answer or to be trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from luthier.errors import ModelError
from luthier.models.adapters import AdapterConfig, load_adapter
from luthier.models.opening import Opened, as_model_error, declared_eos, open_model
from luthier.models.options import LoadOptions
from luthier.models.scratch import random_model
from luthier.tokens.template import Template


@dataclass
class LoadedModel:
    """A model ready for use: `model` is a transformers PreTrainedModel and `tokenizer` its fast tokenizer.

    `dtype` is the number format of the computation and `weight_dtype` that of the stored weights: they differ only
    when the weights themselves are to be trained, which needs fp32. `base_name` is what an adapter trained on this
    model names as its base. `eos_ids` end a reply. `notes` are things the user should be told once.
    """

    name: str
    base_name: str
    folder: Path | None
    model: Any
    tokenizer: Any
    template: Template
    device: torch.device
    dtype: torch.dtype
    weight_dtype: torch.dtype
    context_length: int
    adapter: AdapterConfig | None = None
    eos_ids: frozenset[int] = frozenset()
    notes: tuple[str, ...] = field(default_factory=tuple)


def load_opened(opened: Opened, *, master_weights: bool = False, fresh_seed: int | None = None) -> LoadedModel:
    """Returns the opened model with its weights, in evaluation mode and without gradients.

    With `master_weights` the weights are kept in fp32 whatever the computation's format: for training them. With
    `fresh_seed` they are random: the same for the same seed.
    """
    found = opened.found
    notes: tuple[str, ...] = ()
    folder = found.base_folder
    assert folder is not None, "an opened model has a folder"
    weight_dtype = torch.float32 if master_weights else opened.dtype
    if fresh_seed is None:
        model, notes = load_weights(folder, weight_dtype, opened.device, trust_remote_code=opened.trust_remote_code)
    else:
        model = random_model(opened.config, fresh_seed).to(opened.device, weight_dtype)
    _check_vocabulary(model, opened.tokenizer, folder)
    adapter = load_adapter(model, found.adapter) if found.adapter else None
    model.requires_grad_(False)
    model.train(False)
    return LoadedModel(
        name=opened.name,
        base_name=found.base,
        folder=found.folder,
        model=model,
        tokenizer=opened.tokenizer,
        template=opened.template,
        device=opened.device,
        dtype=opened.dtype,
        weight_dtype=weight_dtype,
        context_length=opened.context_length,
        adapter=adapter,
        eos_ids=declared_eos(found, opened.tokenizer),
        notes=notes,
    )


def load_model(name: str, options: LoadOptions | None = None, *, master_weights: bool = False) -> LoadedModel:
    """Returns the model called `name` with everything it needs, ready to answer or to be trained.

    `ModelError` when the model, its tokenizer or its adapter cannot be used; `CapacityError` when it does not fit.
    """
    return load_opened(open_model(name, options), master_weights=master_weights)


def empty_model(config: Any) -> Any:
    """Returns the model of a configuration without memory for its weights (meta device): to count parameters."""
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    with torch.device("meta"):
        return loader.from_config(config)


def load_weights(
    folder: Path,
    dtype: torch.dtype,
    device: torch.device,
    *,
    auto: str = "AutoModelForCausalLM",
    trust_remote_code: bool = False,
) -> tuple[Any, tuple[str, ...]]:
    """Returns the model in `folder`, loaded by the class `auto` of transformers, and what is to be said about it.

    `ModelError` when it cannot be read, or when weights of the model are not there.
    """
    import transformers

    loader: Any = getattr(transformers, auto)
    with as_model_error(folder), quiet_bars():
        model, info = loader.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=trust_remote_code,
            local_files_only=True,
            output_loading_info=True,
        )
        model = model.to(device)
    lost = sorted(info["missing_keys"]) + sorted(str(key) for key in info["mismatched_keys"])
    if lost:
        raise ModelError(
            f"{len(lost)} weights of the model are not in its files, or have another shape: {', '.join(lost[:3])}",
            where=str(folder),
            remedy="copy or download the model again; with random weights it would answer nonsense",
        )
    unused = sorted(info["unexpected_keys"])
    note = f"{len(unused)} weights in {folder.name} are not used by the model: {', '.join(unused[:3])}"
    return model, (note,) if unused else ()


def _check_vocabulary(model: Any, tokenizer: Any, folder: Path) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    highest = max(tokenizer.get_vocab().values(), default=-1)
    if highest >= rows:
        raise ModelError(
            f"the tokenizer has token {highest}, but the model has embeddings for {rows} tokens only",
            where=str(folder),
            remedy="use the tokenizer that came with the model",
        )


@contextlib.contextmanager
def quiet_bars() -> Iterator[None]:
    """Keeps transformers' own progress bars off the terminal: a `Report` is the only channel out of a verb."""
    from transformers.utils import logging as bars

    logging: Any = bars
    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()
