"""Seeded draws of names, facts and phrasings; a fifth of every list is held out from training by a fixed rule.

Every list is ranked by the SHA-256 of its items: the first fifth (rounded up) belongs to the held-out part, the rest to
training, whatever the order in which the list is written. A `Draw` sees one part only.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TypeVar

WORDS = Path(__file__).parent / "words"
TOKENIZER = Path(__file__).parents[2] / "src/luthier/models/fiddle/tokenizer.json"
HELD_OUT_SHARE = 5  # one item in five
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STREET_ENDS = ("Street", "Road", "Lane", "Avenue", "Way", "Court", "Close", "Hill", "Square", "Terrace")
NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip

PIECED_SHARE = 0.5  # of the made-up words of training rows, those put together from pieces of the vocabulary
SWAPPED_SHARE = 0.25  # of the listed words of training rows, those that a made-up word takes the place of
LOOSE_SHARE = 0.2  # of loose phrasings of training rows, those with one word more, less or other

Item = TypeVar("Item")


def rank(text: str) -> str:
    """Returns the key by which lists are divided into parts."""
    return hashlib.sha256(f"fiddle:{text}".encode()).hexdigest()


@functools.lru_cache(maxsize=4096)
def part(items: tuple[Item, ...], held_out: bool) -> tuple[Item, ...]:
    """Returns the held-out fifth of `items`, or the four fifths that training may see."""
    count = -(-len(items) // HELD_OUT_SHARE) if len(items) > 1 else 0
    held = set(sorted(range(len(items)), key=lambda i: rank(repr(items[i])))[:count])
    chosen = tuple(item for i, item in enumerate(items) if (i in held) is held_out)
    return chosen or items


@functools.lru_cache(maxsize=4096)
def fresh(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Returns those of `new` that are in `old` neither as they are nor with other capitals, punctuation or spaces."""
    known = {_bare(text) for text in old}
    return tuple(text for text in new if _bare(text) not in known)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


@functools.cache
def word_list(name: str) -> tuple[str, ...]:
    """Returns the lines of `words/NAME.txt`."""
    return tuple((WORDS / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1])


@functools.cache
def pieces() -> tuple[str, ...]:
    """Returns the vocabulary's tokens of letters, in lower case and without held-out words."""
    vocabulary = json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]
    words = {token.lower() for token in vocabulary if token.isascii() and token.isalpha()}
    return tuple(sorted(words - unseen_words()))


@functools.cache
def unseen_words() -> frozenset[str]:
    """Returns the words of every list's held-out part, in lower case."""
    lists = (part(word_list(file.stem), held_out=True) for file in sorted(WORDS.glob("*.txt")))
    return frozenset(word.lower() for items in lists for item in items for word in item.split())


