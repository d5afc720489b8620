"""Whether a finished reply is what a JSON schema asked for: the last check, after whatever was to enforce it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

MOST_CHECKS = 20_000
"""Keywords that are tried on one reply: a few hundred milliseconds. References can ask for endlessly many."""
Check = Callable[[Any, Any, Any, Mapping[str, Any]], Iterator[Any] | None]
_LEFT: ContextVar[list[int]] = ContextVar("checks left")


class _TooMany(Exception):
    """More keywords than are tried."""


def problem_of(text: str, schema: Mapping[str, Any]) -> str | None:
    """Returns what of `text` is not as `schema` says, in a line; None when it is JSON of that schema.

    Patterns are not tried again: a pattern of a stranger can take Python's matcher hours, and engines that enforce
    schemas hold them exactly; nor is what turns on one (not, if, contains). References beyond the schema are not
    followed, and after `MOST_CHECKS` keywords the rest is taken as right.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"it is not JSON: {error}"
    except RecursionError:
        return "it is nested too deeply"
    checker = _Loose if '"pattern' in json.dumps(schema) else _Checker
    token = _LEFT.set([MOST_CHECKS])
    try:
        wrong = next(checker(schema, registry=Registry()).iter_errors(value), None)
    except (_TooMany, Unresolvable, SchemaError, RecursionError, TypeError, ValueError):
        return None  # the schema is one that only the engine can tell
    finally:
        _LEFT.reset(token)
    if wrong is None:
        return None
    place = "".join(f"[{part!r}]" for part in wrong.absolute_path)
    return f"{place or 'it'}: {' '.join(wrong.message.split())[:200]}"


def _counted(check: Check) -> Check:
    def tried(validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any] | None:
        left = _LEFT.get()
        left[0] -= 1
        if left[0] < 0:
            raise _TooMany
        return check(validator, wanted, instance, schema)

    return tried


def _passes(*_: Any) -> Iterator[Any]:
    return iter(())


def _additional(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any] | None:
    return (
        None if "patternProperties" in schema else _PLAIN["additionalProperties"](validator, allowed, instance, schema)
    )


_PLAIN: Mapping[str, Check] = Draft202012Validator.VALIDATORS
_UNTRIED: Mapping[str, Check] = dict.fromkeys(
    ("pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems"), _passes
)
_EXACT = {name: _counted(check) for name, check in _PLAIN.items()} | {"additionalProperties": _additional, **_UNTRIED}
_Checker: Any = validators.extend(Draft202012Validator, _EXACT)
_Loose: Any = validators.extend(
    Draft202012Validator,
    {**_EXACT, **dict.fromkeys(("not", "if", "contains"), _passes), "oneOf": _EXACT["anyOf"]},
)
"""For schemas with patterns: what a pattern decides is not tried."""
