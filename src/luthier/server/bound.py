"""Specs over HTTP: where a spec has paths and models, a request has ids of its project and models of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from luthier import workflows
from luthier.config import Field, bind, fields
from luthier.errors import NotFoundError, SpecError
from luthier.server.call import Call
from luthier.server.errors import ApiError, no_model

GIVEN_BY_THE_SERVER = frozenset({"output", "home", "resume", "plan_only"})
"""Keys that a worker sets itself."""


def check_model(call: Call, name: str, *, local: bool = True) -> None:
    """Raises `ApiError` (404) unless `name` is a model of the catalogue or a tuned one; 400 where it must be local."""
    entry = call.server.catalogue.find(name)
    if entry is not None:
        if entry.kind != "chat":
            raise ApiError(f"{name!r} makes vectors and cannot be tuned here.", code="invalid_value", param="model")
        if local and entry.url is not None:
            raise ApiError(
                f"{name!r} runs on another server; only models of this machine can be tuned.",
                code="invalid_value",
                param="model",
            )
        return
    try:
        call.server.store.resources.get("model", name, call.project)
    except NotFoundError:
        raise no_model(name) from None


def bind_spec(call: Call, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keys of a verb's spec, checked: by its own rules, and every id against the project.

    `SpecError` when a key reaches outside the project, `ApiError` (404) when an id is of nothing.
    """
    spec = workflows.verb(kind).Spec
    known = {field.name: field for field in fields(spec)}
    for name in sorted(GIVEN_BY_THE_SERVER & set(values) & set(known)):
        raise SpecError("is set by the server", where=name, remedy="leave it out", param=name)
    for name, value in values.items():
        if name in known and known[name].outside:
            _check_outside(call, known[name], value)
    bind(spec, values, where=f"{kind} job")
    return dict(values)


def localise(kind: str, values: Mapping[str, Any], *, path: Callable[[str], str], model: Callable[[str], str]) -> Any:
    """Returns the bound spec of a verb, with `path(id)` and `model(name)` in the place of ids and names."""
    spec = workflows.verb(kind).Spec
    known = {field.name: field for field in fields(spec)}
    replace = {"path": path, "model": model}

    def local(name: str, value: Any) -> Any:
        outside = known[name].outside if name in known else None
        if outside not in replace or name in GIVEN_BY_THE_SERVER or value is None:
            return value
        return [replace[outside](one) for one in value] if isinstance(value, list) else replace[outside](value)

    return bind(spec, {name: local(name, value) for name, value in values.items()}, where=f"{kind} job")


def _check_outside(call: Call, field: Field, value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        if one is None:
            continue
        if field.outside == "path" and isinstance(one, str):
            call.server.store.resources.get("file", one, call.project)
        elif field.outside == "model" and isinstance(one, str):
            check_model(call, one)
        else:
            raise SpecError(
                f"a {field.outside} is not accepted over HTTP",
                where=field.name,
                remedy="give an id of this project instead",
                param=field.name,
            )
