"""A few documents, and what cuts them at blank lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from luthier.records.documents import Document, Passage

TEXTS = {
    "lighthouse": "The keeper of the lighthouse has a boat.\n\nThe harbour and the boat.\n\nA letter of the keeper.",
    "tea": "Green tea and black tea.\n\nThe bread of the oven and the tea.\n\nA garden of green tea.",
    "train": "The train of the station.\n\nA ticket of the train.",
    "violin": "The bow of the violin and the string.\n\nThe violin of winter.",
}


def document(name: str, text: str | None = None, **facts: object) -> Document:
    """Returns the document called `name`, with two attributes."""
    attributes = {"kind": name, "length": len(TEXTS.get(name, ""))}
    return Document(f"{name}.md", text or TEXTS[name], title=name.title(), attributes=attributes, **facts)  # type: ignore[arg-type]


def documents() -> list[Document]:
    """Returns all of them."""
    return [document(name) for name in TEXTS]


def by_paragraph(document: Document) -> Iterator[Passage]:
    """Yields the paragraphs of a document as its passages."""
    for match in re.finditer(r"\S(?:(?!\n\n).)*", document.text, re.DOTALL):
        where = document.page(match.start()), document.page(match.end() - 1)
        yield Passage(document.id, match.start(), match.end(), match.group(), (document.title,), *where)


def save(folder: Path, some: Iterable[Document]) -> Path:
    """Returns `folder` as `luthier collect` leaves it, with these documents in it."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one.to_json(), ensure_ascii=False) + "\n" for one in some]
    (folder / "documents.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder
