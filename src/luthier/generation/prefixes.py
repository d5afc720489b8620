"""Texts that begin alike: which texts in memory a new one can take its first tokens' state from.

Texts are compared by blocks of tokens, each hashed with all before it, and then token by token. They meet only within
one scope: a project and an adapter, since neither may see, or compute, what belongs to another.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from luthier.generation.memory import Row

BLOCK = 32
"""Tokens of a block; texts that share less than one are read anew."""


@dataclass(eq=False)
class Held:
    """A text with a row: `filled` of its `tokens` are in it. `scope` says who may begin with it."""

    scope: Hashable
    tokens: list[int]
    row: Row | None = None
    filled: int = 0
    blocks: list[Hashable] = field(default_factory=list)


class Prefixes:
    """The texts in memory, by their beginnings. Those of ended replies are kept until their memory is needed."""

    def __init__(self) -> None:
        self._texts: dict[Hashable, dict[Held, None]] = {}
        self._ended: OrderedDict[Held, None] = OrderedDict()

    def add(self, text: Held) -> None:
        """Lists the blocks of a text that are not listed yet."""
        for key in self._keys(text.scope, text.tokens, len(text.blocks), text.blocks[-1] if text.blocks else None):
            text.blocks.append(key)
            self._texts.setdefault(key, {})[text] = None

    def find(self, scope: Hashable, tokens: Sequence[int]) -> tuple[Held, int] | None:
        """Returns the text with the longest common beginning and how many tokens that is, all but the last at most.

        The text may not be filled so far yet.
        """
        best: dict[Held, None] = {}
        for key in self._keys(scope, tokens, 0, None):
            found = self._texts.get(key)
            if not found:
                break
            best = found
        if not best:
            return None
        text = max(best, key=lambda one: one.filled)
        count = _common(text.tokens, tokens)
        return (text, min(count, len(tokens) - 1)) if count >= BLOCK else None

    def retire(self, text: Held) -> None:
        """Keeps an ended text, as far as it is filled, for those that begin alike."""
        del text.tokens[text.filled :]
        self.add(text)
        self._ended[text] = None

    def touch(self, text: Held) -> None:
        """Makes an ended text the last that is let go."""
        if text in self._ended:
            self._ended.move_to_end(text)

    def is_ended(self, text: Held) -> bool:
        """Returns whether nobody writes the text any more."""
        return text in self._ended

    def forget(self, text: Held) -> None:
        """Takes a text off the list."""
        self._ended.pop(text, None)
        for key in text.blocks:
            listed = self._texts.get(key, {})
            listed.pop(text, None)
            if not listed:
                self._texts.pop(key, None)
        text.blocks.clear()

    def oldest(self) -> Held | None:
        """Returns the ended text that was used the longest ago; None where there is none."""
        return next(iter(self._ended), None)

    def __len__(self) -> int:
        return len(self._ended)

    def _keys(self, scope: Hashable, tokens: Sequence[int], known: int, before: Hashable | None) -> Iterator[Hashable]:
        for end in range((known + 1) * BLOCK, len(tokens) + 1, BLOCK):
            before = (end, hash((scope, before, tuple(tokens[end - BLOCK : end]))))
            yield before


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Returns how many tokens two texts have in common at their beginning."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
