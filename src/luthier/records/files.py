"""Files out of what people name: a file, a folder, a pattern, a hub data set."""

from __future__ import annotations

import difflib
import glob
import re
from dataclasses import dataclass
from pathlib import Path

from luthier.errors import RowProblem
from luthier.records.file_types import SUFFIXES, FileType, file_type, type_by_name

HUB_NAME = re.compile(r"(hub:)?(?P<name>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>[\w.-]+))?(/(?P<split>[\w./-]+))?")
_KNOWN = " ".join(SUFFIXES)


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file to read, the name to show for it, and its type."""

    path: Path
    name: str
    type: FileType


@dataclass(frozen=True, slots=True)
class Found:
    """What a source leads to: files to read, files beside them that were left out, problems."""

    files: tuple[DataFile, ...] = ()
    skipped: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()


def find_files(source: str) -> Found:
    """Returns the files of one source: the file itself, those of a folder or pattern, those of a hub data set."""
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, source)
    if path.is_file():
        return _named((path,))
    if any(mark in source for mark in "*?["):
        matches = tuple(Path(name) for name in sorted(glob.glob(str(path), recursive=True)) if Path(name).is_file())
        return _named(matches) if matches else _problem(source, "no file matches this pattern", "check the pattern")
    hub = HUB_NAME.fullmatch(source)
    if hub and (source.startswith("hub:") or type_by_name(path) is None) and not path.parent.is_dir():
        return _hub(source, hub)
    return _problem(source, "no such file or folder", _neighbour(path))


def _named(paths: tuple[Path, ...]) -> Found:
    files, problems = [], []
    for path in paths:
        kind = file_type(path)
        if kind is None:
            problems.append(RowProblem(str(path), 0, "", "its type is not known", f"rows are read from {_KNOWN}"))
        else:
            files.append(DataFile(path, str(path), kind))
    return Found(tuple(files), problems=tuple(problems))


def _folder(folder: Path, source: str) -> Found:
    """Returns a folder's data files; texts count only where there are no tables or JSON files (a README is no row)."""
    inside = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    paths = [path for path in inside if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    data = [path for path in paths if type_by_name(path) not in (None, "text")]
    chosen = data or [path for path in paths if type_by_name(path) == "text"]
    if not chosen:
        return _problem(source, "no data file is in this folder", f"rows are read from {_KNOWN}")
    found = _named(tuple(chosen))
    return Found(found.files, tuple(str(path) for path in paths if path not in set(chosen)), found.problems)


def _hub(source: str, hub: re.Match[str]) -> Found:
    from luthier.records.hub import HubProblem, fetch

    try:
        folder, chosen, skipped = fetch(hub["name"], hub["revision"], hub["split"])
    except HubProblem as error:
        absent = "" if source.startswith("hub:") else "no such file or folder, and "
        return _problem(source, absent + error.problem, error.remedy)
    name = "hub:" + hub["name"] + (f"@{hub['revision']}" if hub["revision"] else "")
    files = _named(tuple(chosen)).files
    return Found(
        tuple(DataFile(file.path, f"{name}/{file.path.relative_to(folder)}", file.type) for file in files),
        tuple(f"{name}/{path.relative_to(folder)}" for path in skipped),
    )


def _neighbour(path: Path) -> str:
    """Returns the remedy for a path that is not there: the nearest name in its folder, or the nearest folder."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"there is no folder {str(path.parent)!r} either"
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path"


def _problem(source: str, problem: str, remedy: str) -> Found:
    return Found(problems=(RowProblem(source, 0, "", problem, remedy),))
