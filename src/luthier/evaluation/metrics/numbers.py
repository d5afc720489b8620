"""Metrics of answers that end in a number, as in arithmetic."""

from __future__ import annotations

import re
from decimal import Decimal

from luthier.evaluation.metrics.metric import Answer, metric
from luthier.evaluation.metrics.text import normalised

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-+]?)[$€£¥]?(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?P<power>[eE][-+]?\d{1,3})?(?!\w)",
    re.ASCII,
)
_LONGEST = 400
"""Digits: a longer run is no number anybody writes, and comparing it would only cost time."""


@metric(domain="number", binary=True)
def number_match(reply: Answer, reference: Answer) -> float:
    """1 when the last number in the reply equals the last number in the reference.

    Cobbe et al. 2021, "GSM8K", take the number after "####"; the last number is that one. Thousands may be parted
    by commas; 42, 42.0, $42 and 42. are equal; a number inside a word ("b2") is none. A reference without a
    number is matched as `exact_match` does. 0 or 1.
    """
    wanted = last_number(reference.text)
    if wanted is None:
        return float(normalised(reply.text) == normalised(reference.text))
    return float(last_number(reply.text) == wanted)


def last_number(text: str) -> Decimal | None:
    """Returns the last number written in `text`, exactly."""
    found = None
    for match in _NUMBER.finditer(text.replace("\u2212", "-")):
        if len(match.group()) <= _LONGEST:
            found = match
    if found is None:
        return None
    return Decimal(found["sign"] + found["digits"].replace(",", "") + (found["power"] or ""))
