"""Specs over HTTP: where a spec has paths and models, a request has ids of its project and models of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from luthier import workflows
from luthier.config import bind, fields
from luthier.errors import NotFoundError
from luthier.server.call import Call
from luthier.server.errors import ApiError, no_model


def check_model(call: Call, name: str) -> None:
    """Raises `ApiError` (404) unless `name` is a model of the catalogue or a tuned one, and one that writes."""
    entry = call.server.catalogue.find(name)
    if entry is not None:
        if entry.kind != "chat":
            raise ApiError(f"{name!r} makes vectors and cannot be tuned here.", code="invalid_value", param="model")
        if entry.url is not None:
            raise ApiError(
                f"{name!r} is on another server and cannot be tuned here.", code="invalid_value", param="model"
            )
        return
    try:
        call.server.store.resources.get("model", name, call.project)
    except NotFoundError:
        raise no_model(name) from None


def localise(kind: str, values: Mapping[str, Any], *, path: Callable[[str], str], model: Callable[[str], str]) -> Any:
    """Returns the bound spec of a verb, with `path(id)` and `model(name)` in the place of ids and names."""
    spec = workflows.verb(kind).Spec
    known = {field.name: field for field in fields(spec)}
    replace = {"path": path, "model": model}

    def local(name: str, value: Any) -> Any:
        outside = known[name].outside if name in known else None
        if outside not in replace or value is None:
            return value
        return [replace[outside](one) for one in value] if isinstance(value, list) else replace[outside](value)

    return bind(spec, {name: local(name, value) for name, value in values.items()}, where=f"{kind} job")
