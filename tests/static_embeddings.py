"""A static embedding model on disk, with a vector of its own for each of a few words."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

WORDS = (
    *(
        "the",
        "a",
        "of",
        "is",
        "and",
        "keeper",
        "lighthouse",
        "boat",
        "harbour",
        "tea",
        "green",
        "black",
        "bread",
        "oven",
    ),
    *("train", "station", "ticket", "garden", "rose", "winter", "summer", "letter", "stamp", "violin", "bow", "string"),
)


def save_static(folder: Path, dimensions: int = 8, seed: int = 0, words: tuple[str, ...] = WORDS) -> Path:
    """Returns `folder` with the model in it; it knows lower-case `words` and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(("[UNK]", *words))}, unk_token="[UNK]"))
    inner.normalizer, inner.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    inner.save(str(folder / "tokenizer.json"))
    table = torch.randn(len(words) + 1, dimensions, generator=torch.Generator().manual_seed(seed))
    save_file({"embeddings": table}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    return folder
