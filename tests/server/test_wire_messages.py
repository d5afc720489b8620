"""Turns of requests are the turns that training rows hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from luthier.records.examples import Conversation
from luthier.records.options import FormatOptions
from luthier.records.reading import read_rows
from luthier.server.wire.body import read_body
from luthier.server.wire.chat import CreateChat
from luthier.server.wire.messages import read_messages

OLD = [
    {"role": "user", "content": "Rain?"},
    {"role": "assistant", "content": None, "function_call": {"name": "rain", "arguments": '{"town": "Tarn"}'}},
    {"role": "function", "name": "rain", "content": "yes"},
    {"role": "assistant", "content": None, "function_call": {"name": "rain", "arguments": '{"town": "Ull"}'}},
    {"role": "function", "name": "rain", "content": "no"},
    {"role": "assistant", "content": "Only in Tarn."},
]
NEW: list[dict[str, Any]] = [
    {"role": "system", "content": "Brief."},
    {"role": "user", "content": [{"type": "text", "text": "Ra"}, {"type": "text", "text": "in?"}]},
    {
        "role": "assistant",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "rain", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "wind", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "tool_call_id": "b", "content": "none"},
    {"role": "tool", "tool_call_id": "a", "content": "some"},
    {"role": "assistant", "content": "Some rain."},
]


def test_both_forms_of_calls_are_read_as_in_rows(tmp_path: Path) -> None:
    for messages in (OLD, NEW):
        file = tmp_path / "rows.jsonl"
        file.write_text(json.dumps({"messages": messages}) + "\n")
        row = next(iter(read_rows([str(file)], FormatOptions())))
        assert isinstance(row, Conversation)
        body, _ = read_body(CreateChat, {"model": "m", "messages": messages})
        assert read_messages(body.messages) == list(row.messages)
