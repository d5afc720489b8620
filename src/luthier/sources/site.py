"""Pages of the web, by the crawler in a process of its own; a crawl that was cut off goes on where it was."""

from __future__ import annotations

import importlib.util
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luthier.errors import Interrupted, SpecError
from luthier.sandbox.child import KEPT
from luthier.sources.options import WebOptions

FOLDER, LOG = ".crawl", "pages.jsonl"
INSTALL = "pip install 'luthier[web]'"
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Page:
    """What came of one URL. `asked` is what was asked for, where a redirect led from there to `url`.

    `body` is the file of what was fetched; None where it is unchanged since last time, or where there is a `problem`:
    then `gone` says that the page is no more, `skipped` that it is not for us.
    """

    url: str
    asked: str
    body: Path | None = None
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""
    links: tuple[str, ...] = ()
    unchanged: bool = False
    problem: str = ""
    gone: bool = False
    skipped: bool = False


def fetch(
    urls: Sequence[str],
    options: WebOptions,
    folder: Path,
    known: Mapping[str, Mapping[str, Any]],
    *,
    max_file_bytes: int,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Page]:
    """Yields what comes of the pages at `urls` and of those they lead to. `known` has the etag, last_modified and links
    of pages that were fetched before. Bodies lie in `folder` until `forget`."""
    if importlib.util.find_spec("scrapy") is None:
        raise SpecError("fetching from the web needs scrapy, which is not installed", remedy=INSTALL)
    spool = folder / FOLDER
    spool.mkdir(parents=True, exist_ok=True)
    plan: dict[str, Any] = {name: getattr(options, name) for name in WebOptions.model_fields}
    plan |= {"urls": list(urls), "folder": str(spool.resolve()), "max_file_bytes": max_file_bytes}
    told, done = _earlier(spool / LOG, plan)
    yield from (_page(value, spool) for value in told)
    if done:
        return
    fresh = {name: {**value, "fresh": True} for value in told for name in (value["url"], value["asked"])}
    plan["known"] = {url: dict(value) for url, value in known.items()} | fresh
    with (spool / LOG).open("a", encoding="utf-8") as log:
        for value in _crawl(plan, stop):
            log.write(json.dumps(value) + "\n")
            log.flush()
            if "url" in value:
                yield _page(value, spool)


def forget(folder: Path) -> None:
    """Removes what a crawl has left in `folder`."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _crawl(plan: Mapping[str, Any], stop: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "luthier.sources.crawl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(plan).encode())
        process.stdin.close()
        done = False
        for line in _lines(process, stop):
            value = json.loads(line)
            done = done or "done" in value
            yield value
        if not done:
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise SpecError(f"the crawler ended early: {said[-1] if said else 'it says nothing'}", where="web")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _lines(process: subprocess.Popen[bytes], stop: Callable[[], bool]) -> Iterator[bytes]:
    """Yields the lines of a process until it ends. `Interrupted` when asked to stop."""
    assert process.stdout is not None
    assert process.stderr is not None
    rest = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while True:
            if stop():
                raise Interrupted("what was fetched so far is kept", remedy="give the same command to go on")
            if not waiting.select(LOOK_S):
                continue
            piece = os.read(process.stdout.fileno(), 1 << 20)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines


def _earlier(log: Path, plan: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """Returns what an unfinished crawl of the same plan has told, and whether it came to its end."""
    if not log.exists():
        log.write_text(json.dumps({"plan": plan}) + "\n", encoding="utf-8")
        return [], False
    told: list[dict[str, Any]] = []
    lines = log.read_text(encoding="utf-8").splitlines()
    try:
        if json.loads(lines[0])["plan"] != json.loads(json.dumps(plan)):
            raise ValueError("another plan")
        told.extend(json.loads(line) for line in lines[1:])
    except (ValueError, IndexError, KeyError, TypeError):
        if not told:
            for file in log.parent.iterdir():
                file.unlink()
            return _earlier(log, plan)
    whole = [json.dumps({"plan": plan}), *map(json.dumps, told)]
    log.write_text("".join(line + "\n" for line in whole), encoding="utf-8")
    settled = [value for value in told if "url" in value and (not value.get("problem") or value.get("skipped"))]
    return settled, any("done" in value for value in told)


def _page(value: Mapping[str, Any], spool: Path) -> Page:
    remedy = f"; {value['remedy']}" if value.get("remedy") else ""
    return Page(
        value["url"],
        value["asked"],
        body=spool / value["body"] if value.get("body") else None,
        media_type=value.get("media_type", ""),
        etag=value.get("etag", ""),
        last_modified=value.get("last_modified", ""),
        links=tuple(value.get("links", ())),
        unchanged=bool(value.get("unchanged")),
        problem=value.get("problem", "") + remedy if value.get("problem") else "",
        gone=bool(value.get("gone")),
        skipped=bool(value.get("skipped")),
    )
