"""Checks the licence of every part installed beside this Python: `python scripts/licences.py`, part of `make check`.

A part passes when every licence it is under together is permissive, or one of those it offers as alternatives is.
GPL, AGPL and anything unknown fail; LGPL passes only for a part that docs/decisions.md names on a line about the LGPL.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

DECISIONS = Path(__file__).parents[1] / "docs" / "decisions.md"

PERMISSIVE = frozenset(
    {"0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC"}
    | {"MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"}
)

REVIEWED: Mapping[str, str] = {
    "scipy": "BSD; its wheel carries GCC's libgfortran (GPL with the runtime exception) and libquadmath (LGPL)",
    "matplotlib": "PSF; the FreeType in its wheel may be had under the FTL or the GPL, and is had under the FTL",
    "pypdfium2": "BSD and Apache-2.0; PDFium and what is in it are BSD, MIT, Apache, FTL and the like",
    "tld": "MPL-1.1, GPL or LGPL, and is had under the MPL; comes with trafilatura (courlan), files unchanged",
    "zope-interface": "ZPL-2.1, a BSD-like licence that OSI and FSF approve; comes with Twisted, for scrapy",
    "cuda-bindings": "NVIDIA's licence; comes only with a CUDA build of torch, and is not passed on by us",
    "cuda-toolkit": "NVIDIA's licence; comes only with a CUDA build of torch, and is not passed on by us",
    "nvidia-*": "NVIDIA's licence; comes only with a CUDA build of torch, and is not passed on by us",
}
"""Parts whose metadata does not pass and that a person has looked at. A name may end in `*`."""

KNOWN_NAMES: Mapping[str, str] = {
    "0bsd": "0BSD",
    "3-clause bsd": "BSD-3-Clause",
    "2-clause bsd": "BSD-2-Clause",
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache software": "Apache-2.0",
    "apache software 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "expat": "MIT",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "isc (iscl)": "ISC",
    "modified bsd": "BSD-3-Clause",
    "mozilla public 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "psf": "PSF-2.0",
    "psfl": "PSF-2.0",
    "python software foundation": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}

COPYLEFT_TEXTS = {
    "AFFERO GENERAL PUBLIC": "AGPL",
    "LESSER GENERAL PUBLIC": "LGPL",
    "LIBRARY GENERAL PUBLIC": "LGPL",
    "GNU GENERAL PUBLIC": "GPL",
}
PERMISSIVE_TEXTS = {
    "MOZILLA PUBLIC LICENSE": "MPL-2.0",
    "APACHE LICENSE": "Apache-2.0",
    "REDISTRIBUTION AND USE IN SOURCE AND BINARY FORMS": "BSD",
    "PERMISSION IS HEREBY GRANTED, FREE OF CHARGE": "MIT",
    "PERMISSION TO USE, COPY, MODIFY, AND/OR DISTRIBUTE": "ISC",
}
"""Words that tell a whole licence text. One copyleft among them decides, whatever else the text holds."""

COPYLEFT = re.compile(r"\b(A|L)?GPL|GENERAL PUBLIC LICEN[SC]E", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One part, the licence read from its metadata, and why it may not stay ("" when it may)."""

    name: str
    version: str
    licence: str
    problem: str = ""


def check(parts: Iterable[Distribution], decisions: str = "") -> list[Verdict]:
    """Returns a verdict for each of `parts`, by name; `decisions` is the text that may name LGPL parts."""
    lgpl = {name for line in decisions.splitlines() if "LGPL" in line for name in re.findall(r"`([\w.-]+)`", line)}
    verdicts = {_normal(part.name): _judge(part, lgpl) for part in parts if part.name != "luthier"}
    return [verdicts[name] for name in sorted(verdicts)]


def _judge(part: Distribution, lgpl: set[str]) -> Verdict:
    licence = stated_licence(part)
    problem = "" if reviewed(part.name) else why_not(licence)
    if problem and _normal(part.name) in {_normal(name) for name in lgpl}:
        problem = why_not(re.sub(r"LGPL[\w.+-]*", "MIT", licence))
    return Verdict(part.name, part.version, licence, problem)


