"""What was found out about another server: for each feature, whether it is honoured, refused or ignored in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from luthier.errors import RemoteError
from luthier.report import Table

State = Literal["honoured", "refused", "ignored", "unclear"]
CHAT, COMPLETIONS, EMBEDDINGS = "/chat/completions", "/completions", "/embeddings"
NOTHING: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "top_p": (1,),
    "top_k": (0,),
    "min_p": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "tool_choice": ("auto", "none"),
}
"""Values that ask for nothing; null, false and what is empty never do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One feature of one endpoint. `keys` are those of a request that ask for it, all of them together; none where it
    cannot be refused. `detail` is what was seen."""

    feature: str
    path: str
    keys: tuple[str, ...]
    state: State
    detail: str = ""

    @property
    def missing(self) -> bool:
        """Whether a request for it would not get it."""
        return self.state in ("refused", "ignored")

    def to_json(self) -> dict[str, Any]:
        return {"feature": self.feature, "path": self.path, "state": self.state, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found out about one model of another server."""

    model: str
    found: tuple[Finding, ...]

    def honours(self, feature: str, path: str) -> bool:
        """Returns whether a feature of an endpoint was seen to work."""
        return any(one.state == "honoured" for one in self.found if (one.feature, one.path) == (feature, path))

    def check(self, path: str, body: Mapping[str, Any], where: str) -> None:
        """Raises `RemoteError` (status 400) when `body` asks for what the server at `where` does not do."""
        for one in self.found:
            if one.path == path and one.missing and one.keys and all(_asks(key, body) for key in one.keys):
                said = f" ({one.detail})" if one.detail else ""
                raise RemoteError(
                    f"the server of this model {_VERBS[one.state]} {one.feature}{said}",
                    status=400,
                    where=where,
                    remedy="leave it out",
                    code="unsupported_parameter",
                    param=one.keys[0],
                )

    def table(self) -> Table:
        """Returns a row for each feature: what each endpoint does with it, and what was seen where it falls short."""
        rows = []
        for feature in dict.fromkeys(one.feature for one in self.found):
            by_path = {one.path: one for one in self.found if one.feature == feature}
            states = [by_path[path].state if path in by_path else "" for path in (CHAT, COMPLETIONS)]
            if EMBEDDINGS in by_path:
                states = [by_path[EMBEDDINGS].state, ""]
            said = {one.detail: None for one in by_path.values() if one.state != "honoured" and one.detail}
            rows.append((feature, *states, "; ".join(said)))
        note = "ignored: taken without an error and without effect. unclear: nothing is refused because of it."
        return Table(
            f"What the server does for {self.model}", ("feature", "chat", "completions", "seen"), tuple(rows), note
        )

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "findings": [one.to_json() for one in self.found]}


_VERBS: Mapping[State, str] = {"refused": "refuses", "ignored": "ignores"}


def _asks(key: str, body: Mapping[str, Any]) -> bool:
    """Returns whether a body asks for anything by `key`."""
    value = body.get(key)
    if value is None or value is False or value in ([], {}, "") or value in NOTHING.get(key, ()):
        return False
    match key:
        case "seed":  # without chance there is nothing to repeat
            return body.get("temperature") != 0
        case "prompt":
            return isinstance(value, list) and not isinstance(value[0], str)
        case "response_format":
            return bool(value.get("type") == "json_schema")
    return True
