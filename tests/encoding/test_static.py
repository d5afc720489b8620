"""Static embeddings: the tables that folders of model2vec hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from static_embeddings import save_static

from luthier.encoding.static import StaticEmbedder, is_static
from luthier.errors import ModelError


def test_small_tables_with_weights_and_a_mapping_are_read(tmp_path: Path) -> None:
    folder = save_static(tmp_path)
    assert is_static(folder)
    table = load_file(folder / "model.safetensors")["embeddings"]
    plain = StaticEmbedder.load(folder).embed(["tea", "green"])
    mapping, weights = torch.arange(len(table)).flip(0), torch.linspace(1, 2, len(table))
    save_file({"embeddings": table.flip(0), "mapping": mapping, "weights": weights}, folder / "model.safetensors")
    weighted = StaticEmbedder.load(folder)
    assert torch.allclose(weighted.embed(["tea", "green"]), plain, atol=1e-6)  # one word: its weight is scaled away
    assert torch.allclose(weighted.table, table * weights[:, None])
    save_file({"embeddings": (table * 40).round().to(torch.int8)}, folder / "model.safetensors")
    assert torch.allclose(StaticEmbedder.load(folder).embed(["tea"]), plain[:1], atol=0.1)


def test_vectors_keep_their_length_where_the_folder_says_so(tmp_path: Path) -> None:
    folder = save_static(tmp_path)
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": False}))
    embedder = StaticEmbedder.load(folder)
    assert torch.allclose(embedder.embed(["tea"])[0], embedder.table[embedder.tokens(["tea"])[0][0]])
    assert embedder.embed([]).shape == (0, 8)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    folder = save_static(tmp_path)
    save_file({"other": torch.ones(2, 2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="no table"):
        StaticEmbedder.load(folder)
    save_file({"embeddings": torch.ones(2, 2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="2 vectors for"):
        StaticEmbedder.load(folder)
    assert not is_static(tmp_path / "nowhere")
