"""Filters in the OpenAI API's shapes mean what a few lines of Python say they mean; anything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import SpecError
from luthier.retrieval.filters import compiled, read_filter

KEYS = ("year", "kind", "draft")
VALUES = st.one_of(
    st.integers(-3, 3), st.floats(-3, 3).map(lambda x: round(x, 1)), st.booleans(), st.sampled_from(["", "a", "b", "1"])
)
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS), VALUES)
ORDERED = VALUES.filter(lambda value: not isinstance(value, bool))
LEAVES = st.one_of(
    st.builds(
        lambda kind, key, value: {"type": kind, "key": key, "value": value},
        st.sampled_from(["eq", "ne"]),
        st.sampled_from(KEYS),
        VALUES,
    ),
    st.builds(
        lambda kind, key, value: {"type": kind, "key": key, "value": value},
        st.sampled_from(["gt", "gte", "lt", "lte"]),
        st.sampled_from(KEYS),
        ORDERED,
    ),
    st.builds(
        lambda kind, key, value: {"type": kind, "key": key, "value": value},
        st.sampled_from(["in", "nin"]),
        st.sampled_from(KEYS),
        st.lists(VALUES, max_size=3),
    ),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, filters: {"type": kind, "filters": filters},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def alike(first: Any, second: Any) -> bool:
    """Two values of one kind: JSON has texts, numbers, and true and false."""
    kinds = [
        "truth" if isinstance(one, bool) else "number" if isinstance(one, int | float) else "text"
        for one in (first, second)
    ]
    return kinds[0] == kinds[1]


def oracle(filter: dict[str, Any], attributes: dict[str, Any]) -> bool:
    kind = filter["type"]
    if kind in ("and", "or"):
        found = [oracle(one, attributes) for one in filter["filters"]]
        return all(found) if kind == "and" else any(found)
    if filter["key"] not in attributes:
        return kind in ("ne", "nin")
    mine, value = attributes[filter["key"]], filter["value"]
    if kind in ("in", "nin"):
        return any(alike(mine, one) and mine == one for one in value) == (kind == "in")
    if kind in ("eq", "ne"):
        return (alike(mine, value) and mine == value) == (kind == "eq")
    if not alike(mine, value):
        return False
    return {"gt": mine > value, "gte": mine >= value, "lt": mine < value, "lte": mine <= value}[kind]


@given(FILTERS, ATTRIBUTES)
def test_a_filter_passes_what_it_should(filter: dict[str, Any], attributes: dict[str, Any]) -> None:
    assert compiled(filter)(attributes) == oracle(filter, attributes)
    assert read_filter(json.dumps(filter)) == filter


DEEP: dict[str, Any] = {"type": "eq", "key": "a", "value": 1}
for _ in range(20):
    DEEP = {"type": "and", "filters": [DEEP]}


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({}, "filters.type: is None"),
        ({"type": "gtt", "key": "a", "value": 1}, "did you mean 'gt"),
        ({"type": "eq", "key": "a"}, "give key, type, value"),
        ({"type": "eq", "key": "a", "value": 1, "other": 2}, "has the keys"),
        ({"type": "eq", "key": "", "value": 1}, "name of an attribute"),
        ({"type": "eq", "key": 3, "value": 1}, "name of an attribute"),
        ({"type": "eq", "key": "a", "value": None}, "holds None"),
        ({"type": "eq", "key": "a", "value": [1]}, "give one value"),
        ({"type": "eq", "key": "a", "value": float("nan")}, "holds nan"),
        ({"type": "in", "key": "a", "value": "abc"}, "give a list"),
        ({"type": "in", "key": "a", "value": [{}]}, "holds {}"),
        ({"type": "in", "key": "a", "value": list(range(10_001))}, "10,001 values"),
        ({"type": "gt", "key": "a", "value": True}, "no order"),
        ({"type": "and", "filters": []}, "at least one"),
        ({"type": "or", "filters": "abc"}, "list of filters"),
        ({"type": "and", "filters": [{"type": "eq", "key": "a", "value": 1}, 7]}, r"filters.filters\[1\]: is int"),
        ({"type": "or", "filters": [{"type": "eq", "key": "a", "value": 1}] * 600}, "more than 500 parts"),
        (DEEP, "deeper than 16"),
        ([], "is list, not an object"),
        ({"type": ["eq"], "key": "a", "value": 1}, "filters.type"),
    ],
)
def test_what_is_no_filter_is_refused(filter: Any, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        compiled(filter)


@pytest.mark.parametrize(
    ("text", "filter"),
    [
        ("kind=memo", {"type": "eq", "key": "kind", "value": "memo"}),
        ("year>=2020", {"type": "gte", "key": "year", "value": 2020}),
        ("year < 2020.5", {"type": "lt", "key": "year", "value": 2020.5}),
        ("draft!=true", {"type": "ne", "key": "draft", "value": True}),
        ('number="7"', {"type": "eq", "key": "number", "value": "7"}),
        ("address=a=b", {"type": "eq", "key": "address", "value": "a=b"}),
        ("list=[1]", {"type": "eq", "key": "list", "value": "[1]"}),
        ("empty=", {"type": "eq", "key": "empty", "value": ""}),
    ],
)
def test_a_filter_is_written_short(text: str, filter: dict[str, Any]) -> None:
    assert read_filter(text) == filter


@pytest.mark.parametrize("text", ["kind", "=memo", '{"type": "eq"', '{"type": "eq"}', ""])
def test_what_is_no_short_filter_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_filter(text)
