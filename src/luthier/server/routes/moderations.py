"""Moderations: texts looked at by a classifier of the catalogue, or by rules."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool

from luthier.server.call import Call, Endpoint
from luthier.server.catalogue import Catalogue, Entry
from luthier.server.errors import ApiError, no_model
from luthier.server.moderation import RULES, moderate, rules
from luthier.server.wire.moderations import HOSTED, CreateModeration, moderation_json, texts_of
from luthier.store.ids import new_id


async def create(call: Call) -> dict[str, Any]:
    asked: CreateModeration = call.body
    entry, texts, id = _entry(call.server.catalogue, asked.model), texts_of(asked), new_id("modr-")
    if entry is None:
        call.meter.add(RULES, 0, 0)
        found = await run_in_threadpool(lambda: [moderate(text) for text in texts])
        return moderation_json(id, RULES, found, covered=set(rules()))
    scores = await call.server.answering.judge(entry, texts)
    call.meter.add(entry.id, 0, 0)
    covered = set(entry.categories.values())
    return moderation_json(id, entry.id, scores, covered=covered, threshold=entry.threshold)


def _entry(catalogue: Catalogue, name: str | None) -> Entry | None:
    """Returns the classifier that is asked for; None for the rules."""
    found = None if name is None else catalogue.find(name)
    if found is not None and found.kind != "moderation":
        raise ApiError(f"{name!r} {found.does}; it does not moderate.", code="invalid_value", param="model")
    if found is not None or name == RULES:
        return found
    if name is not None and name not in HOSTED:
        raise no_model(name)
    return catalogue.first("moderation")


ENDPOINTS = (Endpoint("POST", "/moderations", create, CreateModeration, counted="moderations"),)
