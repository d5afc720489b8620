"""One pass of an unmodified transformers model over pieces of many texts, whose past is in rows of a `StateMemory`.

The new tokens of all texts stand in one packed row; attention reaches each text's own past through transformers'
`AttentionInterface`. Texts with one new token whose rows are neighbours share two matrix products; a longer piece is
attended on its own. Where a device has a way to reach all rows at once (`steps.way_of`: CUDA), it is taken instead, and
passes in which every text has one new token are captured and replayed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from luthier.errors import ModelError
from luthier.generation.adapters import Adapters
from luthier.generation.decode import Forward
from luthier.generation.memory import LayerShape, Row, StateMemory, StateShape
from luthier.generation.row_attention import Rows, numbers_of
from luthier.generation.runs import Piece, Plan, Run
from luthier.generation.steps import Steps, Way, bucket, given_up, refusal, rows_of, tile_of, way_of
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
        self.eager_because: str | None = None
        """Why no pass is captured though the device could."""
        self._way: Way | None = None
        self._steps = Steps(model, self._stepped, self.device)
        self._plan: Plan | Rows | None = None
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
        self._steps.refresh()
        try:
            yield
        finally:
            self._hook.restore()

    @torch.no_grad()
    def __call__(self, parts: Sequence[Part]) -> Tensor:
        """Returns the logits (K, V), in fp32, after the kept places of `parts`, in their order.

        They hold until the next pass.
        """
        if self._way is not None and self._is_step(parts):
            try:
                return self._steps(numbers_of(parts, self._anchor), self._way)
            except Exception as error:  # whatever a graph cannot hold: it is never the caller's fault
                self._give_up(error)
        order = sorted(parts, key=lambda part: (len(part.tokens) > 1, part.row.place))
        firsts = dict(
            zip(map(id, order), itertools.accumulate((len(p.tokens) for p in order), initial=0), strict=False)
        )
        tokens = [token for part in order for token in part.tokens]
        places = [place for part in order for place in range(part.start, part.end)]
        kept = [firsts[id(part)] + place for part in parts for place in part.kept]
        lists = (tokens, places, kept)
        self._plan = self._planned(order, firsts) if self._way is None else rows_of(order, self._anchor, self._tile)
        try:
            with self.adapters.routed([(part.adapter, len(part.tokens)) for part in order]):
                return self._forward.packed(*(torch.tensor(one, dtype=torch.long).to(self.device) for one in lists))
        finally:
            self._plan = None

    def forget(self, row: Row) -> None:
        """Does nothing: what a free row holds is overwritten."""

    def _is_step(self, parts: Sequence[Part]) -> bool:
        """Returns whether each of `parts` is one token after which logits are wanted, and nothing else is."""
        head = self.model.get_output_embeddings()
        watched = head is not None and bool(head._forward_pre_hooks)  # nobody is called when a graph is replayed
        alike = all(len(part.tokens) == 1 == len(part.kept) and part.adapter is None for part in parts)
        return alike and not watched and bucket(len(parts)) is not None

    def _stepped(self, numbers: Tensor) -> Tensor:
        """Returns the logits (B, V) after one new token each of B texts, or filling, told by `numbers`."""
        self._plan = Rows(self._anchor, numbers, numbers.shape[1])
        try:
            kept = torch.arange(numbers.shape[1], device=self.device)
            return self._forward.packed(numbers[0], numbers[1].clamp_min(0), kept)
        finally:
            self._plan = None

    def _give_up(self, why: str | Exception) -> None:
        self._way = None
        self._steps.captured.clear()
        self.eager_because = given_up(self.model.config.model_type, why)

    def _planned(self, order: Sequence[Part], firsts: dict[int, int]) -> Plan:
        singles = [part for part in order if len(part.tokens) == 1]
        runs, start = [], 0
        for at in range(1, len(singles) + 1):
            before = singles[at - 1].row
            after = singles[at].row if at < len(singles) else None
            if after is None or after.slab is not before.slab or after.index != before.index + 1:
                runs.append(Run.of([(part.row, part.start) for part in singles[start:at]], start, self.device))
                start = at
        pieces = [Piece(p.row, firsts[id(p)], p.start, p.end) for p in order[len(singles) :]]
        return Plan(runs, pieces)

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
        if isinstance(self._plan, Rows):
            assert self._way is not None
            scale = query.shape[-1] ** -0.5 if scaling is None else scaling
            how: Any = {"scaling": scale, "softcap": softcap, "sinks": s_aux, "window": sliding_window}
            return self._way.attend(query[0], key[0], value[0], self._plan, layer, **how)[None], None
        return self._plan.attend(layer, query, key, value, scaling, softcap, s_aux, sliding_window)[None], None

    def _look(self, number: int, query: Tensor, key: Tensor, value: Tensor, *how: Any) -> tuple[Tensor, None]:
        """Plain causal attention, for the trial that finds out what the layers keep."""
        scaling, softcap, s_aux, window = how
        self._layers[number] = len(self._found)
        self._found.append(LayerShape(key.shape[1], key.shape[3], value.shape[3]))
        self._windows.append(window is not None)
        self._dtype = key.dtype
        self._tile = tile_of(query.shape[1], key.shape[1])
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
                self._check(self._in_pieces(shape, ids.tolist()), expected)
                self._try_way(shape, ids.tolist(), expected)
        finally:
            for module in training:
                module.training = True
        return shape

    def _try_way(self, shape: StateShape, ids: Sequence[int], expected: Tensor) -> None:
        """Takes the device's way from here on, where it comes out as the model does alone."""
        way = way_of(self.device)
        if way is None:
            return
        refused = refusal(self.model, shape.layers)
        if refused is not None:
            self._give_up(refused)
            return
        self._way, self._anchor = way, torch.zeros(16, dtype=shape.dtype, device=self.device)
        try:
            self._check(self._in_pieces(shape, ids), expected)
        except Exception as error:
            self._give_up(error)

    def _check(self, found: Tensor, expected: Tensor) -> None:
        error = float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-30))
        if not error <= _TOLERANCE.get(self._dtype, _LOOSE):
            raise ModelError(f"in rows, the outputs of {self.model.config.model_type} differ by {error:.1%}")

    def _in_pieces(self, shape: StateShape, ids: Sequence[int]) -> Tensor:
        """Returns the logits after each of `ids`, read in pieces of 5, 1, 3, 1, 1, 1 tokens beside a longer text."""
        memory = StateMemory(shape, shape.token_bytes * 4096, 64)
        rows = [memory.take(64), memory.take(64)]
        self([Part(rows[1], ids[:4], 0)])  # type: ignore[arg-type]
        found, at = [], 0
        for size in (5, 1, 3, 1, 1, 1):
            own = Part(rows[0], ids[at : at + size], at, range(size))  # type: ignore[arg-type]
            beside = Part(rows[1], ids[at : at + size][::-1], at + 4, range(size))  # type: ignore[arg-type]
            found.append(self([beside, own])[size:].clone())
            at += size
        return torch.cat(found)

    def _check_windows(self) -> None:
        config = self.model.config.get_text_config()
        kinds = getattr(config, "layer_types", None)
        if kinds and any(
            (kind == "sliding_attention") != told for kind, told in zip(kinds, self._windows, strict=True)
        ):
            raise ModelError("the model does not tell its attention which layers see a window only")


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
