"""Conversations: items that responses read and add to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from luthier.errors import NotFoundError
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError
from luthier.server.wire.body import Body
from luthier.server.wire.files import deleted
from luthier.server.wire.items import Item, ItemIn, item_of
from luthier.server.wire.lists import AskIncluded, AskItems, page, rendered
from luthier.server.wire.values import ChangeMetadata, Metadata
from luthier.store.ids import new_id
from luthier.store.resources import Resource

KIND, ITEM = "conversation", "conversation item"
EVERY = 1_000_000
MOST_AT_ONCE = 20


class CreateConversation(Body):
    """A conversation, with the items that begin it."""

    items: list[ItemIn] | None = Field(default=None, max_length=MOST_AT_ONCE)
    metadata: Metadata | None = None


class AddItems(Body):
    """Items at the end of a conversation."""

    items: list[ItemIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


def history_of(call: Call, id: str, param: str) -> list[Item]:
    """Returns the items of a conversation, oldest first. `ApiError` (404) when there is none."""
    row = _conversation(call, id, param)
    found = call.server.store.resources.list(ITEM, call.project, parent=row.id, limit=EVERY)
    return [item.body for item in found.items]


def append_items(call: Call, id: str, items: Sequence[Item]) -> None:
    """Adds items at the end of a conversation, all of them or none."""
    call.server.store.resources.add_all(ITEM, call.project, (KIND, id), {item["id"]: item for item in items})


def find_item(call: Call, id: str) -> Item | None:
    """Returns an item of any conversation; None when there is none."""
    try:
        return call.server.store.resources.get(ITEM, id, call.project).body
    except NotFoundError:
        return None


def create(call: Call) -> dict[str, Any]:
    asked: CreateConversation = call.body
    items = _read(asked.items or ())
    body = {"metadata": asked.metadata or {}}
    row = call.server.store.resources.add(KIND, new_id("conv_"), call.project, body)
    append_items(call, row.id, items)
    return _json(row)


def retrieve(call: Call) -> dict[str, Any]:
    return _json(_conversation(call, call.path["conversation_id"]))


def change(call: Call) -> dict[str, Any]:
    asked: ChangeMetadata = call.body
    row = _conversation(call, call.path["conversation_id"])
    body = {"metadata": asked.metadata or {}}
    return _json(call.server.store.resources.change(KIND, row.id, call.project, lambda _: body))


def delete(call: Call) -> dict[str, Any]:
    """Removes a conversation and its items: what is deleted here is gone."""
    row = _conversation(call, call.path["conversation_id"])
    gone = call.server.store.resources.delete(KIND, row.id, call.project, children=ITEM)
    return deleted(gone.id, "conversation.deleted")


def add_items(call: Call) -> dict[str, Any]:
    asked: AddItems = call.body
    row, items = _conversation(call, call.path["conversation_id"]), _read(asked.items)
    append_items(call, row.id, items)
    return page(items, has_more=False)


def list_items(call: Call) -> dict[str, Any]:
    asked: AskItems = call.query
    found = call.server.store.resources.list(
        ITEM,
        call.project,
        parent=_conversation(call, call.path["conversation_id"]).id,
        after=asked.after,
        limit=asked.limit,
        descending=asked.order == "desc",
    )
    return rendered(found, lambda row: row.body)


def retrieve_item(call: Call) -> dict[str, Any]:
    return _item(call).body


def delete_item(call: Call) -> dict[str, Any]:
    call.server.store.resources.delete(ITEM, _item(call).id, call.project)
    return retrieve(call)


def _read(given: Sequence[ItemIn]) -> list[Item]:
    items = []
    for number, one in enumerate(given):
        where = f"items[{number}]"
        if one.type == "item_reference":
            raise ApiError(f"{where}: a conversation keeps items, not references.", code="invalid_value", param=where)
        found = item_of(one, where)
        items += [] if found is None else [found]
    return items


def _conversation(call: Call, id: str, param: str | None = None) -> Resource:
    try:
        return call.server.store.resources.get(KIND, id, call.project)
    except NotFoundError:
        raise ApiError(f"There is no conversation {id!r}.", status=404, param=param) from None


def _item(call: Call) -> Resource:
    conversation = _conversation(call, call.path["conversation_id"])
    row = call.server.store.resources.get(ITEM, call.path["item_id"], call.project)
    if row.parent != conversation.id:
        raise NotFoundError(f"no item {row.id!r} in {conversation.id}", remedy="check both ids")
    return row


def _json(row: Resource) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "conversation",
        "created_at": row.created_at,
        "metadata": row.body["metadata"],
    }


_ONE = "/conversations/{conversation_id}"
ENDPOINTS = (
    Endpoint("POST", "/conversations", create, CreateConversation),
    Endpoint("GET", _ONE, retrieve),
    Endpoint("POST", _ONE, change, ChangeMetadata),
    Endpoint("DELETE", _ONE, delete),
    Endpoint("POST", f"{_ONE}/items", add_items, AddItems, query=AskIncluded),
    Endpoint("GET", f"{_ONE}/items", list_items, query=AskItems),
    Endpoint("GET", f"{_ONE}/items/{{item_id}}", retrieve_item, query=AskIncluded),
    Endpoint("DELETE", f"{_ONE}/items/{{item_id}}", delete_item),
)
