"""Embeddings: those of the model alone, whatever shares the batch; sentence-transformers folders are read as meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from luthier.encoding.embedder import PACKAGED, Embedder, packaged_folder, pooled, shortened
from luthier.errors import ContextError, ModelError
from luthier.models.options import LoadOptions

EXACT = LoadOptions(precision="fp32", device="cpu")
TEXTS = ["a lighthouse", "the keeper of the lighthouse at Mossend", "x " * 60, "é 日本"]

needs_package = pytest.mark.skipif(packaged_folder() is None, reason="luthier[embeddings] is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny BERT in the folder format of sentence-transformers, pooled by the mean, at length 1."""
    from tiny_models import tiny_tokenizer

    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.3,
    )
    BertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 200}')
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    return tmp_path


def test_a_text_has_the_vector_it_has_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = Embedder.load(str(folder), EXACT)
    alone = torch.cat([embedder.embed([text]) for text in TEXTS])
    assert alone.shape == (len(TEXTS), 32)
    assert torch.allclose(alone.norm(dim=1), torch.ones(len(TEXTS)))
    for budget in (1, 100, 10_000):
        monkeypatch.setattr("luthier.encoding.embedder.TOKENS_AT_ONCE", budget)
        assert torch.allclose(embedder.embed(TEXTS), alone, atol=1e-6)
    assert embedder.embed([]).shape == (0, 32)


def test_the_mean_is_that_of_the_hidden_states(folder: Path) -> None:
    embedder = Embedder.load(str(folder), EXACT)
    row = embedder.tokens(TEXTS[:1])[0]
    with torch.no_grad():
        hidden = embedder.model(torch.tensor([row])).last_hidden_state[0]
    expected = hidden.mean(0) / hidden.mean(0).norm()
    assert torch.allclose(embedder.embed(TEXTS[:1])[0], expected, atol=1e-6)


@pytest.mark.parametrize(("pooling", "expected"), [("cls", 1.0), ("mean", 2.0), ("max", 3.0), ("lasttoken", 3.0)])
def test_pooling_sees_no_filling(pooling: str, expected: float) -> None:
    hidden = torch.tensor([[[1.0], [2.0], [3.0], [99.0]]])
    assert pooled(hidden, torch.tensor([[True, True, True, False]]), pooling).item() == expected


def test_a_plain_encoder_is_pooled_by_the_mean(folder: Path) -> None:
    expected = Embedder.load(str(folder), EXACT).embed(TEXTS)
    (folder / "modules.json").unlink()
    assert torch.allclose(Embedder.load(str(folder), EXACT).embed(TEXTS), expected)


def test_shortened_vectors_have_length_one() -> None:
    vectors = shortened(torch.tensor([[3.0, 4.0, 12.0]]), 2)
    assert torch.allclose(vectors, torch.tensor([[0.6, 0.8]]))


def test_a_text_that_is_too_long_is_refused_by_its_number(folder: Path) -> None:
    embedder = Embedder.load(str(folder), EXACT)
    assert embedder.max_tokens == 200
    with pytest.raises(ContextError, match="text 1 has"):
        embedder.embed(["short", "long " * 300])


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("1_Pooling/config.json", '{"pooling_mode_mean_sqrt_len_tokens": true}', "pools by"),
        ("1_Pooling/config.json", '{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}', "pools by"),
        ("modules.json", '[{"type": "sentence_transformers.models.Dense", "path": "3"}]', "a layer Dense"),
    ],
)
def test_a_folder_that_would_be_read_wrong_is_refused(folder: Path, file: str, content: str, said: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(ModelError, match=said):
        Embedder.load(str(folder), EXACT)


@needs_package
def test_the_packaged_model_knows_what_is_alike() -> None:
    embedder = Embedder.load(PACKAGED, EXACT)
    assert (embedder.dimensions, embedder.max_tokens, embedder.pooling) == (384, 256, "mean")
    asked, near, far = embedder.embed(
        ["How do I reset my password?", "I forgot my login and cannot sign in.", "The soup needs more salt."]
    )
    assert asked @ near > 0.4 > 0.2 > asked @ far


@needs_package
def test_other_weights_than_the_published_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("luthier.encoding.embedder._WEIGHTS", "0" * 64)
    with pytest.raises(ModelError, match="not those that were published"):
        Embedder.load(PACKAGED, EXACT)
