"""The OpenAPI document of this server, made of its routes and of the models of their bodies and queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from luthier.server.call import Endpoint
from luthier.server.metrics import CONTENT_TYPE
from luthier.server.routes import ENDPOINTS
from luthier.server.sse import MEDIA
from luthier.server.wire.body import Part

JSON = "application/json"
SCHEMAS = "#/components/schemas/"
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"], "description": "the key that is wrong"},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
FAILED = {"4XX": {"$ref": "#/components/responses/refused"}, "5XX": {"$ref": "#/components/responses/failed"}}
HEADERS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("x-request-id", "x-luthier-ignored")}
OTHERS: Mapping[str, Mapping[str, Any]] = {
    "/health": {
        "operationId": "health",
        "security": [],
        "responses": {
            "200": {"description": "The models can answer.", "content": {JSON: {"schema": {"type": "object"}}}},
            "503": {"description": "Some cannot, and why.", "content": {JSON: {"schema": {"type": "object"}}}},
        },
    },
    "/metrics": {
        "operationId": "metrics",
        "responses": {"200": {"description": "Metrics, as Prometheus reads them.", "content": {CONTENT_TYPE: {}}}}
        | FAILED,
    },
    "/openapi.json": {
        "operationId": "openapi",
        "responses": {"200": {"description": "This document.", "content": {JSON: {"schema": {"type": "object"}}}}}
        | FAILED,
    },
}
"""What the server answers beside its routes; the page at / is for people."""


class _Schemas(GenerateJsonSchema):
    """Schemas that say of each key whether it is honoured, ignored or refused; of any other, that there is none."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Returns False: a title would only repeat the name."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Returns what pydantic says of a model, and the keys that no field takes."""
        made, kind = super().model_schema(schema), schema["cls"]
        del made["title"]
        if issubclass(kind, Part):
            keys = made.setdefault("properties", {})
            for key, why in kind.harmless.items():
                keys[key] = {"description": f"Ignored, and named in the header x-luthier-ignored: {why}."}
            for key, one in kind.refused.items():
                keys[key] = {"enum": [None, *one.unless], "description": f"Anything else is refused: {one.why}."}
            made["additionalProperties"] = False
        return made


@cache
def document() -> Mapping[str, Any]:
    """Returns the document: OpenAPI 3.1, with the schemas of bodies as JSON Schema 2020-12."""
    bodies = {one.body for one in ENDPOINTS if one.body is not None and not one.file}
    _, shared = models_json_schema(
        [(kind, "validation") for kind in sorted(bodies, key=lambda kind: kind.__name__)],
        schema_generator=_Schemas,
        ref_template=SCHEMAS + "{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        paths.setdefault(one.said_path, {})[one.method.lower()] = _operation(one)
    said = {"schema": {"type": "string"}}
    error = {JSON: {"schema": {"$ref": f"{SCHEMAS}Error"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Luthier", "version": version("luthier"), "description": ABOUT},
        "servers": [{"url": "/v1"}, {"url": "/"}],
        "security": [{"key": []}],
        "paths": paths | {path: {"get": operation} for path, operation in OTHERS.items()},
        "components": {
            "schemas": {"Error": ERROR} | shared["$defs"],
            "responses": {
                "refused": {"description": "What is wrong with the request.", "content": error},
                "failed": {"description": "The server, or one behind it, cannot answer.", "content": error},
            },
            "headers": {
                "x-request-id": said | {"description": "What the log calls this request."},
                "x-luthier-ignored": said | {"description": "The keys that make no difference here."},
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


ABOUT = (
    "The OpenAI API on your own machine. Every key of a body or a query is honoured, ignored or refused; one that is "
    "not named is refused. Null stands for a key that was left out. Every path is there with and without /v1."
)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    body = endpoint.body
    answer: dict[str, Any] = {"schema": {"type": "object"}} if endpoint.media == JSON else {}
    content = {endpoint.media: answer}
    if body is not None and "stream" in body.model_fields:
        content[MEDIA] = {}
    room, tag = endpoint.handler.__module__.rpartition(".")[2], endpoint.path.split("/")[1]
    made: dict[str, Any] = {
        "operationId": f"{room}.{endpoint.handler.__name__}",
        "tags": [tag],
        "parameters": [*_path_keys(endpoint.path), *_query_keys(endpoint.query)],
        "responses": {"200": {"description": "The answer.", "headers": HEADERS, "content": content}} | FAILED,
    }
    if body is not None and endpoint.file:
        made["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _form(endpoint, body)}}}
    elif body is not None:
        needed = any(field.is_required() for field in body.model_fields.values())
        schema = {"$ref": SCHEMAS + body.__name__}
        made["requestBody"] = {"required": needed, "content": {JSON: {"schema": schema}}}
    return made


def _path_keys(path: str) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)(?::path)?}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_keys(kind: type[Part]) -> Iterable[dict[str, Any]]:
    """Yields what a query takes: a map is written `name[key]=value`, a list `name[]=value`."""
    made = kind.model_json_schema(schema_generator=_Schemas)
    for name in kind.model_fields:
        schema = _given(made["properties"][name])
        key = {"name": name, "in": "query", "schema": schema}
        if "description" in schema:
            key["description"] = schema.pop("description")
        many = any(one.get("type") == "object" for one in schema.get("anyOf", [schema]))
        yield key | ({"style": "deepObject", "explode": True} if many else {})
    for name in kind.harmless:
        said = made["properties"][name]["description"]
        texts = {"type": "array", "items": {"type": "string"}}
        yield {"name": f"{name}[]", "in": "query", "description": said, "schema": texts}


def _form(endpoint: Endpoint, kind: type[Part]) -> dict[str, Any]:
    """Returns the schema of a form: the file, and the fields around it; the key b of a is the field `a[b]`."""
    made = kind.model_json_schema(schema_generator=_Schemas)
    fields: dict[str, Any] = {endpoint.file: {"type": "string", "contentMediaType": "application/octet-stream"}}
    together: dict[str, list[str]] = {}
    for name, schema in made["properties"].items():
        given = _given(schema)
        if "$ref" not in given:
            fields[name] = given
            continue
        inner = made["$defs"][given["$ref"].rpartition("/")[2]]
        fields |= {f"{name}[{key}]": one for key, one in inner["properties"].items()}
        needed = [f"{name}[{key}]" for key in inner["required"]]
        together |= {key: [other for other in needed if other != key] for key in needed}
    needed = [endpoint.file, *made.get("required", [])]
    return {
        "type": "object",
        "properties": fields,
        "required": needed,
        "dependentRequired": together,
        "additionalProperties": False,
    }


def _given(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the schema of a value that cannot be null: in a query and in a form there is no such thing."""
    out = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    branches = [one for one in out.pop("anyOf", []) if one != {"type": "null"}]
    if branches:
        out |= branches[0] if len(branches) == 1 else {"anyOf": branches}
    return out
