"""Lists: the query that asks for a page, and the object that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from luthier.server.errors import ApiError
from luthier.server.wire.body import Part
from luthier.store.resources import Page, Resource


class AskPage(Part):
    """A page of a list: what comes after the item of an id, in the list's own order."""

    after: str | None = None
    limit: int = Field(default=20, ge=1, le=100)


class AskOldest(AskPage):
    """A page of a list that begins with the oldest."""

    order: Literal["asc", "desc"] = "asc"


class AskNewest(AskPage):
    """A page of a list that begins with the newest."""

    order: Literal["asc", "desc"] = "desc"


class AskIncluded(Part):
    """What an answer may be asked to hold besides."""

    harmless: ClassVar[Mapping[str, str]] = {"include": "what is kept is shown whole"}


class AskItems(AskNewest, AskIncluded):
    """A page of items."""


def page(items: Iterable[Mapping[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Returns the list object that the SDK's pages read; `data` in the order it is to be shown in."""
    data = [dict(item) for item in items]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }


def rendered(found: Page, render: Callable[[Resource], Mapping[str, Any]]) -> dict[str, Any]:
    """Returns a page of resources as the list object."""
    return page([render(item) for item in found.items], has_more=found.has_more)


def sliced(items: Iterable[Mapping[str, Any]], asked: AskOldest | AskNewest) -> dict[str, Any]:
    """Returns the page that is asked for of a list that is at hand, oldest first."""
    every = list(items)
    if asked.order == "desc":
        every.reverse()
    ids = [one["id"] for one in every]
    if asked.after is not None and asked.after not in ids:
        raise ApiError(f"after: there is no {asked.after!r} in this list.", status=404, param="after")
    rest = every[ids.index(asked.after) + 1 if asked.after is not None else 0 :]
    return page(rest[: asked.limit], has_more=len(rest) > asked.limit)
