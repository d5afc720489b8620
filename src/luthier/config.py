"""Specs: one frozen, strict model per verb, bound by the same code from argv, YAML, JSON, HTTP and Python.

A room's options are an `Options` class in its `options.py`; a verb's `Spec` inherits the options of the rooms it
uses, so every key is flat and the flag, the YAML key, the HTTP field and the Python argument are the same word.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_json

from luthier.errors import SpecError
from luthier.registry import nearest

Source = Literal["argv", "file", "python", "http"]


@dataclass(frozen=True, slots=True)
class Outside:
    """Marks a field that reaches beyond the caller's project: a path, a URL, a hub name, a trust flag.

    Over HTTP such a field is refused; only ids of the project and models of the catalogue are accepted there.
    """

    what: Literal["path", "url", "model", "trust"]


@dataclass(frozen=True, slots=True)
class Positional:
    """Marks a field that the command line takes without a flag."""


LocalPath = Annotated[str, Outside("path")]
ModelName = Annotated[str, Outside("model")]
TrustFlag = Annotated[bool, Outside("trust")]


class Options(BaseModel):
    """Options of one room: frozen, every key used or refused. `title` heads their group in help and docs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    title: ClassVar[str] = ""
    hints: ClassVar[Mapping[str, str]] = {}
    """Names people know from elsewhere -> what to write here; used only in the error."""


@dataclass(frozen=True, slots=True)
class Field:
    """One option as help, docs and the command line need it."""

    name: str
    annotation: Any
    kind: str
    default: Any
    required: bool
    description: str
    group: str
    positional: bool
    many: bool
    outside: str | None
    bounds: str = ""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def words(self) -> tuple[Any, ...]:
        """What it takes literally, beside whatever else: no path, even where it takes paths."""
        members = typing.get_args(self.annotation)
        return tuple(word for one in members if typing.get_origin(one) is Literal for word in typing.get_args(one))


OptionsT = TypeVar("OptionsT", bound=Options)


def fields(spec: type[Options]) -> tuple[Field, ...]:
    """Returns every field of `spec`, in the order of the rooms they come from."""
    return tuple(_field(spec, name, info) for name, info in spec.model_fields.items())


def bind(spec: type[OptionsT], values: Mapping[str, Any], *, where: str, source: Source = "python") -> OptionsT:
    """Returns the frozen `spec` made of `values`; raises one `SpecError` that lists everything wrong with them.

    Text from argv is read by each field's type; every other source must give the right type.
    Fields marked `Outside` are refused when `source` is "http".
    """
    known = {field.name: field for field in fields(spec)}
    wrong = [_unknown(spec, name, known) for name in values if name not in known]
    usable = {name: _listed(known[name], value) for name, value in values.items() if name in known}
    if source == "http":
        wrong += [_reaches_out(known[name]) for name in usable if known[name].outside]
    if source == "argv":
        usable = {name: _from_text(known[name], value) for name, value in usable.items()}
    named: set[str] = set()
    try:
        bound = spec.model_validate_json(to_json(usable, inf_nan_mode="constants", fallback=str))
    except ValidationError as error:
        named = {str(problem["loc"][0]) if problem["loc"] else "" for problem in error.errors()}
        wrong += [_wrong_value(known, problem, named, source) for problem in error.errors()]
        bound = None
    if wrong or bound is None:
        lines = list(dict.fromkeys(wrong))
        text = lines[0] if len(lines) == 1 else "\n" + "\n".join(f"  {line}" for line in lines)
        bad = next((name for name in values if name not in known or name in named), None)
        raise SpecError(text, where=where, param=bad)
    return bound


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Returns the keys of a YAML or JSON file; `SpecError` says where it cannot be read."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError("no such file", where=str(file), remedy="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(str(error), where=str(file), remedy="a recipe is a YAML or JSON text file") from None
    kind = "JSON" if file.suffix == ".json" else "YAML"
    try:
        values = json.loads(text) if kind == "JSON" else yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        raise SpecError(f"not valid {kind}: {_one_line(error)}", where=str(file)) from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SpecError(f"holds {type(values).__name__}, not keys and values", where=str(file))
    return {key.replace("-", "_"): value for key, value in values.items()}


