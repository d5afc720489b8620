"""One pass of an unmodified transformers model over pieces of many texts, whose past is in rows of a `StateMemory`.

The new tokens of all texts stand in one packed row; attention reaches each text's own past through transformers'
`AttentionInterface`. Texts with one new token whose rows are neighbours share two matrix products; a longer piece is
attended on its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from luthier.errors import ModelError
from luthier.generation.adapters import Adapters
from luthier.generation.decode import Forward
from luthier.generation.memory import LayerShape, Row, Slab, StateMemory, StateShape
from luthier.models.attention import attention, packing_refusal
from luthier.models.hooks import AttentionHook

_PLAIN_LAYERS = {"full_attention", "sliding_attention"}
_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-3}
_LOOSE = 5e-2


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of one text that are new in a pass, the first of them at place `start` of the text.

    `kept` are the places within `tokens` after which logits are wanted; `adapter` is what its tokens go through.
    """

    row: Row
    tokens: Sequence[int]
    start: int
    kept: Sequence[int] = ()
    adapter: str | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.tokens)


@dataclass(slots=True)
class _Run:
    """Texts with one new token each in neighbouring rows `low` to `high` of a slab; theirs are the tokens from `first`
    on. `starts` (n,) are the columns of the new tokens."""

    slab: Slab
    low: int
    high: int
    first: int
    starts: Tensor
    columns: int
    even: bool
    rows: Tensor
    hidden: dict[tuple[int | None, int], Tensor | None] = field(default_factory=dict)

    def bias(self, window: int | None, heads: int, like: Tensor) -> Tensor | None:
        """Returns -inf at columns a text does not see, 0 elsewhere, (n * heads, 1, columns); None where all see all."""
        key = (window, heads)
        if key not in self.hidden:
            seen = self.seen(window)
            bias = None
            if seen is not None:
                zeros = torch.zeros(seen.shape, dtype=like.dtype, device=like.device)
                bias = zeros.masked_fill_(~seen, float("-inf")).repeat_interleave(heads, 0)[:, None]
            self.hidden[key] = bias
        return self.hidden[key]

    def seen(self, window: int | None) -> Tensor | None:
        """Returns which columns each text sees, (n, columns); None where all see all."""
        if self.even and (window is None or self.columns <= window):
            return None
        places = torch.arange(self.columns, device=self.starts.device)
        seen = places <= self.starts[:, None]
        return seen if window is None else seen & (places > self.starts[:, None] - window)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text with several new tokens: those from `first` on."""

    row: Row
    first: int
    start: int
    end: int

    def seen(self, window: int | None, device: torch.device) -> Tensor | None:
        """Returns which columns each new token sees, (1, 1, count, columns); None where that is plainly causal."""
        if self.start == 0 and (window is None or self.end <= window):
            return None
        places = torch.arange(self.end, device=device)
        own = places[self.start :, None]
        seen = places <= own
        return (seen if window is None else seen & (places > own - window))[None, None]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What attention does in one pass."""

    runs: Sequence[_Run]
    pieces: Sequence[_Piece]


