"""Pairs scored together: those of the model alone, whatever shares the batch, and cut at the end of the passage."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_classifiers import LONGEST, save_classifier
from transformers import BertForSequenceClassification

from luthier.encoding import pairs as room
from luthier.encoding.pairs import PairScorer
from luthier.errors import ModelError
from luthier.models.options import LoadOptions

EXACT = LoadOptions(precision="fp32", device="cpu")
PAIRS = [("the keeper", "of the lighthouse"), ("home", "kill the keeper is at home"), ("is", "the " * 50), ("of", "")]


def test_a_pair_has_the_score_it_has_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = PairScorer.load(str(save_classifier(tmp_path, ())), EXACT)
    assert scorer.max_tokens == LONGEST
    alone = [scorer.scores([pair])[0] for pair in PAIRS]
    assert len(set(alone)) > 1
    for budget in (1, 40, 10_000):
        monkeypatch.setattr(room, "TOKENS_AT_ONCE", budget)
        heard: list[int] = []
        assert scorer.scores(PAIRS, heard.append) == pytest.approx(alone, abs=1e-6)
        assert heard[0] == 0
    assert scorer.scores([]) == []


def test_one_output_is_a_sigmoid_and_the_last_of_several_a_share(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path, ("kill",))
    scorer = PairScorer.load(str(folder), EXACT)
    low, high = scorer.scores([("home", "the keeper"), ("home", "kill the keeper")])
    assert low < 0.1 < 0.9 < high
    model = BertForSequenceClassification.from_pretrained(folder)
    head = torch.nn.Linear(model.config.hidden_size, 1)
    head.weight.data, head.bias.data = model.classifier.weight.data[1:], model.classifier.bias.data[1:]
    model.classifier, model.config.id2label = head, {0: "relevance"}
    model.save_pretrained(folder)
    one = PairScorer.load(str(folder), EXACT)
    assert one.model.config.num_labels == 1
    low, high = one.scores([("home", "the keeper"), ("home", "kill the keeper")])
    assert low < 0.1 < 0.9 < high


def test_what_is_no_cross_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        PairScorer.load(str(tmp_path), EXACT)
