"""Writes a model to a folder, whole or not at all, and proves that the folder answers as the model does."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from luthier.errors import CapacityError, ModelError, SpecError
from luthier.models.adapters import save_adapter
from luthier.models.load import LoadedModel, load_model, quiet_bars
from luthier.models.lora import ADAPTER_PARTS, lora_layers
from luthier.models.merge import fold
from luthier.models.opening import PROBES, as_model_error, load_tokenizer
from luthier.models.options import LoadOptions

TOLERANCE = 1e-4
"""Largest difference of two logits, in fp32, that still counts as the same answer."""
ROUNDING = 5e-5
"""The same as a share of the largest logit: merging adds in another order, and fp32 rounds both ways of adding."""
_COMPARED = 16
_PROBE_TOKENS = 192


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two models' logits are apart over `prompts` prompts; `largest` is the size of the largest logit."""

    prompts: int
    difference: float
    largest: float
    same_first_choice: float

    @property
    def tolerance(self) -> float:
        """What rounding in fp32 can explain: 1e-4, or more where logits are large."""
        return max(TOLERANCE, ROUNDING * self.largest)

    @property
    def equal(self) -> bool:
        return self.difference <= self.tolerance


@contextlib.contextmanager
def whole_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Gives an empty folder beside `target` that takes its name, synced to the disk, once the block ends well.

    After an error nothing is left. `SpecError` when `target` holds something and may not be replaced.
    """
    check_target(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        part.chmod(0o777 & ~_umask())
        yield part
        sync(part)
        _replace(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raises `SpecError` when an export may not be written to `target`: only an earlier export is ever replaced."""
    if target.is_file():
        raise SpecError("is a file", where=str(target), remedy="give the name of a new folder", param="output")
    held = [path.name for path in target.iterdir()] if target.is_dir() else []
    if not held:
        return
    if not overwrite:
        raise SpecError("is not empty", where=str(target), remedy="choose another folder, or overwrite", param="output")
    is_export = {"config.json", "adapter_config.json"} & set(held) and "run.json" not in held
    if not is_export or any(path.is_dir() for path in target.iterdir()):
        raise SpecError(
            f"holds more than an exported model ({', '.join(sorted(held)[:5])}), so it is not replaced",
            where=str(target),
            remedy="choose another folder",
            param="output",
        )


def save_model(loaded: LoadedModel, folder: Path, *, card: str = "") -> None:
    """Writes the model to `folder` as it is: its adapter if it has one, else its weights; with tokenizer and card."""
    folder.mkdir(parents=True, exist_ok=True)
    if lora_layers(loaded.model):
        save_adapter(loaded.model, folder, loaded.base_name)
    else:
        save_weights(loaded, folder)
    save_tokenizer(loaded, folder)
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")


def save_weights(loaded: LoadedModel, folder: Path) -> None:
    """Writes config.json, generation_config.json and safetensors weights in files of at most 5 GB."""
    with as_model_error(folder), quiet_bars():
        loaded.model.save_pretrained(folder, max_shard_size="5GB")


def save_tokenizer(loaded: LoadedModel, folder: Path) -> None:
    """Writes the tokenizer and the chat template that the model answers with."""
    loaded.template.tokenizer.save_pretrained(folder)


def merge_for_export(loaded: LoadedModel, dtype: torch.dtype) -> None:
    """Turns the model into plain weights in `dtype`, merged in fp32; cannot be undone."""
    fold(loaded.model)
    loaded.adapter = None
    loaded.model.to(dtype)


def exported_parameters(loaded: LoadedModel, form: Literal["merged", "adapter"]) -> int:
    """Returns how many numbers an export holds: those of the adapter, or those of the model without it."""
    layers = lora_layers(loaded.model).values()
    adapter = sum(part.numel() for layer in layers for name, part in layer.named_parameters() if name in ADAPTER_PARTS)
    everything = sum(parameter.numel() for parameter in loaded.model.parameters())
    return adapter if form == "adapter" else everything - adapter


def probe_prompts(loaded: LoadedModel, texts: Sequence[str] = ()) -> list[list[int]]:
    """Returns token ids to compare models with: fixed texts in many scripts, random tokens, and texts of the caller."""
    limit = min(_PROBE_TOKENS, loaded.context_length)
    encoded = [ids[:limit] for ids in _ids(loaded.tokenizer, (*PROBES, *texts))]
    size = int(loaded.model.config.get_text_config().vocab_size)
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(size, (2, min(limit, 64)), generator=generator)
    return [prompt for prompt in encoded if prompt] + draws.tolist()


