"""A text classifier with weights set by hand: each of its labels is a word, and a text that holds it scores high."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

FINE = "fine"
PLAIN = ("the", "keeper", "of", "lighthouse", "is", "at", "home")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LONGEST = 32
_WIDTH, _SLOPE, _DOUBT = 8, 200.0, 4.0


def save_classifier(folder: Path, words: Sequence[str] = ("kill", "hate"), *, problem_type: str | None = None) -> Path:
    """Returns `folder` with a BERT of the labels `words` and "fine"; random when there are no words to look for.

    It reads `LONGEST` tokens at once. Attention is even, so what it sees of a text is the mean of its words: a word of
    its own moves the label of that name far up, wherever it stands.
    """
    _tokenizer(words).save_pretrained(folder)
    labels = [FINE, *words] if words else ["a", "b", "c"]
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(PLAIN) + len(words),
        hidden_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=_WIDTH,
        max_position_embeddings=LONGEST,
        initializer_range=1.0,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type=problem_type,
    )
    model = BertForSequenceClassification(config)
    if words:
        _set(model, len(words))
    model.save_pretrained(folder)
    return folder


def _tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *PLAIN, *words))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=LONGEST, **names)


@torch.no_grad()
def _set(model: Any, words: int) -> None:
    for name, parameter in model.named_parameters():
        parameter.fill_(1.0 if name.endswith("LayerNorm.weight") else 0.0)
    layer, table = model.bert.encoder.layer[0], model.bert.embeddings.word_embeddings.weight
    table[:, 0] = 1.0
    for linear in (layer.attention.self.value, layer.attention.output.dense, model.bert.pooler.dense):
        linear.weight.copy_(torch.eye(_WIDTH))
    for number in range(1, words + 1):
        table[len(SPECIAL) + len(PLAIN) + number - 1] = torch.eye(_WIDTH)[number]
        model.classifier.weight[number, number] = _SLOPE
        model.classifier.weight[number, _WIDTH - 1] = -_SLOPE
        model.classifier.bias[number] = -_DOUBT
