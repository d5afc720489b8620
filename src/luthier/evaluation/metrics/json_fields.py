"""Metrics of replies that must be JSON: is it valid, is it equal, which fields are right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from luthier.evaluation.metrics.metric import Answer, metric

_MISSING = object()
INVALID = object()
"""What `parsed` returns for text that is not JSON."""


@metric(domain="json", binary=True)
def json_valid(reply: Answer, reference: Answer) -> float:
    """1 when the reply is one JSON value and nothing else, as a program that reads it would demand.

    RFC 8259: no comments, no NaN, no code fence around it. The reference is not read. 0 or 1.
    """
    return float(parsed(reply.text) is not INVALID)


@metric(domain="json", binary=True, symmetric=True)
def json_match(reply: Answer, reference: Answer) -> float:
    """1 when reply and reference are equal JSON values: the order of keys and the spaces do not count.

    Numbers are equal by value (1 and 1.0); true is not 1. A reference that is not JSON is compared as text. 0 or 1.
    """
    ours, theirs = parsed(reply.text), parsed(reference.text)
    if ours is INVALID or theirs is INVALID:
        return float(ours is theirs and reply.text.strip() == reference.text.strip())
    return float(_leaves(ours) == _leaves(theirs))


@metric(domain="json", symmetric=True)
def json_fields(reply: Answer, reference: Answer) -> float:
    """Share of fields that are right, of all fields in the reply or the reference.

    A field is a leaf of the value under its path of keys and places; empty lists and objects are leaves. A field
    that is missing, wrong, or too much counts against the reply (Jaccard index of path-value pairs over the union of
    paths). A reply that is not JSON scores 0; a reference that is not JSON is compared as text. From 0 to 1.
    """
    ours, theirs = parsed(reply.text), parsed(reference.text)
    if ours is INVALID or theirs is INVALID:
        return float(ours is theirs and reply.text.strip() == reference.text.strip())
    have, want = _leaves(ours), _leaves(theirs)
    paths = have.keys() | want.keys()
    right = sum(bool(have.get(path, _MISSING) == want.get(path, _MISSING)) for path in paths)
    return right / len(paths)


def parsed(text: str) -> Any:
    """Returns the JSON value that `text` is, or `INVALID`."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return INVALID


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _leaves(value: Any) -> dict[tuple[str | int, ...], Any]:
    return dict(_walk(value))


def _walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yields every leaf with its path. The stack is ours: text may be nested deeper than Python calls can be."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, dict) and item:
            stack.extend(((*path, key), inner) for key, inner in item.items())
        elif isinstance(item, list) and item:
            stack.extend(((*path, place), inner) for place, inner in enumerate(item))
        else:
            yield path, _leaf(item)


def _leaf(item: Any) -> Any:
    """Returns a value that equals another only when JSON calls them equal."""
    if isinstance(item, bool):
        return ("true or false", item)
    if isinstance(item, dict | list):
        return ("empty", type(item).__name__)
    return item