class Passes:
    """Runs passes of one model. Use it within `attending`; `ModelError` at once for models that it cannot serve."""

    chunks = True
    """Whether a prompt may be read in several pieces, and a text begin with another's state."""

    def __init__(self, model: Any) -> None:
        refusal = _refusal(model)
        if refusal:
            raise ModelError(refusal)
        self.model, self._forward = model, Forward(model)
        self.device = self._forward.device
        self._hook = AttentionHook(model, "luthier_rows", self.attend, _no_mask)
        self.adapters = Adapters(model)
        self._plan: _Plan | None = None
        self._layers: dict[int, int] = {}
        self._found: list[LayerShape] = []
        self._windows: list[bool] = []
        self.shape = self._tried()

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Makes the model attend to rows while the context lasts. `ModelError` where it does so already."""
        if self._hook.installed:
            raise ModelError("the model is answering already", remedy="wait for its replies, or load it once more")
        self._hook.install()
        try:
            yield
        finally:
            self._hook.restore()

    @torch.no_grad()
    def __call__(self, parts: Sequence[Part]) -> Tensor:
        """Returns the logits (K, V), in fp32, after the kept places of `parts`, in their order."""
        order = sorted(parts, key=lambda part: (len(part.tokens) > 1, part.row.place))
        firsts = dict(
            zip(map(id, order), itertools.accumulate((len(p.tokens) for p in order), initial=0), strict=False)
        )
        tokens = [token for part in order for token in part.tokens]
        places = [place for part in order for place in range(part.start, part.end)]
        kept = [firsts[id(part)] + place for part in parts for place in part.kept]
        lists = (tokens, places, kept)
        self._plan = self._planned(order, firsts)
        try:
            with self.adapters.routed([(part.adapter, len(part.tokens)) for part in order]):
                return self._forward.packed(*(torch.tensor(one, dtype=torch.long).to(self.device) for one in lists))
        finally:
            self._plan = None

    def forget(self, row: Row) -> None:
        """Does nothing: what a free row holds is overwritten."""

    def _planned(self, order: Sequence[Part], firsts: dict[int, int]) -> _Plan:
        singles = [part for part in order if len(part.tokens) == 1]
        runs, start = [], 0
        for at in range(1, len(singles) + 1):
            before = singles[at - 1].row
            after = singles[at].row if at < len(singles) else None
            if after is None or after.slab is not before.slab or after.index != before.index + 1:
                runs.append(self._run(singles[start:at], start))
                start = at
        pieces = [_Piece(p.row, firsts[id(p)], p.start, p.end) for p in order[len(singles) :]]
        return _Plan(runs, pieces)

    def _run(self, parts: Sequence[Part], first: int) -> _Run:
        low, high = parts[0].row.index, parts[-1].row.index
        starts = [part.start for part in parts]
        return _Run(
            parts[0].row.slab,
            low,
            high,
            first,
            torch.tensor(starts, device=self.device),
            max(starts) + 1,
            min(starts) == max(starts),
            torch.arange(low, high + 1, device=self.device),
        )

    def attend(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None = None,
        dropout: float = 0.0,
        softcap: float | None = None,
        s_aux: Tensor | None = None,
        position_bias: Tensor | None = None,
        sliding_window: int | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, None]:
        """Writes key and value (1, K, T, D) to their rows; returns attention (1, T, H, D) of query (1, H, T, D)."""
        if position_bias is not None:
            raise ModelError(f"{type(module).__name__} adds position biases to its attention")
        number = int(module.layer_idx)  # type: ignore[arg-type]
        if self._plan is None:
            return self._look(number, query, key, value, scaling, softcap, s_aux, sliding_window)
        layer = self._layers[number]
        new_keys, new_values = key[0].transpose(0, 1), value[0].transpose(0, 1)  # (T, K, D)
        heads, count = query.shape[1], query.shape[2]
        out = value.new_empty(count, heads, value.shape[-1])  # (T, H, D)
        for run in self._plan.runs:
            end = run.first + len(run.rows)
            keys, values = run.slab.layers[layer]
            keys[run.rows, :, run.starts] = new_keys[run.first : end]
            values[run.rows, :, run.starts] = new_values[run.first : end]
            own = query[0, :, run.first : end].transpose(0, 1)  # (n, H, D)
            if softcap is None and s_aux is None:
                out[run.first : end] = _attend_run(run, own, keys, values, scaling, sliding_window)
            else:
                out[run.first : end] = _attend_capped(run, own, keys, values, scaling, softcap, s_aux, sliding_window)
        for piece in self._plan.pieces:
            end, row = piece.first + piece.end - piece.start, piece.row.index
            keys, values = (part[row : row + 1] for part in piece.row.slab.layers[layer])
            keys[:, :, piece.start : piece.end] = key[:, :, piece.first : end]
            values[:, :, piece.start : piece.end] = value[:, :, piece.first : end]
            seen = piece.seen(sliding_window, query.device)
            own = query[:, :, piece.first : end]
            keys, values = keys[:, :, : piece.end], values[:, :, : piece.end]
            done = attention(own, keys, values, seen, scaling, 0.0, softcap, s_aux)  # (1, H, c, D)
            out[piece.first : end] = done[0].transpose(0, 1)
        return out[None], None

    def _look(self, number: int, query: Tensor, key: Tensor, value: Tensor, *how: Any) -> tuple[Tensor, None]:
        """Plain causal attention, for the trial that finds out what the layers keep."""
        scaling, softcap, s_aux, window = how
        self._layers[number] = len(self._found)
        self._found.append(LayerShape(key.shape[1], key.shape[3], value.shape[3]))
        self._windows.append(window is not None)
        self._dtype = key.dtype
        done = attention(query, key, value, None, scaling, 0.0, softcap, s_aux)
        return done.transpose(1, 2), None

    @torch.no_grad()
    def _tried(self) -> StateShape:
        """Returns what a token leaves in memory; `ModelError` where the model does not come out as it does alone."""
        training = [module for module in self.model.modules() if module.training]
        self.model.eval()
        try:
            ids = torch.arange(1, 13, device=self.device) * 7919 % self.model.config.get_text_config().vocab_size
            expected = self.model(input_ids=ids[None], use_cache=False).logits[0].float()  # (12, V)
            with self.attending():
                self.model(
                    input_ids=ids[None], position_ids=torch.arange(12, device=self.device)[None], use_cache=False
                )
                shape = StateShape(tuple(self._found), self._dtype, self.device)
                self._check_windows()
                found = self._in_pieces(shape, ids.tolist())
        finally:
            for module in training:
                module.training = True
        error = float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-30))
        if not error <= _TOLERANCE.get(self._dtype, _LOOSE):
            raise ModelError(f"in rows, the outputs of {self.model.config.model_type} differ by {error:.1%}")
        return shape

    def _in_pieces(self, shape: StateShape, ids: Sequence[int]) -> Tensor:
        """Returns the logits after each of `ids`, read in pieces of 5, 1, 3, 1, 1, 1 tokens beside a longer text."""
        memory = StateMemory(shape, shape.token_bytes * 4096, 64)
        rows = [memory.take(64), memory.take(64)]
        self([Part(rows[1], ids[:4], 0)])  # type: ignore[arg-type]
        found, at = [], 0
        for size in (5, 1, 3, 1, 1, 1):
            own = Part(rows[0], ids[at : at + size], at, range(size))  # type: ignore[arg-type]
            beside = Part(rows[1], ids[at : at + size][::-1], at + 4)  # type: ignore[arg-type]
            found.append(self([beside, own]))
            at += size
        return torch.cat(found)

    def _check_windows(self) -> None:
        config = self.model.config.get_text_config()
        kinds = getattr(config, "layer_types", None)
        if kinds and any(
            (kind == "sliding_attention") != told for kind, told in zip(kinds, self._windows, strict=True)
        ):
            raise ModelError("the model does not tell its attention which layers see a window only")


def _attend_run(
    run: _Run, query: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
) -> Tensor:
    """Returns attention (n, H, D) of one query (n, H, D) a row, as products over all rows and heads."""
    count, heads, width = query.shape
    shared = keys.shape[1]
    scale = width**-0.5 if scaling is None else scaling
    grouped = query.reshape(count * shared, heads // shared, width)
    keys, values = (part[run.low : run.high + 1].flatten(0, 1)[:, : run.columns] for part in (keys, values))
    bias = run.bias(window, shared, query)
    if bias is None:
        scores = torch.bmm(grouped * scale, keys.transpose(1, 2))
    else:
        scores = torch.baddbmm(bias, grouped, keys.transpose(1, 2), alpha=scale)  # (n * K, H / K, columns)
    return torch.bmm(scores.softmax(-1), values).view(count, heads, -1)


def _attend_capped(
    run: _Run,
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scaling: float | None,
    softcap: float | None,
    sinks: Tensor | None,
    window: int | None,
) -> Tensor:
    """Returns the same where scores are bounded (Gemma 2) or some weight goes nowhere (gpt-oss)."""
    keys, values = (part[run.low : run.high + 1, :, : run.columns] for part in (keys, values))
    seen = run.seen(window)
    mask = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=query.device) if seen is None else seen[:, None, None]
    return attention(query[:, :, None], keys, values, mask, scaling, 0.0, softcap, sinks)[:, :, 0]


def _refusal(model: Any) -> str | None:
    """Returns why a model cannot be served in rows; None where a trial may say."""
    refusal = packing_refusal(model.config)
    if refusal is not None:
        return refusal
    if not model._supports_attention_backend:
        return f"{model.config.model_type} has an attention of its own"
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    strange = sorted(kinds - _PLAIN_LAYERS)
    return f"has layers of {', '.join(strange)}" if strange else None


def _no_mask(*args: Any, **kwargs: Any) -> None:
    """Returns no mask: what a token sees is settled in `Passes.attend`."""
