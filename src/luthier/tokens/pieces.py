"""Tokens as people can read them: the text of each one, for showing what is trained."""

from __future__ import annotations

from typing import Any

from luthier.tokens.token_rows import TokenRow

_WINDOW, _KEPT = 24, 8
_PATIENCE = 4
"""A character of UTF-8 is whole after at most this many tokens."""
_LONG, _ENDS = 120, 40


def token_pieces(tokenizer: Any, sequence: TokenRow) -> list[tuple[str, bool]]:
    """Returns the text of each token and whether it is labelled; joined they are the text of the sequence.

    A character whose bytes are spread over several tokens shows at the last of them.
    """
    pieces: list[tuple[str, bool]] = []
    window: list[int] = []
    shown = held = 0
    for token, label in zip(sequence.tokens.tolist(), sequence.labels.tolist(), strict=True):
        window.append(token)
        text = _decode(tokenizer, window)
        broken = len(text) - len(text.rstrip("\ufffd"))
        held = held + 1 if broken else 0
        end = len(text) - broken if 0 < held < _PATIENCE else len(text)
        pieces.append((text[shown:end], label))
        shown = max(shown, end)
        if not broken and len(window) > _WINDOW:
            window, shown = _tail(tokenizer, window, text)
    return pieces


def _tail(tokenizer: Any, window: list[int], text: str) -> tuple[list[int], int]:
    """Returns the last tokens of `window`, whose text is `text`, and the length of their own text.

    A tokenizer may treat its first token apart, so some old ones stay in front; the first of them begins a character.
    """
    for start in range(len(window) - _KEPT, 0, -1):
        end = _decode(tokenizer, window[start:])
        if text.endswith(end):
            return window[start:], len(end)
    return window, len(text)


def without_middles(pieces: list[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    """Returns `pieces` with the middle of long stretches of one kind replaced by how many tokens are left out."""
    out: list[tuple[str, bool]] = []
    start = 0
    for end in range(1, len(pieces) + 1):
        if end < len(pieces) and pieces[end][1] == pieces[start][1]:
            continue
        run = pieces[start:end]
        if len(run) > _LONG:
            run = [*run[:_ENDS], (f" … {len(run) - 2 * _ENDS:,} tokens … ", run[0][1]), *run[-_ENDS:]]
        out += run
        start = end
    return tuple(out)


def _decode(tokenizer: Any, tokens: list[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))
