"""Writes the generated parts of docs/options.md: `make docs`. tests/test_docs.py fails when they are out of date."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from luthier.config import Field, fields
from luthier.workflows import verb, verbs

PAGE = Path(__file__).parents[1] / "docs" / "options.md"

BLOCK = re.compile(r"<!-- options:(\w+) -->\n.*?<!-- /options -->", re.DOTALL)


def option_tables(name: str) -> str:
    """Returns the options of verb `name` in Markdown: a table for each room they belong to."""
    groups: dict[str, list[Field]] = {}
    for field in sorted(fields(verb(name).Spec), key=lambda field: not field.positional):
        groups.setdefault(field.group or "Other", []).append(field)
    return "\n\n".join(f"**{group}**\n\n{_table(members)}" for group, members in groups.items())


def renewed(page: str) -> str:
    """Returns `page` with every table made anew, tables of verbs that are gone removed, and missing ones at the end."""
    present = set(BLOCK.findall(page))
    page = BLOCK.sub(lambda match: _block(match[1]) if match[1] in verbs() else "", page)
    return page + "".join(
        f"\n## luthier {name}\n\n{_summary(name)}\n\n{_block(name)}\n" for name in verbs() if name not in present
    )


def _block(name: str) -> str:
    return f"<!-- options:{name} -->\n{option_tables(name)}\n<!-- /options -->"


def _summary(name: str) -> str:
    return (verb(name).__doc__ or "").strip().partition("\n")[0]


def _table(members: Iterable[Field]) -> str:
    rows = ["| option | default | what it does |", "|---|---|---|"]
    rows += [f"| {_name(field)} | {_default(field)} | {_cell(field.description)} |" for field in members]
    return "\n".join(rows)


def _name(field: Field) -> str:
    shown = field.name.upper() if field.positional else field.name
    return f"`{shown}` {_cell(field.kind)}"


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default is None or field.default == ():
        return ""
    value = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Writes the page when it is out of date; returns the exit code."""
    old = PAGE.read_text(encoding="utf-8")
    new = renewed(old)
    if new != old:
        PAGE.write_text(new, encoding="utf-8")
    print(f"{PAGE.name}: {'written' if new != old else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
