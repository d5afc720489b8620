"""Chat completions: written by a model of this machine, whole or as a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from luthier.generation.together import all_or_none
from luthier.records.messages import Delta, Usage
from luthier.server.asking import Question, Replies, ask
from luthier.server.call import Call, Endpoint
from luthier.server.sse import streamed
from luthier.server.wire.chat import (
    STORED,
    CreateChat,
    ListStored,
    choice_json,
    choice_of,
    chunk_json,
    completion_json,
    functions_of,
    piece_json,
    read_sampling,
    stored_json,
    stored_row,
    total_usage,
)
from luthier.server.wire.files import deleted
from luthier.server.wire.lists import AskOldest, rendered, sliced
from luthier.server.wire.messages import read_messages
from luthier.server.wire.tools import offered
from luthier.server.wire.values import ChangeMetadata, metadata_labels
from luthier.store.ids import new_id
from luthier.store.resources import Resource


@dataclass(frozen=True)
class _Asked:
    """A request that has been read, and taken by a model."""

    body: CreateChat
    replies: Replies
    id: str
    created: int

    @property
    def choices(self) -> range:
        return range(self.replies.question.choices)

    @property
    def logprobs(self) -> bool:
        return bool(self.body.logprobs)

    @property
    def old_form(self) -> bool:
        return self.body.functions is not None


async def create(call: Call) -> Any:
    asked = await run_in_threadpool(_read, call)
    if asked.body.stream:
        return await streamed(_stream(call, asked), call.deadline)
    found = await all_or_none(_whole(asked, index) for index in asked.choices)
    return await _finished(call, asked, found)


async def _finished(call: Call, asked: _Asked, found: Sequence[Sequence[Delta]]) -> dict[str, Any]:
    """Returns the whole completion from the pieces of each choice, which is kept where that was asked for."""
    choices = [
        choice_json(index, deltas, asked.replies.token_bytes, logprobs=asked.logprobs, old_form=asked.old_form)
        for index, deltas in enumerate(found)
    ]
    usage = total_usage([deltas[-1].usage or Usage(0, 0) for deltas in found])
    out = completion_json(asked.id, asked.created, asked.body.model, choices, usage, asked.body)
    if asked.body.store:
        await run_in_threadpool(_store, call, asked, out)
    return out


def _read(call: Call) -> _Asked:
    body: CreateChat = call.body
    tools, forced = offered(functions_of(body), choice_of(body))
    question = Question(
        model=body.model,
        messages=read_messages(body.messages),
        sampling=read_sampling(body),
        tools=tools,
        forced=forced,
        several=body.parallel_tool_calls is not False,
        schema=body.response_format.schema_of() if body.response_format is not None else None,
        choices=body.value("n"),
    )
    return _Asked(body, ask(call, question), new_id("chatcmpl-"), int(time.time()))


async def _whole(asked: _Asked, index: int) -> list[Delta]:
    return [delta async for delta in asked.replies.deltas(index)]


async def _stream(call: Call, asked: _Asked) -> AsyncIterator[dict[str, Any]]:
    pieces: asyncio.Queue[tuple[int, Delta] | Exception] = asyncio.Queue()

    async def write(index: int) -> None:
        try:
            async for delta in asked.replies.deltas(index):
                pieces.put_nowait((index, delta))
        except Exception as error:
            pieces.put_nowait(error)

    writers = [asyncio.create_task(write(index)) for index in asked.choices]
    with_usage = bool(asked.body.stream_options and asked.body.stream_options.include_usage)
    found: list[list[Delta]] = [[] for _ in writers]
    try:
        while not all(deltas and deltas[-1].finish_reason for deltas in found):
            piece = await pieces.get()
            if isinstance(piece, Exception):
                raise piece
            index, delta = piece
            choice = piece_json(
                index,
                delta,
                asked.replies.token_bytes,
                first=not found[index],
                logprobs=asked.logprobs,
                old_form=asked.old_form,
            )
            found[index].append(delta)
            out = chunk_json(asked.id, asked.created, asked.body.model, [choice])
            yield out | {"usage": None} if with_usage else out
        whole = await _finished(call, asked, found)
        if with_usage:
            yield chunk_json(asked.id, asked.created, asked.body.model, []) | {"usage": whole["usage"]}
    finally:
        for writer in writers:
            writer.cancel()


# ---- stored completions


def _store(call: Call, asked: _Asked, out: dict[str, Any]) -> None:
    messages = [message.model_dump(exclude_none=True) for message in asked.body.messages]
    body, labels = stored_row(out, messages, asked.body.metadata)
    call.server.store.resources.add(STORED, asked.id, call.project, body, labels=labels)


def list_stored(call: Call) -> dict[str, Any]:
    asked: ListStored = call.query
    labels = metadata_labels(asked.metadata) | ({} if asked.model is None else {"model": asked.model})
    found = call.server.store.resources.list(
        STORED,
        call.project,
        after=asked.after,
        limit=asked.limit,
        descending=asked.order == "desc",
        labels=labels,
    )
    return rendered(found, stored_json)


def retrieve(call: Call) -> dict[str, Any]:
    return stored_json(_stored(call))


def change(call: Call) -> dict[str, Any]:
    asked: ChangeMetadata = call.body
    row = _stored(call)
    labels = {"model": row.body["completion"]["model"]} | metadata_labels(asked.metadata)
    changed = call.server.store.resources.change(
        STORED, row.id, call.project, lambda body: body | {"metadata": asked.metadata}, labels=labels
    )
    return stored_json(changed)


def delete(call: Call) -> dict[str, Any]:
    return deleted(
        call.server.store.resources.delete(STORED, _stored(call).id, call.project).id, "chat.completion.deleted"
    )


def messages(call: Call) -> dict[str, Any]:
    row = _stored(call)
    every = [{"id": f"{row.id}-{index}", "name": None, **one} for index, one in enumerate(row.body["messages"])]
    return sliced(every, call.query)


def _stored(call: Call) -> Resource:
    return call.server.store.resources.get(STORED, call.path["completion_id"], call.project)


_ONE = "/chat/completions/{completion_id}"
ENDPOINTS = (
    Endpoint("POST", "/chat/completions", create, CreateChat, counted="chat"),
    Endpoint("GET", "/chat/completions", list_stored, query=ListStored),
    Endpoint("GET", _ONE, retrieve),
    Endpoint("POST", _ONE, change, ChangeMetadata),
    Endpoint("DELETE", _ONE, delete),
    Endpoint("GET", f"{_ONE}/messages", messages, query=AskOldest),
)
