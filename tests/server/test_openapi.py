"""The OpenAPI document is true: it has every route, and what it allows is what is taken."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema
import pytest
from serving import AS_OWNER, Running

from luthier.server.errors import ApiError
from luthier.server.openapi import document
from luthier.server.routes import ENDPOINTS
from luthier.server.wire.body import Part, read_body, read_texts

BODIES = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None and not endpoint.file]
QUERIES = [endpoint for endpoint in ENDPOINTS if endpoint.query is not Part]


def name_of(endpoint: Any) -> str:
    return f"{endpoint.method} {endpoint.path}"


def operation(endpoint: Any) -> Any:
    return document()["paths"][endpoint.said_path][endpoint.method.lower()]


def test_it_is_served_to_those_with_a_key(server: Running) -> None:
    root = server.url.removesuffix("/v1")
    for url in (f"{root}/openapi.json", f"{root}/v1/openapi.json"):
        assert httpx.get(url).status_code == 401
        answer = httpx.get(url, headers=AS_OWNER)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == json.loads(json.dumps(document()))


def test_every_route_is_there_once_and_nothing_else() -> None:
    said = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    others = {("GET", path) for path in ("/health", "/metrics", "/openapi.json")}
    assert said == {(one.method, one.said_path) for one in ENDPOINTS} | others
    ids = [one["operationId"] for methods in document()["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("endpoint", BODIES, ids=name_of)
def test_a_body_has_its_keys_and_no_others(endpoint: Any) -> None:
    """Ignored and refused keys are taken as the document says; a key that it does not name is refused."""
    schema = document()["components"]["schemas"][endpoint.body.__name__]
    fields = {field.alias or name for name, field in endpoint.body.model_fields.items()}
    assert set(schema["properties"]) == fields | set(endpoint.body.harmless) | set(endpoint.body.refused)
    assert schema["additionalProperties"] is False
    assert {"$ref": f"#/components/schemas/{endpoint.body.__name__}"} in [
        content["schema"] for content in operation(endpoint)["requestBody"]["content"].values()
    ]


def test_parts_inside_say_it_too() -> None:
    schemas = document()["components"]["schemas"]
    assert "Ignored" in schemas["Method"]["properties"]["dpo"]["description"]
    assert schemas["TextIn"]["properties"]["verbosity"]["enum"] == [None, "medium"]
    assert all(one["additionalProperties"] is False for name, one in schemas.items() if name != "Error")


@pytest.mark.parametrize("endpoint", QUERIES, ids=name_of)
def test_a_query_has_its_keys_and_no_others(endpoint: Any) -> None:
    names = {one["name"] for one in operation(endpoint)["parameters"] if one["in"] == "query"}
    assert names == set(endpoint.query.model_fields) | {f"{name}[]" for name in endpoint.query.harmless}
    with pytest.raises(ApiError, match="Unknown parameter 'colour'"):
        read_texts(endpoint.query, [("colour", "red")])


BASE = {"model": "fiddle", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"temperature": 2},
        {"temperature": 2.01},
        {"temperature": None},
        {"top_p": 0.5, "seed": -3},
        {"seed": 2**63},
        {"n": 0},
        {"n": True},
        {"stop": ["a"] * 5},
        {"logit_bias": {"3": 101}},
        {"user": {"any": "thing"}},
        {"verbosity": "medium"},
        {"verbosity": "high"},
        {"modalities": ["text"]},
        {"audio": None},
        {"nonsense": 1},
        {"metadata": {"a": "b"}},
        {"metadata": {"a": "b" * 513}},
        {"metadata": {f"k{n}": "" for n in range(17)}},
        {"metadata": {"": "b"}},
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"messages": []},
        {"messages": [{"role": "user", "content": "x", "weight": 1}]},
        {"messages": [{"role": "user", "content": "x", "colour": 1}]},
    ],
    ids=json.dumps,
)
def test_what_the_document_allows_is_what_is_read(change: dict[str, Any]) -> None:
    from luthier.server.wire.chat import CreateChat

    body = BASE | change
    schema = {"$ref": "#/components/schemas/CreateChat", "components": document()["components"]}
    allowed = jsonschema.Draft202012Validator(schema).is_valid(body)
    try:
        read_body(CreateChat, body)
        taken = True
    except ApiError:
        taken = False
    assert allowed == taken
