"""The rows a run was measured on, as questions: what a served copy of its model can be asked."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from luthier.config import bind
from luthier.errors import SpecError
from luthier.evaluation.items import Item, Prompt, items_of
from luthier.records.messages import Message
from luthier.records.options import FormatOptions
from luthier.records.reading import read_rows


def items_of_run(run: Path, *, limit: int, seed: int = 0) -> list[Item]:
    """Returns at most `limit` questions of the run's held-out rows; without those, of its validation or training rows.

    `SpecError` when `run` is no run folder, or its rows are gone.
    """
    file = run / "run.json"
    if not file.is_file():
        raise SpecError("is no run folder, and so has no rows to ask", where=str(run), remedy="give --prompts FILE")
    held = _held_out(run / "heldout.jsonl")
    if held:
        return held if len(held) <= limit else random.Random(seed).sample(held, limit)
    spec: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8")).get("spec") or {}
    files = spec.get("validation_rows") or spec.get("rows") or ()
    if not files:
        raise SpecError("says nothing of its rows", where=str(file), remedy="give --prompts FILE")
    given = {name: spec[name] for name in FormatOptions.model_fields if name in spec}
    options = bind(FormatOptions, given, where=str(file))
    return items_of(read_rows(tuple(files), options), limit=limit, seed=seed)[0]


def _held_out(file: Path) -> list[Item]:
    if not file.is_file():
        return []
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Item(
            index=row["index"],
            fingerprint=row["fingerprint"],
            prompt=Prompt(tuple(Message.from_json(turn) for turn in row["messages"]), tuple(row.get("tools") or ())),
            reference=Message.from_json(row["reference"]),
            origin=row["origin"],
        )
        for row in rows
        if row.get("messages")
    ]
