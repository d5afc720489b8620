"""The prompt formats of the platform: how a passage, a schema or a set of labels is put to a model.

Fiddle, the embedded model, is trained on these formats among others (`recipes/fiddle`), so it is asked in them. All
take and return plain text, the content of one user message; `CITED_SYSTEM` goes with `cited`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

NO_ANSWER = "The text does not say."
"""What is answered when the passage holds no answer."""
NO_PASSAGE = "None of the passages says that."
"""What is answered when none of several passages holds the answer."""
CITED_SYSTEM = (
    "Answer from the numbered passages and end with the number of the passage used, as in [1]. "
    f"If none holds the answer, write: {NO_PASSAGE}"
)


def from_passage(passage: str, question: str) -> str:
    """Asks a question about one passage; the answer is short, or `NO_ANSWER`."""
    return f"Text: {passage}\nQuestion: {question}"


def cited(passages: Sequence[str], question: str) -> str:
    """Asks a question about passages numbered from 1; the answer ends in " [n]", or is `NO_PASSAGE`."""
    numbered = "\n".join(f"[{number}] {passage}" for number, passage in enumerate(passages, 1))
    return f"{numbered}\n\nQuestion: {question}"


def extract(schema: Mapping[str, Any], text: str) -> str:
    """Asks for one JSON object that follows `schema`: keys with the names of their types, or a JSON schema."""
    wanted = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Schema: {wanted}\nText: {text}\nAnswer with JSON only."


def classify(labels: Sequence[str], text: str) -> str:
    """Asks which of `labels` fits the text; the answer is that label alone."""
    return f"Labels: {', '.join(labels)}\nText: {text}\nAnswer with one label."


def rewrite(instruction: str, text: str) -> str:
    """Asks for the text rewritten as `instruction` says."""
    return f"Rewrite the text: {instruction}\nText: {text}"


def list_items(what: str, text: str) -> str:
    """Asks for the `what` that the text names, one a line after "- "."""
    return f"List the {what} in the text.\nText: {text}"


def score(criterion: str, text: str) -> str:
    """Asks for a score from 1 to 5; the answer is one digit."""
    return f"Score the text from 1 to 5: {criterion}\nText: {text}"
