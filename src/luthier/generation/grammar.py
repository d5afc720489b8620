"""Replies that must follow a grammar: JSON of a schema, through llguidance. No torch here: servers check them too."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import llguidance

from luthier.errors import SpecError
from luthier.tokens.tool_calls import Frame

MOST_BYTES, MOST_DEPTH, MOST_NODES, MOST_ENUM = 64 * 1024, 32, 5_000, 2_000
NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
SPACES = r"[ \n\t]{0,24}"
"""White space between JSON's marks: enough to indent by, and no endless run of it."""
NAMED = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
INNER = {"items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf", "not", "if", "then", "else"}
"""Keywords whose value holds schemas: under names, and as it is or in a list."""
PARTS = {"$ref", "anyOf", "oneOf", "allOf", "if", "dependentSchemas"}
"""Keywords that add to what stands beside them."""
OPEN = {"additionalProperties", "unevaluatedProperties", "patternProperties", "minProperties"}
"""Keywords by which an object says itself what it has beside its `properties`."""


def json_grammar(schema: Mapping[str, Any]) -> str:
    """Returns the grammar of the JSON values that `schema` allows.

    `SpecError` when it is too large to be compiled in good time, or asks for what cannot be enforced.
    """
    check_size(schema)
    options: Any = {"whitespace_pattern": SPACES}
    plain = {key: value for key, value in closed(schema).items() if key != "x-guidance"}
    try:
        grammar = str(llguidance.LLMatcher.grammar_from_json_schema(plain, overrides=options))
        said = llguidance.LLMatcher.validate_grammar(grammar)
    except ValueError as error:
        said = str(error)
    if said:
        raise SpecError(" ".join(said.split())[:300], where="schema", remedy="leave out what is named", param="schema")
    return grammar


def closed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the schema in which objects have their `properties` and no others, where it leaves that open.

    A schema that is put together of parts is returned as it is: each part would shut out the properties of the others.
    So is one with a `not` or an `if`, which would let in what it does not fit any more.
    """
    found = deepcopy(dict(schema))
    nodes = list(_schemas(found))
    if any(node.keys() & {"allOf", "not", "if"} or ("properties" in node and node.keys() & PARTS) for node in nodes):
        return schema
    for node in nodes:
        named, required = node.get("properties"), node.get("required", [])
        if isinstance(named, dict) and isinstance(required, list) and not node.keys() & OPEN:
            node |= {"additionalProperties": False} if {str(name) for name in required} <= named.keys() else {}
    return found


def _schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields `schema` and every schema in it."""
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            yield node
            waiting += [node[key] for key in INNER & node.keys()]
            waiting += [
                inner for key in NAMED & node.keys() if isinstance(node[key], dict) for inner in node[key].values()
            ]


def call_grammar(
    frame: Frame, functions: Sequence[Mapping[str, Any]], markers: Mapping[str, int], *, several: bool
) -> str:
    """Returns the grammar of a reply that calls one of `functions`, or `several`, as the template writes calls.

    `markers` are the tokenizer's added tokens, which a call's frame may hold.
    """
    rules = []
    for place, function in enumerate(functions):
        schema = function.get("parameters") or NO_ARGUMENTS
        json_grammar(schema)  # refuses what cannot be enforced
        opening = _pieces(f"{frame.before}{function['name']}{frame.between}", markers)
        closing = _pieces(frame.after, markers)
        bounded = {**closed(schema), "x-guidance": {"whitespace_pattern": SPACES}}
        rules.append(f"c{place}: {opening} %json {json.dumps(bounded)} {closing}")
    start = f"start: call{' (call)*' if several else ''}"
    calls = "call: " + " | ".join(f"c{place}" for place in range(len(functions)))
    return str(llguidance.LLMatcher.grammar_from_lark("\n".join([start, calls, *rules])))


def _pieces(text: str, markers: Mapping[str, int]) -> str:
    """Returns text as the terms of a rule, its markers as tokens."""
    names = sorted(filter(None, markers), key=len, reverse=True)
    parts = re.split("(" + "|".join(re.escape(name) for name in names) + ")", text) if names else [text]
    terms = [f"<[{markers[part]}]>" if part in markers else json.dumps(part) for part in parts if part]
    return " ".join(terms)


class Grammars:
    """Makes matchers for one tokenizer; the tokens in `stop_ids` may end a reply once the grammar is satisfied."""

    def __init__(self, tokenizer: Any, stop_ids: Collection[int], vocabulary: int) -> None:
        from llguidance.hf import from_tokenizer

        self._tokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=sorted(stop_ids))

    def matcher(self, grammar: str) -> Matcher:
        """Returns a matcher at the start of a reply. `SpecError` when the grammar is too complex."""
        return Matcher(llguidance.LLMatcher(self._tokenizer, grammar, log_level=0))


class Matcher:
    """Where one reply stands in its grammar."""

    def __init__(self, inner: llguidance.LLMatcher) -> None:
        self._inner = inner
        self._check()

    def mask(self) -> bytes:
        """Returns the tokens that may come next: a bit each, lowest first."""
        mask = bytes(self._inner.compute_bitmask())
        self._check()
        return mask

    def push(self, token: int) -> None:
        """Goes on after `token`, which the last mask allowed."""
        self._inner.consume_token(token)
        self._check()

    def _check(self) -> None:
        if said := self._inner.get_error():
            said = " ".join(said.partition("<state>")[0].split())[:300]  # after it comes the parser's own state
            if said.startswith("NoExtension"):
                said = "allows no reply"
            raise SpecError(said, where="schema", remedy="make the schema simpler", param="schema")


def check_size(schema: Mapping[str, Any]) -> None:
    """Raises `SpecError` for a schema that is larger than anyone writes."""
    size = len(json.dumps(schema).encode())
    nodes, depth, most = _measure(schema)
    for what, found, limit in (
        ("bytes", size, MOST_BYTES),
        ("levels", depth, MOST_DEPTH),
        ("nodes", nodes, MOST_NODES),
        ("values in an enum", most, MOST_ENUM),
    ):
        if found > limit:
            raise SpecError(
                f"has {found:,} {what}, more than {limit:,}", where="schema", remedy="make it smaller", param="schema"
            )


def _measure(schema: Any) -> tuple[int, int, int]:
    """Returns how many nodes a schema has, how deep it is, and the length of its longest enum."""
    nodes, deepest, longest = 0, 0, 0
    waiting = [(schema, 1)]
    while waiting:
        value, depth = waiting.pop()
        nodes, deepest = nodes + 1, max(deepest, depth)
        if isinstance(value, Mapping):
            if isinstance(value.get("enum"), list):
                longest = max(longest, len(value["enum"]))
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
    return nodes, deepest, longest
