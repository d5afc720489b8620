"""A folder of what was exported from a hosted account: everything in it is read and understood, or nothing comes.

`*.jsonl` files are looked into: rows to tune on, requests of a batch, items of an eval, or stored completions with
their `messages`. `files.json`, `fine_tuning_jobs.json` and `evals.json` hold objects as the API lists them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from luthier.errors import RowProblem, RowsError, SpecError
from luthier.records.decoding import UnreadableText
from luthier.records.json_values import Item, document_values, line_values
from luthier.server.source import Withheld
from luthier.server.wire.moved import (
    MovedCheckpoint,
    MovedCompletion,
    MovedEval,
    MovedEvent,
    MovedFile,
    MovedJob,
    MovedRun,
    MovedT,
    Unread,
    read_moved,
)
from luthier.store.blobs import PIECE

FILES, JOBS, EVALS = "files.json", "fine_tuning_jobs.json", "evals.json"
COMPLETIONS = "completions"
WANTED = (
    "a row to tune on has messages, or prompt and completion, or input with both outputs; a request of a batch has "
    'custom_id, url and body; an item of an eval has item; a stored completion has "object": "chat.completion"'
)
KINDS: Mapping[str, tuple[frozenset[str], ...]] = {
    "batch": (frozenset({"custom_id", "url", "body"}),),
    "batch_output": (frozenset({"custom_id", "response"}),),
    "evals": (frozenset({"item"}),),
    "fine-tune": (
        frozenset({"messages"}),
        frozenset({"prompt", "completion"}),
        frozenset({"input", "preferred_output", "non_preferred_output"}),
    ),
}
"""The purpose of a file -> the keys that each of its rows has, in one of several forms."""


class Folder:
    """What is in the folder `path`; files that no listing names belong to `project`. Implements `source.Source`.

    `RowsError` names everything in it that is not understood, with file and line.
    """

    def __init__(self, path: Path, project: str) -> None:
        if not path.is_dir():
            raise SpecError("no such folder", where=str(path), remedy="write openai, or the path of a folder")
        self.name, self._path, self._project = str(path), path, project
        self._problems: list[RowProblem] = []
        self._files = self._listing(FILES, MovedFile)
        self._jobs = self._listing(JOBS, MovedJob, {"events": MovedEvent, "checkpoints": MovedCheckpoint})
        self._evals = self._listing(EVALS, MovedEval, {"runs": MovedRun})
        self._places = {one.id: place for one in self._files if (place := self._place(one)) is not None}
        self._completions: list[Path] = []
        self._unknown: list[Path] = []
        for file in self._others():
            self._look_into(file)
        self._check_twice()
        if self._problems:
            raise RowsError(tuple(self._problems), where=self.name, remedy="Nothing was imported.")

    def close(self) -> None:
        """Does nothing: no file stays open."""

    def files(self) -> Iterator[MovedFile | Unread]:
        yield from self._files
        for file in self._unknown:
            where = "a folder" if file.is_dir() else f"no JSON lines (*.jsonl), and {FILES} does not name it"
            yield Unread(file.name, "", where)

    def content(self, file: MovedFile) -> Iterator[bytes]:
        if file.id not in self._places:
            raise Withheld(f"there is no {file.filename} in the folder, and no {file.id} or {file.id}.jsonl")
        try:
            with self._places[file.id].open("rb") as stream:
                while piece := stream.read(PIECE):
                    yield piece
        except OSError as error:
            raise Withheld(f"{self._places[file.id].name} cannot be read: {error.strerror}") from None

    def jobs(self) -> Iterator[MovedJob | Unread]:
        return iter(sorted(self._jobs, key=lambda job: job.created_at))

    def events(self, job: MovedJob) -> Sequence[MovedEvent]:
        found = [
            one for value in _inner(job, "events") or () if isinstance(one := read_moved(MovedEvent, value), MovedEvent)
        ]
        return sorted(found, key=lambda event: event.created_at)

    def checkpoints(self, job: MovedJob) -> Sequence[MovedCheckpoint]:
        read = (read_moved(MovedCheckpoint, value) for value in _inner(job, "checkpoints") or ())
        return sorted((one for one in read if isinstance(one, MovedCheckpoint)), key=lambda one: one.step_number)

    def completions(self) -> Iterator[MovedCompletion | Unread]:
        for file in self._completions:
            for _, value in line_values(file):
                yield read_moved(MovedCompletion, value)

    def messages(self, completion: MovedCompletion) -> Sequence[dict[str, Any]]:
        return _inner(completion, "messages") or []

    def evals(self) -> Iterator[MovedEval | Unread]:
        return iter(self._evals)

    def runs(self, eval: MovedEval) -> Iterator[MovedRun | Unread]:
        return (read_moved(MovedRun, value) for value in _inner(eval, "runs") or ())

    def output_items(self, eval: MovedEval, run: MovedRun) -> Iterator[dict[str, Any]]:
        return iter(_inner(run, "output_items") or ())

    def _listing(
        self, name: str, kind: type[MovedT], inside: Mapping[str, type[BaseModel]] | None = None
    ) -> list[MovedT]:
        """Returns the objects of a listing; what is wrong with them, and with the lists inside them, is noted."""
        file, found = self._path / name, []
        if not file.is_file():
            return []
        for number, value in self._values(file, _documents(file)):
            one = read_moved(kind, value)
            if isinstance(one, Unread):
                self._note(file, number, f"{one.id}: {one.key}", one.problem)
                continue
            found.append(one)
            self._check_inside(file, number, one.id, one, inside or {})  # type: ignore[attr-defined]
        return found

    def _check_inside(
        self, file: Path, number: int, id: str, one: Any, inside: Mapping[str, type[BaseModel] | None]
    ) -> None:
        """Notes what is wrong with the lists inside of an object; of objects without a type, any will do."""
        for key, kind in inside.items():
            given = (one.model_extra or {}).get(key)
            inner = _inner(one, key)
            if given is not None and inner is None:
                self._note(file, number, f"{id}: {key}", "is no list of objects")
            for each in inner or ():
                read = read_moved(kind, each) if kind is not None else None
                if isinstance(read, Unread):
                    self._note(file, number, f"{id}: {key}: {read.key}", read.problem)
                elif isinstance(read, MovedRun):
                    self._check_inside(file, number, read.id, read, {"output_items": None})

    def _place(self, file: MovedFile) -> Path | None:
        """Returns where the content of a listed file is."""
        names = [file.id, f"{file.id}.jsonl", Path(file.filename.replace("\\", "/")).name]
        return next((self._path / name for name in names if name and (self._path / name).is_file()), None)

    def _others(self) -> Iterator[Path]:
        """Yields what no listing speaks of."""
        taken = {self._path / name for name in (FILES, JOBS, EVALS)} | set(self._places.values())
        for file in sorted(self._path.iterdir()):
            if file not in taken and not file.name.startswith("."):
                yield file

    def _look_into(self, file: Path) -> None:
        if file.suffix != ".jsonl" or not file.is_file():
            self._unknown.append(file)
            return
        kinds: Counter[str] = Counter()
        for number, value in self._values(file, line_values(file)):
            kind = _kind(value)
            kinds[kind] += 1
            if not kind:
                self._note(file, number, "", "is not understood", WANTED)
            elif kind != (first := next(iter(kinds))) and first:
                self._note(file, number, "", f"is of another kind ({kind}) than the rows before it ({first})")
            elif kind == COMPLETIONS:
                self._check_completion(file, number, value)
        if not kinds:
            self._note(file, 0, "", "holds no rows")
        elif COMPLETIONS in kinds:
            self._completions.append(file)
        elif len(kinds) == 1 and (purpose := next(iter(kinds))):
            self._add_unlisted(file, purpose)

    def _check_completion(self, file: Path, number: int, value: Any) -> None:
        one = read_moved(MovedCompletion, value)
        if isinstance(one, Unread):
            self._note(file, number, one.key, one.problem)
        elif not _inner(one, "messages"):
            self._note(file, number, "messages", "the messages that it answers are missing")

    def _add_unlisted(self, file: Path, purpose: str) -> None:
        """Takes in a file that no listing names: its id comes from its name and bytes, and is always the same."""
        digest = hashlib.sha256(f"{self._project}\n{file.name}\n".encode())
        with file.open("rb") as stream:
            for piece in iter(lambda: stream.read(PIECE), b""):
                digest.update(piece)
        id = file.stem if file.stem.startswith("file-") else f"file-{digest.hexdigest()[:24]}"
        facts = {"id": id, "filename": file.name, "purpose": purpose, "created_at": int(file.stat().st_mtime)}
        found = read_moved(MovedFile, facts)
        if isinstance(found, Unread):
            self._note(file, 0, found.key, found.problem, "give it another name")
            return
        self._files.append(found)
        self._places[id] = file

    def _check_twice(self) -> None:
        counts = Counter(one.id for one in (*self._files, *self._jobs, *self._evals))
        for id, count in counts.items():
            if count > 1:
                self._note(self._path, 0, "id", f"{id} is there {count} times", "keep one")

    def _values(self, file: Path, items: Iterable[Item]) -> Iterator[Item]:
        """Yields the values that could be read, and notes the places that could not."""
        try:
            for number, value in items:
                if isinstance(value, UnreadableText):
                    self._note(file, value.line, "", value.problem, value.remedy)
                else:
                    yield number, value
        except UnreadableText as error:
            self._note(file, error.line, "", error.problem, error.remedy)
        except OSError as error:
            self._note(file, 0, "", f"cannot be read: {error.strerror}", "check its rights")

    def _note(
        self, file: Path, line: int, field: str, problem: str, remedy: str = "correct it, or take it out"
    ) -> None:
        self._problems.append(RowProblem(str(file), line, field.strip(": "), problem, remedy))


def _kind(row: Any) -> str:
    """Returns what a row is: a purpose of files, `COMPLETIONS`, or nothing that is known."""
    if not isinstance(row, dict):
        return ""
    if row.get("object") == "chat.completion":
        return COMPLETIONS
    return next((purpose for purpose, forms in KINDS.items() if any(form <= row.keys() for form in forms)), "")


def _documents(file: Path) -> Iterator[Item]:
    """Yields the objects of a listing: of one list, of the list objects of the API, or one after the other."""
    for number, value in document_values(file):
        if isinstance(value, dict) and isinstance(value.get("data"), list):
            yield from enumerate(value["data"], start=1)
        else:
            yield number, value


def _inner(one: Any, key: str) -> list[dict[str, Any]] | None:
    """Returns the list of objects under `key`, bare or as a list object of the API; None when it is no such list."""
    found = (one.model_extra or {}).get(key)
    found = found.get("data") if isinstance(found, dict) else found
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else None
