"""Files and addresses out of what people name: files, folders, patterns, URLs."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from luthier.errors import SpecError
from luthier.sources.reading import Place, why_left_out

LEFT_OUT = frozenset(["node_modules", "__pycache__", "__MACOSX"])


@dataclass(frozen=True, slots=True)
class Found:
    """Files to read, addresses to fetch, and (source, why) of what is left out."""

    files: tuple[Place, ...]
    urls: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def find_sources(sources: Sequence[str], *, output: Path | None = None, pictures: bool = False) -> Found:
    """Returns what the sources lead to, each file once; of folders not `output`, and `pictures` only if asked for.

    `SpecError` names every source that leads nowhere.
    """
    files: dict[str, Place] = {}
    urls: list[str] = []
    skipped: list[tuple[str, str]] = []
    wrong: list[str] = []
    for source in sources:
        if is_url(source):
            urls.append(source)
            continue
        path = Path(source).expanduser()
        if path.is_dir():
            inside = list(_folder(path, output, pictures))
            skipped += [(str(file), why) for file, why in inside if why]
            matches = [file for file, why in inside if not why]
        elif path.is_file():
            matches = [path]
        elif any(mark in source for mark in "*?["):
            matches = [Path(name) for name in sorted(glob.glob(str(path), recursive=True)) if Path(name).is_file()]
            if not matches:
                wrong.append(f"{source}: no file matches this pattern")
        else:
            wrong.append(f"{source}: no such file or folder; {_neighbour(path)}")
            continue
        for file in matches:
            files.setdefault(os.path.realpath(file), Place(str(file), str(file)))
    if wrong:
        raise SpecError("\n  ".join(["nothing to collect from:", *wrong]), where="sources", param="sources")
    return Found(tuple(files.values()), tuple(dict.fromkeys(urls)), tuple(skipped))


def is_url(source: str) -> bool:
    """Returns whether a source is an address of the web."""
    return source.lower().startswith(("http://", "https://"))


def plain_url(url: str) -> str:
    """Returns a URL without its fragment, and with a path."""
    url = urldefrag(url.strip()).url
    return url + "/" if not urlsplit(url).path and not urlsplit(url).query else url


def _folder(folder: Path, output: Path | None, pictures: bool) -> Iterator[tuple[Path, str]]:
    """Yields the files of a folder in order, with why one is left out: its links must not lead out of it."""
    root, own = folder.resolve(), output.resolve() if output is not None else None
    for name, folders, names in os.walk(folder):
        here = Path(name)
        if own is not None and here.resolve() == own:
            folders[:] = []
            continue
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in LEFT_OUT)
        for linked in [one for one in folders if (here / one).is_symlink()]:
            yield here / linked, "a link to a folder: give that folder itself"
        for file in (here / one for one in sorted(names) if not one.startswith((".", "~$"))):
            if file.is_symlink() and not file.resolve().is_relative_to(root):
                yield file, "a link that leads out of the folder"
            elif file.is_file():
                yield file, why_left_out(file.name, pictures=pictures)
            else:
                yield file, "a link that leads nowhere" if file.is_symlink() else "not a plain file"


def _neighbour(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"there is no folder {str(path.parent)!r} either"
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path"
