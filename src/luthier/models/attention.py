"""Several rows in one forward pass of an unmodified transformers model, each row seeing only itself.

Attention runs causally per segment of the packed batch, through transformers' `AttentionInterface`; nothing is spent on
pairs of tokens of different rows. Models that do not use that interface get the block-diagonal mask that transformers
builds itself where `position_ids` restart and no mask is given.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from transformers.masking_utils import sdpa_mask

from luthier.errors import ModelError
from luthier.models import varlen
from luthier.models.causal import LONGEST, causal_attention
from luthier.models.hooks import AttentionHook
from luthier.models.segments import Layout, lay_out
from luthier.models.shapes import CALLS, PASS, ROW, computing_dtype, spare
from luthier.tokens.pack import Batch

_ATTENTION_LAYERS = {"full_attention", "sliding_attention", "chunked_attention", "attention"}
_MLP_LAYERS = {"moe", "mlp", "dense", "sparse"}
_STATE_KEYS = ("mamba_d_state", "mamba_d_ssm", "ssm_cfg", "ssm_state_size", "state_size", "conv_L_cache", "lru_width")
_STATE_MODELS = {"rwkv", "xlstm", "recurrent_gemma", "reformer"}
_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-3}
_LOOSE = 5e-2

_handles: dict[str, PackedAttention] = {}


def packing_refusal(config: Any) -> str | None:
    """Returns why rows must not be packed for a model of this configuration; None when they can be.

    Layers that carry a state from token to token (Mamba, RWKV, short convolutions, linear attention) would carry it
    from one row into the next, whatever the mask says.
    """
    kind = config.model_type
    if config.is_encoder_decoder:
        return f"{kind} is an encoder-decoder model"
    text = config.get_text_config()
    known: Mapping[str, Any] = text.to_dict()
    layers = {
        str(layer) for key in ("layer_types", "layers_block_type", "block_types") for layer in known.get(key) or ()
    }
    strange = sorted(layers - _ATTENTION_LAYERS - _MLP_LAYERS)
    if strange:
        return f"{kind} has layers that are not plain attention ({', '.join(strange)})"
    if layers:
        return None
    keys = [key for key in _STATE_KEYS if known.get(key)]
    if keys or text.model_type in _STATE_MODELS:
        return f"{kind} carries a state from token to token" + (f" ({keys[0]})" if keys else "")
    return None


class PackedAttention:
    """A model's attention while its rows are packed: per segment by our function, or by transformers' own mask."""

    def __init__(self, model: Any, *, per_segment: bool) -> None:
        self._hook = AttentionHook(model, "luthier_packed", self.attend, self.mask)
        self.name, self.per_segment = self._hook.name, per_segment
        self._segments: tuple[int, ...] = ()
        self._layouts: dict[int, Layout] = {}
        self._borders: varlen.Borders | None = None
        self._forward = False

    def install(self) -> None:
        """Makes the model use this attention."""
        _handles[self.name] = self
        self._hook.install(used=self.per_segment)

    def restore(self) -> None:
        """Gives the model back the attention it had."""
        self._hook.restore()
        _handles.pop(self.name, None)

    @contextmanager
    def forward(self, batch: Batch) -> Iterator[None]:
        """Sets the segments for one forward pass and for its backward pass, which may compute layers again."""
        self._segments, self._layouts, self._borders, self._forward = batch.segments, {}, None, True
        try:
            yield
        finally:
            self._forward = False

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def attend(
        self,
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        scaling: float | None = None,
        dropout: float = 0.0,
        softcap: float | None = None,
        s_aux: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, None]:
        """Returns the attention output (1, T, H, D) of query (1, H, T, D) and key, value (1, K, T, D), per segment."""
        if position_bias is not None:
            raise ModelError(f"{type(module).__name__} adds position biases to its attention", remedy=_UNPACKED)
        self._check_call(query, key)
        plain = attention_mask is None and softcap is None and s_aux is None and not dropout
        if plain and varlen.can_attend(query):
            if self._borders is None:
                self._borders = varlen.borders(self._segments, query.device)
            return varlen.attend(query, key, value, self._borders, scaling), None
        layout = self._layout(query, ROW if attention_mask is None else 1)  # causal: rows do not see their filling
        parts, start = [], 0
        for q, k, v in zip(*(layout.apart(states) for states in (query, key, value)), strict=True):  # (n, H, L, D)
            mask = None if attention_mask is None else _blocks(attention_mask, start, len(q), q.shape[2])
            parts.append(attention(q, k, v, mask, scaling, dropout, softcap, s_aux))  # (n, H, L, D)
            start += len(q) * q.shape[2]
        return layout.together(parts), None

    def _layout(self, query: torch.Tensor, multiple: int) -> Layout:
        """Returns how this pass's rows are taken apart: the same for each of its layers of a kind."""
        compiled = bool(spare(1, ROW, query))
        step = multiple if compiled else 1
        if step not in self._layouts:
            self._layouts[step] = lay_out(self._segments, step, query.device, CALLS if compiled else None)
        return self._layouts[step]

    def mask(
        self,
        batch_size: int,
        q_length: int,
        kv_length: int,
        *,
        mask_function: Callable[..., Any],
        local_size: int | None = None,
        use_vmap: bool = False,
        device: torch.device | str = "cpu",
        **kwargs: Any,
    ) -> torch.Tensor | None:
        """Returns None where each segment is plainly causal, else transformers' own mask (1, 1, T, T), bool.

        A sliding window or chunk that is no shorter than every segment changes nothing.
        """
        longest = max((end - start for start, end in itertools.pairwise(self._segments)), default=0)
        if not use_vmap and (local_size is None or longest <= local_size):
            return None
        return sdpa_mask(
            batch_size=batch_size,
            q_length=q_length,
            kv_length=kv_length,
            mask_function=mask_function,
            local_size=local_size,
            allow_is_causal_skip=False,
            use_vmap=use_vmap,
            device=device,
        )

    def _check_call(self, query: torch.Tensor, key: torch.Tensor) -> None:
        total = self._segments[-1] if self._segments else 0
        within = self._forward or torch._C._current_graph_task_id() != -1
        if not within or query.shape[0] != 1 or query.shape[2] != total or key.shape[2] != total:
            raise ModelError(
                "the model was called in another way while its attention is set up for packed rows",
                remedy="leave use_packed_attention before generating or evaluating with it",
            )


