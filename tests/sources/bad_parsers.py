"""Parsers of somebody else's that misbehave, named by entry points in a folder that a test makes."""

from __future__ import annotations

import os
from pathlib import Path

from luthier.records.documents import Document
from luthier.sources.raw import Raw

ENTRY_POINTS = """[luthier.sources]
.hang = sources.bad_parsers:hang
.eat = sources.bad_parsers:eat
.crash = sources.bad_parsers:crash
.wrong = sources.bad_parsers:wrong
"""


def install(folder: Path) -> None:
    """Writes a distribution with these parsers into a folder of `sys.path`."""
    info = folder / "bad_parsers-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-parsers\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)


def hang(raw: Raw) -> Document:
    while True:
        pass


def eat(raw: Raw) -> Document:
    return Document(raw.source, str([bytes(20 * 2**20) for _ in range(10**6)]))


def crash(raw: Raw) -> Document:
    os.abort()


def wrong(raw: Raw) -> Document:
    raise ZeroDivisionError("never mind")
