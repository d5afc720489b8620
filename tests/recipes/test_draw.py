"""Draws: training and held-out parts never meet, whatever is drawn."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.fiddle import prompts
from recipes.fiddle.draw import WORDS, Draw, part, word_list

LISTS = sorted(file.stem for file in WORDS.glob("*.txt") if not file.stem.startswith("made_"))


@given(st.lists(st.text(max_size=4), unique=True).map(tuple))
def test_parts_divide_a_list(items: tuple[str, ...]) -> None:
    train, held = part(items, held_out=False), part(items, held_out=True)
    if len(items) > 1:
        assert sorted(train + held) == sorted(items)
        assert len(held) >= len(items) / 5
        assert not set(train) & set(held)


@given(st.lists(st.text(max_size=4), unique=True, min_size=2), st.randoms())
def test_parts_do_not_depend_on_the_order(items: list[str], random: Random) -> None:
    mixed = items.copy()
    random.shuffle(mixed)
    assert set(part(tuple(items), held_out=True)) == set(part(tuple(mixed), held_out=True))


@pytest.mark.parametrize("name", LISTS)
def test_word_lists_are_clean(name: str) -> None:
    words = word_list(name)
    assert len(words) >= 30
    assert len(set(words)) == len(words)
    assert all(word == word.strip() and word for word in words)


def test_every_list_of_phrasings_holds_a_fifth_out() -> None:
    for name, value in vars(prompts).items():
        if name.isupper() and isinstance(value, tuple):
            assert len(part(value, held_out=True)) * 5 >= len(value) >= 5, name


def test_made_up_words_of_the_parts_never_meet() -> None:
    train, held = Draw(Random(1)), Draw(Random(1), held_out=True)
    assert not {train.made_up() for _ in range(3000)} & {held.made_up() for _ in range(3000)}


def test_people_have_different_first_names() -> None:
    for seed in range(50):
        names = [name.split()[0] for name in Draw(Random(seed)).people(4)]
        assert len(set(names)) == 4
