"""Models: the catalogue's, the tuned ones and their checkpoints."""

from __future__ import annotations

from typing import Any

from luthier.errors import NotFoundError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError, no_model
from luthier.server.places import EVERY, Places, remove_model
from luthier.server.wire.files import deleted
from luthier.server.wire.models import base_json, tuned_json


def list_all(call: Call) -> dict[str, Any]:
    server = call.server
    own = server.store.resources.list("model", call.project, limit=EVERY).items
    tuned = [*own, *Places(server.store, server.catalogue, call.project).shared()]
    bases = [base_json(entry, server.started_at) for entry in server.catalogue.entries]
    return {"object": "list", "data": [*bases, *(tuned_json(row) for row in tuned)]}


def retrieve(call: Call) -> dict[str, Any]:
    name = call.path["model"]
    entry = call.server.catalogue.find(name)
    if entry is not None:
        return base_json(entry, call.server.started_at)
    try:
        return tuned_json(Places(call.server.store, call.server.catalogue, call.project).tuned(name))
    except NotFoundError:
        raise no_model(name) from None


def delete(call: Call) -> dict[str, Any]:
    name = call.path["model"]
    if call.server.catalogue.find(name) is not None:
        raise ApiError(
            f"{name!r} is a model of the catalogue; only tuned models can be deleted.", status=403, param="model"
        )
    try:
        remove_model(call.server.store, call.project, name)
    except NotFoundError:
        raise no_model(name) from None
    return deleted(name, "model")


ENDPOINTS = (
    Endpoint("GET", "/models", list_all),
    Endpoint("GET", "/models/{model:path}", retrieve),
    Endpoint("DELETE", "/models/{model:path}", delete),
)
