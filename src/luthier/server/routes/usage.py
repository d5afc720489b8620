"""What the caller's project has used."""

from __future__ import annotations

from typing import Any, cast, get_args

from luthier.access.usage import By, day_at
from luthier.errors import SpecError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.usage import days_ago


def used(call: Call) -> dict[str, Any]:
    query, known = call.query, get_args(By)
    by = query.get("by", "day,model").split(",")
    for one in by:
        if one not in known:
            raise ApiError(f"by: {one!r} is none of {', '.join(known)}.", code="invalid_value", param="by")
    try:
        since, until = (day_at(query[name], where=name) if name in query else None for name in ("since", "until"))
    except SpecError as error:
        raise ApiError(f"{error}.", code="invalid_value", param=error.where) from None
    since = days_ago(30) if since is None else since
    groups = call.server.gate.usage.summed(
        cast("list[By]", by), since=since, until=until, project=call.project, key=query.get("key")
    )
    data = [dict(zip(by, group, strict=True)) | one.to_json() for group, one in groups]
    return {"object": "list", "data": [{"object": "luthier.usage"} | one for one in data], "has_more": False}


ENDPOINTS = (Endpoint("GET", "/luthier/usage", used, query=("by", "since", "until", "key")),)
