"""Which language a text is in (py3langid, BSD): two letters of ISO 639-1."""

from __future__ import annotations

from functools import cache
from typing import Any

FEWEST_LETTERS = 40
_NONE = ("zxx", "und", "mul")
"""What stands for no language, one that cannot be told, and several."""
_SAMPLE_CHARACTERS = 4_000


def language_of(text: str) -> str:
    """Returns "en", "de" ... for a text; "" where it is too short to tell, or the part that tells is not installed."""
    sample = _sample(text)
    if sum(letter.isalpha() for letter in sample) < FEWEST_LETTERS:
        return ""
    known = _identifier()
    found = str(known.classify(sample)[0]) if known is not None else ""
    return "" if found in _NONE else found


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
