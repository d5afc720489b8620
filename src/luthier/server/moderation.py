"""Moderation: its categories, and the rules that raise a flag where no classifier is named.

The rules are words and patterns: documented, dependable, and far from complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml

RULES = "luthier-rules-1"
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
LONGEST = 4_000
"""Characters looked at in one go: a pattern's time stays in proportion to the text."""


@cache
def rules() -> dict[str, re.Pattern[str]]:
    """Returns a pattern for each category that has one."""
    written = yaml.safe_load(files("luthier.server").joinpath("moderation.yaml").read_text(encoding="utf-8"))
    listed = {name: re.compile("|".join(f"(?:{one})" for one in patterns)) for name, patterns in written.items()}
    unknown = set(listed) - set(CATEGORIES)
    assert not unknown, f"moderation.yaml has categories of its own: {unknown}"
    return listed


def uncovered() -> tuple[str, ...]:
    """Returns the categories that no rule covers: their score is always 0."""
    return tuple(name for name in CATEGORIES if name not in rules())


def moderate(text: str) -> dict[str, float]:
    """Returns the score of each category: 1 where a rule of it matches, 0 otherwise, and where there is no rule."""
    plain = " ".join(text.lower().replace("’", "'").split())
    pieces = [plain[start : start + LONGEST] for start in range(0, max(1, len(plain)), LONGEST // 2)]
    found = {name for name, pattern in rules().items() if any(pattern.search(piece) for piece in pieces)}
    return {name: float(name in found) for name in CATEGORIES}


def highest(scores: Iterable[tuple[str, float]], categories: Mapping[str, str]) -> dict[str, float]:
    """Returns the score of each category: the highest of its labels, and 0 where no label stands for it."""
    out = dict.fromkeys(CATEGORIES, 0.0)
    for label, score in scores:
        if label in categories:
            out[categories[label]] = max(out[categories[label]], score)
    return out
