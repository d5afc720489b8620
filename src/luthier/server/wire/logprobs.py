"""Log-probabilities of tokens on the wire, as chat completions and responses write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from luthier.records.messages import Delta, Ranked

LEAST = -9999.0
"""JSON has no minus infinity."""


class TokenBytes(Protocol):
    """The bytes that a token stands for; `special` ones mark turns and are no part of a text."""

    special: frozenset[int]

    def __call__(self, token: int) -> bytes: ...


def tokens_json(deltas: Sequence[Delta], bytes_of: TokenBytes) -> list[dict[str, Any]]:
    """Returns the tokens of pieces with their log-probabilities and, for each, the likeliest beside it."""
    content = []
    for delta in deltas:
        ranked: Sequence[Ranked] = delta.top_logprobs or [()] * len(delta.logprobs)
        for token, value, others in zip(delta.token_ids, delta.logprobs, ranked, strict=True):
            top = [_token(other, chance, bytes_of) for other, chance in others]
            content.append(_token(token, value, bytes_of) | {"top_logprobs": top})
    return content


def _token(token: int, value: float, bytes_of: TokenBytes) -> dict[str, Any]:
    content = bytes_of(token)
    return {"token": content.decode("utf-8", errors="replace"), "logprob": max(value, LEAST), "bytes": list(content)}
