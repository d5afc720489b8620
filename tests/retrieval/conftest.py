from __future__ import annotations

from pathlib import Path

import pytest
from static_embeddings import save_static


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of static embeddings."""
    return save_static(tmp_path_factory.mktemp("models") / "static")