_UNPACKED = "set packing to false: it is then trained one row at a time"


@contextmanager
def use_packed_attention(model: Any, *, check: bool = True) -> Iterator[PackedAttention]:
    """Sets `model` up for `forward_packed`, and gives it back its own attention at the end.

    `ModelError` for models whose layers carry a state, and (with `check`) for any whose packed rows do not come out as
    they do alone: two short rows are tried both ways before anything is trained.
    """
    refusal = packing_refusal(model.config)
    if refusal:
        raise ModelError(f"rows cannot be packed: {refusal}", remedy=_UNPACKED)
    handle = PackedAttention(model, per_segment=bool(model._supports_attention_backend))
    handle.install()
    try:
        if check:
            handle = _checked(model, handle)
        yield handle
    finally:
        handle.restore()


def forward_packed(module: Any, batch: Batch) -> Any:
    """Returns what `module`, a causal model under `use_packed_attention` or its decoder, gives for the packed rows.

    Hidden states are (1, T, d) and logits (1, T, V), in the order of `batch.tokens`; T may be rounded up.
    """
    handle = _handles.get(module.config._attn_implementation)
    if handle is not None:
        batch = _rounded_up(batch, spare(len(batch.tokens), PASS, module.get_input_embeddings().weight))
    call = {"input_ids": batch.tokens[None], "position_ids": batch.positions[None], "use_cache": False}
    # No mask is passed, not even one of ones: that would switch transformers' own separation of rows off.
    if handle is None:
        return module(**call)
    with handle.forward(batch):
        return module(**call)


