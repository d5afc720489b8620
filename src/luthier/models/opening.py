"""Opens a model without its weights: configuration, tokenizer, template, device; refuses what could not be loaded."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from luthier.errors import CapacityError, ModelError
from luthier.models.options import LoadOptions
from luthier.models.resolve import ResolvedModel, read_json, resolve_model
from luthier.tokens.template import Template

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt", "tekken.json")
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length", "n_ctx")
PROBES = (
    "The quick brown fox jumps over the lazy dog.",
    "Question: what is 17 * 23? Answer:",
    'def mean(values):\n    """Returns the mean."""\n    return',
    '{"name": "Ada", "tags": ["a", "b"], "price": 12.50}',
    "Żółta łódź, un été à Genève, 東京の天気, здравствуйте 🙂",
    "Dear customer,\n\nthank you for your letter.  \tI'll WAIT\r\n",
)
"""Texts in several scripts and layouts, to compare tokenizers and models with."""
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Opened:
    """A model whose configuration, tokenizer and template are read, and whose weights are not loaded yet."""

    name: str
    found: ResolvedModel
    config: Any
    tokenizer: Any
    template: Template
    device: torch.device
    dtype: torch.dtype
    context_length: int
    trust_remote_code: bool


def open_model(name: str, options: LoadOptions | None = None, *, weights: bool = True) -> Opened:
    """Returns everything about the model called `name` but its weights; what would keep them from loading is refused.

    Without `weights` a folder of a configuration and a tokenizer will do: for models that start from random weights.
    """
    options = options or LoadOptions()
    trust = options.trust_remote_code
    found = resolve_model(name, revision=options.revision, download=True, trust_remote_code=trust)
    config = load_config(found, trust_remote_code=trust, weights=weights)
    device = choose_device(options.device)
    tokenizer = _tokenizer_of(found, trust_remote_code=trust)
    return Opened(
        name=name,
        found=found,
        config=config,
        tokenizer=tokenizer,
        template=Template.of(tokenizer, stop_ids=declared_eos(found, tokenizer)),
        device=device,
        dtype=choose_dtype(options.precision, device),
        context_length=context_length(config.to_dict(), tokenizer.model_max_length),
        trust_remote_code=trust,
    )


def fingerprint(opened: Opened) -> str:
    """Returns a SHA-256 of the configuration and of every weight file: what makes this base this base."""
    digest = hashlib.sha256()
    for folder in (opened.found.base_folder, opened.found.adapter):
        files = [] if folder is None else [*folder.glob("*config.json"), *folder.glob("*.safetensors")]
        for file in sorted(files):
            with file.open("rb") as stream:
                digest.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def load_config(found: ResolvedModel, *, trust_remote_code: bool = False, weights: bool = True) -> Any:
    """Returns the transformers configuration of a resolved model, without loading any weights."""
    from transformers import AutoConfig

    folder = usable_folder(found, trust_remote_code=trust_remote_code, weights=weights)
    with as_model_error(folder):
        return AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code, local_files_only=True)


def usable_folder(found: ResolvedModel, *, trust_remote_code: bool = False, weights: bool = True) -> Path:
    """Returns the folder of the base model after checking, before anything is loaded, that it may and can be."""
    if found.base_folder is None:
        raise ModelError("is not on this machine", where=found.base, remedy=f"run: hf download {found.base}")
    _check_architecture(found.base_folder, trust_remote_code)
    if weights:
        check_weights(found.base_folder)
    return found.base_folder


def choose_device(device: str) -> torch.device:
    """Returns the device asked for, or the best there is: cuda, then mps, then cpu."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, there in present.items() if there))
    if not present[device]:
        there = " or ".join(name for name, there in present.items() if there)
        raise ModelError(f"this machine has no usable {device} device", where="device", remedy=f"use auto or {there}")
    return torch.device(device)


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Returns the number format of the computation; auto is bf16 where the hardware multiplies in it, else fp32."""
    if precision == "fp16" and device.type == "cpu":
        raise ModelError("fp16 does not run well on a CPU", where="precision", remedy="use auto, bf16 or fp32")
    if precision != "auto":
        return _DTYPES[precision]
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and cpu_computes_bf16()
    return torch.bfloat16 if fast else torch.float32


def cpu_computes_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Returns whether the CPU multiplies matrices in bf16 (AVX512-BF16 or AMX); False where this cannot be told."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def context_length(config: dict[str, Any], tokenizer_limit: int | float | None = None) -> int:
    """Returns how many tokens the model was built for, from its configuration, else from its tokenizer, else 2048."""
    for holder in (config, config.get("text_config") or {}):
        for key in _CONTEXT_KEYS:
            if isinstance(holder.get(key), int) and holder[key] > 0:
                return int(holder[key])
    # transformers writes 1e30 where the tokenizer knows no limit
    return int(tokenizer_limit) if tokenizer_limit and tokenizer_limit < 1e9 else 2048


def check_code(folder: Path, auto: str, *, trust_remote_code: bool) -> bool:
    """Returns whether the class `auto` would load the model by Python code of its own; `ModelError` where it may not,
    and where transformers does not know the model either."""
    from transformers import CONFIG_MAPPING, __version__

    config = read_json(folder / "config.json")
    kind = str(config.get("model_type", ""))
    own_code = auto in (config.get("auto_map") or {})
    if own_code and trust_remote_code:
        return True
    if kind in CONFIG_MAPPING:
        return False
    if own_code:
        raise ModelError(
            f"the model type {kind!r} runs Python code that comes with the model",
            where=str(folder),
            remedy="read that code, and give --trust-remote-code if you trust its publisher",
        )
    raise ModelError(
        f"transformers {__version__} does not know the model type {kind!r}",
        where=str(folder / "config.json"),
        remedy="use another model, or a newer transformers",
    )


def _check_architecture(folder: Path, trust_remote_code: bool) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    config = read_json(folder / "config.json")
    kind = str(config.get("model_type", ""))
    if check_code(folder, "AutoModelForCausalLM", trust_remote_code=trust_remote_code):
        return
    names = {name for value in CAUSAL.values() for name in ([value] if isinstance(value, str) else value)}
    architectures = config.get("architectures") or []
    if kind not in CAUSAL or (architectures and not names & set(architectures) and not _is_bare(architectures)):
        what = ", ".join(architectures) or kind
        raise ModelError(
            f"is not a causal language model ({what})", where=str(folder), remedy="give a decoder such as Llama or Qwen"
        )


def _is_bare(architectures: list[str]) -> bool:
    """Whether the weights are those of a model without its head; the load tells whether the head is tied."""
    return all(name.endswith("Model") and "LMHead" not in name for name in architectures)


def check_weights(folder: Path) -> None:
    """Raises `ModelError` unless every weight file is there, and in safetensors."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        return
    if index.is_file():
        shards = sorted(set(read_json(index).get("weight_map", {}).values()))
        absent = [shard for shard in shards if not (folder / str(shard)).is_file()]
        if absent:
            raise ModelError(
                f"{len(absent)} of {len(shards)} weight files are missing: {', '.join(absent[:3])}",
                where=str(folder),
                remedy="copy or download the model again",
            )
        return
    pickled = sorted(path.name for pattern in _PICKLED for path in folder.glob(pattern))
    if pickled:
        raise ModelError(
            f"its weights are pickled ({', '.join(pickled[:3])}), and loading those can run any code",
            where=str(folder),
            remedy="use a copy with safetensors weights, or convert them where you trust the file: "
            "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)",
        )
    raise ModelError("holds no model.safetensors", where=str(folder), remedy="copy or download the model again")


