"""Metrics of plain text: equality, and overlap of words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from luthier.evaluation.metrics.metric import Answer, metric

_ARTICLES = re.compile(r"\b(a|an|the)\b")
# scripts written without spaces between words: each character stands for itself
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@metric(binary=True, symmetric=True)
def exact_match_strict(reply: Answer, reference: Answer) -> float:
    """1 when the texts are equal, character for character; only space around them is ignored.

    0 or 1.
    """
    return float(reply.text.strip() == reference.text.strip())


@metric(binary=True, symmetric=True)
def exact_match(reply: Answer, reference: Answer) -> float:
    """1 when the texts are equal after normalising case, punctuation, articles and spaces.

    Rajpurkar et al. 2016, "SQuAD", section 6.1, with Unicode punctuation. Where nothing is left after normalising
    (the answer "A", or "?!"), punctuation and articles are kept. 0 or 1.
    """
    return float(normalised(reply.text) == normalised(reference.text))


@metric(symmetric=True)
def token_f1(reply: Answer, reference: Answer) -> float:
    """Harmonic mean of the shares of words that reply and reference have in common.

    Rajpurkar et al. 2016, "SQuAD", section 6.1: words are a bag, normalised as in `exact_match`. Characters of
    scripts without spaces count as words (as in Lewis et al. 2020, "MLQA"). Two empty texts agree. From 0 to 1.
    """
    ours, theirs = Counter(words(reply.text)), Counter(words(reference.text))
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())


@metric(binary=True)
def label_accuracy(reply: Answer, reference: Answer) -> float:
    """1 when the first line of the reply is the label, normalised as in `exact_match`.

    What a model writes after the first line that holds anything (an explanation) does not count. 0 or 1.
    """
    first = next((line for line in reply.text.splitlines() if line.strip()), "")
    if normalised(reply.text) == normalised(reference.text):
        return 1.0
    return float(normalised(first) == normalised(reference.text))


def normalised(text: str) -> str:
    """Returns `text` in lower case, without punctuation and English articles, with single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(" " if _is_punctuation(character) else character for character in plain)
    return " ".join(_ARTICLES.sub(" ", bare).split()) or " ".join(plain.split())


def words(text: str) -> list[str]:
    """Returns the words that `token_f1` counts."""
    return _UNSPACED.sub(r" \g<0> ", normalised(text)).split()


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")
