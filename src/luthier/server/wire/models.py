"""Models on the wire: those of the catalogue, and those that were tuned here."""

from __future__ import annotations

from typing import Any

from luthier.server.catalogue import Entry
from luthier.store.resources import Resource


def base_json(entry: Entry, created: int) -> dict[str, Any]:
    """Returns the model object of a catalogue entry, with what the catalogue says of it."""
    return {
        "id": entry.id,
        "object": "model",
        "created": created,
        "owned_by": "luthier" if entry.url is None else "elsewhere",
        "kind": entry.kind,
        "context_length": entry.context,
        "description": entry.quality,
        "aliases": list(entry.aliases),
        "input_price": entry.input_price,
        "output_price": entry.output_price,
        "tokens_per_second": entry.tokens_per_second,
    }


def tuned_json(row: Resource) -> dict[str, Any]:
    """Returns the model object of a tuned model or of one of its checkpoints."""
    return {
        "id": row.id,
        "object": "model",
        "created": row.created_at,
        "owned_by": row.project,
        "parent": row.body["base"],
        "description": row.body.get("note", ""),
    }
