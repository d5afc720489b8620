"""The held-out sets of the embedded model: `python -m recipes.fiddle.heldout` writes them, `--check` compares.

They were written before training and stay as they are: `heldout/SKILL.jsonl`, and `heldout/sums.json` with the SHA-256
of each, which a test compares. Names and facts are of the part that training never sees, and so are about half of the
phrasings (`draw.part`, `Draw.phrase`); all of them in skills whose rows may hold no name. Every last reply is scored by
exact match; JSON and tool calls by their values.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from recipes.fiddle import generate
from recipes.fiddle.rows import Row

FOLDER = Path(__file__).parent / "heldout"
SUMS = FOLDER / "sums.json"
SEED = 20261121
LEVELS = (1, 2)
SETS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "passage": (("passage",), 200),
    "cited": (("cited",), 100),
    "extraction": (("fields", "schema"), 200),
    "classification": (("classify",), 200),
    "rewriting": (("rewrite",), 100),
    "listing": (("listing",), 100),
    "arithmetic": (("arithmetic",), 100),
    "dialogue": (("dialogue",), 100),
    "tool_call": (("tool_call",), 100),
    "score": (("review", "coverage"), 100),
}
"""Each set's skills, which take turns, and its number of rows. Levels take turns too."""
BOUNDS = {"passage": 0.8, "extraction": 0.8, "classification": 0.8}
"""The least exact match that is aimed for; the other sets are reported."""


def rows(name: str) -> list[Row]:
    """Returns the rows of one set, none twice."""
    skills, count = SETS[name]
    random, found = Random(f"{name}:{SEED}"), {}
    while len(found) < count:
        turn = len(found)
        skill, level = skills[turn % len(skills)], LEVELS[turn // len(skills) % len(LEVELS)]
        row = generate.SKILLS[skill](generate.draw_for(skill, random, level, held_out=True))
        found.setdefault(json.dumps(row, ensure_ascii=False), row)
    return list(found.values())


def text(name: str) -> str:
    """Returns one set as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(name))


def sums() -> dict[str, str]:
    """Returns the SHA-256 of each set as it lies in the folder."""
    return {name: hashlib.sha256((FOLDER / f"{name}.jsonl").read_bytes()).hexdigest() for name in SETS}


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the sets, or with --check says which differ from their sums."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.heldout")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a set is not as it was fixed")
    if not parser.parse_args(arguments).check:
        FOLDER.mkdir(exist_ok=True)
        for name in SETS:
            (FOLDER / f"{name}.jsonl").write_text(text(name), encoding="utf-8")
        SUMS.write_text(json.dumps(sums(), indent=2) + "\n", encoding="utf-8")
    changed = [name for name, value in json.loads(SUMS.read_text(encoding="utf-8")).items() if sums()[name] != value]
    if changed:
        raise SystemExit(f"not as they were fixed: {', '.join(changed)}")
    print(f"{sum(count for _, count in SETS.values())} rows in {len(SETS)} sets, as fixed")


if __name__ == "__main__":
    main()
