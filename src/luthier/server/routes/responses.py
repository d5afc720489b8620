"""Responses: one turn of a model, whole or as events, that goes on from an earlier one or from a conversation."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool

from luthier.errors import NotFoundError
from luthier.records.messages import Delta, Message, Sampling, Usage
from luthier.server.asking import Question, Replies, ask, fits, length_of
from luthier.server.attending import until
from luthier.server.call import Call, Endpoint
from luthier.server.errors import ApiError, as_api_error
from luthier.server.file_search import Searched, look_up, results_wanted
from luthier.server.routes.conversations import append_items, find_item, history_of
from luthier.server.sse import streamed_events
from luthier.server.wire.events import Events
from luthier.server.wire.files import deleted
from luthier.server.wire.items import PREFIXES, Item, item_of, messages_of, user_item
from luthier.server.wire.lists import AskIncluded, AskItems, sliced
from luthier.server.wire.responses import CreateResponse, Read, response_json
from luthier.server.wire.tools import offered
from luthier.store.ids import new_id
from luthier.store.resources import Resource

KIND = "response"
KEPT_S = 30 * 24 * 3600
"""How long a stored response is kept, unless it is deleted before."""


@dataclass(frozen=True)
class _Asked:
    """A request that has been read, and taken by a model: the items it goes on from, and those it brings."""

    body: CreateResponse
    replies: Replies
    history: list[Item]
    brought: list[Item]
    id: str
    created: int
    search: Searched | None = None

    def deltas(self, cited: list[Mapping[str, Any]]) -> AsyncGenerator[Delta, None]:
        """Yields the reply; what it cites of files that were searched is put into `cited`."""
        pieces = self.replies.deltas()
        if self.search is None:
            return pieces
        return self.search.told(pieces, cited, alone=not self.replies.question.tools)


async def create(call: Call) -> Any:
    asked = await run_in_threadpool(_read, call)
    if asked.body.stream:
        return await streamed_events(_told(call, asked))
    async with aclosing(_events(call, asked)) as events:
        told = [event async for event in events]
    return told[-1]["response"]


def _read(call: Call) -> _Asked:
    body: CreateResponse = call.body
    history, brought = _items(call, body)
    question = _question(body, [*history, *brought], body.sampling())
    search = look_up(call, body, question)
    question = question if search is None else search.question(question)
    return _Asked(body, _fitting(call, question, body), history, brought, new_id("resp_"), int(time.time()), search)


def _question(body: Read, items: list[Item], sampling: Sampling) -> Question:
    messages = messages_of(items)
    if body.instructions is not None:
        messages.insert(0, Message("system", body.instructions))
    if not messages:
        raise ApiError(
            "input is missing: there is nothing to answer.", code="missing_required_parameter", param="input"
        )
    tools, forced = offered([tool.function() for tool in body.functions], body.choice())
    return Question(
        model=body.model,
        messages=messages,
        sampling=sampling,
        tools=tools,
        forced=forced,
        several=body.parallel_tool_calls is not False,
        schema=body.schema_of(),
        schema_key="text.format.schema",
        prompt_key="input",
    )


def _items(call: Call, body: Read) -> tuple[list[Item], list[Item]]:
    """Returns the items that a request goes on from, and those it brings."""
    if body.previous_response_id is not None and body.conversation is not None:
        raise ApiError(
            "previous_response_id and conversation exclude each other.", code="invalid_value", param="conversation"
        )
    history: list[Item] = []
    if body.previous_response_id is not None:
        row = _stored(call, body.previous_response_id, "previous_response_id")
        history = [*row.body["input"], *row.body["response"]["output"]]
    if body.conversation_id is not None:
        history = history_of(call, body.conversation_id, "conversation")
    if isinstance(body.input, str):
        return history, [user_item(body.input)]
    brought = []
    for number, given in enumerate(body.input or ()):
        where = f"input[{number}]"
        found = _referred(call, given.id, where) if given.type == "item_reference" else item_of(given, where)
        brought += [] if found is None else [found]
    return history, brought


def _referred(call: Call, id: str | None, where: str) -> Item:
    """Returns a copy of what a stored response wrote, or of an item of a conversation, under an id of its own."""
    found = call.server.store.resources.list(KIND, call.project, labels={f"item:{id}": ""}, limit=1).items
    item = next((item for row in found for item in row.body["response"]["output"] if item["id"] == id), None)
    if item is None and (item := find_item(call, str(id))) is None:
        raise ApiError(f"{where}: there is no item {id!r}.", status=404, param=where)
    return {**item, "id": new_id(PREFIXES[item["type"]])}


def _fitting(call: Call, question: Question, body: CreateResponse) -> Replies:
    """Returns the replies to `question`, without its oldest turns where it does not fit and that is allowed."""
    if body.truncation != "auto":
        return ask(call, question)
    if call.server.answering.remote(question.model) is not None:
        raise ApiError(
            "truncation: only models of this machine are cut to their context.",
            code="unsupported_parameter",
            param="truncation",
        )
    chat = call.server.answering.here(question.model, call.project)
    said = [message for message in question.messages if message.role in {"system", "developer"}]
    turns = [message for message in question.messages if message.role not in {"system", "developer"}]
    starts = [0, *(place for place, one in enumerate(turns) if one.role == "user" and place > 0)]

    def without(start: int) -> Question:
        """Returns the question without what stands before a turn of the user's, but instructions."""
        return replace(question, messages=[*said, *turns[start:]] if start else question.messages)

    place = bisect_left(starts, True, key=lambda start: fits(chat, without(start)))
    return ask(call, without(starts[min(place, len(starts) - 1)]))


