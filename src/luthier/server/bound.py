"""Specs over HTTP: where a spec has paths and models, a request has ids of its project and models of the catalogue.

What a spec has beyond that (where results go, whose code is trusted, how models are loaded) is the server's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from luthier import workflows
from luthier.config import Options, bind, fields
from luthier.errors import NotFoundError, SpecError
from luthier.models.options import LoadOptions
from luthier.server.call import Call
from luthier.server.errors import ApiError, no_model
from luthier.server.options import WorkerOptions
from luthier.server.places import Places


def check_model(call: Call, name: str, param: str = "model") -> None:
    """Raises `ApiError` (404) unless `name` is a model of the catalogue or a tuned one, and one that writes, here."""
    entry = call.server.catalogue.find(name)
    if entry is not None:
        wrong = "is on another server" if entry.url is not None else f"{entry.does}, does not write text"
        if entry.url is not None or entry.kind != "chat":
            raise ApiError(f"{name!r} {wrong} and cannot be tuned or measured here.", code="invalid_value", param=param)
        return
    try:
        Places(call.server.store, call.server.catalogue, call.project).tuned(name)
    except NotFoundError:
        raise no_model(name, param) from None


def servers_own(spec: type[Options], output: str, options: WorkerOptions, model: str = "") -> dict[str, Any]:
    """Returns the keys of a spec that are the server's to set, with what it sets."""
    own = {"output": output, "resume": False, "overwrite": True, "trust_remote_code": options.trust_remote_code}
    own["device"] = options.device
    if issubclass(spec, LoadOptions):
        own |= options.loading(model).model_dump()
    elif "revision" in spec.model_fields:
        own["revision"] = options.loading(model).revision
    return {name: value for name, value in own.items() if name in spec.model_fields}


def localise(
    kind: str,
    values: Mapping[str, Any],
    *,
    path: Callable[[str], str],
    model: Callable[[str], str],
    own: Mapping[str, Any],
) -> Any:
    """Returns the bound spec of a verb, with `path(id)` and `model(name)` in the place of ids and names.

    `SpecError` for a key that is the server's `own`, or reaches outside in another way.
    """
    spec = workflows.verb(kind).Spec
    known = {field.name: field for field in fields(spec)}
    replace = {"path": path, "model": model}
    where = f"{kind} job"
    local = dict(own)
    for name, value in values.items():
        outside = known[name].outside if name in known else None
        if name in own or (outside is not None and outside not in replace):
            raise SpecError(f"{name} is the server's to set", where=where, remedy="leave it out", param=name)
        if outside is not None and value is not None:
            many = [value] if isinstance(value, str) else value
            if not isinstance(many, list) or not all(isinstance(one, str) for one in many):
                raise SpecError(f"{name} takes ids, as text", where=where, param=name)
            found = [replace[outside](one) for one in many]
            value = found[0] if isinstance(value, str) else found
        local[name] = value
    return bind(spec, local, where=where)
