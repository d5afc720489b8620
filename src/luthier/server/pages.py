"""The page that says what this server offers: models, what they cost and how fast they are, and how to reach them."""

from __future__ import annotations

import time

from luthier.access.usage import month_of
from luthier.report import Table
from luthier.reports.page import Page, Prose, Raw, render
from luthier.server.catalogue import Entry
from luthier.server.places import Places
from luthier.server.state import Server
from luthier.server.usage import usage_table
from luthier.store.resources import Resource

MOST = 1000
CONNECT = """export OPENAI_BASE_URL={url}
export OPENAI_API_KEY=...

from openai import OpenAI
client = OpenAI()
client.chat.completions.create(model="{model}", messages=[{{"role": "user", "content": "Hello"}}])"""


def info_page(server: Server, project: str, url: str) -> str:
    """Returns the page as HTML; `url` is how the reader reaches the API."""
    tuned = server.store.resources.list("model", project, limit=MOST, descending=True)
    default = server.catalogue.default
    sections: list[Table | Prose | Raw] = [
        Table(
            "Models",
            ("model", "other names", "does", "where", "context", "price in", "price out", "tokens/s", "what for"),
            tuple(_row(entry) for entry in server.catalogue.entries),
            note="Prices are for a million tokens, in the catalogue's currency.",
        )
    ]
    shared = Places(server.store, server.catalogue, project).shared()
    if tuned.items or shared:
        sections.append(_tuned((*tuned.items, *shared), has_more=tuned.has_more))
    since = month_of(time.time())
    used = server.gate.usage.summed(("kind", "model"), since=since, project=project)
    if used:
        sections.append(usage_table("Used this month", ("kind", "model"), used))
    sections.append(Prose("How to reach them", "Code that was written for the OpenAI API changes two variables."))
    sections.append(Raw("Commands", CONNECT.format(url=url, model=default.id if default else "MODEL")))
    facts = [
        ("address", url),
        ("models", str(len(server.catalogue.entries))),
        ("project", project),
        ("tuned here", f"{len(tuned.items)}{' or more' if tuned.has_more else ''}"),
    ]
    return render(Page("Luthier", facts=facts, sections=sections, subtitle="The OpenAI API on your own machine."))


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.id,
        ", ".join(entry.aliases),
        entry.kind,
        "another server" if entry.url else "this machine",
        "" if entry.context is None else f"{entry.context:,}",
        f"{entry.input_price:g}",
        f"{entry.output_price:g}",
        "" if entry.tokens_per_second is None else f"{entry.tokens_per_second:g}",
        entry.quality,
    )


def _tuned(rows: tuple[Resource, ...], *, has_more: bool) -> Table:
    said = tuple((row.id, row.body["base"], row.body.get("note", "")) for row in rows)
    note = f"The newest {MOST:,}." if has_more else ""
    return Table("Tuned here", ("model", "from", "which"), said, note=note)
