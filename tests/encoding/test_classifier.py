"""Classifiers: the scores of transformers' own pipeline, whatever shares the batch; long texts are read in windows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_classifiers import FINE, LONGEST, PLAIN, save_classifier
from transformers import BertForSequenceClassification, LlamaConfig, LlamaForSequenceClassification, pipeline

from luthier.encoding.batches import by_length, longest_text
from luthier.encoding.classifier import Classifier
from luthier.errors import ContextError, ModelError
from luthier.models.options import LoadOptions

EXACT = LoadOptions(precision="fp32", device="cpu")
TEXTS = [
    "the keeper is home",
    "kill the keeper",
    "",
    "hate hate kill",
    "of the lighthouse at home is the keeper of the lighthouse",
    "something unknown",
]


def piped(folder: Path, texts: list[str]) -> list[dict[str, float]]:
    """Returns what transformers itself says of each text."""
    plain: Any = pipeline("text-classification", model=str(folder), device="cpu", top_k=None)
    return [{one["label"]: one["score"] for one in found} for found in plain(texts, batch_size=1)]


def said(classifier: Classifier, texts: list[str]) -> list[dict[str, float]]:
    return [dict(zip(classifier.labels, row, strict=True)) for row in classifier.scores(texts).tolist()]


@pytest.mark.parametrize("kind", [None, "single_label_classification", "multi_label_classification"])
@pytest.mark.parametrize("words", [("kill", "hate"), (), ("kill",)])
def test_scores_are_those_of_the_pipeline(
    tmp_path: Path, kind: str | None, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_classifier(tmp_path, words, problem_type=kind)
    classifier = Classifier.load(str(tmp_path), EXACT)
    expected = piped(tmp_path, TEXTS)
    for budget in (1, 20, 10_000):
        monkeypatch.setattr("luthier.encoding.classifier.TOKENS_AT_ONCE", budget)
        found = said(Classifier.load(str(tmp_path), EXACT), TEXTS)
        assert found == [pytest.approx(one, abs=1e-5) for one in expected]
    assert classifier.exclusive == (kind != "multi_label_classification")
    assert all(sum(one.values()) == pytest.approx(1.0) for one in said(classifier, TEXTS)) == classifier.exclusive
    assert classifier.scores([]).shape == (0, len(classifier.labels))


def test_a_word_of_its_own_moves_its_label(tmp_path: Path) -> None:
    classifier = Classifier.load(str(save_classifier(tmp_path)), EXACT, problem_type="multi_label_classification")
    fine, kill, _, both, *_ = said(classifier, TEXTS)
    assert fine == pytest.approx({FINE: 0.5, "kill": 0.018, "hate": 0.018}, abs=1e-3)
    assert (kill["kill"] > 0.99, kill["hate"] < 0.02) == (True, True)
    assert (both["kill"] > 0.99, both["hate"] > 0.99) == (True, True)


def test_one_label_alone_is_a_sigmoid_as_in_the_pipeline(tmp_path: Path) -> None:
    save_classifier(tmp_path, ())
    BertForSequenceClassification.from_pretrained(tmp_path, num_labels=1, ignore_mismatched_sizes=True).save_pretrained(
        tmp_path
    )
    classifier = Classifier.load(str(tmp_path), EXACT, problem_type="single_label_classification")
    assert not classifier.exclusive
    assert len({round(float(row), 4) for row in classifier.scores(TEXTS)}) > 1


def test_the_highest_score_of_any_window_counts(tmp_path: Path) -> None:
    save_classifier(tmp_path, problem_type="multi_label_classification")
    classifier = Classifier.load(str(tmp_path), EXACT)
    inside = LONGEST - 2
    filler = [PLAIN[index % len(PLAIN)] for index in range(157)]
    for place in (0, inside - 1, inside, 100, 157):
        words = [*filler[:place], "kill", *filler[place:]]
        windows = [" ".join(words[at : at + inside]) for at in range(0, len(words) - inside + inside // 2, inside // 2)]
        expected = piped(tmp_path, windows)
        found = said(classifier, ["hate", " ".join(words), "the keeper"])[1]
        assert found == pytest.approx({label: max(one[label] for one in expected) for label in found}, abs=1e-5)
        assert found["kill"] > 0.9 > 0.1 > found["hate"]


def test_a_text_longer_than_may_be_read_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = Classifier.load(str(save_classifier(tmp_path)), EXACT)
    monkeypatch.setattr("luthier.encoding.classifier.MOST_WINDOWS", 3)
    assert classifier.scores(["kill " * 60]).shape == (1, 3)
    with pytest.raises(ContextError, match="4 windows of 32 tokens, and 3"):
        classifier.scores(["kill " * 75])


def test_a_decoder_without_filling_reads_texts_one_by_one(tmp_path: Path) -> None:
    """Such a model takes the last token of a row for the end of the text."""
    save_classifier(tmp_path, ())
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=11,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=LONGEST,
        num_labels=3,
        initializer_range=0.5,
        pad_token_id=None,
    )
    LlamaForSequenceClassification(config).save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings["model_input_names"] = ["input_ids", "attention_mask"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    classifier = Classifier.load(str(tmp_path), EXACT)
    alone = torch.cat([classifier.scores([text]) for text in TEXTS])
    assert torch.allclose(classifier.scores(TEXTS), alone, atol=1e-6)
    assert said(classifier, TEXTS) == [pytest.approx(one, abs=1e-5) for one in piped(tmp_path, TEXTS)]


def test_places_that_are_counted_from_after_the_filling_are_not_there_for_text(tmp_path: Path) -> None:
    from transformers import RobertaConfig, RobertaModel

    shape = {"vocab_size": 11, "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1}
    model = RobertaModel(RobertaConfig(**shape, num_hidden_layers=1, max_position_embeddings=34, pad_token_id=1))

    class Unlimited:
        model_max_length = int(1e30)

    longest = longest_text(model, Unlimited())
    assert longest == 32
    model(torch.full((1, longest), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(torch.full((1, longest + 1), 5))


def test_batches_hold_every_row_once_and_no_more_than_they_may() -> None:
    lengths = [5, 1, 9, 3, 3, 20, 1]
    batches = list(by_length(lengths, 10))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= 10 for batch in batches)
    assert len(batches) == 4


def test_what_is_no_classifier_is_refused(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path, problem_type="regression")
    with pytest.raises(ModelError, match="regression"):
        Classifier.load(str(folder), EXACT)
    assert Classifier.load(str(folder), EXACT, problem_type="multi_label_classification").labels[0] == FINE
    with pytest.raises(ModelError, match="has no label 'toxic'"):
        Classifier.load(str(folder), EXACT, problem_type="multi_label_classification").check_labels(["kill", "toxic"])
    with pytest.raises(ModelError, match=r"weights of the model are not in its files.*score"):
        Classifier.load("fiddle", EXACT)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled"):
        Classifier.load(str(folder), EXACT)


def test_code_that_comes_with_a_classifier_is_not_run_unless_trusted(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoModelForSequenceClassification": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Model: pass\n")
    with pytest.raises(ModelError, match="Python code that comes with the model"):
        Classifier.load(str(folder), EXACT)
    assert not (tmp_path / "ran").exists()
