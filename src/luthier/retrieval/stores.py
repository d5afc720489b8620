"""Named stores: the vector stores of a project, each with the index that is searched, and at times one to come."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from luthier.errors import NotFoundError
from luthier.retrieval.durable import locked
from luthier.retrieval.embedders import NONE, TextEmbedder
from luthier.retrieval.index import Shape
from luthier.retrieval.lance import LanceIndex
from luthier.retrieval.options import EmbedderOptions
from luthier.store.ids import new_id
from luthier.store.opened import Store
from luthier.store.passages import FILE, STORE, StoredDocuments
from luthier.store.resources import Resource

PROJECT, INDEXES = "default", "indexes"


@dataclass(frozen=True)
class Configuration:
    """What an index was made by: an index of another one is another index. `generation` counts those made anew."""

    embedder: str
    identity: str
    query_prefix: str | None
    passage_prefix: str | None
    key_variable: str | None
    shape: Shape
    generation: int = 1

    @classmethod
    def of(cls, embedder: TextEmbedder | None, options: EmbedderOptions, shape: Shape, generation: int = 1) -> Self:
        """Returns the configuration of what `options` opened."""
        name, identity = (embedder.name, embedder.identity) if embedder else (NONE, "")
        return cls(
            name, identity, options.query_prefix, options.passage_prefix, options.key_variable, shape, generation
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Returns the configuration that `to_json` wrote."""
        return cls(**{**value, "shape": Shape(**value["shape"])})

    def to_json(self) -> dict[str, Any]:
        """Returns the configuration as JSON values."""
        return asdict(self)

    @property
    def folder(self) -> str:
        """The name of its folder."""
        said = f"{self.identity}\n{self.shape}"
        return f"{hashlib.sha256(said.encode()).hexdigest()[:16]}-{self.generation}"

    def same(self, other: Self | None) -> bool:
        """Returns whether an index of `other` can take the place of one of this, whatever its generation."""
        return other is not None and (self.identity, self.shape) == (other.identity, other.shape)

    def options(self) -> EmbedderOptions:
        """Returns the options that open its embedder again."""
        return EmbedderOptions(
            embedder=self.embedder,
            query_prefix=self.query_prefix,
            passage_prefix=self.passage_prefix,
            key_variable=self.key_variable,
        )


class NamedStore:
    """One vector store. `row` is as it was read last."""

    def __init__(self, store: Store, row: Resource) -> None:
        self.store, self.row = store, row
        self.folder = store.folder / INDEXES / row.id
        self.documents = StoredDocuments(store.database, store.blobs, store.resources, row.id, row.project)

    @classmethod
    def find(cls, store: Store, name: str, project: str = PROJECT) -> Self:
        """Returns the store of that name or id, the newest one where several have the name. `NotFoundError` when there
        is none."""
        found = store.resources.list(STORE, project, limit=1, descending=True, labels={"name": name}).items
        if found:
            return cls(store, found[0])
        try:
            return cls(store, store.resources.get(STORE, name, project))
        except NotFoundError:
            pass
        known = [row.body.get("name") for row in store.resources.list(STORE, project, limit=20, descending=True).items]
        there = (
            f"there are: {', '.join(filter(None, known))}" if any(known) else "make one: luthier index DIR --name NAME"
        )
        raise NotFoundError(f"no index {name!r}", remedy=there)

    @classmethod
    def make(cls, store: Store, name: str, project: str = PROJECT) -> Self:
        """Returns the store of that name, made if it is not there."""
        with locked(store.folder / INDEXES, ".making"):  # two that make it at once get the same one
            try:
                return cls.find(store, name, project)
            except NotFoundError:
                pass
            body: dict[str, Any] = {
                "name": name,
                "description": "",
                "metadata": {},
                "expires_after": None,
                "revision": 0,
            }
            return cls(store, store.resources.add(STORE, new_id("vs_"), project, body, labels={"name": name}))

    def read(self) -> Resource:
        """Returns the row as it is now. `NotFoundError` when the store is gone."""
        self.row = self.store.resources.get(STORE, self.row.id, self.row.project)
        return self.row

    def change(self, **values: Any) -> None:
        """Gives the row new values of its body."""
        self.row = self.store.resources.change(STORE, self.row.id, self.row.project, lambda body: {**body, **values})

    @property
    def active(self) -> Configuration | None:
        """The configuration of the index that is searched."""
        return self._configuration("index")

    @property
    def coming(self) -> Configuration | None:
        """The configuration of the index that is being made, to take the place of the other."""
        return self._configuration("coming")

    def open_index(self, configuration: Configuration, healed: Callable[[str], None] = lambda said: None) -> LanceIndex:
        """Returns the index of a configuration, made if it is not there."""
        return LanceIndex.open(self.folder / configuration.folder, configuration.shape, healed)

    def switch(self, configuration: Configuration) -> None:
        """Makes the index of `configuration` the one that is searched, and removes the others."""
        self.change(index=configuration.to_json(), coming=None)
        for place in self._places():
            if place.name != configuration.folder:
                shutil.rmtree(place, ignore_errors=True)

    def delete(self) -> None:
        """Removes the store with its documents, passages and indexes."""
        self.documents.clear()
        self.store.resources.delete(STORE, self.row.id, self.row.project, children=FILE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configuration(self, name: str) -> Configuration | None:
        value = self.row.body.get(name)
        return Configuration.from_json(value) if value else None

    def _places(self) -> list[Path]:
        return [place for place in self.folder.iterdir() if place.is_dir()]
