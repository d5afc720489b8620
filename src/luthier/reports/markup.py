"""HTML and SVG text that cannot carry a stranger's markup: only `text` turns a plain string into `Markup`.

What a report shows was written by models and by other people, so it is hostile until proven otherwise. `Markup` is a
type of its own: an unescaped string does not pass the type checker.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import NewType

from luthier.report import visible

Markup = NewType("Markup", str)
NOTHING = Markup("")
_VOID = {"meta", "input", "line", "rect", "path", "circle"}


def text(value: object) -> Markup:
    """Returns `value` as text that shows and never acts: escaped, with control and bidi characters written out."""
    return Markup(html.escape(visible(str(value)), quote=True))


def tag(name: str, attributes: Mapping[str, object] | None = None, *children: Markup) -> Markup:
    """Returns one element. An attribute of True stands alone, one of None or False is left out."""
    inside = "".join(_attribute(key, value) for key, value in (attributes or {}).items())
    if name in _VOID:
        return Markup(f"<{name}{inside}>" if name in ("meta", "input") else f"<{name}{inside}/>")
    return Markup(f"<{name}{inside}>{''.join(children)}</{name}>")


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    """Returns `parts` as one, with the plain text `between` escaped in the gaps."""
    return Markup(text(between).join(parts))


def paragraphs(value: str) -> Markup:
    """Returns one paragraph per block of lines; blank lines part the blocks."""
    blocks = [block.strip() for block in value.replace("\r\n", "\n").split("\n\n")]
    return join(tag("p", {"dir": "auto"}, text(block)) for block in blocks if block)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(value)}"'
