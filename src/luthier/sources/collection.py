"""A folder of collected documents: what came from each file, what to keep of the last run, what was done before a stop.

`documents.jsonl` holds the documents, `duplicates.jsonl` those left out because they repeat one, `collect.json` an
entry for each source. While a run is under way, each file's result goes to a journal at once: a run that was killed
goes on from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from luthier.errors import RowsError, SpecError
from luthier.records.document_files import DocumentFile
from luthier.sources.archives import SEPARATOR

DOCUMENTS, DUPLICATES, STATE, JOURNAL, SECRET = (
    "documents.jsonl", "duplicates.jsonl", "collect.json", "collect.journal", "redaction.key"
)  # fmt: skip
VERSION = 1
"""Of what readers make of files: raised, it has everything read again."""
Status = Literal["read", "failed", "skipped", "duplicate", "container"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What came from one source: a file, a member of one, a page. `stamp` changes when its file or the options do."""

    source: str
    status: Status
    reason: str = ""
    stamp: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    document: str = ""
    media_type: str = ""
    title: str = ""
    language: str = ""
    characters: int = 0
    pages: int = 0
    personal: Mapping[str, int] = field(default_factory=dict)
    notes: str = ""
    members: tuple[str, ...] = ()
    web: Mapping[str, Any] = field(default_factory=dict)
    cpu_s: float = 0.0
    again: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns the entry as JSON values; what is empty is left out."""
        return {name: value for name, value in asdict(self).items() if value or name in ("source", "status")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Returns the entry that `to_json` wrote."""
        return cls(**{**value, "members": tuple(value.get("members") or ())})


