"""Make, list, limit and revoke the keys that the server accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from luthier.access.options import NAME, PROJECT, Limits
from luthier.config import Positional
from luthier.errors import SpecError
from luthier.report import Report, Table
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.access.keys import Key, Keys


class Spec(StoreOptions, Limits):
    """What to do, to which key."""

    title = "Keys"
    action: Annotated[Literal["list", "create", "limit", "revoke"], Positional()] = Field(
        default="list",
        description="list shows them; create makes one, for --project; limit gives one other limits, those that are "
        "named and no others; revoke ends one",
    )
    key: Annotated[str | None, Positional()] = Field(
        default=None, min_length=1, max_length=120, description="the id of a key (key_...); of a new one, its name"
    )
    project: str | None = Field(
        default=None,
        pattern=NAME,
        max_length=60,
        description=f"whose files, jobs, models and replies the key opens; for a new one {PROJECT} by default",
    )


@dataclass(frozen=True)
class Result:
    """The keys that were asked for; `text` is what has to be sent, of a new one."""

    keys: Sequence[Key]
    text: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"keys": [key.to_json() for key in self.keys]} | ({"key": self.text} if self.text else {})

    def tables(self) -> Sequence[Table | str]:
        names = ("id", "name", "project", "ends in", "made", "requests/min", "tokens/min", "money/month", "")
        table = Table("Keys", names, tuple(_row(key) for key in self.keys))
        new = [self.text, "It is shown once: the server keeps its hash."] if self.text else []
        return [*([table] if self.keys else ["There are no keys."]), *new]

    def next_commands(self) -> Sequence[str]:
        return [] if self.keys else ["luthier keys create NAME"]


def run(spec: Spec, report: Report) -> Result:
    """Does it. `NotFoundError` for a key that is not there, `SpecError` for what does not go together."""
    from luthier.access.keys import Keys
    from luthier.store.opened import Store

    if spec.action in {"limit", "revoke"} and spec.key is None:
        raise SpecError(f"{spec.action} which key?", where="keys", remedy="luthier keys lists their ids", param="key")
    if spec.project is not None and spec.action in {"limit", "revoke"}:
        raise SpecError("a key stays with its project", where="--project", remedy="make another key", param="project")
    store = Store.open(spec)
    try:
        return _done(spec, Keys(store.database))
    finally:
        store.close()


def _done(spec: Spec, keys: Keys) -> Result:
    limits = Limits(**{name: getattr(spec, name) for name in Limits.model_fields})
    match spec.action:
        case "create":
            key, text = keys.add(spec.project or PROJECT, spec.key or "unnamed", limits)
            return Result([key], text)
        case "limit":
            return Result([keys.limit(str(spec.key), limits)])
        case "revoke":
            return Result([keys.revoke(str(spec.key))])
    return Result([key for key in keys.list(spec.project) if spec.key in {None, key.id, key.name}])


def _row(key: Key) -> tuple[str, ...]:
    limits = (key.limits.requests_per_minute, key.limits.tokens_per_minute, key.limits.monthly_budget)
    said = tuple("" if one is None else f"{one:,}" for one in limits)
    made = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d")
    return (key.id, key.name, key.project, f"...{key.ending}", made, *said, "revoked" if key.revoked_at else "")
