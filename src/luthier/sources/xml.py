"""XML of strangers: no entities of their own, no network, no endless trees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from luthier.sources.raw import UnreadableError

_MOST_BYTES = 256 * 2**20


def parse_xml(data: bytes, where: str) -> Any:
    """Returns the root of an XML document as an lxml element. `UnreadableError` where it is not XML."""
    from lxml import etree

    if len(data) > _MOST_BYTES:
        raise UnreadableError(f"has more than {_MOST_BYTES:,} bytes of XML", where=where)
    if b"<!ENTITY" in data or "<!ENTITY".encode("utf-16-le") in data or "<!ENTITY".encode("utf-16-be") in data:
        raise UnreadableError("defines XML entities", where=where, remedy="write them out: entities are not expanded")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"is not XML: {error}", where=where) from None


def local(element: Any) -> str:
    """Returns an element's name without its namespace; "" for comments and the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Any, name: str) -> str:
    """Returns the attribute called `name` in whatever namespace, "" where there is none."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def children(element: Any, *names: str) -> Iterable[Any]:
    """Yields the children with one of these names."""
    return (child for child in element if local(child) in names)
