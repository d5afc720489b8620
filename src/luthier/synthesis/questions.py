"""Questions about passages: what a model is asked to write, and how its replies are read.

A reply is one JSON object. What is not, or lacks a key, is refused: nothing is mended, so that the yields say what the
model can do.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from luthier.records.documents import Document, Passage
from luthier.records.messages import Message
from luthier.records.prompts import CITED_SYSTEM, NO_ANSWER, cited, extract, from_passage
from luthier.synthesis.options import Kind

Part = Literal["train", "test", "unseen"]
LONGEST = 500
ASKS = ("?", "？", "؟", ";")
"""What ends a question; the last one is Greek."""
ANSWER_SYSTEM = f"Answer from the text alone, in as few words as it takes. If it does not say, write: {NO_ANSWER}"
_QUESTION, _QUOTED = {"question": "string"}, {"question": "string", "answer": "string", "quote": "string"}
_TOLD: Mapping[Kind, tuple[str, Mapping[str, str]]] = {
    "fact": (
        "Write a question that the text answers, its answer in the fewest words of the text, and as the quote the "
        "sentence that says it, word for word.",
        _QUOTED,
    ),
    "several": (
        "Write a question that takes both parts of the text to answer, its answer in the fewest words, and a sentence "
        "of each part that it rests on, word for word.",
        {"question": "string", "answer": "string", "quote": "string", "second_quote": "string"},
    ),
    "unanswerable": ("Write a question on the subject of the text that the text does not answer.", _QUESTION),
    "paraphrase": ("Ask the question in the text in other words.", _QUESTION),
}
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A passage to ask about, the next one of its document (None at the end), its cluster, and the side it is on."""

    document: Document
    passage: Passage
    following: Passage | None
    group: str
    test: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question about `passages`: `quotes` are what the answer rests on, `spans` where these stand in the document,
    `prompt` the hash of what the model was asked. `of` is the id of the question that it puts in other words."""

    kind: Kind
    text: str
    answer: str
    quotes: tuple[str, ...]
    place: Place
    passages: tuple[Passage, ...]
    prompt: str
    spans: tuple[tuple[int, int], ...] = ()
    of: str = ""

    @property
    def id(self) -> str:
        """The same for the same question about the same passage."""
        said = json.dumps([self.kind, self.text, *(passage.id for passage in self.passages)])
        return "qst_" + hashlib.sha256(said.encode()).hexdigest()[:24]

    def messages(self) -> list[Message]:
        """Returns what is asked with the passages in hand, in the words that answers are trained on."""
        texts = [passage.text for passage in self.passages]
        if len(texts) == 1:
            return [Message("system", ANSWER_SYSTEM), Message("user", from_passage(texts[0], self.text))]
        return [Message("system", CITED_SYSTEM), Message("user", cited(texts, self.text))]

    def to_json(self, part: Part, model: str) -> dict[str, Any]:
        """Returns the row for retrieval: the question, its answer, and where it comes from, to the character."""
        document = self.place.document
        golds = [
            {"document": document.id, "source": document.source, "page": document.page(start), "passage": passage.id}
            | {"start": start, "end": end, "quote": quote}
            for passage, quote, (start, end) in zip(self.passages, self.quotes, self.spans, strict=False)
        ]
        asked = [
            {"document": one.document, "source": document.source, "page": one.pages, "passage": one.id}
            for one in self.passages
        ]
        known = {"id": self.id, "question": self.text, "answer": self.answer, "kind": self.kind, "slice": part}
        made = {"prompt": self.prompt, "model": model, "group": self.place.group}
        return known | {"relevant": golds, "asked_of": asked} | ({"of": self.of} if self.of else {}) | made


def request(kind: Kind, text: str) -> list[Message]:
    """Returns what a model is asked, to write a question of that kind about `text`."""
    told, schema = _TOLD[kind]
    return [Message("user", f"{told}\n{extract(schema, text)}")]


def prompt_hash(messages: Sequence[Message]) -> str:
    """Returns what stands for a prompt: 16 digits of its SHA-256."""
    said = json.dumps([message.to_json() for message in messages], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def passages_for(kind: Kind, place: Place) -> tuple[Passage, ...]:
    """Returns the passages that a question of that kind is about; none where there are too few."""
    if kind != "several":
        return (place.passage,)
    return (place.passage, place.following) if place.following is not None else ()


def written(reply: str, kind: Kind) -> dict[str, str] | None:
    """Returns the object in a reply, with each key that the kind wants as text and a question that ends as questions
    do; None where there is no such object."""
    found = _OBJECT.search(reply)
    try:
        value = json.loads(found.group()) if found else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    wanted = {name: value.get(name) for name in _TOLD[kind][1]}
    texts = {name: text.strip() for name, text in wanted.items() if isinstance(text, str)}
    whole = len(texts) == len(wanted) and all(0 < len(text) <= LONGEST for text in texts.values())
    return texts if whole and texts["question"].endswith(ASKS) else None


def span(quote: str, passage: Passage) -> tuple[int, int] | None:
    """Returns the offsets in the document of `quote`, which must stand in the passage but for the width of its spaces;
    None where it does not."""
    found = re.search(r"\s+".join(map(re.escape, quote.split())), passage.text) if quote.strip() else None
    return (passage.start + found.start(), passage.start + found.end()) if found else None
