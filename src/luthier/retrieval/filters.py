"""Filters over the attributes of documents, in the shapes of the OpenAI API.

{"type": "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "nin", "key": ..., "value": ...}, and
{"type": "and" | "or", "filters": [...]}, nested. A key that a document lacks fails every comparison but ne and nin.
Numbers compare with numbers, texts with texts, true and false with each other; all else is not equal, and in no order.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from luthier.errors import SpecError
from luthier.registry import nearest

Filter = Mapping[str, Any]
Attributes = Mapping[str, Any]
Test = Callable[[Attributes], bool]
DEEPEST, MOST_PARTS, MOST_VALUES = 16, 500, 10_000
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_TYPES = ("eq", "ne", *_ORDER, "in", "nin", "and", "or")
_WRITTEN = re.compile(r"^([^=!<>]+?)\s*(!=|>=|<=|=|>|<)\s*(.*)$", re.DOTALL)
_SIGNS = {"=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def compiled(filter: Filter) -> Test:
    """Returns the question whether attributes pass `filter`. `SpecError` says where it is not one."""
    return _compiled(filter, "filters", 0, [0])


def read_filter(text: str) -> Filter:
    """Returns the filter written as JSON, or as key=value (!= > >= < <= too). `SpecError` when it is neither."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"is not valid JSON: {error}", where="filter", param="filter") from None
        compiled(found)
        return dict(found)
    parts = _WRITTEN.match(text)
    if parts is None:
        raise SpecError(
            f"{text!r} is no filter", where="filter", remedy="write key=value, key>=3, or JSON", param="filter"
        )
    key, sign, value = parts.groups()
    return {"type": _SIGNS[sign], "key": key.strip(), "value": _value(value.strip())}


def _value(text: str) -> Any:
    """Returns a number, true or false where the text is one, else the text; in quotes it always is a text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, str | int | float) else text


def _compiled(filter: Any, where: str, depth: int, parts: list[int]) -> Test:
    parts[0] += 1
    if depth > DEEPEST or parts[0] > MOST_PARTS:
        raise _wrong(where, f"is deeper than {DEEPEST} or has more than {MOST_PARTS} parts", "write a simpler one")
    if not isinstance(filter, Mapping):
        raise _wrong(where, f"is {type(filter).__name__}, not an object", "give type, key and value")
    kind = filter.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _wrong(f"{where}.type", f"is {kind!r}", nearest(str(kind), _TYPES))
    wanted = {"type", "filters"} if kind in ("and", "or") else {"type", "key", "value"}
    if set(filter) != wanted:
        raise _wrong(where, f"has the keys {sorted(map(str, filter))}", f"give {', '.join(sorted(wanted))}")
    if kind in ("and", "or"):
        return _joined(kind, filter["filters"], where, depth, parts)
    key = filter["key"]
    if not isinstance(key, str) or not key:
        raise _wrong(f"{where}.key", f"is {key!r}", "give the name of an attribute")
    return _comparison(kind, key, filter["value"], where)


def _joined(kind: str, filters: Any, where: str, depth: int, parts: list[int]) -> Test:
    if not isinstance(filters, Sequence) or isinstance(filters, str) or not filters:
        raise _wrong(f"{where}.filters", "is not a list of filters", "give at least one")
    tests = [_compiled(one, f"{where}.filters[{index}]", depth + 1, parts) for index, one in enumerate(filters)]
    every = all if kind == "and" else any
    return lambda attributes: every(test(attributes) for test in tests)


def _comparison(kind: str, key: str, value: Any, where: str) -> Test:
    several = kind in ("in", "nin")
    if several != isinstance(value, list | tuple):
        raise _wrong(f"{where}.value", f"is {value!r}", "give a list" if several else "give one value")
    values = list(value) if several else [value]
    if len(values) > MOST_VALUES:
        raise _wrong(f"{where}.value", f"has {len(values):,} values", f"give at most {MOST_VALUES:,}")
    for one in values:
        if not isinstance(one, str | int | float) or one != one:
            raise _wrong(f"{where}.value", f"holds {one!r}", "give a text, a number, true or false")
    if kind in _ORDER:
        if isinstance(value, bool):
            raise _wrong(f"{where}.value", f"is {value!r}, which has no order", "use eq or ne")
        compare, wanted = _ORDER[kind], _typed(value)[0]
        return lambda attributes: key in attributes and _ordered(compare, attributes[key], value, wanted)
    known = {_typed(one) for one in values}
    if kind in ("eq", "in"):
        return lambda attributes: key in attributes and _typed(attributes[key]) in known
    return lambda attributes: key not in attributes or _typed(attributes[key]) not in known


def _ordered(compare: Callable[[Any, Any], bool], mine: Any, value: Any, wanted: str) -> bool:
    return _typed(mine)[0] == wanted and compare(mine, value)


def _typed(value: Any) -> tuple[str, Any]:
    """Returns a value with its kind: True is not 1."""
    match value:
        case bool():
            return "truth", value
        case int() | float():
            return "number", value
        case str():
            return "text", value
    return "other", repr(value)


def _wrong(where: str, problem: str, remedy: str) -> SpecError:
    return SpecError(problem, where=where, remedy=remedy, param="filters")
