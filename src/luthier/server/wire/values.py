"""Values that several resources share: metadata, expiry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from luthier.server.wire.body import Body, Part

MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


def _checked(metadata: Mapping[str, str]) -> Mapping[str, str]:
    if len(metadata) > MOST_PAIRS:
        raise ValueError(f"metadata holds at most {MOST_PAIRS} pairs")
    for key, value in metadata.items():
        if not 0 < len(key) <= LONGEST_KEY:
            raise ValueError(f"a key of metadata has from 1 to {LONGEST_KEY} characters")
        if len(value) > LONGEST_VALUE:
            raise ValueError(f"a value of metadata has at most {LONGEST_VALUE} characters")
        if "\x00" in key + value:
            raise ValueError("metadata holds no NUL characters")
    return metadata


def _finite(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError("a number in it is not finite, or has thousands of digits") from None
    return value


Schema = Annotated[dict[str, Any], AfterValidator(_finite)]
"""A JSON schema, which answers may repeat."""
ItemT = TypeVar("ItemT")
MOST_ITEMS = 10_000
Items = Annotated[list[ItemT], Field(max_length=MOST_ITEMS, fail_fast=True)]
"""A list that is read up to its first bad item, and no further than anyone's goes."""
Token = Annotated[int, Field(ge=0, lt=2**31)]
"""A token's id."""
_LIMITS: JsonDict = {
    "maxProperties": MOST_PAIRS,
    "propertyNames": {"minLength": 1, "maxLength": LONGEST_KEY},
    "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
}
Metadata = Annotated[dict[str, str], AfterValidator(_checked), Field(json_schema_extra=_LIMITS)]


class ExpiresAfter(Part):
    """When something goes away by itself."""

    anchor: Literal["created_at"]
    seconds: int = Field(ge=3600, le=2_592_000)


def metadata_labels(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Returns the labels by which a row with `metadata` is found."""
    return {f"metadata:{key}": value for key, value in (metadata or {}).items()}


class ChangeMetadata(Body):
    """New metadata in the place of the old."""

    metadata: Metadata | None
