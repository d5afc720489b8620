"""The last check of a reply: what is wrong is said, what is right passes, and nothing takes long."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from luthier.generation.schemas import problem_of

OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (OBJECT, {"a": 1}),
        ({"not": {"pattern": "^a"}}, "b"),
        ({"oneOf": [{"pattern": "^[0-9]+$"}, {"pattern": "^[a-z]+$"}]}, "abc"),
        ({"if": {"pattern": "^a"}, "then": {"maxLength": 1}}, "bcd"),
        ({"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}, {"x1": 1}),
        ({"$ref": "https://example.org/schema.json"}, 1),
    ],
)
def test_what_is_right_passes(schema: dict[str, Any], value: Any) -> None:
    assert problem_of(json.dumps(value), schema) is None


@pytest.mark.parametrize(
    ("schema", "text", "said"),
    [
        (OBJECT, '{"a": "x"}', r"\['a'\]: 'x' is not of type 'integer'"),
        (OBJECT, "{}", "'a' is a required property"),
        (OBJECT, '{"a": 1, "b": 2}', "Additional properties"),
        (OBJECT, '{"a": 1', "it is not JSON"),
        ({"type": "array"}, "[" * 100_000, "nested too deeply"),
        ({"properties": {"a": {"type": "string", "pattern": "^a"}}}, '{"a": 1}', "not of type 'string'"),
    ],
)
def test_what_is_wrong_is_said(schema: dict[str, Any], text: str, said: str) -> None:
    found = problem_of(text, schema)
    assert found is not None
    assert re.search(said, found), found


def test_references_that_ask_for_endlessly_many_checks_come_to_an_end() -> None:
    """Without a limit this one takes years."""
    depth = 40
    defs: dict[str, Any] = {
        f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]} for n in range(depth)
    }
    defs[f"a{depth}"] = {"type": "integer"}
    assert problem_of('"x"', {"$defs": defs, "anyOf": [{"$ref": "#/$defs/a0"}, {"type": "string"}]}) is None
