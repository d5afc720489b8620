"""Request bodies: every key is honoured, harmless or refused, and which is which is written where the key is read.

Harmless keys have no effect on the answer; they are named in the `x-luthier-ignored` header. A key that we do not
know, or know and cannot honour, is an error: an answer that leaves out what was asked for is worse than none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from luthier.registry import nearest
from luthier.server.errors import ApiError


@dataclass(frozen=True, slots=True)
class Refused:
    """A key that we cannot honour: why, and the values that ask for nothing."""

    why: str
    unless: tuple[Any, ...] = ()


class Part(BaseModel):
    """A part of a body. Null stands for a key that was left out."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)
    harmless: ClassVar[Mapping[str, str]] = {}
    """Key -> why it makes no difference here."""
    refused: ClassVar[Mapping[str, Refused]] = {}


class Body(Part):
    """A whole request body."""


PartT = TypeVar("PartT", bound=Part)


def read_body(kind: type[PartT], raw: bytes | str | Mapping[str, Any]) -> tuple[PartT, tuple[str, ...]]:
    """Returns the body and the harmless keys that were in it. `ApiError` says what is wrong with the first bad key."""
    text = json.dumps(raw) if isinstance(raw, Mapping) else raw
    if not text.strip():
        text = "{}"
    try:
        body = kind.model_validate_json(text)
    except ValidationError as error:
        raise _wrong(error) from None
    return body, tuple(_ignored(body, ""))


def _ignored(part: Part, where: str) -> list[str]:
    """Returns the harmless keys of `part` and of the parts in it; refuses the others that no field takes."""
    found = []
    for key, value in (part.model_extra or {}).items():
        path = f"{where}{key}"
        if key in part.refused:
            if value is not None and value not in part.refused[key].unless:
                raise ApiError(
                    f"{path} is not supported: {part.refused[key].why}.", code="unsupported_parameter", param=path
                )
        elif key in part.harmless:
            if value is not None:
                found.append(path)
        else:
            known = [*type(part).model_fields, *part.harmless]
            raise ApiError(f"Unknown parameter {path!r}; {nearest(key, known)}.", code="unknown_parameter", param=path)
    for name in type(part).model_fields:
        found += _inside(getattr(part, name), f"{where}{name}")
    return found


def _inside(value: Any, where: str) -> list[str]:
    match value:
        case Part():
            return _ignored(value, f"{where}.")
        case list() | tuple():
            return [key for index, one in enumerate(value) for key in _inside(one, f"{where}[{index}]")]
    return []


def _wrong(error: ValidationError) -> ApiError:
    problem = error.errors(include_url=False)[0]
    param = _path(problem["loc"])
    if problem["type"] == "json_invalid":
        return ApiError(f"The body is not valid JSON: {problem['ctx']['error']}.", code="invalid_json")
    if problem["type"] == "missing":
        return ApiError(f"Missing required parameter {param!r}.", code="missing_required_parameter", param=param)
    message = str(problem["msg"]).removeprefix("Value error, ")
    got = repr(problem["input"])
    shown = got if len(got) <= 80 else f"{got[:77]}..."
    return ApiError(f"{param or 'body'}: {message}. Got {shown}.", code="invalid_value", param=param or None)


_SHAPES = frozenset({"str", "int", "float", "bool", "list", "dict", "none"})
"""What pydantic calls the branches of a union."""


def _path(location: tuple[int | str, ...]) -> str:
    """Returns a field's place as people write it, without the names of the shapes that were tried."""
    out = ""
    for part in location:
        if isinstance(part, int):
            out += f"[{part}]"
        elif part.isidentifier() and not part[:1].isupper() and part not in _SHAPES:
            out += f".{part}" if out else part
    return out
