"""What can be known of a model without loading its weights: its template over its tokenizer, its context length."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luthier.errors import ModelError
from luthier.models.load import context_length, load_tokenizer
from luthier.models.resolve import read_json, resolve_model
from luthier.tokens.template import Template


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model reads: its template (and in it the tokenizer), and how many tokens it was built for."""

    template: Template
    context_length: int


def read_model(name: str, *, revision: str | None = None, trust_remote_code: bool = False) -> Reading:
    """Returns how the model called `name` reads. `ModelError` where its files cannot be used."""
    found = resolve_model(name, revision=revision, download=True, trust_remote_code=trust_remote_code)
    if found.base_folder is None:
        raise ModelError("is not on this machine", where=found.base, remedy=f"run: hf download {found.base}")
    own = found.adapter is not None and (found.adapter / "tokenizer_config.json").is_file()
    folder = found.adapter if own and found.adapter else found.base_folder
    tokenizer = load_tokenizer(folder, trust_remote_code=trust_remote_code)
    limit = context_length(read_json(found.base_folder / "config.json"), tokenizer.model_max_length)
    return Reading(Template.of(tokenizer, stop_ids=_stop_ids(found.base_folder, tokenizer)), limit)


def _stop_ids(folder: Path, tokenizer: Any) -> list[int]:
    """Returns the ids that end a reply: those of generation_config.json, and the tokenizer's own."""
    file = folder / "generation_config.json"
    listed = read_json(file).get("eos_token_id") if file.is_file() else None
    ids = [*(listed if isinstance(listed, list) else [listed]), tokenizer.eos_token_id]
    return [int(token) for token in dict.fromkeys(ids) if token is not None]
