"""The whole store: database, blobs, resources and jobs, opened from its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from luthier.errors import StoreError
from luthier.store.blobs import Blobs
from luthier.store.database import Database
from luthier.store.jobs import Jobs
from luthier.store.options import StoreOptions
from luthier.store.resources import Resources


@dataclass(frozen=True, slots=True)
class Store:
    """What must not be lost. `folder` is this machine's own: caches and runs under way."""

    folder: Path
    database: Database
    blobs: Blobs
    resources: Resources
    jobs: Jobs

    @classmethod
    def open(cls, options: StoreOptions) -> Store:
        """Returns the store, made if it is not there yet. `StoreError` when it cannot be used."""
        folder = options.folder()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(
                f"cannot be made: {error.strerror}",
                where=str(folder),
                remedy="name another with --home or LUTHIER_HOME",
            ) from None
        database = Database.open(options.database_url())
        blobs = Blobs(options.blobs or str(folder / "blobs"), folder / "cache" / "blobs")
        return cls(folder, database, blobs, Resources(database, blobs), Jobs(database))

    def close(self) -> None:
        """Closes the database; nothing is waiting to be written."""
        self.database.close()
