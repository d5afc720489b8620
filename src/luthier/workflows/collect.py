"""Turn files, folders and web pages into documents that keep their pages, headings and offsets.

The output folder holds documents.jsonl and, for each source, what came from it. The same command again reads only what
has changed, and goes on where it was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import LocalPath, Positional
from luthier.report import Report, Table
from luthier.sources.options import PrepareOptions, ReadOptions, WebOptions

if TYPE_CHECKING:
    from luthier.sources.collection import Entry

SHOWN = 40


class Spec(WebOptions, PrepareOptions, ReadOptions):
    """What to collect, and how."""

    title = "Collecting"
    sources: Annotated[tuple[LocalPath, ...], Positional()] = Field(
        min_length=1, description="files, folders, patterns and URLs"
    )
    output: LocalPath = Field("collected", description="folder for the documents")


@dataclass(frozen=True)
class Result:
    """What came from each source, and the folder with the documents. `gone` are sources of the last run that are no
    more; `fresh` those that were read this time."""

    folder: Path
    entries: tuple[Entry, ...]
    fresh: frozenset[str]
    gone: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Returns how many sources came to what."""
        states = [entry.status for entry in self.entries]
        counts = {name: states.count(name) for name in ("read", "duplicate", "failed", "skipped")}
        kept = [entry for entry in self.entries if entry.source not in self.fresh and entry.status != "skipped"]
        return counts | {"unchanged": len(kept), "gone": len(self.gone)}

    def to_json(self) -> dict[str, Any]:
        problems = [{"source": e.source, "status": e.status, "reason": e.reason} for e in self._problems()]
        totals = {name: sum(getattr(e, name) for e in self._read()) for name in ("characters", "pages")}
        found = {"languages": self._languages(), "personal": self._personal()}
        return {"folder": str(self.folder), **self.counts(), **totals, **found, "problems": problems}

    def tables(self) -> Sequence[Table]:
        shown = sorted(self.entries, key=lambda entry: entry.status not in ("failed", "skipped"))
        shown = [entry for entry in shown if entry.status != "container" or entry.reason]
        rows = tuple(_row(entry, entry.source in self.fresh) for entry in shown[:SHOWN])
        more = f"and {len(shown) - SHOWN:,} more, in {self.folder / 'collect.json'}" if len(shown) > SHOWN else ""
        columns = ("source", "what", "pages", "characters", "language", "notes")
        return [Table("What came from each source", columns, rows, more), self._summary()]

    def next_commands(self) -> Sequence[str]:
        return [f"luthier index {self.folder} --name {self.folder.name}"] if self._read() else []

    def _summary(self) -> Table:
        read, counts = self._read(), self.counts()
        pages, characters = sum(e.pages for e in read), sum(e.characters for e in read)
        rows = [
            ("documents", f"{len(read):,}: {characters:,} characters" + (f", {pages:,} pages" if pages else "")),
            ("this time", f"{len(self.fresh):,} read, {counts['unchanged']:,} unchanged, {len(self.gone):,} gone"),
            ("not read", f"{counts['failed']:,} failed, {counts['skipped']:,} left out"),
            (
                "repeats",
                f"{counts['duplicate']:,} left out; {sum('repeats' in e.notes for e in read):,} more are alike",
            ),
            ("languages", _listed(self._languages()) or "none told"),
            ("personal data", _listed(self._personal()) or "none found"),
            ("folder", str(self.folder)),
        ]
        return Table("Collected", ("what", "value"), tuple(rows))

    def _read(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.status == "read"]

    def _problems(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.status in ("failed", "skipped", "duplicate")]

    def _languages(self) -> dict[str, int]:
        names = [entry.language for entry in self._read() if entry.language]
        return {name: names.count(name) for name in sorted(set(names), key=lambda one: (-names.count(one), one))}

    def _personal(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for entry in self._read():
            for kind, count in entry.personal.items():
                counts[kind] = counts.get(kind, 0) + count
        return counts


def run(spec: Spec, report: Report) -> Result:
    """Returns what came from `spec.sources`; the documents are in the output folder. What was read before a stop is
    kept."""
    from luthier.sources.collection import Collection
    from luthier.sources.finding import find_sources
    from luthier.sources.ocr import check_ocr
    from luthier.sources.site import forget
    from luthier.sources.work import Work

    found = find_sources(spec.sources, output=Path(spec.output), pictures=bool(spec.ocr))
    if spec.ocr:
        check_ocr(spec.ocr)
    with Collection(Path(spec.output)) as collection:
        if collection.resumed:
            report.event("info", f"going on: {len(collection.resumed):,} sources of the run before are done")
        work = Work(spec, spec, spec, report, collection)
        pages = work.fetch(found.urls)
        work.read([*found.files, *(place for place in pages.values() if place is not None)])
        for source, why in found.skipped:
            work.skip(source, why)
        tops = [*(place.source for place in found.files), *pages, *(source for source, _ in found.skipped)]
        order = list(dict.fromkeys(collection.order(tops)))
        repeats = work.repeats(order)
        remaining = set(order)
        gone = tuple(source for source in collection.before if source not in remaining)
        facts = {"spec": json.loads(spec.model_dump_json(exclude={"password"})), "finished_at": work.now}
        collection.finish(order, repeats, facts)
        forget(collection.folder)
        return Result(collection.folder, tuple(collection.entries.values()), frozenset(work.fresh & remaining), gone)


def _row(entry: Entry, fresh: bool) -> tuple[str, ...]:
    what = entry.status if fresh or entry.status != "read" else "unchanged"
    notes = "; ".join(filter(None, [entry.reason, entry.notes, _listed(entry.personal)]))
    pages = f"{entry.pages:,}" if entry.pages else ""
    characters = f"{entry.characters:,}" if entry.characters else ""
    return (entry.source, what, pages, characters, entry.language, notes)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
