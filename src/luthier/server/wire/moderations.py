"""Moderations on the wire."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from luthier.server.errors import ApiError
from luthier.server.wire.body import Body
from luthier.server.wire.messages import ContentPart, read_text
from luthier.server.wire.values import Items

MOST_CHARACTERS = 2_000_000
HOSTED = ("omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest", "text-moderation-stable")
"""What clients send when nobody has named a model: the first one of the catalogue answers, or the rules, under their
own name."""


class CreateModeration(Body):
    """Texts to be looked at: one, several, or one in parts."""

    input: str | Annotated[list[str], Field(min_length=1, max_length=2048, fail_fast=True)] | Items[ContentPart]
    model: str | None = None


def texts_of(asked: CreateModeration) -> list[str]:
    """Returns the texts of a request; parts are one text."""
    given = asked.input
    texts = [given] if isinstance(given, str) else _texts(given)
    if (found := sum(len(text) for text in texts)) > MOST_CHARACTERS:
        raise ApiError(
            f"input has {found:,} characters, and {MOST_CHARACTERS:,} are read at once; send several requests.",
            code="invalid_value",
            param="input",
        )
    return texts


def _texts(given: Sequence[str | ContentPart]) -> list[str]:
    parts = [one for one in given if isinstance(one, ContentPart)]
    if not given:
        raise ApiError("input is empty.", code="invalid_value", param="input")
    return [read_text(parts, "input") or ""] if parts else [one for one in given if isinstance(one, str)]


def moderation_json(
    id: str, model: str, scores: Sequence[Mapping[str, float]], *, covered: Collection[str], threshold: float = 0.5
) -> dict[str, Any]:
    """Returns the result of each text. A category that is not `covered` was applied to no kind of input."""
    return {
        "id": id,
        "model": model,
        "results": [
            {
                "flagged": any(value >= threshold for value in one.values()),
                "categories": {name: value >= threshold for name, value in one.items()},
                "category_scores": dict(one),
                "category_applied_input_types": {name: ["text"] if name in covered else [] for name in one},
            }
            for one in scores
        ],
    }
