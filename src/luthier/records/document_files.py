"""Documents in a file, a JSON line each: read one at a time, in any order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from luthier.errors import RowProblem, RowsError
from luthier.records.documents import Document


def document_line(document: Document) -> bytes:
    """Returns a document as a line of such a file."""
    return json.dumps(document.to_json(), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"


class DocumentFile(Sequence[Document]):
    """The documents of one file. Only where each begins is held in memory."""

    def __init__(self, path: str | Path) -> None:
        """`RowsError` names the lines that hold no document; the file is read once from end to end."""
        self.path, self._places = Path(path), list[tuple[int, int]]()
        self.sources: list[str] = []
        problems, at = [], 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    self.sources.append(_checked(json.loads(line)))
                    self._places.append((at, len(line)))
                except (ValueError, KeyError, TypeError) as error:
                    problem = f"holds no document ({type(error).__name__}: {error})"
                    problems.append(RowProblem(self.path.name, number, "", problem, "collect again"))
                at += len(line)
        if problems:
            raise RowsError(tuple(problems), where=str(path))

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> list[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | list[Document]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return Document.from_json(json.loads(self.line(index)))

    def __iter__(self) -> Iterator[Document]:
        with self.path.open("rb") as file:
            for line in file:
                yield Document.from_json(json.loads(line))

    def place(self, index: int) -> tuple[int, int]:
        """Returns where the line of a document begins in the file, and how many bytes it has."""
        return self._places[index]

    def line(self, index: int) -> bytes:
        """Returns the line of a document, with its end."""
        at, size = self._places[index]
        with self.path.open("rb") as file:
            file.seek(at)
            return file.read(size)


def _checked(value: Any) -> str:
    """Returns the source of a document's JSON; raises `ValueError` and the like where it is none."""
    if not isinstance(value["source"], str) or not isinstance(value["text"], str):
        raise ValueError("source and text are to be text")
    return value["source"]
