"""Texts that begin alike meet, in their own scope alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from luthier.generation.prefixes import BLOCK, Held, Prefixes


def text(tokens, scope="a", filled=None):
    return Held(scope, list(tokens), filled=len(tokens) if filled is None else filled)


def common(one, other):
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


@given(
    st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), min_size=1, max_size=8),
    st.lists(st.integers(0, 1), min_size=1, max_size=4),
)
def test_the_longest_common_beginning_is_found(known, asked):
    """Texts are made of long pieces, so that they part inside and at the border of blocks."""
    pieces = {0: list(range(BLOCK + 5)), 1: list(range(100, 100 + BLOCK - 3))}
    texts = [[token for piece in one for token in pieces[piece]] for one in known]
    wanted = [token for piece in asked for token in pieces[piece]]
    prefixes = Prefixes()
    for one in texts:
        prefixes.add(text(one))
    longest = max(min(common(one, wanted), len(wanted) - 1) for one in texts)
    found = prefixes.find("a", wanted)
    if longest < BLOCK:
        assert found is None or found[1] <= longest
    else:
        assert found is not None
        held, count = found
        assert held.tokens[:count] == wanted[:count]
        assert count >= longest // BLOCK * BLOCK
    assert prefixes.find("b", wanted) is None, "another project sees nothing of it"


def test_the_last_token_is_always_read_anew():
    prefixes = Prefixes()
    prefixes.add(text(range(64)))
    assert prefixes.find("a", list(range(64)))[1] == 63


def test_an_ended_text_is_kept_as_far_as_it_was_read_and_the_oldest_goes_first():
    prefixes, first, second = Prefixes(), text(range(40), filled=33), text(range(100, 180))
    for one in (first, second):
        prefixes.add(one)
        prefixes.retire(one)
    assert len(first.tokens) == 33
    assert prefixes.oldest() is first
    prefixes.touch(first)
    assert prefixes.oldest() is second
    prefixes.forget(second)
    assert prefixes.find("a", list(range(100, 180))) is None
    assert prefixes.is_ended(first)
    assert len(prefixes) == 1


def test_the_reply_of_an_ended_text_is_a_beginning_too():
    prefixes, one = Prefixes(), text(range(40))
    prefixes.add(one)
    one.tokens += range(40, 100)
    one.filled = 99
    prefixes.retire(one)
    assert prefixes.find("a", [*range(99), 7, 8])[1] == 99
