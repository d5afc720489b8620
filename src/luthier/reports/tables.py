"""Tables on a page: numbers aligned, wide ones scroll inside their own frame."""

from __future__ import annotations

from luthier.report import Table
from luthier.reports.markup import NOTHING, Markup, join, tag, text

NARROW = 2
"""Tables of so few columns are as wide as their words."""


def draw_table(table: Table) -> Markup:
    """Returns the table in a frame that scrolls sideways and can be reached with the keyboard."""
    kinds = [{"class": "number" if numeric else None} for numeric in table.numeric()]
    head = tag(
        "tr", {}, *(tag("th", {"scope": "col", **k}, text(c)) for k, c in zip(kinds, table.columns, strict=True))
    )
    rows = [
        tag("tr", {}, *(tag("td", {"dir": "auto", **k}, text(c)) for k, c in zip(kinds, row, strict=True)))
        for row in table.rows
    ]
    whole = tag("table", {}, tag("thead", {}, head) if any(table.columns) else NOTHING, tag("tbody", {}, join(rows)))
    frame = tag(
        "div", {"class": "scroll", "tabindex": 0, "role": "region", "aria-label": table.title or "table"}, whole
    )
    return join([frame, tag("p", {"class": "note"}, text(table.note)) if table.note else NOTHING])
