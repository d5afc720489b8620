"""Named members that load on first use, ours and third parties' through the same door (entry points)."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from luthier.errors import SpecError


def nearest(name: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """Returns "did you mean X?" for a misspelt name, or the list of what is known."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"


def load_target(target: str) -> Any:
    """Returns the object that "package.module:name" points at."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


class Registry:
    """Maps a name to "module:object". `group` is the entry-point group third parties add members through."""

    def __init__(self, group: str, members: Mapping[str, str]) -> None:
        self.group = group
        self._members = dict(members)

    def names(self) -> tuple[str, ...]:
        """Returns every known name, ours first."""
        extra = {point.name for point in entry_points(group=self.group)} - set(self._members)
        return (*self._members, *sorted(extra))

    def load(self, name: str) -> Any:
        """Returns the member called `name`; `SpecError` names the nearest one when there is none."""
        if name in self._members:
            return load_target(self._members[name])
        for point in entry_points(group=self.group):
            if point.name == name:
                return point.load()
        kind = self.group.removeprefix("luthier.")
        raise SpecError(f"{name!r} is not one of the {kind}", remedy=nearest(name, self.names()))
