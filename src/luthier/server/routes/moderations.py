"""Moderations: texts looked at by rules."""

from __future__ import annotations

from typing import Any

from luthier.server.call import Call, Endpoint
from luthier.server.errors import no_model
from luthier.server.moderation import RULES, moderate
from luthier.server.wire.moderations import HOSTED, CreateModeration, moderation_json, texts_of
from luthier.store.ids import new_id


def create(call: Call) -> dict[str, Any]:
    asked: CreateModeration = call.body
    if asked.model is not None and asked.model != RULES and asked.model not in HOSTED:
        raise no_model(asked.model)
    return moderation_json(new_id("modr-"), RULES, [moderate(text) for text in texts_of(asked)])


ENDPOINTS = (Endpoint("POST", "/moderations", create, CreateModeration),)