def load_tokenizer(folder: Path, *, trust_remote_code: bool = False) -> Any:
    """Returns the tokenizer in `folder`, which splits text as its tokenizer.json says.

    transformers 5 rebuilds the tokenizers of some model types (Qwen2, for one) from their vocabulary alone, with its
    own idea of how text is split and which special tokens there are. Where that differs, the file is right.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    loader: Any = AutoTokenizer
    plain: Any = PreTrainedTokenizerFast
    with as_model_error(folder):
        tokenizer = loader.from_pretrained(folder, trust_remote_code=trust_remote_code, local_files_only=True)
        file = folder / "tokenizer.json"
        if not file.is_file() or _reads_as(file, tokenizer):
            return tokenizer
        exact = plain.from_pretrained(folder, local_files_only=True)
        # tokens that tokenizer_config.json adds belong to both; only what the class adds by itself counts
        same = exact.get_vocab() == tokenizer.get_vocab() and _splits(exact) == _splits(tokenizer)
        return tokenizer if same else exact


def _reads_as(file: Path, tokenizer: Any) -> bool:
    from tokenizers import Tokenizer

    raw = Tokenizer.from_file(str(file))
    same = [raw.encode(text, add_special_tokens=False).ids for text in PROBES] == _splits(tokenizer)
    return same and raw.get_vocab_size() == len(tokenizer)


def _splits(tokenizer: Any) -> list[list[int]]:
    return [tokenizer(text, add_special_tokens=False).input_ids for text in PROBES]


def _tokenizer_of(found: ResolvedModel, *, trust_remote_code: bool) -> Any:
    """Returns the adapter's own tokenizer when it has one, else the base model's."""
    places = [place for place in (found.adapter, found.base_folder) if place is not None]
    for place in places:
        if any((place / name).is_file() for name in _TOKENIZER_FILES):
            return load_tokenizer(place, trust_remote_code=trust_remote_code)
    raise ModelError(
        "holds no tokenizer",
        where=str(places[-1]),
        remedy="put the model's tokenizer.json and tokenizer_config.json beside its weights",
    )


def declared_eos(found: ResolvedModel, tokenizer: Any) -> frozenset[int]:
    """Returns the ids that end a reply: those of generation_config.json or config.json, and the tokenizer's own."""
    folder = found.base_folder
    assert folder is not None
    files = [file for file in (folder / "generation_config.json", folder / "config.json") if file.is_file()]
    listed = [tokenizer.eos_token_id]
    for file in files:
        declared = read_json(file).get("eos_token_id")
        listed += declared if isinstance(declared, list) else [declared]
        if declared is not None:
            break  # the generation settings, where they say it, are the newer word
    return frozenset(int(token) for token in listed if token is not None)


@contextlib.contextmanager
def as_model_error(folder: Path) -> Iterator[None]:
    """Turns what transformers and safetensors raise into one error that names the folder."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise CapacityError("not enough memory to load the model", where=str(folder)) from error
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, AttributeError, SafetensorError) as error:
        text = " ".join(str(error).split())[:300]
        raise ModelError(
            f"cannot be loaded ({type(error).__name__}: {text})",
            where=str(folder),
            remedy="copy or download the model again; a model with plain safetensors weights is needed",
        ) from error
