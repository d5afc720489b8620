"""Files of a project: bytes with a name and a purpose."""

from __future__ import annotations

import time

from luthier.store.blobs import Blob
from luthier.store.ids import new_id
from luthier.store.opened import Store
from luthier.store.resources import Resource

MONTH_S = 30 * 24 * 3600


def keep_file(
    store: Store, project: str, blob: Blob, *, filename: str, purpose: str, expires_after_s: int | None = None
) -> Resource:
    """Returns the new file's row. Files of batches go away after a month unless something else is asked for."""
    if expires_after_s is None and purpose in {"batch", "batch_output"}:
        expires_after_s = MONTH_S
    return store.resources.add(
        "file",
        new_id("file-"),
        project,
        {"filename": filename, "purpose": purpose, "bytes": blob.size_bytes},
        expires_at=None if expires_after_s is None else int(time.time()) + expires_after_s,
        parts={"content": blob},
        labels={"purpose": purpose},
    )