def hint(spec: type[Options], name: str) -> str | None:
    """Returns what a room of `spec` says to people who know the option `name` from elsewhere."""
    return next((base.hints[name] for base in spec.__mro__ if issubclass(base, Options) and name in base.hints), None)


def dump(spec: Options) -> str:
    """Returns `spec` as YAML that binds to the same spec again; keys left at their default are kept, for the record."""
    return yaml.dump(json.loads(spec.model_dump_json()), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-4 as text; a learning rate is a number."""


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that `_Loader` would read as something else."""


for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
    )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    breaks = any(mark in text for mark in "\x85\u2028\u2029")  # line breaks to YAML, letters to everyone else
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if breaks else None)


_Dumper.add_representer(str, _represent_text)


def _field(spec: type[Options], name: str, info: FieldInfo) -> Field:
    owner = next(base for base in reversed(spec.__mro__) if name in getattr(base, "__annotations__", {}))
    outside = next((m.what for m in _metadata(info) if isinstance(m, Outside)), None)
    default = info.get_default(call_default_factory=True)
    return Field(
        name=name,
        annotation=info.annotation,
        kind=_kind(info.annotation),
        default=None if default is PydanticUndefined else default,
        required=info.is_required(),
        description=(info.description or "").strip(),
        group=getattr(owner, "title", ""),
        positional=any(isinstance(m, Positional) for m in _metadata(info)),
        many=typing.get_origin(info.annotation) is tuple,
        outside=outside,
        bounds=" and ".join(_bound(constraint) for constraint in info.metadata if _bound(constraint)),
    )


def _bound(constraint: Any) -> str:
    match constraint:
        case Ge(ge=limit):
            return f"at least {limit}"
        case Gt(gt=limit):
            return f"above {limit}"
        case Le(le=limit):
            return f"at most {limit}"
        case Lt(lt=limit):
            return f"below {limit}"
    return ""


def _metadata(info: FieldInfo) -> Iterable[Any]:
    yield from info.metadata
    yield from _nested_metadata(info.annotation)


def _nested_metadata(annotation: Any) -> Iterable[Any]:
    if typing.get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for inner in typing.get_args(annotation):
        if not isinstance(inner, str):
            yield from _nested_metadata(inner)


def _kind(annotation: Any) -> str:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _kind(args[0])
    if origin is Literal:
        return " | ".join(str(arg) for arg in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_kind(arg) for arg in args if arg is not types.NoneType)
    if origin is tuple:
        return f"{_kind(args[0])} ..."
    names = {str: "text", int: "integer", float: "number", bool: "true | false"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _listed(field: Field, value: Any) -> Any:
    """One value will do where several may be given."""
    return [value] if field.many and isinstance(value, str | Path | int | float) else value


def _from_text(field: Field, value: Any) -> Any:
    if field.many and isinstance(value, list | tuple):
        item = typing.get_args(field.annotation)[0]
        return [_read_text(item, part) for part in value]
    return _read_text(field.annotation, value)


def _read_text(annotation: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return TypeAdapter(annotation).validate_strings(value)
    except ValidationError:
        return value  # the whole spec's validation says what is wrong with it


def _unknown(spec: type[Options], name: str, known: Mapping[str, Field]) -> str:
    return f"unknown key {name!r}; {hint(spec, name) or nearest(name, list(known))}"


def _reaches_out(field: Field) -> str:
    return f"{field.name}: a {field.outside} is not accepted over HTTP; give an id of this project instead"


def _wrong_value(known: Mapping[str, Field], problem: Mapping[str, Any], named: set[Any], source: Source) -> str:
    if not problem["loc"]:
        return str(problem["msg"]).removeprefix("Value error, ")
    field = known[str(problem["loc"][0])]
    name = field.flag if source == "argv" and not field.positional else field.name
    if problem["type"] == "missing":
        return f"{name}: missing; {field.description.rstrip('.') or field.kind}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "literal_error":
        message = nearest(str(problem["input"]), field.kind.split(" | "))
        return f"{name}: {problem['input']!r} is not allowed; {message}"
    expected = f"{field.kind} {field.bounds}".rstrip()
    return f"{name}: {message[0].lower() + message[1:]}. Got {problem['input']!r}; expected {expected}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