async def _events(call: Call, asked: _Asked) -> AsyncGenerator[dict[str, Any], None]:
    """Yields the events of a response as the model writes it; the last one has the whole response, kept by then."""
    events = Events(asked.body, asked.id, asked.created, asked.replies.token_bytes)
    deltas: list[Delta] = []
    cited: list[Mapping[str, Any]] = []
    async with aclosing(asked.deltas(cited)) as pieces:
        async for delta in pieces:
            if not deltas:  # not before the model has begun: until then an error has a status of its own
                for event in events.begin():
                    yield event
                if asked.search is not None:
                    item = asked.search.item("completed", results=results_wanted(asked.body))
                    for event in events.searched(item):
                        yield event
            deltas.append(delta)
            for event in events.piece(delta):
                yield event
    for event in events.parts(deltas, cited):
        yield event
    last = events.end(deltas, deltas[-1].usage or Usage(0, 0))
    await run_in_threadpool(_keep, call, asked, last["response"])
    yield last


async def _told(call: Call, asked: _Asked) -> AsyncGenerator[dict[str, Any], None]:
    """Yields the events of a response; what goes wrong is an event too."""
    number = 0
    try:
        async with aclosing(until(_events(call, asked), call.deadline)) as events:
            async for event in events:
                yield event | {"sequence_number": number}
                number += 1
    except Exception as error:
        if number == 0:
            raise
        said = as_api_error(error)
        told = {"code": said.code or "server_error", "message": said.message}
        failed = response_json(asked.body, asked.id, asked.created, {"status": "failed", "error": told})
        yield {"type": "response.failed", "response": failed, "sequence_number": number}


def _keep(call: Call, asked: _Asked, response: dict[str, Any]) -> None:
    if asked.body.conversation_id is not None:
        append_items(call, asked.body.conversation_id, [*asked.brought, *response["output"]])
    if asked.body.store is False:
        return
    call.server.store.resources.add(
        KIND,
        asked.id,
        call.project,
        {"response": response, "input": [*asked.history, *asked.brought]},
        expires_at=asked.created + KEPT_S,
        labels={f"item:{item['id']}": "" for item in response["output"]},
    )


# ---- stored responses


def retrieve(call: Call) -> dict[str, Any]:
    return dict(_stored(call, call.path["response_id"]).body["response"])


def delete(call: Call) -> dict[str, Any]:
    row = _stored(call, call.path["response_id"])
    return deleted(call.server.store.resources.delete(KIND, row.id, call.project).id, "response")


def cancel(call: Call) -> dict[str, Any]:
    row = _stored(call, call.path["response_id"])
    raise ApiError(f"Response {row.id} was not made in the background; it has ended.", code="invalid_value")


def input_items(call: Call) -> dict[str, Any]:
    return sliced(_stored(call, call.path["response_id"]).body["input"], call.query)


def count_tokens(call: Call) -> dict[str, Any]:
    body: Read = call.body
    history, brought = _items(call, body)
    question = _question(body, [*history, *brought], Sampling())
    count = length_of(call.server.answering.here(body.model, call.project), question)
    return {"object": "response.input_tokens", "input_tokens": count}


def _stored(call: Call, id: str, param: str | None = None) -> Resource:
    try:
        return call.server.store.resources.get(KIND, id, call.project)
    except NotFoundError:
        raise ApiError(f"There is no response {id!r}.", status=404, param=param) from None


_ONE = "/responses/{response_id}"
ENDPOINTS = (
    Endpoint("POST", "/responses", create, CreateResponse, counted="responses"),
    Endpoint("POST", "/responses/input_tokens", count_tokens, Read),
    Endpoint("GET", _ONE, retrieve, query=AskIncluded),
    Endpoint("DELETE", _ONE, delete),
    Endpoint("POST", f"{_ONE}/cancel", cancel),
    Endpoint("GET", f"{_ONE}/input_items", input_items, query=AskItems),
)
