"""Request bodies: every key is honoured, harmless or refused, and which is which is written where the key is read.

Harmless keys have no effect on the answer; they are named in the `x-luthier-ignored` header. A key that we do not
know, or know and cannot honour, is an error: an answer that leaves out what was asked for is worse than none.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from luthier.registry import nearest
from luthier.server.errors import ApiError
from luthier.server.wire.numbers import number_at, numbers_of


@dataclass(frozen=True, slots=True)
class Refused:
    """A key that we cannot honour: why, and the values that ask for nothing."""

    why: str
    unless: tuple[Any, ...] = ()


class Part(BaseModel):
    """A part of a body, or a query. Null stands for a key that was left out."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)
    harmless: ClassVar[Mapping[str, str]] = {}
    """Key -> why it makes no difference here."""
    refused: ClassVar[Mapping[str, Refused]] = {}

    def value(self, name: str) -> Any:
        """Returns what a field holds, or its default where it was left out or is null."""
        found = getattr(self, name)
        return type(self).model_fields[name].default if found is None else found


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
        raise _wrong(kind, error) from None
    return body, tuple(_ignored(body, ""))


def read_texts(kind: type[PartT], given: Iterable[tuple[str, str]]) -> tuple[PartT, tuple[str, ...]]:
    """Returns what the keys of a query or the fields of a form hold, and the harmless ones among them.

    They have no types: digits are a number where one is due, `a[b]` is the key b of a, each `a[]` an item of a list.
    """
    out: dict[str, Any] = {}
    for key, text in given:
        outer, bracket, rest = key.partition("[")
        name, inner = (outer, rest[:-1]) if bracket and rest.endswith("]") else (key, None)
        path = name if inner is None else f"{name}.{inner}"
        value = int(text) if _DIGITS.fullmatch(text) and path in numbers_of(kind) else text
        if not _put(out, name, inner, value):
            raise ApiError(f"{key} is there twice.", code="invalid_value", param=name)
    return read_body(kind, out)


def _put(out: Any, name: str, inner: str | None, value: int | str) -> bool:
    """Puts `value` in its place in `out`; false where something else is there."""
    if inner == "":
        held = out.setdefault(name, [])
        if isinstance(held, list):
            held.append(value)
        return isinstance(held, list)
    if inner is not None:
        out, name = out.setdefault(name, {}), inner
    if not isinstance(out, dict) or name in out:
        return False
    out[name] = value
    return True


_DIGITS = re.compile(r"-?[0-9]{1,18}")


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


def _wrong(kind: type[Part], error: ValidationError) -> ApiError:
    problem = _telling(kind, error.errors(include_url=False))
    param = _path(problem["loc"])
    if problem["type"] == "json_invalid":
        return ApiError(f"The body is not valid JSON: {problem['ctx']['error']}.", code="invalid_json")
    if problem["type"] == "missing":
        return ApiError(f"Missing required parameter {param!r}.", code="missing_required_parameter", param=param)
    message, number = str(problem["msg"]).removeprefix("Value error, "), number_at(kind, param)
    if number is not None:
        message = f"must be {number.said}"
    return ApiError(
        f"{param or 'body'}: {message}. Got {_shown(problem['input'])}.", code="invalid_value", param=param or None
    )


def _telling(kind: type[Part], problems: Sequence[ErrorDetails]) -> ErrorDetails:
    """Returns the first problem; where one of several shapes was tried and a number is wrong in it, that number's."""
    first = problems[0]
    for problem in problems:
        alike = problem["loc"][:1] == first["loc"][:1]
        if alike and isinstance(problem["input"], int | float | None) and number_at(kind, _path(problem["loc"])):
            return problem
    return first


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 80


def _shown(value: Any) -> str:
    text = _SHORT.repr(value)  # of a large value no more than this is written out
    return text if len(text) <= 80 else f"{text[:77]}..."


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
