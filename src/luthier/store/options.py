"""Options of the store room: where state is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from luthier.config import LocalPath, Options, Outside

HOME, DATABASE = "LUTHIER_HOME", "LUTHIER_DATABASE"

StoreUrl = Annotated[str, Outside("url")]


class StoreOptions(Options):
    """Where files, jobs, models and everything else that must outlive a process are kept."""

    title: ClassVar[str] = "Store"

    home: LocalPath | None = Field(
        default=None, description=f"folder of the database, blobs and runs; default: ${HOME}, or ~/.luthier"
    )
    database: StoreUrl | None = Field(
        default=None,
        description=f"a database elsewhere: postgresql://USER:PASSWORD@HOST/NAME; default: ${DATABASE}, which other "
        "people cannot read in a list of processes, or SQLite in home",
    )
    blobs: StoreUrl | None = Field(
        default=None, description="blobs elsewhere: s3://BUCKET/FOLDER or another fsspec URL; default: a folder in home"
    )

    def folder(self) -> Path:
        """Returns the home folder, absolute; it may not exist yet."""
        return Path(self.home or os.environ.get(HOME) or "~/.luthier").expanduser().absolute()

    def database_url(self) -> str:
        """Returns where the database is."""
        return self.database or os.environ.get(DATABASE) or f"sqlite:///{self.folder() / 'luthier.db'}"