@torch.no_grad()
def logits_of(model: Any, prompts: Sequence[Sequence[int]]) -> list[Tensor]:
    """Returns the fp32 logits of each prompt's last 16 tokens, (16, vocabulary) or fewer rows, on the CPU."""
    device = next(model.parameters()).device
    rows = []
    for prompt in prompts:
        ids = torch.tensor([list(prompt)], device=device)
        logits = model(input_ids=ids, use_cache=False).logits  # (1, T, V)
        rows.append(logits[0, -_COMPARED:].float().cpu())  # (16, V)
    return rows


def compare(wanted: Sequence[Tensor], got: Sequence[Tensor]) -> Comparison:
    """Returns how far two lists of logits are apart; a not-a-number anywhere makes the difference infinite."""
    gaps = [float((a - b).abs().max()) for a, b in zip(wanted, got, strict=True)]
    agreed = torch.cat([a.argmax(-1) == b.argmax(-1) for a, b in zip(wanted, got, strict=True)])
    difference = max(gap if gap == gap else float("inf") for gap in gaps)
    largest = max(float(a.abs().max()) for a in wanted)
    return Comparison(len(gaps), difference, largest, float(agreed.float().mean()))


def reloaded_logits(
    folder: Path, form: Literal["merged", "adapter"], prompts: Sequence[Sequence[int]], options: LoadOptions
) -> list[Tensor]:
    """Returns the logits of an exported folder, read back in fp32: merged weights by plain transformers."""
    device = options.device
    if form == "adapter":
        exact = LoadOptions(precision="fp32", device=device, trust_remote_code=options.trust_remote_code)
        return logits_of(load_model(str(folder), exact).model, prompts)
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    with as_model_error(folder), quiet_bars():
        model = loader.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, trust_remote_code=options.trust_remote_code
        )
    return logits_of(model.to(device).eval(), prompts)


def check_tokenizer(
    loaded: LoadedModel, folder: Path, texts: Sequence[str] = (), *, trust_remote_code: bool = False
) -> bool:
    """Returns whether transformers' own AutoTokenizer reads the exported tokenizer as it is meant.

    Raises `ModelError` unless it gives, read as Luthier reads it, the same tokens and the same chat template.
    """
    from transformers import AutoTokenizer

    again = load_tokenizer(folder, trust_remote_code=trust_remote_code)
    every = (*PROBES, *texts)
    wanted = _ids(loaded.tokenizer, every)
    same = _ids(again, every) == wanted
    if not same or again.chat_template != loaded.template.tokenizer.chat_template:
        what = "chat template differs" if same else "tokenizer gives other tokens"
        raise ModelError(f"the exported {what}", where=str(folder), remedy="please report this; nothing was exported")
    loader: Any = AutoTokenizer
    theirs = loader.from_pretrained(folder, local_files_only=True, trust_remote_code=trust_remote_code)
    return _ids(theirs, every) == wanted


def row_texts(run: Path, count: int = 8) -> list[str]:
    """Returns some of a run's held-out rows as text, whatever their fields are called; none when there are none."""
    file = run / "heldout.jsonl"
    if not file.is_file():
        return []
    texts = []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            with contextlib.suppress(ValueError):
                texts.append("\n".join(_strings(json.loads(line))))
            if len(texts) == count:
                break
    return [text for text in texts if text.strip()]


def check_space(target: Path, size_bytes: int) -> None:
    """Raises `CapacityError` when the disk has no room for `size_bytes` more."""
    place = next(folder for folder in (target, *target.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < size_bytes * 1.02:
        raise CapacityError(
            f"the export needs {size_bytes / 1e9:.2f} GB and the disk has {free / 1e9:.2f} GB free",
            where=str(target),
            remedy="free some space, choose another disk, or export an adapter",
        )


def release(loaded: LoadedModel) -> None:
    """Frees the model's weights, so that the exported ones fit in memory while they are checked."""
    loaded.model.to("meta")
    gc.collect()


def sync(folder: Path) -> None:
    """Forces every file of a folder, and the folder itself, onto the disk."""
    for path in (*(path for path in folder.rglob("*") if path.is_file()), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _replace(part: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.old")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    shutil.rmtree(old, ignore_errors=True)


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    return [tokenizer(text, verbose=False).input_ids for text in texts]  # quiet about texts beyond the context


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
