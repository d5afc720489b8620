"""Lists: the query that asks for a page, and the object that answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from luthier.server.errors import ApiError
from luthier.store.resources import Page, Resource

ItemT = TypeVar("ItemT")
_METADATA = re.compile(r"^metadata\[(.*)\]$", re.DOTALL)


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


def sliced(items: Iterable[Mapping[str, Any]], query: Mapping[str, str], *, order: str) -> dict[str, Any]:
    """Returns the page that `query` asks for of a list that is at hand, oldest first; `order` is its default."""
    every = list(items)
    if descending(query, default=order):
        every.reverse()
    after, ids = query.get("after"), [one["id"] for one in every]
    if after is not None and after not in ids:
        raise ApiError(f"after: there is no {after!r} in this list.", status=404, param="after")
    rest = every[ids.index(after) + 1 if after is not None else 0 :]
    limit = limit_of(query, default=20)
    return page(rest[:limit], has_more=len(rest) > limit)


def limit_of(query: Mapping[str, str], *, default: int, most: int = 100) -> int:
    """Returns the key `limit` of a query, between 1 and `most`."""
    text = query.get("limit")
    if text is None:
        return default
    value = int(text) if re.fullmatch(r"\d{1,9}", text) else 0
    if not 1 <= value <= most:
        raise ApiError(f"limit: must be from 1 to {most}. Got {text!r}.", code="invalid_value", param="limit")
    return value


def descending(query: Mapping[str, str], *, default: str, words: tuple[str, str] = ("asc", "desc")) -> bool:
    """Returns whether the key `order` of a query asks for the newest first."""
    order = query.get("order", default)
    if order not in words:
        raise ApiError(
            f"order: must be {words[0]!r} or {words[1]!r}. Got {order!r}.", code="invalid_value", param="order"
        )
    return order == words[1]


def metadata_of(query: Mapping[str, str]) -> dict[str, str]:
    """Returns the keys `metadata[k]=v` of a query."""
    return {found[1]: value for key, value in query.items() if (found := _METADATA.match(key))}


def check_query(query: Iterable[str], known: Iterable[str]) -> None:
    """Refuses keys of a query that the route does not know: a filter that is left out gives a wrong answer."""
    allowed = set(known)
    for key in query:
        if key not in allowed and not (_METADATA.match(key) and "metadata" in allowed):
            raise ApiError(f"Unknown query parameter {key!r}.", code="unknown_parameter", param=key)
