"""Fixtures of the models room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_models import make_model, make_tokenizer, save_model


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture
def tokens() -> torch.Tensor:
    """Token ids, (2, 11)."""
    return torch.randint(3, 300, (2, 11), generator=torch.Generator().manual_seed(7))


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Callable[[str], Path]:
    """Returns a folder with a saved model of a kind and its tokenizer; it must not be changed."""
    folders: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in folders:
            folders[kind] = tmp_path_factory.mktemp(kind)
            save_model(folders[kind], make_model(kind), tokenizer)
        return folders[kind]

    return get
