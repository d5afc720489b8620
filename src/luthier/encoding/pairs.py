"""Pairs of texts to scores: a cross-encoder, which reads a question and a passage together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from luthier.encoding.batches import by_length, longest_text
from luthier.encoding.classifier import AUTO
from luthier.errors import ModelError
from luthier.models.load import load_weights
from luthier.models.opening import check_code, check_weights, choose_device, choose_dtype, load_tokenizer
from luthier.models.options import LoadOptions
from luthier.models.resolve import resolve_model

TOKENS_AT_ONCE = 16_384


class PairScorer:
    """A model that scores pairs. With one output its sigmoid is the score, with several the share of the last one:
    what is positive comes last. `max_tokens` is the longest pair; the second text of a longer one is cut at its end."""

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        self.name, self.model, self.tokenizer = name, model.eval().requires_grad_(False), tokenizer
        self.max_tokens = longest_text(model, tokenizer)
        self._device = next(model.parameters()).device

    @classmethod
    def load(cls, name: str, options: LoadOptions | None = None) -> Self:
        """Returns the cross-encoder called `name`, a folder or a hub name; `ModelError` when it is none."""
        options = options or LoadOptions()
        trust = options.trust_remote_code
        found = resolve_model(name, revision=options.revision, download=True, trust_remote_code=trust)
        if found.base_folder is None or found.adapter is not None:
            raise ModelError("is no cross-encoder of this machine", where=name, remedy="give its folder")
        check_code(found.base_folder, AUTO, trust_remote_code=trust)
        check_weights(found.base_folder)
        device = choose_device(options.device)
        dtype = choose_dtype(options.precision, device)
        model, _ = load_weights(found.base_folder, dtype, device, auto=AUTO, trust_remote_code=trust)
        return cls(name, model, load_tokenizer(found.base_folder, trust_remote_code=trust))

    def scores(
        self, pairs: Sequence[tuple[str, str]], between: Callable[[int], None] = lambda done: None
    ) -> list[float]:
        """Returns a score from 0 to 1 for each pair; its neighbours do not change it. `between` hears how many are
        done, before each batch, and may raise."""
        if not pairs:
            return []
        encoded = self.tokenizer(
            [first for first, _ in pairs],
            [second for _, second in pairs],
            truncation="only_second",
            max_length=self.max_tokens,
            return_attention_mask=False,
        )
        rows = [{name: encoded[name][index] for name in encoded} for index in range(len(pairs))]
        out, done = torch.zeros(len(rows)), 0
        for part in by_length([len(row["input_ids"]) for row in rows], TOKENS_AT_ONCE):
            between(done)
            out[part] = self._score([rows[index] for index in part])
            done += len(part)
        return [float(score) for score in out]

    @torch.no_grad()
    def _score(self, rows: Sequence[dict[str, list[int]]]) -> Tensor:
        batch = self.tokenizer.pad(list(rows), return_tensors="pt")
        inputs = {name: values.to(self._device) for name, values in batch.items()}
        logits: Tensor = self.model(**inputs).logits.float().cpu()  # (B, L)
        return logits[:, 0].sigmoid() if logits.shape[1] == 1 else logits.softmax(-1)[:, -1]
