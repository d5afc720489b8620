"""Repeated documents, and the language they are in."""

from __future__ import annotations

import random

from luthier.sources.language import language_of
from luthier.sources.repeats import Repeat, Words, find_repeats

DRAW = random.Random(5)
VOCABULARY = ["".join(DRAW.choices("aeioubdgklmnprst", k=6)) for _ in range(800)]


def text(words: int = 200) -> str:
    return " ".join(DRAW.choices(VOCABULARY, k=words))


def test_repeats_are_found_word_for_word_and_nearly() -> None:
    first, other = text(), text()
    words = first.split()
    close = " ".join([*words[:100], "changed", *words[101:]])
    halved = " ".join([*words[:100], *text(100).split()])
    found = find_repeats([Words(one) for one in (first, other, first.upper() + "\n", close, halved, text())])
    assert found[0] == Repeat(2, 0, 1.0)
    assert [(one.row, one.twin) for one in found[1:]] == [(3, 0)]
    assert 0.9 < found[1].similarity < 1


def test_few_texts_and_none() -> None:
    assert find_repeats([]) == []
    assert find_repeats([Words("a b c"), Words("A  b c")]) == [Repeat(1, 0, 1.0)]


def test_languages() -> None:
    texts = {
        "en": "The lute is a plucked string instrument with a neck and a deep round back around a hollow body.",
        "de": "Die Laute ist ein gezupftes Saiteninstrument mit einem Hals und einem tiefen, runden Korpus aus Holz.",
        "fr": "Le luth est un instrument à cordes pincées, avec un manche et un corps profond et arrondi en bois.",
        "ja": "リュートは撥弦楽器の一種で、丸い胴と短いネックを持つ楽器です。中世に広く使われた楽器である。",
    }
    assert {language: language_of(words) for language, words in texts.items()} == {name: name for name in texts}
    assert language_of("Ada, 1815") == ""
    assert language_of("12345 " * 100) == ""
    assert language_of("x = y + z; f(x); g(y); " * 6) == "", "no language is none"
    assert language_of("https://example.org/status/200\n" * 9) == ""
    assert language_of("Lena Marta Iris Anton Bela Cosima Dora Emil Flora " * 2) == "", "names are of any language"
