"""Limits by the minute."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.access.keys import Key
from luthier.access.limits import Rates
from luthier.access.options import Limits
from luthier.errors import LimitError


def key(**limits: Any) -> Key:
    return Key("key_a", "shop", "till", "abcd", 0, None, Limits(**limits))


def test_a_minutes_requests_are_let_in_and_one_more_as_time_goes_by(clock: Any) -> None:
    rates, mine = Rates(clock), key(requests_per_minute=3)
    for _ in range(3):
        rates.admit(mine, tokens=False)
    with pytest.raises(LimitError, match="key till: 3 requests a minute are used up") as caught:
        rates.admit(mine, tokens=False)
    assert caught.value.later_s == pytest.approx(20)
    clock.now += 20
    rates.admit(mine, tokens=False)
    with pytest.raises(LimitError):
        rates.admit(mine, tokens=False)


def test_tokens_are_taken_afterwards_and_a_debt_is_paid_off_first(clock: Any) -> None:
    rates, mine = Rates(clock), key(tokens_per_minute=60)
    rates.admit(mine, tokens=True)
    rates.take(mine, 90)
    with pytest.raises(LimitError, match="60 tokens a minute") as caught:
        rates.admit(mine, tokens=True)
    assert (caught.value.what, caught.value.later_s) == ("tokens", pytest.approx(31))
    rates.admit(mine, tokens=False)  # what uses none is not held up
    clock.now += 31
    rates.admit(mine, tokens=True)


def test_what_is_left_is_said_as_the_hosted_api_says_it(clock: Any) -> None:
    rates, mine = Rates(clock), key(requests_per_minute=6, tokens_per_minute=600)
    rates.admit(mine, tokens=True)
    rates.take(mine, 300)
    assert rates.headers(mine) == {
        "x-ratelimit-limit-requests": "6",
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-reset-requests": "10.000s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "300",
        "x-ratelimit-reset-tokens": "30.000s",
    }
    assert rates.headers(key()) == {}


def test_a_limit_that_is_changed_holds_at_once(clock: Any) -> None:
    rates = Rates(clock)
    rates.admit(key(requests_per_minute=100), tokens=False)
    rates.admit(key(requests_per_minute=1), tokens=False)
    with pytest.raises(LimitError):
        rates.admit(key(requests_per_minute=1), tokens=False)
    rates.admit(key(), tokens=True)


def test_keys_have_minutes_of_their_own(clock: Any) -> None:
    rates = Rates(clock)
    mine, yours = key(requests_per_minute=1), Key("key_b", "shop", "b", "", 0, None, Limits(requests_per_minute=1))
    rates.admit(mine, tokens=False)
    rates.admit(yours, tokens=False)


@given(seed=st.integers(0, 2**32), limit=st.integers(1, 50), size=st.integers(1, 200))
def test_over_any_longer_time_nobody_gets_more_than_their_limit(seed: int, limit: int, size: int) -> None:
    """Of tokens: at most a minute's worth at once, the limit by the minute from then on, and one last request."""
    draw, now = random.Random(seed), [0.0]
    rates, mine, used, largest = Rates(lambda: now[0]), key(tokens_per_minute=limit), 0, 0
    for _ in range(100):
        now[0] += draw.expovariate(0.2)
        try:
            rates.admit(mine, tokens=True)
        except LimitError:
            continue
        took = draw.randint(0, size)
        rates.take(mine, took)
        used, largest = used + took, max(largest, took)
    assert used <= limit * (1 + now[0] / 60) + largest
