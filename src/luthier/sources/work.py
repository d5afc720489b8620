"""One run of collecting: what is to be read, what is kept as it was, what is said of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from luthier.report import Report
from luthier.sources.collection import Collection, Entry, is_unchanged, stamp
from luthier.sources.finding import plain_url
from luthier.sources.options import PrepareOptions, ReadOptions, WebOptions
from luthier.sources.pool import Outcome, Pool
from luthier.sources.reading import Place
from luthier.sources.repeats import Texts, find_repeats
from luthier.sources.site import Page, fetch

TOLD = 20
"""Sources that cannot be read, of which each is told as it is met."""
_LIMITS = ("timeout_s", "memory_mb", "max_file_mb")
_READING = ("ocr", "main_text", "max_pages")
_PREPARING = ("running_lines", "redact", "licence")


class Work:
    """Reads into a collection. `fresh` are the sources that were read this time, `now` is when it began."""

    def __init__(
        self, reading: ReadOptions, preparing: PrepareOptions, web: WebOptions, report: Report, collection: Collection
    ) -> None:
        self.reading, self.preparing, self.web = reading, preparing, web
        self.report, self.collection = report, collection
        self.fresh: set[str] = set()
        self.now = time.time()
        self._told = 0
        self._tops: dict[str, str] = {}
        self._webs: dict[str, Mapping[str, Any]] = {}
        self._options = json.loads(reading.model_dump_json(include=set(_READING)))
        self._options |= json.loads(preparing.model_dump_json(include=set(_PREPARING)))
        self._limits = json.loads(reading.model_dump_json(include=set(_LIMITS)))

    def skip(self, source: str, why: str) -> None:
        """Notes a source that is left out."""
        self.collection.keep(Entry(source, "skipped", why))

    # ------------------------------------------------------------------ files

    def read(self, places: Sequence[Place]) -> None:
        """Reads what is new or has changed. `Interrupted` when asked to stop; what was read is kept."""
        waiting = [place for top in places for place in self._changed(top)]
        secret = self.collection.secret().hex() if self.preparing.redact else ""
        pool = Pool(
            self._options | {"password": self.reading.password, "secret": secret},
            processes=self.reading.processes,
            timeout_s=self.reading.timeout_s,
            memory_bytes=self.reading.memory_mb * 2**20,
            max_file_bytes=self.reading.max_file_mb * 2**20,
            stop=self.report.cancelled,
        )
        self.report.event("plan", f"{len(places):,} files and pages, of which {len(waiting):,} are to be read")
        done, asked = 0, {place.source for place in waiting}
        for outcome in pool.read(waiting):
            self._keep(outcome)
            done += outcome.place.source in asked
            self.report.progress("read", done, len(waiting))

    def _changed(self, place: Place) -> Iterator[Place]:
        """Yields the places of a file that are to be read: itself, or those members that a killed run left over."""
        entry, path = self.collection.known(place.source), Path(place.path)
        if entry is None or not path.exists() or not is_unchanged(entry, path, self._stamp(entry.status, path)):
            yield place
            return
        self.collection.keep(replace(entry, web=self._webs.get(place.source, entry.web)))
        if not place.members:
            self._tops[place.path] = str(entry.stamp.get("file_digest", ""))
        for name in entry.members:
            yield from self._changed(place.member(name))

    def _stamp(self, status: str, path: Path) -> dict[str, Any]:
        """Returns the stamp of now: of what failed, with the limits, as higher ones may help."""
        options = self._options | (self._limits if status == "failed" else {})
        return stamp(path, options, collected_at=self.now)

    def _keep(self, outcome: Outcome) -> None:
        """Writes down what came of one place."""
        place, answer = outcome.place, outcome.answer
        if answer is not None and not place.members:
            self._tops[place.path] = answer["digest"]
        if answer is None:
            self._fail(place.source, outcome.problem, place, again=outcome.again)
            return
        for name, why in answer["members"]:
            if why:
                self._fail(place.member(name).source, why, place)
        entry = Entry(
            place.source,
            "container" if answer["document"] is None else "read",
            reason="" if answer["document"] or answer["members"] else "holds no files",
            stamp=self._made("read", place),
            digest=answer["digest"],
            members=tuple(name for name, _ in answer["members"]),
            web=self._webs.get(place.source, {}),
            cpu_s=answer["cpu_s"],
        )
        self.fresh.add(place.source)
        document = answer["document"] and self._dated(place, answer["document"])
        self.collection.add(_described(entry, document, answer["personal"]) if document else entry, document)

    def _fail(self, source: str, why: str, place: Place, *, again: bool = False) -> None:
        web = self._webs.get(source, {})
        self.collection.add(Entry(source, "failed", why, self._made("failed", place), web=web, again=again))
        self.fresh.add(source)
        self._warn(f"{source}: {why}")

    def _made(self, status: str, place: Place) -> dict[str, Any]:
        """Returns the stamp of an entry: that of its file, with the digest of that."""
        path = Path(place.path)
        made = self._stamp(status, path) if path.exists() else {}
        return made | {"file_digest": self._tops.get(place.path, "")}

    def _dated(self, place: Place, document: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a document's JSON with the times that are known of it."""
        changed: float | None = None
        if place.source in self._webs:
            changed = _http_time(str(self._webs[place.source].get("last_modified", "")))
        elif not place.members and place.source not in self._webs:
            changed = Path(place.path).stat().st_mtime
        dated = {"modified_at": changed} if changed is not None and "modified_at" not in document else {}
        text = document["text"]
        return {**{name: value for name, value in document.items() if name != "text"}, **dated} | {
            "collected_at": self.now,
            "text": text,
        }

    def _warn(self, message: str) -> None:
        self._told += 1
        if self._told <= TOLD:
            self.report.event("warning", message)
        elif self._told == TOLD + 1:
            self.report.event("warning", "more sources cannot be read; collect.json names them all")

    # ------------------------------------------------------------------ the web

    def fetch(self, urls: Sequence[str]) -> dict[str, Place | None]:
        """Returns the pages of the web that stay, in order, with where their bodies lie where there are new ones."""
        if not urls:
            return {}
        starts = {plain_url(url) for url in urls}
        pages: dict[str, Place | None] = {}
        found = fetch(
            urls,
            self.web,
            self.collection.folder,
            self._validators(),
            max_file_bytes=self.reading.max_file_mb * 2**20,
            stop=self.report.cancelled,
        )
        for page in found:
            pages |= self._page(page, asked=page.asked in starts)
            self.report.progress("fetch", len(pages), None)
        self.report.progress("fetch", len(pages), len(pages))
        return pages

    def _validators(self) -> dict[str, Mapping[str, Any]]:
        """Returns what servers need to say that a page has not changed, for pages that were read with these options."""
        known: dict[str, Mapping[str, Any]] = {}
        for source, entry in self.collection.before.items():
            if not entry.web:
                continue
            options = stamp(self.collection.folder, self._options, collected_at=self.now)["options"]
            same = entry.stamp.get("options") == options and self.collection.known(source) is not None
            usable = same and entry.status in ("read", "duplicate", "container") and not entry.again
            web = entry.web if usable else {"links": entry.web.get("links", ())}
            known |= {source: web, str(entry.web.get("asked", source)): web}
        return known

    def _page(self, page: Page, *, asked: bool) -> dict[str, Place | None]:
        """Takes in one page: keeps what was there, notes what went wrong, or returns where to read it."""
        before = self.collection.known(page.url)
        if page.unchanged:
            if before is not None:
                self._keep_all(before)
            return {page.url: None}
        if page.body is not None:
            web = {"asked": page.asked, "etag": page.etag, "last_modified": page.last_modified}
            self._webs[page.url] = web | {"links": list(page.links)}
            return {page.url: Place(str(page.body), page.url, page.media_type.split(";")[0].strip().lower())}
        if page.gone and before is not None and before.document:
            return {}
        if before is not None and before.status != "failed" and not page.skipped:
            self._keep_all(replace(before, notes=f"as it was before: {page.problem}"))
            self._warn(f"{page.url}: {page.problem}; kept as it was")
            return {page.url: None}
        status = asked and not page.skipped
        known = {"asked": page.asked, "links": list(page.links)}
        self.collection.keep(Entry(page.url, "failed" if status else "skipped", page.problem, web=known))
        if before is None or before.reason != page.problem:
            self.fresh.add(page.url)
        if status:
            self._warn(f"{page.url}: {page.problem}")
        return {page.url: None}

    def _keep_all(self, entry: Entry) -> None:
        """Keeps an entry with those of its members."""
        self.collection.keep(entry)
        for name in entry.members:
            member = self.collection.known(Place("", entry.source).member(name).source)
            if member is not None:
                self._keep_all(member)

    # ------------------------------------------------------------------ repeats

    def repeats(self, order: Sequence[str]) -> dict[str, str]:
        """Returns why documents are left out that repeat one before them; notes those that are only told."""
        sources = [source for source in order if self.collection.entries[source].document]
        texts = Texts(len(sources), lambda row: str(self.collection.document(sources[row])["text"]))
        out: dict[str, str] = {}
        for repeat in find_repeats(texts):
            source, twin = sources[repeat.row], sources[repeat.twin]
            how = "repeats" if repeat.similarity == 1 else f"nearly repeats ({repeat.similarity:.2f})"
            dropped = {"keep": 2.0, "drop-exact": 1.0, "drop-near": 0.0}[self.preparing.duplicates]
            if repeat.similarity >= dropped and (twin not in out or repeat.similarity == 1):
                out[source] = f"{how} {twin}"
            else:
                entry = self.collection.entries[source]
                self.collection.keep(replace(entry, notes="; ".join(filter(None, [_notes(entry), f"{how} {twin}"]))))
        return out


def _described(entry: Entry, document: Mapping[str, Any], personal: Mapping[str, int]) -> Entry:
    attributes = document.get("attributes", {})
    empty = attributes.get("pages_without_text", "")
    return replace(
        entry,
        document=document["id"],
        media_type=document["media_type"],
        title=document["title"],
        language=document.get("language", ""),
        characters=len(document["text"]),
        pages=len(document.get("page_starts", ())),
        personal=personal,
        notes=f"pages without text: {empty}" if empty else "",
    )


def _notes(entry: Entry) -> str:
    """Returns the notes of an entry without those about repeats, which are made anew."""
    return "; ".join(note for note in entry.notes.split("; ") if "repeats" not in note)


def _http_time(said: str) -> float | None:
    try:
        return parsedate_to_datetime(said).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