class Collection:
    """The folder of one collection, open for one run."""

    def __init__(self, folder: Path) -> None:
        """`SpecError` where the folder is another thing's, or what is in it cannot be read."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.before: dict[str, Entry] = {}
        self.entries: dict[str, Entry] = {}
        self._lines: dict[str, tuple[Path, int, int]] = {}
        self._read_state()
        self.resumed = self._read_journal()
        self._journal = (folder / JOURNAL).open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def secret(self) -> bytes:
        """Returns what the placeholders of personal data are made with; made at the first use, for its owner alone."""
        file = self.folder / SECRET
        if not file.exists():
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
                new.write(secrets.token_hex(32))
        return bytes.fromhex(file.read_text(encoding="ascii").strip())

    def known(self, source: str) -> Entry | None:
        """Returns what came from a source this time or last time, where its document is still there."""
        entry = self.entries.get(source) or self.before.get(source)
        whole = entry is not None and (not entry.document or source in self._lines)
        return entry if whole else None

    def keep(self, entry: Entry) -> None:
        """Takes over what came from a source last time."""
        self.entries[entry.source] = entry

    def add(self, entry: Entry, document: Mapping[str, Any] | None = None) -> None:
        """Writes down what came from a source, with its document."""
        self.entries[entry.source] = entry
        line = json.dumps({"entry": entry.to_json(), "document": document}, ensure_ascii=False).encode(
            "utf-8", "replace"
        )
        at = self._journal.tell()
        self._journal.write(line + b"\n")
        self._journal.flush()
        if document is not None:
            self._lines[entry.source] = (self.folder / JOURNAL, at, len(line))

    def document(self, source: str) -> dict[str, Any]:
        """Returns the JSON of the document of a source."""
        path, at, size = self._lines[source]
        with path.open("rb") as file:
            file.seek(at)
            value: dict[str, Any] = json.loads(file.read(size))
        return value["document"] if path.name == JOURNAL else value

    def order(self, sources: Iterable[str]) -> Iterator[str]:
        """Yields the sources that have entries, each with its members after it."""
        for source in sources:
            if source in self.entries:
                yield source
                yield from self.order(source + SEPARATOR + name for name in self.entries[source].members)

    def finish(self, sources: Iterable[str], repeats: Mapping[str, str], facts: Mapping[str, Any]) -> None:
        """Writes everything anew in the order of `sources`, which are all that remain; each file is whole at any time.

        `repeats` maps a source to why its document is left out.
        """
        ordered = list(dict.fromkeys(sources))
        self.entries = {source: self._judged(self.entries[source], repeats) for source in ordered}
        with_document = [source for source in ordered if self.entries[source].document]
        for name, status in ((DUPLICATES, "duplicate"), (DOCUMENTS, "read")):
            lines = (self._line(source) for source in with_document if self.entries[source].status == status)
            _write_whole(self.folder / f"{name}.new", lines)
        for name in (DUPLICATES, DOCUMENTS):
            os.replace(self.folder / f"{name}.new", self.folder / name)
        state = {**facts, "entries": [entry.to_json() for entry in self.entries.values()]}
        _write_whole(self.folder / f"{STATE}.new", [json.dumps(state, ensure_ascii=False, indent=1).encode() + b"\n"])
        os.replace(self.folder / f"{STATE}.new", self.folder / STATE)
        _sync_folder(self.folder)
        self._journal.close()
        (self.folder / JOURNAL).unlink()

    def _judged(self, entry: Entry, repeats: Mapping[str, str]) -> Entry:
        if entry.source in repeats:
            return replace(entry, status="duplicate", reason=repeats[entry.source])
        return replace(entry, status="read", reason="") if entry.status == "duplicate" else entry

    def _line(self, source: str) -> bytes:
        return json.dumps(self.document(source), ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def _read_state(self) -> None:
        file = self.folder / STATE
        try:
            state = json.loads(file.read_bytes()) if file.exists() else {"entries": []}
            self.before = {entry["source"]: Entry.from_json(entry) for entry in state["entries"]}
        except (ValueError, KeyError, TypeError) as error:
            problem = f"cannot be read ({type(error).__name__}: {error})"
            raise SpecError(
                problem, where=str(file), remedy="remove it to begin anew, or name another folder"
            ) from None
        for name in (DOCUMENTS, DUPLICATES):
            path = self.folder / name
            if not path.exists():
                continue
            if not file.exists():
                remedy = "name another folder: it would be written over"
                raise SpecError(f"holds a {name} that is not of `collect`", where=str(self.folder), remedy=remedy)
            try:
                documents = DocumentFile(path)
            except RowsError:
                continue  # damaged: what has no document any more is read again
            for number, source in enumerate(documents.sources):
                self._lines[source] = (path, *documents.place(number))

    def _read_journal(self) -> frozenset[str]:
        """Takes over what a run that was cut off had done; returns the sources of that."""
        path, whole, seen = self.folder / JOURNAL, 0, set[str]()
        if not path.exists():
            return frozenset()
        with path.open("rb") as file:
            for line in file:
                try:
                    value = json.loads(line)
                    entry = Entry.from_json(value["entry"])
                except (ValueError, KeyError, TypeError):
                    break  # the last line, cut off as it was written
                self.before[entry.source] = entry
                seen.add(entry.source)
                self._lines.pop(entry.source, None)
                if value["document"] is not None:
                    self._lines[entry.source] = (path, whole, len(line) - 1)
                whole += len(line)
        os.truncate(path, whole)
        return frozenset(seen)


def stamp(path: Path, options: Mapping[str, Any], *, collected_at: float) -> dict[str, Any]:
    """Returns what changes when a file or the options do. `sure` is false where the file is so new that it might be
    written again without a change of its time."""
    status = path.stat()
    made = json.dumps([VERSION, options], sort_keys=True)
    return {
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "sure": collected_at - status.st_mtime > 2.0,
        "options": hashlib.sha256(made.encode()).hexdigest()[:16],
    }


def is_unchanged(entry: Entry, path: Path, now: Mapping[str, Any]) -> bool:
    """Returns whether a file and the options are what they were when `entry` was made; where the time of the file does
    not tell, its bytes do."""
    then = entry.stamp
    if entry.again or then.get("options") != now["options"] or then.get("size") != now["size"]:
        return False
    if then.get("mtime_ns") == now["mtime_ns"] and then.get("sure"):
        return True
    with path.open("rb") as file:
        return bool(then.get("file_digest") == hashlib.file_digest(file, "sha256").hexdigest())


def _write_whole(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
