"""Show what was used: requests, tokens and money, by day, model, key or project."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from luthier.access.options import NAME
from luthier.report import Report, Table
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.access.usage import Used

DAY_S = 24 * 3600
COLUMNS = ("requests", "tokens in", "of them cached", "tokens out", "cost")


class Spec(StoreOptions):
    """Of when, of whom, and summed up by what."""

    title = "Usage"
    by: tuple[Literal["hour", "day", "month", "model", "kind", "key", "project"], ...] = Field(
        default=("day", "model"), min_length=1, max_length=4, description="what it is summed up by"
    )
    since: str | None = Field(default=None, description="the first day (UTC), as 2026-11-27; by default 30 days ago")
    until: str | None = Field(default=None, description="the day after the last one (UTC)")
    project: str | None = Field(default=None, pattern=NAME, max_length=60, description="of this project only")
    key: str | None = Field(default=None, min_length=1, description="of the key of this id only")


@dataclass(frozen=True)
class Result:
    """What was used, by groups."""

    by: Sequence[str]
    groups: Sequence[tuple[tuple[str, ...], Used]]

    def to_json(self) -> dict[str, Any]:
        return {"usage": [dict(zip(self.by, group, strict=True)) | used.to_json() for group, used in self.groups]}

    def tables(self) -> Sequence[Table | str]:
        return [usage_table("Usage", self.by, self.groups)] if self.groups else ["Nothing was used."]

    def next_commands(self) -> Sequence[str]:
        return []


def usage_table(title: str, by: Sequence[str], groups: Sequence[tuple[tuple[str, ...], Used]]) -> Table:
    """Returns what was used as a table; with more than one group, the last row is their sum."""
    rows = [(*group, *_cells(used)) for group, used in groups]
    if len(groups) > 1:
        whole = groups[0][1]
        for _, used in groups[1:]:
            whole += used
        rows.append(("in all", *[""] * (len(by) - 1), *_cells(whole)))
    return Table(title, (*by, *COLUMNS), tuple(rows))


def run(spec: Spec, report: Report) -> Result:
    """Reads the table of use. `SpecError` for a day that is none."""
    from luthier.access.usage import Usage, day_at
    from luthier.store.opened import Store

    since = days_ago(30) if spec.since is None else day_at(spec.since, where="--since")
    until = None if spec.until is None else day_at(spec.until, where="--until")
    store = Store.open(spec)
    try:
        found = Usage(store.database).summed(spec.by, since=since, until=until, project=spec.project, key=spec.key)
    finally:
        store.close()
    return Result(spec.by, found)


def days_ago(days: int) -> int:
    """Returns the first second (UTC) of the day that many days before today."""
    return int(time.time()) // DAY_S * DAY_S - days * DAY_S


def _cells(used: Used) -> tuple[str, ...]:
    return (
        f"{used.requests:,}",
        f"{used.input_tokens:,}",
        f"{used.cached_tokens:,}",
        f"{used.output_tokens:,}",
        f"{used.cost:.4f}",
    )
