"""Values that several resources share: metadata, expiry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from luthier.server.wire.body import Body, Part


def _checked(metadata: Mapping[str, str]) -> Mapping[str, str]:
    if len(metadata) > 16:
        raise ValueError("metadata holds at most 16 pairs")
    for key, value in metadata.items():
        if not 0 < len(key) <= 64:
            raise ValueError("a key of metadata has from 1 to 64 characters")
        if len(value) > 512:
            raise ValueError("a value of metadata has at most 512 characters")
        if "\x00" in key + value:
            raise ValueError("metadata holds no NUL characters")
    return metadata


Metadata = Annotated[dict[str, str], AfterValidator(_checked)]


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
