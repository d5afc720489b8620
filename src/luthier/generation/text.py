"""From token ids to text as they come: whole characters only, and nothing of a stop text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

_BROKEN = "\ufffd"
_PATIENCE = 8
"""After this many tokens without a whole character the bytes are wrong for good, and only the last can still change."""
_LONGEST = 3
"""The bytes of one character that is not whole yet show as at most this many replacement characters."""
_WINDOW, _KEPT = 24, 8


class Decodes(Protocol):
    """What is needed of a tokenizer."""

    def decode(
        self, token_ids: Sequence[int], *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool
    ) -> str: ...


def decode(tokenizer: Decodes, tokens: Sequence[int]) -> str:
    """Returns the text of a reply's tokens, without special tokens and with every space as the model wrote it."""
    return tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)


class TokenBytes:
    """The bytes that each token stands for, of tokenizers that write bytes as letters (GPT-2) or as `<0x0A>`."""

    _BYTE = re.compile(r"^<0x([0-9A-Fa-f]{2})>$")

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.special = frozenset(tokenizer.all_special_ids)
        self._added = frozenset(tokenizer.added_tokens_decoder)
        decoder = getattr(tokenizer.backend_tokenizer, "decoder", None)
        self._letters = _letters() if "ByteLevel" in str(decoder) else None

    def __call__(self, token: int) -> bytes:
        """Returns the bytes of `token`: those of its text, for a token that is no part of a byte-wise text."""
        name = self._tokenizer.convert_ids_to_tokens(token)
        if name is None:
            return b""
        if token in self.special or token in self._added:
            return str(name).encode()
        if self._letters is not None and all(letter in self._letters for letter in name):
            return bytes(self._letters[letter] for letter in name)
        if found := self._BYTE.match(name):
            return bytes.fromhex(found[1])
        return str(name).replace("\u2581", " ").encode()


def _letters() -> dict[str, int]:
    """Returns the letter that stands for each byte in byte-level tokenizers, letter first (Radford et al. 2019)."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


class Detokenizer:
    """Turns tokens into text one at a time. The pieces joined are what `decode` makes of all tokens.

    (A tokenizer with byte tokens breaks a whole run of them when the last character is cut off; what is already out
    stays whole.) A character whose bytes are spread over several tokens comes out when it is whole. Only a window of
    the last tokens is decoded again, so a long reply costs no more per token than a short one.
    """

    def __init__(self, tokenizer: Decodes) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._shown = 0  # characters of the window's text that are out
        self._pending = 0  # tokens since the text last ended with a whole character

    def push(self, token: int) -> str:
        """Returns the text that is certain now."""
        self._tokens.append(token)
        text = decode(self._tokenizer, self._tokens)
        held = len(text) - len(text.rstrip(_BROKEN))
        self._pending = self._pending + 1 if held else 0
        piece = text[self._shown : len(text) - (held if self._pending <= _PATIENCE else min(held, _LONGEST))]
        self._shown += len(piece)
        if not held and len(self._tokens) > _WINDOW:
            self._move_window(text)
        return piece

    def end(self) -> str:
        """Returns what was held back: a reply that ends inside a character keeps its replacement character."""
        return decode(self._tokenizer, self._tokens)[self._shown :]

    def _move_window(self, text: str) -> None:
        # a tokenizer may treat its first token apart (a leading space), so some old tokens stay in front
        kept = self._tokens[-_KEPT:]
        tail = decode(self._tokenizer, kept)
        if tail and _BROKEN not in tail and text.endswith(tail.lstrip(" ")):
            self._tokens, self._shown = kept, len(tail)


class StopTexts:
    """Ends a reply at the first of `stops`, and holds back text that may turn out to be the start of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def push(self, piece: str) -> str:
        """Returns the text before a stop text that is certain now; `found` once one has come up whole."""
        if not self._stops:
            return piece
        text = self._held + piece
        places = [place for place in (text.find(stop) for stop in self._stops) if place >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        cut = len(text) - max(_overlap(text, stop) for stop in self._stops)
        self._held = text[cut:]
        return text[:cut]

    def end(self) -> str:
        """Returns what was held back, when the reply ended for another reason."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Returns how many characters at the end of `text` are the start of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
