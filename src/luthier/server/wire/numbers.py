"""The numbers that a request takes: where each stands, its range and its default, read from the models themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

Limit = int | float | None
_PLACE = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number at `path`: `a.b` is the key b of a, `a[]` each item of a list, `a.*` each value of a map.

    It is from `least` to `most`, above `above` and below `below`; None is no limit. `words` may stand in its place, as
    "auto" does.
    """

    path: str
    whole: bool
    least: Limit = None
    most: Limit = None
    above: Limit = None
    below: Limit = None
    default: Limit = None
    words: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """The range in words: "from 0 to 2", "above 0, at most 1"."""
        if self.least is not None and self.most is not None:
            return f"from {self.least} to {self.most}"
        limits = (("at least", self.least), ("above", self.above), ("at most", self.most), ("below", self.below))
        return ", ".join(f"{said} {limit}" for said, limit in limits if limit is not None)

    @property
    def said(self) -> str:
        """What may stand there: "a whole number from 1 to 128"."""
        words = [repr(word) for word in self.words]
        return " or ".join([*words, f"a {'whole ' if self.whole else ''}number {self.range}".strip()])

    def allows(self, value: object) -> bool:
        """Returns whether `value` is a number of that kind and in that range."""
        if type(value) is not int and (self.whole or type(value) is not float or not math.isfinite(value)):
            return False
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


@cache
def numbers_of(kind: type[BaseModel]) -> Mapping[str, Number]:
    """Returns every number in a body or a query of that kind, by its path; those of its parts too."""
    schema = kind.model_json_schema()
    return {one.path: one for one in _walk(schema, "", schema.get("$defs", {}), ())}


def number_at(kind: type[BaseModel], place: str) -> Number | None:
    """Returns the number at a place of a body, such as `prompt[3]`; None where something else belongs."""
    known, path = numbers_of(kind), _PLACE.sub("[]", place)
    return known.get(path) or known.get(f"{path}.*") or known.get(f"{path.rpartition('.')[0]}.*")


def _walk(
    schema: Mapping[str, Any], path: str, shared: Mapping[str, Any], within: tuple[str, ...], default: Any = None
) -> Iterator[Number]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in within:
            yield from _walk(shared[name], path, shared, (*within, name), default)
        return
    default = schema.get("default", default)
    branches = schema.get("anyOf") or schema.get("oneOf") or [schema]
    words = tuple(str(branch["const"]) for branch in branches if isinstance(branch.get("const"), str))
    for branch in branches:
        if branch is not schema:
            found = _walk(branch, path, shared, within, default)
            yield from (replace(one, words=words) if one.path == path else one for one in found)
    if schema.get("type") in {"integer", "number"}:
        yield _number(schema, path, default)
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(inner, f"{path}.{name}" if path else name, shared, within)
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(key), Mapping):
            yield from _walk(schema[key], f"{path}{mark}", shared, within)


def _number(schema: Mapping[str, Any], path: str, default: Any) -> Number:
    whole, least, most = schema["type"] == "integer", schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if whole:
        least, above = (above + 1, None) if above is not None else (least, None)
        most, below = (below - 1, None) if below is not None else (most, None)
    return Number(path, whole, least, most, above, below, default)
