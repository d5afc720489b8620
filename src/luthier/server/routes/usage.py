"""What the caller's project has used."""

from __future__ import annotations

from typing import Annotated, Any, cast, get_args

from pydantic import Field

from luthier.access.usage import By, day_at
from luthier.errors import SpecError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.usage import days_ago
from luthier.server.wire.body import Part

KNOWN = get_args(By)
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]


class AskUsage(Part):
    """Of when (whole days, UTC), of which key, and summed up by what."""

    by: str = Field(default="day,model", description=f"what it is summed up by, with commas: {', '.join(KNOWN)}")
    since: Day | None = None
    until: Day | None = None
    key: str | None = None


def used(call: Call) -> dict[str, Any]:
    asked: AskUsage = call.query
    by = asked.by.split(",")
    for one in by:
        if one not in KNOWN:
            raise ApiError(f"by: {one!r} is none of {', '.join(KNOWN)}.", code="invalid_value", param="by")
    days = {"since": asked.since, "until": asked.until}
    try:
        since, until = (None if day is None else day_at(day, where=name) for name, day in days.items())
    except SpecError as error:
        raise ApiError(f"{error}.", code="invalid_value", param=error.where) from None
    since = days_ago(30) if since is None else since
    groups = call.server.gate.usage.summed(
        cast("list[By]", by), since=since, until=until, project=call.project, key=asked.key
    )
    data = [dict(zip(by, group, strict=True)) | one.to_json() for group, one in groups]
    return {"object": "list", "data": [{"object": "luthier.usage"} | one for one in data], "has_more": False}


ENDPOINTS = (Endpoint("GET", "/luthier/usage", used, query=AskUsage),)
