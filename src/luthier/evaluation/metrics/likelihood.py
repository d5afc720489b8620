"""Figures made of the log-probabilities that a model gives to a text."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mean_loss(logprobs: Sequence[float]) -> float:
    """Returns the mean negative log-probability per token, in nats; 0 or more, nan for no token."""
    return -math.fsum(logprobs) / len(logprobs) if logprobs else math.nan


def perplexity(loss: float) -> float:
    """Returns exp(loss) of a mean loss per token in nats: 1 or more (Jelinek et al. 1977); inf where it overflows."""
    return math.exp(loss) if loss < 700 else math.inf


def bits_per_byte(logprobs: Sequence[float], text: str) -> float:
    """Returns the bits the model needs per byte of UTF-8 `text`: comparable between tokenizers; nan for no text.

    -sum(log p) / (ln 2 * bytes), as in Gao et al. 2020, "The Pile", section 3.1. 0 or more.
    """
    size = len(text.encode("utf-8", errors="surrogatepass"))
    return -math.fsum(logprobs) / (math.log(2) * size) if size else math.nan