def stated_licence(part: Distribution) -> str:
    """Returns the SPDX expression that the metadata of `part` amounts to, or its own words where there is none."""
    meta = part.metadata
    if expression := _field(meta, "License-Expression"):
        return expression
    words = _field(meta, "License")
    shown = [value.split("::")[-1].strip() for value in meta.get_all("Classifier") or [] if "License ::" in value]
    shown = [value for value in shown if value != "OSI Approved"]
    named = _from_words(words)
    if COPYLEFT.search(named) or (not why_not(named) and not any(COPYLEFT.search(value) for value in shown)):
        return named
    return " AND ".join(_from_words(value) for value in shown) or named


def why_not(expression: str) -> str:
    """Returns why a part under `expression` may not be used, or "" when it may."""
    if not expression:
        return "no licence is stated"
    tokens = re.findall(r"\(|\)|[^\s()]+", expression)
    try:
        accepted, rest = _alternatives(tokens)
    except IndexError:
        accepted, rest = False, []
    if accepted and not rest:
        return ""
    return "copyleft" if COPYLEFT.search(expression) else "not known to be permissive"


def reviewed(name: str) -> str:
    """Returns why the part called `name` is accepted whatever its metadata says, or ""."""
    for known, reason in REVIEWED.items():
        if _normal(name) == known or (known.endswith("*") and _normal(name).startswith(known[:-1])):
            return reason
    return ""


def _alternatives(tokens: list[str]) -> tuple[bool, list[str]]:
    accepted, tokens = _together(tokens)
    while tokens and tokens[0].upper() == "OR":
        other, tokens = _together(tokens[1:])
        accepted = accepted or other
    return accepted, tokens


def _together(tokens: list[str]) -> tuple[bool, list[str]]:
    accepted, tokens = _single(tokens)
    while tokens and tokens[0].upper() == "AND":
        other, tokens = _single(tokens[1:])
        accepted = accepted and other
    return accepted, tokens


def _single(tokens: list[str]) -> tuple[bool, list[str]]:
    if tokens[0] == "(":
        accepted, tokens = _alternatives(tokens[1:])
        return accepted and tokens[0] == ")", tokens[1:]
    name, tokens = tokens[0], tokens[1:]
    if tokens and tokens[0].upper() == "WITH":
        tokens = tokens[2:]  # an exception only ever grants more
    return name.lower() in {known.lower() for known in PERMISSIVE}, tokens


def _from_words(words: str) -> str:
    """Returns the SPDX name or expression for free words or a whole licence text; the words themselves if unknown."""
    if len(words) > 200 or "\n" in words:
        return _from_text(" ".join(words.upper().split())) or words[:60]
    short = re.sub(r"\b(the|licen[sc]e|version|v(?=[\d.]))\b|,", " ", words.lower())
    short = " ".join(short.split())
    return KNOWN_NAMES.get(short) or (short.upper() if short in {"mit", "bsd", "isc", "hpnd"} else words)


def _from_text(text: str) -> str:
    for marks in (COPYLEFT_TEXTS, PERMISSIVE_TEXTS):
        found = {text.index(mark): name for mark, name in marks.items() if mark in text}
        if found:
            return found[min(found)]
    return ""


def _field(meta: object, name: str) -> str:
    value = str(meta.get(name) or "").strip()  # type: ignore[attr-defined]
    return "" if value.upper() == "UNKNOWN" else value


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Prints every part that fails and a count of the rest; returns the exit code."""
    verdicts = check(distributions(), DECISIONS.read_text(encoding="utf-8") if DECISIONS.exists() else "")
    failed = [verdict for verdict in verdicts if verdict.problem]
    for verdict in failed:
        print(f"{verdict.name} {verdict.version}: {verdict.problem}: {verdict.licence or '(nothing)'}")
    if failed:
        print("Replace the part, or look at it and say why it may stay in REVIEWED (scripts/licences.py).")
    by_hand = [verdict.name for verdict in verdicts if reviewed(verdict.name)]
    print(f"licences: {len(verdicts) - len(failed)} parts pass, {len(failed)} fail; reviewed by hand: {by_hand}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
