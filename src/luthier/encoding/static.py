"""Texts to vectors without a model at work: the mean of one vector per token, in the folder format of model2vec."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from luthier.errors import ModelError
from luthier.models.resolve import read_json

TEXTS_AT_ONCE = 1024


class StaticEmbedder:
    """A table of vectors, one a token. `dimensions` is their length; a text may be of any length."""

    max_tokens = 1_000_000

    def __init__(self, name: str, tokenizer: Any, table: Tensor, *, normalize: bool, unknown: int | None) -> None:
        self.name, self.tokenizer, self.table = name, tokenizer, table
        self.normalize, self._unknown = normalize, unknown
        self.dimensions = int(table.shape[1])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Returns the embedder in `folder`: tokenizer.json and model.safetensors. `ModelError` when it is none."""
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        config = read_json(folder / "config.json")
        try:
            tensors = load_file(folder / "model.safetensors")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # both libraries raise classes of their own
            raise ModelError(
                f"cannot be read ({error})", where=str(folder), remedy="copy or download it again"
            ) from None
        table = tensors.get("embeddings", tensors.get("embedding.weight"))
        if table is None or table.ndim != 2:
            raise ModelError("has no table of embeddings", where=str(folder), remedy="use another model")
        table = table.float()
        if "mapping" in tensors:
            table = table[tensors["mapping"].long()]
        if "weights" in tensors:
            table = table * tensors["weights"].float()[:, None]
        if tokenizer.get_vocab_size() > len(table):
            raise ModelError(
                f"has {len(table)} vectors for {tokenizer.get_vocab_size()} tokens",
                where=str(folder),
                remedy="copy it again",
            )
        tokenizer.no_truncation()
        tokenizer.no_padding()
        model = tokenizer.model
        unknown = tokenizer.token_to_id(getattr(model, "unk_token", None) or "[UNK]")
        return cls(str(folder), tokenizer, table, normalize=bool(config.get("normalize", True)), unknown=unknown)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the tokens of each text, without those that are not known."""
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[token for token in row.ids if token != self._unknown] for row in encoded]

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Returns the vectors (N, D) of texts, fp32; zeros for one without a known token."""
        parts = [self._embed(texts[start : start + TEXTS_AT_ONCE]) for start in range(0, len(texts), TEXTS_AT_ONCE)]
        return torch.cat(parts) if parts else torch.zeros(0, self.dimensions)

    def _embed(self, texts: Sequence[str]) -> Tensor:
        rows = self.tokens(texts)
        offsets = torch.tensor([0, *(len(row) for row in rows)]).cumsum(0)[:-1]
        flat = torch.tensor([token for row in rows for token in row], dtype=torch.long)
        vectors = F.embedding_bag(flat, self.table, offsets, mode="mean")
        return F.normalize(vectors, dim=-1) if self.normalize else vectors


def is_static(folder: Path) -> bool:
    """Returns whether `folder` holds static embeddings."""
    file = folder / "config.json"
    return file.is_file() and read_json(file).get("model_type") == "model2vec"
