"""From words on a command line to the keys of a spec: flags, arguments, recipes, and what to say when one is wrong."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from luthier import config
from luthier.errors import SpecError
from luthier.models.resolve import EMBEDDED

LARGEST_JSON_RECIPE = 1 << 20
SHORT_KIND = 28
PLACE, FLAG = "place_", "flag_"
NUMBER = re.compile(r"^-[\d.]")
METAVARS = {"text": "TEXT", "integer": "INT", "number": "NUMBER", "path": "PATH", "model": "MODEL", "url": "URL"}


def parameters(fields: Sequence[config.Field]) -> list[click.Parameter]:
    """Returns click's view of `fields`: every one a flag, the positional ones an argument too."""
    places = [
        click.Argument([PLACE + field.name], nargs=-1 if field.many else 1, required=False, type=click.UNPROCESSED)
        for field in fields
        if field.positional
    ]
    return [*places, *(_option(field) for field in fields)]


def dashes(word: str) -> str:
    """Returns a flag's name as it is declared: `--learning_rate` is `--learning-rate`."""
    return word.replace("_", "-")


def underscores(word: str) -> str:
    """Returns the key of a name that was written with dashes."""
    return word.replace("-", "_")


def spread(words: Sequence[str], fields: Sequence[config.Field]) -> list[str]:
    """Returns `words` with the flag repeated before each of several values: `--stop a b` is `--stop a --stop b`."""
    many = {field.flag for field in fields if field.many}
    out: list[str] = []
    flag = ""
    for index, word in enumerate(words):
        if word == "--":
            return [*out, *words[index:]]
        if word.startswith("-") and not NUMBER.match(word):
            flag = dashes(word) if dashes(word) in many else ""
        elif flag and dashes(out[-1]) != flag:
            out.append(flag)
        out.append(word)
    return out


def bind(spec: type[config.OptionsT], given: Mapping[str, Any], command: str) -> tuple[config.OptionsT, frozenset[str]]:
    """Returns the spec made of what click parsed, and which keys were named: flags win over arguments, and both win
    over a recipe given as the first argument."""
    fields = config.fields(spec)
    places = {f.name: given[PLACE + f.name] for f in fields if f.positional and given[PLACE + f.name] not in (None, ())}
    flags = {f.name: given[FLAG + f.name] for f in fields if given[FLAG + f.name] not in (None, ())}
    recipe, places = _take_recipe(places, fields)
    values = (read_recipe(recipe, spec) if recipe else {}) | places | flags
    try:
        return config.bind(spec, values, where=recipe or command, source="argv"), frozenset(values)
    except SpecError as error:
        greedy = [field.flag for field in fields if field.many and len(flags.get(field.name, ())) > 1]
        if not greedy or not any(f.positional and f.required and f.name not in values for f in fields):
            raise
        remedy = f"the words after {greedy[0]} all belong to it: put arguments first"
        raise SpecError(error.problem, where=error.where, remedy=remedy, param=error.param) from None


def read_recipe(path: str, spec: type[config.Options]) -> dict[str, Any]:
    """Returns the keys of a recipe, its relative paths made to start at the recipe's folder."""
    known = {field.name: field for field in config.fields(spec)}
    folder = Path(path).parent
    return {
        name: _beside(folder, known[name].outside if name in known and value not in known[name].words else None, value)
        for name, value in config.read_mapping(path).items()
    }


def unknown_flag(flag: str, spec: type[config.Options], command: str) -> SpecError:
    """Returns the error for a flag that no room of `spec` has: a room's hint, or the nearest flag there is."""
    name = underscores(flag.lstrip("-"))
    flags = {field.name: field.flag for field in config.fields(spec)}
    close = difflib.get_close_matches(name.removeprefix("no_"), flags, n=1, cutoff=0.6)
    remedy = f"did you mean {flags[close[0]]}?" if close else f"see `{command} --help`"
    return SpecError(f"unknown option {flag}", where=command, remedy=config.hint(spec, name) or remedy, param=name)


