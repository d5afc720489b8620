"""The demo's rows: read by every chat reader, sound, unlike each other, and made by the committed generator."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from luthier.records.examples import Conversation

sys.path.insert(0, str(Path(__file__).parents[1]))
from recipes.demo import generate, phrases

FILE = files("luthier") / "demo_data" / "repair_shop.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
MESSAGES = [row["messages"][1]["content"] for row in ROWS]
TICKETS = [json.loads(row["messages"][2]["content"]) for row in ROWS]


def test_there_are_enough_rows_and_each_is_sound() -> None:
    assert len(ROWS) >= 400
    for row in ROWS:
        assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
        assert list(Conversation.from_json(row).check()) == []


def test_the_file_is_what_the_generator_writes(tmp_path: Path) -> None:
    generate.main(["--output", str(tmp_path / "rows.jsonl")])
    assert (tmp_path / "rows.jsonl").read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")


def test_every_ticket_has_the_same_keys_and_says_what_the_message_says() -> None:
    for message, ticket in zip(MESSAGES, TICKETS, strict=True):
        assert list(ticket) == ["customer", "item", "problem", "urgency", "phone"]
        assert ticket["urgency"] in phrases.URGENCY
        assert ticket["item"].lower() in message.lower()
        for key in ("customer", "problem", "phone"):
            assert ticket[key] is None or ticket[key] in message, message


def test_what_a_ticket_leaves_out_is_not_in_the_message() -> None:
    for message, ticket in zip(MESSAGES, TICKETS, strict=True):
        if ticket["phone"] is None:
            assert not re.search(r"\d", message), message
        if ticket["customer"] is None:
            assert not any(name in message for name in phrases.LAST_NAMES), message


def test_facts_are_spread() -> None:
    urgencies = Counter(ticket["urgency"] for ticket in TICKETS)
    assert min(urgencies.values()) > len(ROWS) / 6
    assert len({ticket["item"] for ticket in TICKETS}) == len(phrases.FAULTS)
    assert 0.2 < sum(ticket["phone"] is None for ticket in TICKETS) / len(ROWS) < 0.4
    assert 0.05 < sum(ticket["customer"] is None for ticket in TICKETS) / len(ROWS) < 0.15


def test_no_two_messages_are_near_duplicates() -> None:
    marks = [generate.shingles(message) for message in MESSAGES]
    closest = max(generate.similarity(a, b) for i, a in enumerate(marks) for b in marks[:i])
    assert closest <= generate.TOO_CLOSE
    whole = [generate.shingles(" ".join(m["content"] for m in row["messages"])) for row in ROWS]
    assert max(generate.similarity(a, b) for i, a in enumerate(whole) for b in whole[:i]) < 0.7


def test_numbers_are_fictional() -> None:
    for ticket in TICKETS:
        if ticket["phone"]:
            assert re.match(r"07700 900|\(?01632\)? 960|020 7946 0|555-01", ticket["phone"])


@pytest.mark.parametrize("urgency", sorted(phrases.URGENCY))
def test_no_cue_of_one_urgency_stands_in_a_message_of_another(urgency: str) -> None:
    cues = [cue for other, own in phrases.URGENCY.items() if other != urgency for cue in own if "{" not in cue and cue]
    for message, ticket in zip(MESSAGES, TICKETS, strict=True):
        if ticket["urgency"] == urgency:
            assert not [cue for cue in cues if cue in message], message
