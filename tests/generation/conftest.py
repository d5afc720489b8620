from __future__ import annotations

from collections.abc import Callable

import pytest
from tiny_models import tiny_model, tiny_tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast


@pytest.fixture(scope="session")
def tiny() -> Callable[[str], PreTrainedModel]:
    """Makes a tiny model of one kind."""
    return tiny_model


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """A tiny tokenizer with a chat template."""
    return tiny_tokenizer()
