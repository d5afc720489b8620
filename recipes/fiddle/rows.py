"""Rows as OpenAI chat JSON: a skill returns `Turns`, and `Turns.row` is what the generator writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Turns:
    """A chat: question and answer pairs, after an optional system prompt."""

    pairs: tuple[tuple[str, str], ...]
    system: str = ""

    def row(self) -> Row:
        """Returns {"messages": [...]}."""
        messages = [{"role": "system", "content": self.system}] if self.system else []
        for question, answer in self.pairs:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"messages": messages}


def single(question: str, answer: str, system: str = "") -> Row:
    """Returns a row of one question and one answer."""
    return Turns(((question, answer),), system).row()


def compact(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Returns `value` as one line of JSON without spaces, the way every answer in JSON is written."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
