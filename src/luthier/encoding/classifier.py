"""Texts to the scores of labels: a text classifier in the folder format of transformers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor

from luthier.encoding.batches import by_length, longest_text
from luthier.errors import ContextError, ModelError
from luthier.models.load import load_weights
from luthier.models.opening import check_code, check_weights, choose_device, choose_dtype, load_tokenizer
from luthier.models.options import LoadOptions
from luthier.models.resolve import resolve_model

ProblemType = Literal["single_label_classification", "multi_label_classification"]
AUTO = "AutoModelForSequenceClassification"
TOKENS_AT_ONCE = 16_384
MOST_WINDOWS = 4_096
"""In one call: as many as a request for embeddings may hold texts, twice."""


class Classifier:
    """One text classifier. `labels` are in the order of its scores; `max_tokens` is the longest text it reads at once.

    With `exclusive` labels the scores of a text are one softmax, which add up to 1; otherwise each is a sigmoid.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, *, exclusive: bool) -> None:
        self.name, self.model, self.tokenizer = name, model.eval().requires_grad_(False), tokenizer
        self.exclusive, self.max_tokens = exclusive, longest_text(model, tokenizer)
        self.labels = tuple(str(model.config.id2label[index]) for index in range(int(model.config.num_labels)))
        self._device = next(model.parameters()).device
        # decoders find the end of a text by the filling, and cannot without one
        pad = tokenizer.pad_token_id
        self.tokens_at_once = TOKENS_AT_ONCE if pad is not None and pad == model.config.pad_token_id else 0

    @classmethod
    def load(cls, name: str, options: LoadOptions | None = None, *, problem_type: ProblemType | None = None) -> Self:
        """Returns the classifier called `name`, a folder or a hub name; `ModelError` when it is none.

        `problem_type` is that of the model's configuration where it is not given.
        """
        options = options or LoadOptions()
        trust = options.trust_remote_code
        folder = _folder(name, options)
        device = choose_device(options.device)
        dtype = choose_dtype(options.precision, device)
        model, _ = load_weights(folder, dtype, device, auto=AUTO, trust_remote_code=trust)
        tokenizer = load_tokenizer(folder, trust_remote_code=trust)
        if not tokenizer.is_fast:
            raise ModelError("has no tokenizer.json", where=str(folder), remedy="save it with its fast tokenizer")
        return cls(name, model, tokenizer, exclusive=_exclusive(model.config, problem_type, folder))

    def check_labels(self, wanted: Iterable[str]) -> None:
        """Raises `ModelError` when the classifier lacks a label that is `wanted`."""
        if lacking := [label for label in wanted if label not in self.labels]:
            raise ModelError(
                f"has no label {lacking[0]!r}", where=self.name, remedy=f"its labels: {', '.join(self.labels[:20])}"
            )

    def scores(self, texts: Sequence[str]) -> Tensor:
        """Returns the scores (N, L) of texts, fp32 on the CPU; the neighbours of a text do not change them.

        A text that is longer than `max_tokens` is read in windows that overlap by half, and the highest score of each
        label counts. `ContextError` beyond `MOST_WINDOWS` windows.
        """
        rows, owners = self.windows(texts)
        found = torch.zeros(len(rows), len(self.labels))
        for part in by_length([self.length(row) for row in rows], self.tokens_at_once):
            found[part] = self.encode([rows[index] for index in part])
        return self.of_texts(found, owners, len(texts))

    def of_texts(self, found: Tensor, owners: Sequence[int], count: int) -> Tensor:
        """Returns the scores (N, L) of `count` texts from those of their windows (W, L): the highest of each label."""
        out = torch.zeros(count, len(self.labels))
        places = torch.tensor(owners)[:, None].expand_as(found)  # (W, L)
        return out.scatter_reduce_(0, places, found, "amax")

    def windows(self, texts: Sequence[str]) -> tuple[list[dict[str, list[int]]], list[int]]:
        """Returns what the model reads of each window, and the number of the text that it is of; none of no tokens."""
        rows, owners = self._cut(texts)
        if len(rows) > MOST_WINDOWS:
            raise ContextError(
                f"the texts take {len(rows)} windows of {self.max_tokens} tokens, and {MOST_WINDOWS} are read at once",
                where="input",
                remedy="send them in several requests",
                param="input",
            )
        return rows, owners

    def _cut(self, texts: Sequence[str]) -> tuple[list[dict[str, list[int]]], list[int]]:
        if not texts:
            return [], []
        inside = self.max_tokens - self.tokenizer.num_special_tokens_to_add()
        out = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.max_tokens,
            stride=inside // 2,
            return_overflowing_tokens=True,
            return_attention_mask=False,
        )
        owners = out.pop("overflow_to_sample_mapping")
        rows = [{name: out[name][index] for name in out} for index in range(len(owners))]
        kept = [index for index, row in enumerate(rows) if row["input_ids"]]
        return [rows[index] for index in kept], [owners[index] for index in kept]

    def length(self, row: dict[str, list[int]]) -> int:
        """Returns how many tokens a window has."""
        return len(row["input_ids"])

    @torch.no_grad()
    def encode(self, rows: Sequence[dict[str, list[int]]]) -> Tensor:
        """Returns the scores (B, L) of windows that are computed together, fp32 on the CPU."""
        if len(rows) == 1:
            batch = {name: torch.tensor([values]) for name, values in rows[0].items()}
        else:
            batch = self.tokenizer.pad(list(rows), return_tensors="pt")
        inputs = {name: values.to(self._device) for name, values in batch.items()}
        logits: Tensor = self.model(**inputs).logits.float().cpu()  # (B, L)
        return logits.softmax(-1) if self.exclusive else logits.sigmoid()


def _folder(name: str, options: LoadOptions) -> Path:
    trust = options.trust_remote_code
    found = resolve_model(name, revision=options.revision, download=True, trust_remote_code=trust)
    if found.base_folder is None or found.adapter is not None:
        raise ModelError("is no text classifier of this machine", where=name, remedy="give its folder")
    check_code(found.base_folder, AUTO, trust_remote_code=trust)
    check_weights(found.base_folder)
    return found.base_folder


def _exclusive(config: Any, problem_type: ProblemType | None, folder: Path) -> bool:
    """Returns whether one label of a text excludes the others; a model that does not say has exclusive labels."""
    kind = problem_type or config.problem_type
    if kind == "regression":
        raise ModelError(
            "its problem_type is regression: its numbers are no scores of labels",
            where=str(folder),
            remedy="set problem_type to single_label_classification or multi_label_classification",
        )
    return int(config.num_labels) > 1 and kind != "multi_label_classification"
