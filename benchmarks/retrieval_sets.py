"""Sets of questions whose document is known: XQuAD's paragraphs, and the sections of project docs by their headings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from luthier.records.documents import Document

_MARKDOWN = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_UNDERLINED = re.compile(r"^(\S.*)\n([=\-~^\"'+*#`.])\2{2,}\s*$", re.MULTILINE)
LEAST_SECTION = 200


@dataclass(frozen=True)
class Asked:
    """A question, the id of the document that answers it, and the group it belongs to (resampled together)."""

    text: str
    gold: str
    group: str


@dataclass(frozen=True)
class Judged:
    """A set: its documents and questions."""

    name: str
    documents: tuple[Document, ...]
    questions: tuple[Asked, ...]


def xquad(file: Path) -> Judged:
    """Returns XQuAD's paragraphs as documents; a question's answer stands in the paragraph that it belongs to."""
    documents, questions = list[Document](), list[Asked]()
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            document = Document(f"{article['title']}/{number}", paragraph["context"], language="en")
            documents.append(document)
            questions += [Asked(one["question"], document.id, article["title"]) for one in paragraph["qas"]]
    return Judged(file.name, tuple(documents), tuple(questions))


def sections(folder: Path) -> Judged:
    """Returns the sections of Markdown and reStructuredText files, without their headings; the question is the heading,
    after the name of its file. Headings that several sections of a file have are left out."""
    documents, questions = list[Document](), list[Asked]()
    for file in sorted([*folder.rglob("*.md"), *folder.rglob("*.rst")]):
        text = file.read_text(encoding="utf-8")
        found = list(_sections(text, _MARKDOWN if file.suffix == ".md" else _UNDERLINED))
        for heading, body in found:
            if len(body) < LEAST_SECTION or [one for one, _ in found].count(heading) > 1:
                continue
            document = Document(f"{file.relative_to(folder)}#{heading}", body, language="en")
            documents.append(document)
            questions.append(Asked(f"{file.stem}: {heading}", document.id, str(file)))
    return Judged(folder.name, tuple(documents), tuple(questions))


def _sections(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    marks = list(pattern.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        yield mark[1].strip(), text[mark.end() : end].strip()
