from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from static_embeddings import save_static

from luthier.retrieval.embedders import TextEmbedder, open_embedder
from luthier.retrieval.options import EmbedderOptions
from luthier.store.opened import Store
from luthier.store.options import StoreOptions


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of static embeddings."""
    return save_static(tmp_path_factory.mktemp("models") / "static")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yields an empty store."""
    opened = Store.open(StoreOptions(home=str(tmp_path / "home")))
    yield opened
    opened.close()


@pytest.fixture
def embedder(static_folder: Path) -> TextEmbedder:
    """Returns the static embedder."""
    found = open_embedder(EmbedderOptions(embedder=str(static_folder)))
    assert found is not None
    return found
