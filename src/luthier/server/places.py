"""Where the files and models of the store are on this machine: what workers and the engine read."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luthier.errors import NotFoundError, StateError
from luthier.records.file_types import type_by_name
from luthier.server.catalogue import Catalogue
from luthier.store.opened import Store
from luthier.store.resources import Resource

EVERY = 100_000


@dataclass(frozen=True, slots=True)
class Places:
    """Turns ids of `project` into paths."""

    store: Store
    catalogue: Catalogue
    project: str

    def file(self, id: str, folder: Path) -> str:
        """Returns a file under `folder` with the bytes of the file `id`. `NotFoundError` when it was deleted."""
        row = self.store.resources.get("file", id, self.project)
        name = Path(row.body["filename"])
        suffix = "".join(name.suffixes[-2:]) if type_by_name(name) else ".jsonl"
        target = folder / f"{id}{suffix}"
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copyfile(self.store.blobs.path(self.store.resources.parts(id)["content"].sha256), partial)
            partial.replace(target)
        return str(target)

    def model(self, name: str) -> str:
        """Returns what `load_model` takes for a model of the catalogue or a tuned one."""
        entry = self.catalogue.find(name)
        if entry is not None:
            return entry.place
        return str(self.store.blobs.folder(self.store.resources.parts(self.tuned(name).id)))

    def base(self, name: str) -> str:
        """Returns the id of the catalogue's model that `name` is, or was tuned from."""
        entry = self.catalogue.find(name)
        if entry is not None:
            return entry.id
        return str(self.tuned(name).body["base"])

    def tuned(self, name: str) -> Resource:
        """Returns a tuned model of the project, or one that another lets it use. `NotFoundError` when there is none."""
        resources = self.store.resources
        try:
            return resources.get("model", name, self.project)
        except NotFoundError:
            if not resources.list("permission", None, parent=name, labels=self._permitted(), limit=1).items:
                raise
            return resources.get("model", name, None)

    def shared(self) -> list[Resource]:
        """Returns the models that other projects have permitted this one to use."""
        rows = self.store.resources.list("permission", None, labels=self._permitted(), limit=EVERY).items
        found = []
        for name in dict.fromkeys(row.parent for row in rows if row.project != self.project):
            with contextlib.suppress(NotFoundError):  # deleted since
                found.append(self.store.resources.get("model", name, None))
        return found

    def _permitted(self) -> dict[str, str]:
        return {"project_id": self.project}


def add_model(store: Store, project: str, name: str, folder: Path, body: Mapping[str, Any]) -> None:
    """Adds the model in `folder` under `name`; a job that is run again after a fault puts it in its own place.

    One that people have deleted meanwhile stays deleted.
    """
    parts = {file.name: store.blobs.put_file(file) for file in sorted(folder.iterdir()) if file.is_file()}
    try:
        store.resources.change("model", name, project, lambda _: body, parts=parts)
    except NotFoundError:
        with contextlib.suppress(StateError):
            store.resources.add("model", name, project, body, parts=parts)


def remove_model(store: Store, project: str, name: str) -> None:
    """Removes a tuned model with the files made of it. `NotFoundError` when there is none."""
    parts = store.resources.parts(name)
    store.resources.delete("model", name, project)
    store.blobs.forget_folder(parts)
