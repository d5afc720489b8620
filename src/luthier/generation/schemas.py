"""Whether a finished reply is what a JSON schema asked for: the last check, after whatever was to enforce it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable


def problem_of(text: str, schema: Mapping[str, Any]) -> str | None:
    """Returns what of `text` is not as `schema` says, in a line; None when it is JSON of that schema.

    Patterns are not tried again: a pattern of a stranger can take Python's matcher hours, and engines that enforce
    schemas hold them exactly. References beyond the schema are not followed.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"it is not JSON: {error}"
    try:
        wrong = next(_Checker(schema, registry=Registry()).iter_errors(value), None)
    except (Unresolvable, SchemaError, RecursionError, TypeError, ValueError):
        return None  # the schema is one that only the engine understands
    if wrong is None:
        return None
    place = "".join(f"[{part!r}]" for part in wrong.absolute_path)
    return f"{place or 'it'}: {' '.join(wrong.message.split())[:200]}"


def _passes(*_: Any) -> Iterator[Any]:
    return iter(())


def _additional(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, instance, schema)


_Checker: Any = validators.extend(
    Draft202012Validator,
    {
        "pattern": _passes,
        "patternProperties": _passes,
        "unevaluatedProperties": _passes,
        "additionalProperties": _additional,
    },
)
