from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from luthier.errors import SpecError
from luthier.evaluation.heldout import compare_losses, heldout_loss, row_by_row


@dataclass
class Row:
    tokens: np.ndarray
    labels: np.ndarray
    row: int


def rows_of(lengths, row_numbers=None, seed=0):
    random = np.random.default_rng(seed)
    rows = []
    for place, length in enumerate(lengths):
        labels = np.zeros(length, dtype=bool)
        labels[length // 2 :] = True
        row = place if row_numbers is None else row_numbers[place]
        rows.append(Row(random.integers(3, 60, length).astype(np.int32), labels, row))
    return rows


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=60,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        attention_dropout=0.5,
    )
    return LlamaForCausalLM(config)


def test_the_loss_is_the_mean_over_all_labelled_tokens(model):
    rows = rows_of([4, 30, 11])
    model.train()
    found = heldout_loss(rows, row_by_row(model), resamples=400)
    assert model.training
    model.eval()
    expected = []
    for row in rows:
        tokens = torch.from_numpy(row.tokens.astype(np.int64))
        logprobs = torch.log_softmax(model(tokens[None]).logits[0], -1)
        expected += [-logprobs[i - 1, tokens[i]].item() for i in range(1, len(tokens)) if row.labels[i]]
    assert found.tokens == len(expected)
    assert found.loss == pytest.approx(sum(expected) / len(expected), abs=1e-5)
    assert found.perplexity == pytest.approx(math.exp(found.loss))
    assert found.interval.low < found.loss < found.interval.high


def test_passes_keep_the_budget_and_the_order():
    sizes = []

    def losses(part):
        sizes.append(sum(len(row.tokens) for row in part))
        return [float(row.row) for row in part]

    done = []
    found = heldout_loss(rows_of([10, 10, 50, 5, 5]), losses, max_tokens_per_pass=20, on_pass=done.append)
    assert sizes == [20, 50, 10]
    assert done == [2, 3, 5]
    assert found.sums == (0.0, 1.0, 2.0, 3.0, 4.0)


def test_sequences_of_one_row_are_one_item():
    found = heldout_loss(rows_of([4, 4, 4], [7, 7, 9]), lambda part: [1.0] * len(part))
    assert (found.sums, found.counts) == ((2.0, 1.0), (4, 2))
    assert found.to_json()["rows"] == 2


def test_two_models_are_compared_on_the_same_tokens():
    rows = rows_of([20] * 30)
    before = heldout_loss(rows, lambda part: [5.0 + row.row % 3 for row in part])
    after = heldout_loss(rows, lambda part: [4.0 + row.row % 2 for row in part])
    pair = compare_losses(before, after)
    assert pair.difference == pytest.approx(after.loss - before.loss)
    assert pair.interval.low < pair.difference < pair.interval.high < 0
    assert pair.p_value < 0.01
    with pytest.raises(SpecError, match="different tokens"):
        compare_losses(before, heldout_loss(rows[:29], lambda part: [1.0] * len(part)))


def test_nothing_labelled_is_refused_and_an_empty_row_counts_nothing(model):
    empty = Row(np.array([5, 6], dtype=np.int32), np.zeros(2, dtype=bool), 0)
    with pytest.raises(SpecError, match="no labelled token"):
        heldout_loss([empty], row_by_row(model))
    assert row_by_row(model)([empty]) == [0.0]
