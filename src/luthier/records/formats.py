"""The shapes rows come in: what each needs, how one is recognised, and what to say when none is.

Adding a format is one function that reads `Fields` into a record, and one line in `FORMATS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from luthier.errors import SpecError
from luthier.records.examples import Problem, Record
from luthier.records.fields import Fields, described, shortened
from luthier.registry import Registry

FORMATS = Registry(
    "luthier.formats",
    {
        "llama-factory": "luthier.records.formats_chat:LLAMA_FACTORY",
        "openai-chat": "luthier.records.formats_chat:OPENAI_CHAT",
        "sharegpt": "luthier.records.formats_chat:SHAREGPT",
        "alpaca": "luthier.records.formats_chat:ALPACA",
        "question-answer": "luthier.records.formats_chat:QUESTION_ANSWER",
        "prompt-messages": "luthier.records.formats_chat:PROMPT_MESSAGES",
        "openai-completion": "luthier.records.formats_text:OPENAI_COMPLETION",
        "openai-preference": "luthier.records.formats_preference:OPENAI_PREFERENCE",
        "transcript-preference": "luthier.records.formats_preference:TRANSCRIPT_PREFERENCE",
        "preference": "luthier.records.formats_preference:PREFERENCE",
        "llama-factory-preference": "luthier.records.formats_preference:LLAMA_FACTORY_PREFERENCE",
        "vote": "luthier.records.formats_preference:VOTE",
        "chat-vote": "luthier.records.formats_preference:CHAT_VOTE",
        "labelled": "luthier.records.formats_text:LABELLED",
        "pair": "luthier.records.formats_text:PAIR",
        "triplet": "luthier.records.formats_text:TRIPLET",
        "text": "luthier.records.formats_text:TEXT",
    },
)


def _always(values: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Format:
    """One shape of rows. `required` has the names each needed column may go by, `optional` what else is read.

    `fits` looks at the values when the columns alone do not tell two shapes apart.
    """

    name: str
    kind: str
    required: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...]
    read: Callable[[Fields], Record]
    fits: Callable[[Mapping[str, Any]], bool] = _always

    def lacks(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the first name of each needed column that a row does not have."""
        return tuple(names[0] for names in self.required if not any(values.get(name) is not None for name in names))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the format knows."""
        return (*(name for names in self.required for name in names), *self.optional)


@cache
def formats() -> tuple[Format, ...]:
    """Returns every format, the ones with the most needed columns first; among equals, in the registry's order."""
    loaded: list[Format] = [FORMATS.load(name) for name in FORMATS.names()]
    return tuple(sorted(loaded, key=lambda one: -len(one.required)))


@cache
def known_columns() -> frozenset[str]:
    """Returns every column that some format reads."""
    return frozenset(column for one in formats() for column in one.columns)


def recognise(value: Any) -> Format | None:
    """Returns the format of one raw row: of those whose columns it has, the one that needs the most."""
    values = as_columns(value)
    if values is None:
        return None
    return next((one for one in formats() if not one.lacks(values) and one.fits(values)), None)


def as_columns(value: Any) -> Mapping[str, Any] | None:
    """Returns a raw row by column (a lone JSON string is a text); None when it is no row at all."""
    if isinstance(value, str):
        return {"text": value}
    return value if isinstance(value, Mapping) else None


def explain(value: Any, *, shown: Sequence[str] = (), forced: Format | None = None) -> Problem:
    """Returns why no format (or not the `forced` one) reads a raw row: its columns, the nearest format, what to do.

    `shown` are the columns' own names, when `value` has them renamed.
    """
    values = as_columns(value)
    if values is None:
        return Problem("", f"a row is {described(value)}", "a row must be a JSON object, or a text")
    if not values:
        return Problem("", "a row has no columns", "give at least one column")
    keys = shortened(", ".join(map(str, shown or values)), 200)
    near = forced or max(formats(), key=lambda one: _nearness(one, values))
    named = "name your columns: --columns " + " ".join(f"{name}=NAME" for name in near.lacks(values))
    if forced:
        problem = f"{near.name} needs {' and '.join(near.lacks(values))}; the columns are {keys}"
        return Problem("", problem, f"{named}, or leave out --format")
    if _nearness(near, values) <= 0:
        return Problem("", f"no format has the columns {keys}", _NAME_THEM)
    lacking = near.lacks(values)
    if not lacking:
        problem = f"the columns {keys} are those of {near.name}, but what is in them is not"
        return Problem("", problem, "force a format with --format to see what is wrong with each row")
    problem = f"no format has the columns {keys}; the nearest is {near.name}, which also needs {' and '.join(lacking)}"
    return Problem("", problem, named)


_NAME_THEM = (
    "name your columns: --columns text=NAME label=NAME (or question and answer, prompt and completion, "
    "prompt, chosen and rejected, first, second and score)"
)


def _nearness(one: Format, values: Mapping[str, Any]) -> float:
    """Returns how many of a format's needed columns a row has, less those it lacks; similar names count a little."""
    score = 0.0
    for names in one.required:
        if any(values.get(name) is not None for name in names):
            score += 1
        elif any(difflib.get_close_matches(str(key).lower(), names, n=1, cutoff=0.85) for key in values):
            score += 0.3
        else:
            score -= 0.25
    return score


def rename(columns: Sequence[str]) -> dict[str, str]:
    """Returns {name: column} of the option's name=column pairs; `SpecError` says what is wrong with one."""
    renamed: dict[str, str] = {}
    for pair in (part for given in columns for part in _pairs(given)):
        name, equals, column = pair.partition("=")
        name, column = name.strip(), column.strip()
        if not equals or not name or not column:
            raise SpecError(f"{pair!r} is not name=column", where="columns", remedy="write for example prompt=Question")
        if name not in known_columns():
            near = difflib.get_close_matches(name, sorted(known_columns()), n=3, cutoff=0.5)
            known = f"did you mean {' or '.join(near)}?" if near else "names are prompt, completion, text, label ..."
            raise SpecError(f"no format reads a column called {name!r}", where="columns", remedy=known)
        renamed[name] = column
    return renamed


def _pairs(given: str) -> list[str]:
    """Returns the name=column pairs of one text; a comma parts them only where each part has its own "="."""
    parts = given.split(",")
    return parts if all("=" in part for part in parts) else [given]
