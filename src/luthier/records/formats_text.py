"""Formats of plain rows: prompt and completion, labelled text, pairs and triplets of texts, text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luthier.records.comparisons import Pair, Triplet
from luthier.records.examples import Completion, Labelled, Text
from luthier.records.fields import Fields, unquoted
from luthier.records.formats import Format

TEXTS = ("text", "sentence")
LABELS = ("label", "labels", "category", "intent", "class")
FIRSTS = (
    *("first", "sentence1", "sentence_1", "sentence_a", "sentence_A", "text1", "text_a"),
    *("question1", "anchor", "query", "#1 String"),
)
SECONDS = (
    *("second", "sentence2", "sentence_2", "sentence_b", "sentence_B", "text2", "text_b"),
    *("question2", "positive", "passage", "#2 String"),
)
SCORES = ("score", "similarity", "similarity_score", "relatedness_score", "is_duplicate", "label", "Quality")


def read_completion(fields: Fields) -> Completion:
    """Returns a raw prompt and its completion."""
    return Completion(fields.text("prompt"), fields.text("completion"))


def read_labelled(fields: Fields) -> Labelled:
    """Returns a text with its label, or with its list of labels."""
    text = fields.text(*TEXTS)
    name, value = fields.find(*LABELS)
    if value is None:
        fields.missing(*LABELS)
    if name == "labels":
        value = unquoted(value)
    if isinstance(value, list | tuple):
        return Labelled(text, labels=tuple(fields.label(f"{name}[{n}]", label) for n, label in enumerate(value)))
    return Labelled(text, label=fields.label(name, value) if value is not None else "")


def read_pair(fields: Fields) -> Pair:
    """Returns two texts and their score, when there is one."""
    return Pair(fields.text(*FIRSTS), fields.text(*SECONDS), fields.number(*SCORES))


def read_triplet(fields: Fields) -> Triplet:
    """Returns an anchor, a text that belongs to it and one that does not."""
    return Triplet(fields.text("anchor", "query"), fields.text("positive", "pos"), fields.text("negative", "neg"))


def read_text(fields: Fields) -> Text:
    """Returns a text exactly as it is."""
    return Text(fields.text("text"))


def _is_plain(values: Mapping[str, Any]) -> bool:
    return isinstance(values["prompt"], str) and isinstance(values["completion"], str)


def _is_text(values: Mapping[str, Any]) -> bool:
    return isinstance(next((values[name] for name in TEXTS if values.get(name) is not None), None), str)


OPENAI_COMPLETION = Format(
    "openai-completion", "completion", (("prompt",), ("completion",)), (), read_completion, fits=_is_plain
)
LABELLED = Format("labelled", "labelled", (TEXTS, LABELS), (), read_labelled, fits=_is_text)
PAIR = Format("pair", "pair", (FIRSTS, SECONDS), SCORES, read_pair)
TRIPLET = Format(
    "triplet", "triplet", (("anchor", "query"), ("positive", "pos"), ("negative", "neg")), (), read_triplet
)
TEXT = Format("text", "text", (("text",),), (), read_text)