@dataclass(frozen=True)
class Draw:
    """One random stream over one part of the lists. `level` 1 to 3 says how long and how hard the row may be.

    `unseen` is the share of a held-out row's phrasings that training never sees.
    """

    random: Random
    level: int = 1
    held_out: bool = False
    unseen: float = 0.5

    def at(self, level: int) -> Draw:
        """Returns the same stream at another level."""
        return replace(self, level=level)

    def name(self, items: Sequence[Item]) -> Item:
        """Returns an item of this draw's part of `items`: use it for names and facts."""
        return self.random.choice(part(tuple(items), self.held_out))

    def phrase(self, items: Sequence[Item]) -> Item:
        """Returns a phrasing: for a held-out row often one of the fifth that training never sees (`unseen`)."""
        return self.random.choice(part(tuple(items), self.held_out and self.chance(self.unseen)))

    def phrase_or(self, phrasings: Sequence[str], more: Sequence[str]) -> str:
        """Returns a phrasing; in training rows `more` are drawn from as well, without those that `phrasings` has."""
        if self.held_out:
            return self.phrase(phrasings)
        old = tuple(phrasings)
        return self.random.choice(part(old, held_out=False) + fresh(old, tuple(more)))

    def loosely(self, phrasings: Sequence[str], more: Sequence[str] = ()) -> str:
        """Returns a phrasing, in training rows sometimes with one word more, less or other than it has.

        So what matters of a text's words is learned, and not the text. Words beside a `{...}` stay: what is filled in
        keeps its borders. Use it only for what the user says.
        """
        text = self.phrase_or(phrasings, more)
        if self.held_out or not self.chance(LOOSE_SHARE):
            return text
        words = text.split(" ")
        fixed = {near for at, word in enumerate(words) if "{" in word for near in (at - 1, at, at + 1)}
        free = [at for at, word in enumerate(words) if at not in fixed and "\n" not in word]
        if free:
            at, other = self.any(free), self.any(pieces())
            words[at : at + 1] = self.any(([words[at], other], [words[at], other], [other], []))
        return " ".join(words)

    def any(self, items: Sequence[Item]) -> Item:
        """Returns any item of `items`: use it for small closed sets such as weekdays and labels."""
        return self.random.choice(items)

    def word(self, name: str) -> str:
        """Returns a line of `words/NAME.txt`, of this draw's part; in training rows now and then a made-up word."""
        found = self.name(word_list(name))
        if self.held_out or not self.chance(SWAPPED_SHARE):
            return found
        return self.made_up().capitalize() if found[0].isupper() else self.made_up()

    def words(self, name: str, count: int) -> list[str]:
        """Returns `count` different lines of `words/NAME.txt`."""
        return self.random.sample(part(word_list(name), self.held_out), count)

    def chance(self, share: float) -> bool:
        """Returns True with probability `share`."""
        return self.random.random() < share

    def between(self, low: int, high: int) -> int:
        """Returns a whole number from `low` to `high`, both included."""
        return self.random.randint(low, high)

    def made_up(self, syllables: int | None = None) -> str:
        """Returns a word that no list holds, in lower case; held-out and training words never meet."""
        while True:
            text = self._pieced() if not self.held_out and self.chance(PIECED_SHARE) else self._spoken(syllables)
            other_part = (int(rank(text)[:8], 16) % HELD_OUT_SHARE == 0) is not self.held_out
            if len(text) > 2 and not other_part and (self.held_out or text not in unseen_words()):
                return text

    def _spoken(self, syllables: int | None) -> str:
        text = "".join(self._syllable() for _ in range(syllables or self.between(1, 3)))
        return text + self.any(word_list("made_codas")) if self.chance(0.5) else text

    def _pieced(self) -> str:
        """Returns one to three pieces of the vocabulary: so every token is copied sometimes."""
        return "".join(self.any(pieces()) for _ in range(self.any((1, 1, 2, 3))))

    def _syllable(self) -> str:
        vowel = self.any("aeiou") if self.chance(0.8) else self.any(word_list("made_vowels"))
        return self.any(word_list("made_onsets")) + vowel

    def first_name(self) -> str:
        return self.made_up().capitalize() if self.chance(0.15) else self.word("first_names")

    def last_name(self) -> str:
        return self.made_up(2).capitalize() if self.chance(0.25) else self.word("last_names")

    def person(self) -> str:
        return f"{self.first_name()} {self.last_name()}"

    def people(self, count: int) -> list[str]:
        """Returns `count` people whose first names differ."""
        found: dict[str, str] = {}
        while len(found) < count:
            first = self.first_name()
            found.setdefault(first, f"{first} {self.last_name()}")
        return list(found.values())

    def town(self) -> str:
        return self.made_up().capitalize() if self.chance(0.5) else self.word("towns")

    def street(self) -> str:
        first = self.made_up().capitalize() if self.chance(0.2) else self.word("street_words")
        return f"{first} {self.any(STREET_ENDS)}"

    def address(self) -> str:
        return f"{self.between(1, 199)} {self.street()}"

    def company(self) -> str:
        if self.chance(0.3):
            return f"{self.made_up().capitalize()} {self.word('things').title()}"
        return self.word("companies")

    def thing(self) -> str:
        """Returns a thing, now and then with an adjective, without an article."""
        return f"{self.word('adjectives')} {self.word('things')}" if self.chance(0.3) else self.word("things")

    def date(self) -> str:
        day, month = self.between(1, 28), self.any(MONTHS)
        year = self.between(1950, 2030)
        return self.any((f"{day} {month}", f"{month} {day}", f"{day} {month}", f"{day} {month} {year}"))

    def clock(self) -> str:
        return f"{self.between(0, 23)}:{self.any(('00', '15', '30', '45', f'{self.between(0, 59):02d}'))}"

    def price(self) -> str:
        cents = self.any(("", ".50", f".{self.between(0, 99):02d}"))
        return f"{self.any(('$', '£', '€', ''))}{self.between(1, 250)}{cents}"

    def code(self) -> str:
        """Returns a reference such as K-4821, 77310 or bx20451."""
        digits = "".join(str(self.between(0, 9)) for _ in range(self.between(3, 6)))
        letters = "".join(self.any("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(self.between(1, 3)))
        return self.any((digits, f"{letters}-{digits}", f"{letters}{digits}", f"{digits}{letters.lower()}"))

    def telephone(self) -> str:
        pattern = self.any(("ddd dddd", "0ddd dddddd", "ddd-dddd", "+dd ddd dddd", "dddd ddd", "ddddddd"))
        return "".join(str(self.between(0, 9)) if sign == "d" else sign for sign in pattern)

    def email(self) -> str:
        joint, ending = self.any((".", "", "_")), self.any(("com", "org", "net", "example"))
        return f"{self.first_name()}{joint}{self.last_name()}@{self.made_up()}.{ending}".lower()


def joined(items: Sequence[str], last: str = "and") -> str:
    """Returns `items` as running text: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def article(noun: str) -> str:
    """Returns `noun` with "a" or "an"."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def capital(text: str) -> str:
    """Returns `text` with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]
