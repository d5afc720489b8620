"""One self-contained HTML page: what a run was, in tables, charts, tokens and answers.

Nothing is fetched and nothing a model wrote can act: the content policy allows this page's own style and script by
their hash and nothing else, and every string goes through `markup.text`. Readable on a phone, in the dark, on paper.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from luthier.report import Table
from luthier.reports.charts import Bars, Histogram, LineChart
from luthier.reports.columns import draw_bars, draw_histogram
from luthier.reports.excerpts import SideBySide, TokenView, draw_answers, draw_tokens
from luthier.reports.lines import draw_lines
from luthier.reports.markup import NOTHING, Markup, join, paragraphs, tag, text
from luthier.reports.tables import draw_table

CONTENTS_FROM = 3


@dataclass(frozen=True, slots=True)
class Prose:
    """Plain text in paragraphs. `kind` "verdict" and "warning" stand out."""

    title: str
    text: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Raw:
    """Text as it is (YAML, JSON, a log), folded away under its title."""

    title: str
    text: str


Section = Table | LineChart | Bars | Histogram | TokenView | SideBySide | Prose | Raw


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report: a title, a line under it, the few facts everyone looks for, and sections in order."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = ()
    subtitle: str = ""


def render(page: Page) -> str:
    """Returns `page` as one HTML document that needs no other file and makes no request."""
    style, script = _asset("theme.css"), _asset("theme.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    head = tag(
        "head",
        {},
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", {"name": "referrer", "content": "no-referrer"}),
        tag("meta", {"name": "color-scheme", "content": "light dark"}),
        tag("title", {}, text(page.title)),
        Markup(f"<style>{style}</style>"),
    )
    body = tag("body", {}, _body(page), Markup(f"<script>{script}</script>"))
    return "<!doctype html>\n" + tag("html", {"lang": "en"}, head, body) + "\n"


def _body(page: Page) -> Markup:
    skip = tag("a", {"class": "skip", "href": "#main"}, text("Skip to the report"))
    facts = [tag("div", {}, tag("dt", {}, text(k)), tag("dd", {"dir": "auto"}, text(v))) for k, v in page.facts]
    header = tag(
        "header",
        {},
        tag("h1", {"dir": "auto"}, text(page.title)),
        tag("p", {"class": "subtitle", "dir": "auto"}, text(page.subtitle)) if page.subtitle else NOTHING,
        tag("dl", {"class": "facts"}, *facts) if facts else NOTHING,
        _contents(page.sections),
    )
    sections = [_section(section, f"s{index}") for index, section in enumerate(page.sections, start=1)]
    return join([skip, header, tag("main", {"id": "main"}, *sections)])


def _contents(sections: Sequence[Section]) -> Markup:
    if len(sections) < CONTENTS_FROM:
        return NOTHING
    links = [tag("li", {}, tag("a", {"href": f"#s{i}"}, text(s.title))) for i, s in enumerate(sections, start=1)]
    return tag("nav", {"aria-label": "Contents"}, tag("ol", {}, *links))


def _section(section: Section, name: str) -> Markup:
    if isinstance(section, Raw):
        inside = tag("pre", {"tabindex": 0, "dir": "auto"}, tag("code", {}, text(section.text)))
        folded = tag("details", {"class": "raw"}, tag("summary", {}, tag("h2", {}, text(section.title))), inside)
        return tag("section", {"id": name}, folded)
    kind = section.kind if isinstance(section, Prose) else None
    heading = tag("h2", {"id": f"{name}-title"}, text(section.title)) if section.title else NOTHING
    labelled = f"{name}-title" if section.title else None
    return tag("section", {"id": name, "class": kind, "aria-labelledby": labelled}, heading, _content(section))


def _content(section: Table | LineChart | Bars | Histogram | TokenView | SideBySide | Prose) -> Markup:
    match section:
        case Table():
            return draw_table(section)
        case LineChart():
            return draw_lines(section)
        case Bars():
            return draw_bars(section)
        case Histogram():
            return draw_histogram(section)
        case TokenView():
            return draw_tokens(section)
        case SideBySide():
            return draw_answers(section)
        case Prose():
            return paragraphs(section.text)


def _asset(name: str) -> str:
    return (files("luthier.reports") / name).read_text(encoding="utf-8")


def _hash(code: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
