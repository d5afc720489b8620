"""Which metric fits the data, when the user names none."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from luthier.evaluation.metrics.json_fields import parsed
from luthier.evaluation.metrics.metric import Answer
from luthier.evaluation.metrics.numbers import last_number
from luthier.evaluation.metrics.text import words

_SHORT = 3


def choose_metric(references: Sequence[Answer]) -> str:
    """Returns the name of the metric that fits `references`.

    Tool calls in at least half of them: tool_call_match. All JSON objects: json_fields. All numbers, or texts that
    end in "#### number": number_match. At most three words each, typically: exact_match. Else token_f1.
    """
    if not references:
        return "token_f1"
    if sum(bool(reference.tool_calls) for reference in references) * 2 >= len(references):
        return "tool_call_match"
    if all(isinstance(parsed(reference.text), dict) for reference in references):
        return "json_fields"
    if all(_is_number(reference.text) for reference in references):
        return "number_match"
    short = median(len(words(reference.text)) for reference in references) <= _SHORT
    return "exact_match" if short else "token_f1"


def _is_number(text: str) -> bool:
    answer = text.rpartition("####")[2].strip()
    return last_number(answer) is not None and not any(character.isalpha() for character in answer)