def _rounded_up(batch: Batch, count: int) -> Batch:
    """Returns the batch with `count` tokens that belong to no row after the last, as a segment of their own."""
    if not count:
        return batch
    return replace(
        batch,
        tokens=F.pad(batch.tokens, (0, count)),
        positions=torch.cat([batch.positions, torch.arange(count, device=batch.positions.device)]),
        segments=(*batch.segments, batch.segments[-1] + count),
    )


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    dropout: float,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    """Returns attention (n, H, L, D) of queries (n, H, L, D) to keys and values (n, K, S, D); K may be a divisor of H.

    Causal, with S = L, where there is no `mask` (broadcast to (n, H, L, S), true at what is seen). `softcap` bounds the
    scores by a tanh (Gemma 2); `sinks` (H,) are scores that take weight and give none (gpt-oss).
    """
    grouped = query.shape[1] != key.shape[1]
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    plain = softcap is None and sinks is None
    if plain and mask is None and not dropout and query.shape[2] <= LONGEST and spare(1, ROW, query):
        if grouped:
            key, value = (states.repeat_interleave(query.shape[1] // states.shape[1], 1) for states in (key, value))
        dtype = computing_dtype(query)
        return causal_attention(query.to(dtype), key.to(dtype), value.to(dtype), scale)
    if plain:
        return F.scaled_dot_product_attention(
            query, key, value, mask, dropout, is_causal=mask is None, scale=scaling, enable_gqa=grouped
        )
    if grouped:
        key, value = (states.repeat_interleave(query.shape[1] // states.shape[1], 1) for states in (key, value))
    scores = query @ key.transpose(2, 3) * scale  # (n, H, L, L)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if mask is None:
        mask = torch.ones(query.shape[2], query.shape[2], dtype=torch.bool, device=query.device).tril()
    scores = scores.masked_fill(~mask, float("-inf"))
    if sinks is not None:
        aside = sinks.to(scores.dtype)[None, :, None, None].expand(*scores.shape[:3], 1)
        scores = torch.cat([scores, aside], -1)  # (n, H, L, L + 1)
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)[..., : key.shape[2]]  # (n, H, L, K)
    return F.dropout(weights, dropout) @ value


def _blocks(mask: torch.Tensor, start: int, count: int, length: int) -> torch.Tensor:
    """Returns the blocks (n, 1, L, L) of a run of segments on the diagonal of a mask (1, 1, T, T)."""
    starts = range(start, start + count * length, length)
    return torch.stack([mask[0, :, place : place + length, place : place + length] for place in starts])


def _checked(model: Any, handle: PackedAttention) -> PackedAttention:
    """Returns the handle, or one that leaves attention to transformers where ours cannot do what the model asks for."""
    try:
        _check(model)
    except ModelError:
        if not handle.per_segment:
            raise
        handle.restore()
        handle = PackedAttention(model, per_segment=False)
        _check(model)
        handle.install()
    return handle


def _check(model: Any) -> None:
    """Raises `ModelError` when two short rows do not come out packed as they do alone."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            error, dtype = _difference(model)
    finally:
        for module in training:
            module.training = True
    if not error <= _TOLERANCE.get(dtype, _LOOSE):
        raise ModelError(
            f"rows cannot be packed: packed, the outputs of {model.config.model_type} differ by {error:.1%}",
            remedy=_UNPACKED,
        )


def _difference(model: Any) -> tuple[float, torch.dtype]:
    """Returns the largest difference between packed and separate logits, as a share of the largest logit."""
    device, vocabulary = model.device, model.config.get_text_config().vocab_size
    ids = torch.arange(1, 25, device=device) * 7919 % vocabulary
    rows = [ids[:11], ids[11:]]
    alone = torch.cat([_logits(model, [row]) for row in rows])
    together = _logits(model, rows)
    error = (alone - together).abs().max() / alone.abs().max().clamp_min(1e-30)
    return float(error), together.dtype


def _logits(model: Any, rows: list[torch.Tensor]) -> torch.Tensor:
    nothing = torch.zeros(0, dtype=torch.int64)
    ends = itertools.accumulate((len(row) for row in rows), initial=0)
    positions = torch.cat([torch.arange(len(row), device=row.device) for row in rows])
    batch = Batch(torch.cat(rows), positions, tuple(ends), nothing, nothing, tuple(range(len(rows))))
    logits: torch.Tensor = forward_packed(model, batch).logits[0, : len(batch.tokens)]
    return logits
