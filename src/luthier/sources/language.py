"""Which language a text is in (py3langid, BSD): two letters of ISO 639-1."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

FEWEST_LETTERS = 40
LEAST_MARGIN = 3.0
"""How much likelier the best language must be than the second, as a difference of logarithms: 20 times."""
_ADDRESS = re.compile(r"https?://\S+")
_NONE = ("zxx", "und", "mul")
"""What stands for no language, one that cannot be told, and several."""
_SAMPLE_CHARACTERS = 4_000


def language_of(text: str) -> str:
    """Returns "en", "de" ... for a text; "" where it is too short or too odd to tell, or py3langid is not installed."""
    sample = _ADDRESS.sub(" ", _sample(text))
    known = _identifier()
    if known is None or sum(letter.isalpha() for letter in sample) < FEWEST_LETTERS:
        return ""
    (first, best), (_, second) = known.rank(sample)[:2]
    return "" if first in _NONE or best - second < LEAST_MARGIN else str(first)


def _sample(text: str) -> str:
    """Returns a text, or its middle where it is long: the beginnings of documents are names and numbers."""
    start = max(0, (len(text) - _SAMPLE_CHARACTERS) // 2)
    return text[start : start + _SAMPLE_CHARACTERS]


@cache
def _identifier() -> Any:
    try:
        import py3langid
    except ImportError:
        return None
    return py3langid
