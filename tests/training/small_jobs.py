"""A tiny model, a handful of rows and a job over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from luthier.objectives.language import LanguageObjective
from luthier.report import ListReport
from luthier.tokens.token_rows import TokenRow
from luthier.training.loop import Job
from luthier.training.options import TrainingOptions


class Rows:
    """Token rows in memory."""

    def __init__(self, count: int = 24, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.rows = []
        for index in range(count):
            tokens = rng.integers(3, 50, rng.integers(6, 20)).astype(np.int32)
            labels = np.arange(len(tokens)) >= len(tokens) // 2
            self.rows.append(TokenRow(tokens, labels, index))
        self.lengths = np.array([len(row.tokens) for row in self.rows], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> TokenRow:
        return self.rows[index]


def tiny_model(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=64,
            tie_word_embeddings=True,
        )
    )


MakeJob = Callable[..., Job]


def make_job(path: Path, **changes: Any) -> Job:
    """Returns a job over 24 tiny rows in the folder `path`: 12 steps, evaluated every third, saved at each."""
    options = {"num_train_epochs": 2, "batch_size": 4, "eval_steps": 3, "save_steps": 1, "seed": 5}
    options |= changes.pop("options", {})
    path.mkdir(exist_ok=True)
    fields = {
        "model": tiny_model(),
        "objective": LanguageObjective(),
        "items": Rows(),
        "options": TrainingOptions(**options),
        "peak_learning_rate": 1e-2,
        "max_tokens_per_pass": 40,
        "folder": path,
        "device": torch.device("cpu"),
        "compute_dtype": torch.float32,
        "identity": {"run": "test"},
        "report": ListReport(),
    }
    return Job(**(fields | changes))
