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
    expires_at = None if expires_after_s is None else int(time.time()) + expires_after_s
    return add_file(store, project, new_id("file-"), blob, filename=filename, purpose=purpose, expires_at=expires_at)


def add_file(
    store: Store,
    project: str,
    id: str,
    blob: Blob,
    *,
    filename: str,
    purpose: str,
    created_at: int | None = None,
    expires_at: int | None = None,
) -> Resource:
    """Returns the row of a file that has its id. Errors as of `Resources.add`."""
    return store.resources.add(
        "file",
        id,
        project,
        {"filename": filename, "purpose": purpose, "bytes": blob.size_bytes},
        created_at=created_at,
        expires_at=expires_at,
        parts={"content": blob},
        labels={"purpose": purpose},
    )
