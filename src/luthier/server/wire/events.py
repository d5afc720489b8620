"""The events that tell of a response while it is written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from luthier.records.messages import Delta, ToolCall, Usage
from luthier.server.wire.items import Item, call_item, message_item, text_part
from luthier.server.wire.logprobs import TokenBytes, tokens_json
from luthier.server.wire.responses import CreateResponse, ending, response_json, usage_json
from luthier.store.ids import new_id

Event = dict[str, Any]


class Events:
    """Turns the pieces of one reply into events, in the order that the SDK's helpers rely on."""

    def __init__(self, asked: CreateResponse, id: str, created: int, bytes_of: TokenBytes) -> None:
        self._asked, self._id, self._created, self._bytes_of = asked, id, created, bytes_of
        self._message = new_id("msg_")
        self._told = False
        self._output: list[Item] = []
        self._place = 0

    def begin(self) -> Iterator[Event]:
        """Yields what comes before any text."""
        for kind in ("response.created", "response.in_progress"):
            yield {"type": kind, "response": response_json(self._asked, self._id, self._created, {})}

    def searched(self, item: Item) -> Iterator[Event]:
        """Yields what tells of a search that came before the text."""
        place = {"output_index": len(self._output)}
        begun = item | {"status": "in_progress", "results": None}
        yield {"type": "response.output_item.added", "item": begun} | place
        for kind in ("in_progress", "searching", "completed"):
            yield {"type": f"response.file_search_call.{kind}", "item_id": item["id"]} | place
        self._output.append(item)
        yield {"type": "response.output_item.done", "item": item} | place

    def piece(self, delta: Delta) -> Iterator[Event]:
        """Yields what a piece of the text adds."""
        if delta.text:
            yield from self._open()
            tokens = tokens_json([delta], self._bytes_of) if self._asked.logprobs else []
            yield self._part("response.output_text.delta", delta=delta.text, logprobs=tokens)

    def parts(self, deltas: Sequence[Delta], cited: Sequence[Mapping[str, Any]] = ()) -> Iterator[Event]:
        """Yields what the text cites, and the ends of the text and of each call."""
        calls = [call for delta in deltas for call in delta.tool_calls]
        status, _ = ending(deltas)
        if not calls:
            yield from self._open()
        if self._told:
            yield from self._close(deltas, status, cited)
        for call in calls:
            yield from self._call(call)

    def end(self, deltas: Sequence[Delta], usage: Usage) -> Event:
        """Returns the last event, with the whole response."""
        status, why = ending(deltas)
        more = {
            "status": status,
            "incomplete_details": why,
            "output": self._output,
            "usage": usage_json(usage),
            "completed_at": int(time.time()) if status == "completed" else None,
        }
        return {"type": f"response.{status}", "response": response_json(self._asked, self._id, self._created, more)}

    def _open(self) -> Iterator[Event]:
        """Yields the beginning of the message, once."""
        if self._told:
            return
        self._told, self._place = True, len(self._output)
        item = message_item(self._message, "in_progress", [])
        yield {"type": "response.output_item.added", "output_index": self._place, "item": item}
        yield self._part("response.content_part.added", part=text_part([], self._bytes_of, logprobs=False))

    def _close(self, deltas: Sequence[Delta], status: str, cited: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
        for index, one in enumerate(cited):
            added = {"annotation_index": index, "annotation": dict(one)}
            yield self._part("response.output_text.annotation.added", **added)
        part = text_part(deltas, self._bytes_of, logprobs=self._asked.logprobs, annotations=cited)
        yield self._part("response.output_text.done", text=part["text"], logprobs=part["logprobs"])
        yield self._part("response.content_part.done", part=part)
        item = message_item(self._message, status, [part])
        self._output.append(item)
        yield {"type": "response.output_item.done", "output_index": self._place, "item": item}

    def _part(self, kind: str, **values: Any) -> Event:
        return {"type": kind, "item_id": self._message, "output_index": self._place, "content_index": 0} | values

    def _call(self, call: ToolCall) -> Iterator[Event]:
        item, place = call_item(call, "completed"), len(self._output)
        begun = item | {"arguments": "", "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": place, "item": begun}
        said = {"item_id": item["id"], "output_index": place}
        yield {"type": "response.function_call_arguments.delta", "delta": call.arguments} | said
        done = {"name": call.name, "arguments": call.arguments}
        yield {"type": "response.function_call_arguments.done"} | done | said
        self._output.append(item)
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