def place(field: config.Field) -> str:
    """Returns a positional field as usage lines write it: ROWS..., [MESSAGE]."""
    name = field.name.upper() + ("..." if field.many else "")
    return name if field.required else f"[{name}]"


def explained(fields: Sequence[config.Field]) -> dict[str, list[tuple[str, str]]]:
    """Returns for each group of options the flags with what they do, what they accept and their default, in the order
    of the rooms they come from; arguments, and the groups that have them, come first."""
    ordered = sorted(fields, key=lambda field: not field.positional)
    groups: dict[str, list[tuple[str, str]]] = {}
    for title in (*(f.group for f in fields if f.positional), *(f.group for f in fields)):
        groups.setdefault(title or "Options", [(_head(f), _body(f)) for f in ordered if f.group == title])
    return groups


def _option(field: config.Field) -> click.Option:
    name = FLAG + field.name
    if field.kind == "true | false":
        return click.Option([name, f"{field.flag}/--no-{field.flag[2:]}"], default=None, hidden=True)
    return click.Option([name, field.flag], type=click.UNPROCESSED, multiple=field.many, default=None, hidden=True)


def _take_recipe(places: dict[str, Any], fields: Sequence[config.Field]) -> tuple[str, dict[str, Any]]:
    first = next((field for field in fields if field.positional), None)
    if first is None or first.name not in places:
        return "", places
    head, *rest = places[first.name] if first.many else [places[first.name]]
    if not _is_recipe(head, {field.name for field in fields}):
        return "", places
    left = {name: value for name, value in places.items() if name != first.name}
    return head, left | ({first.name: tuple(rest)} if rest else {})


def _is_recipe(word: str, keys: set[str]) -> bool:
    """A YAML file always is one; a JSON file only when most of its keys are a spec's, since rows are JSON too."""
    file = Path(word)
    if file.suffix in (".yaml", ".yml"):
        return True
    if file.suffix != ".json" or not file.is_file() or file.stat().st_size > LARGEST_JSON_RECIPE:
        return False
    try:
        values = json.loads(file.read_bytes())
    except ValueError:
        return False
    return isinstance(values, dict) and len(keys & {underscores(key) for key in values}) * 2 > len(values)


def _beside(folder: Path, outside: str | None, value: Any) -> Any:
    if isinstance(value, list):
        return [_beside(folder, outside, item) for item in value]
    if not isinstance(value, str) or "://" in value or value.startswith(("hub:", "~")) or value == EMBEDDED:
        return value
    here = folder / value
    is_path = outside == "path" or (outside == "model" and (value.startswith(".") or here.exists()))
    return str(here) if is_path else value


def _head(field: config.Field) -> str:
    if field.kind == "true | false":
        return f"{field.flag} / --no-{field.flag[2:]}"
    kind = field.kind.removesuffix(" ...")
    if " | " in kind:
        short = kind.replace(" | ", "|")
        metavar = short if len(short) <= SHORT_KIND else "NAME"
    else:
        metavar = METAVARS.get(field.outside or kind, kind.upper())
    return f"{field.flag} {metavar}{' ...' if field.many else ''}"


def _body(field: config.Field) -> str:
    kind = field.kind.removesuffix(" ...")
    long_choice = " | " in kind and len(kind.replace(" | ", "|")) > SHORT_KIND and field.kind != "true | false"
    facts = [f"one of {kind.replace(' | ', ', ')}" if long_choice else "", field.bounds, _default(field)]
    said = field.description[:1].upper() + field.description[1:].rstrip(".")
    inside = "; ".join(fact for fact in facts if fact)
    return f"{said}. [{inside}]" if inside else f"{said}."


def _default(field: config.Field) -> str:
    if field.required:
        return "required"
    if field.default is None or field.default in ((), ""):
        return ""
    if isinstance(field.default, bool):
        return f"default: {'on' if field.default else 'off'}"
    if isinstance(field.default, tuple):
        return f"default: {' '.join(str(item) for item in field.default)}"
    return f"default: {field.default}"
