"""From logits to the next token of each row, by that row's own sampling and its own random numbers.

A row's draw depends on its logits, its `Sampling` and its generator alone, never on which rows share its batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from luthier.errors import ModelError, SpecError
from luthier.records.messages import Ranked, Sampling

MOST_RANKED = 100


def check_sampling(sampling: Sampling) -> None:
    """Raises `SpecError` when a field of `sampling` cannot be honoured."""
    for name, value, low, high in (
        ("temperature", sampling.temperature, 0.0, 10.0),
        ("top_p", sampling.top_p, 0.0, 1.0),
        ("top_k", sampling.top_k, 0, math.inf),
        ("min_p", sampling.min_p, 0.0, 1.0),
        ("frequency_penalty", sampling.frequency_penalty, -2.0, 2.0),
        ("presence_penalty", sampling.presence_penalty, -2.0, 2.0),
        ("top_logprobs", sampling.top_logprobs, 0, MOST_RANKED),
        ("max_tokens", sampling.max_tokens, 1, math.inf),
    ):
        if value is not None and not low <= value <= high:
            raise SpecError(f"must be between {low:g} and {high:g}. Got {value!r}", where=name, param=name)
    if sampling.top_p == 0:
        raise SpecError("must be above 0. Got 0", where="top_p", remedy="1 keeps every token", param="top_p")
    if any(not text for text in sampling.stop):
        raise SpecError("holds an empty text, which would end every reply at once", where="stop", param="stop")


def generator_for(sampling: Sampling) -> torch.Generator | None:
    """Returns the random numbers of one reply: seeded, fresh when no seed is given, None for a greedy one."""
    if sampling.temperature == 0:
        return None
    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed % 2**63)
    return generator


@dataclass(frozen=True, slots=True)
class Drawn:
    """The next token of a row; its natural log-probability and the likeliest tokens with theirs, where asked for."""

    token: int
    logprob: float | None = None
    ranked: Ranked = ()


def draw(
    logits: Tensor,
    samplings: Sequence[Sampling],
    generators: Sequence[torch.Generator | None],
    replies: Sequence[Sequence[int]] | None = None,
    masks: Sequence[bytes | None] | None = None,
) -> list[Drawn]:
    """Returns the next token of each row of `logits` (B, V); `replies` are the rows' tokens so far, for penalties, and
    `masks` the tokens that a row may take, a bit each.

    Log-probabilities are those of the model, before penalties, biases, temperature or any filter. `ModelError` when a
    row's logits are not numbers.
    """
    if not bool(torch.isfinite(logits.amax(dim=-1)).all()):
        raise ModelError(
            "its outputs are not numbers (NaN or infinite)",
            where="generation",
            remedy="try precision fp32; if they stay so, the weights are damaged",
        )
    shifted = masked(biased(logits, samplings, replies or [()] * len(samplings)), masks or ())
    tokens = shifted.argmax(dim=-1)  # (B,)
    drawn = [row for row, generator in enumerate(generators) if generator is not None]
    if drawn:
        rows = torch.tensor(drawn, device=logits.device)
        uniforms = [torch.rand((), generator=generators[row], dtype=torch.float64) for row in drawn]
        uniform = torch.stack(uniforms).to(logits.device, torch.float32)
        tokens[rows] = _invert(shifted[rows], [samplings[row] for row in drawn], uniform)
    return _asked_logprobs(logits, tokens, samplings)


def biased(logits: Tensor, samplings: Sequence[Sampling], replies: Sequence[Sequence[int]]) -> Tensor:
    """Returns `logits` (B, V) after each row's penalties and biases; the same tensor where there are none.

    With c the number of times a token is in the reply so far: logit - c * frequency_penalty - (c > 0) *
    presence_penalty + bias.
    """
    rows = [
        row
        for row, one in enumerate(samplings)
        if one.logit_bias or ((one.frequency_penalty or one.presence_penalty) and replies[row])
    ]
    if not rows:
        return logits
    out = logits.clone()
    for row in rows:
        one = samplings[row]
        if (one.frequency_penalty or one.presence_penalty) and replies[row]:
            counts = torch.bincount(torch.tensor(replies[row], device=logits.device), minlength=out.shape[1])
            out[row] -= counts * one.frequency_penalty + (counts > 0) * one.presence_penalty
        for token, bias in one.logit_bias:
            if 0 <= token < out.shape[1]:
                out[row, token] += bias
    return out


def filtered(logits: Tensor, samplings: Sequence[Sampling]) -> tuple[Tensor, Tensor]:
    """Returns the probabilities (B, V) the next token is drawn from, likeliest first, and the token of each place.

    Temperature first; then top_k, top_p (Holtzman et al. 2020, nucleus sampling) over what top_k left, and min_p
    (Nguyen et al. 2024). What is filtered out has probability 0; equal logits are ordered by token id.
    """
    temperature = _column([sampling.temperature for sampling in samplings], logits)
    ordered, tokens = torch.sort(logits / temperature, dim=-1, descending=True, stable=True)  # (B, V)
    places = torch.arange(logits.shape[-1], device=logits.device)  # (V,)
    top_k = _column([float(sampling.top_k or logits.shape[-1]) for sampling in samplings], logits)
    ordered = ordered.masked_fill(places >= top_k, -math.inf)
    probabilities = torch.softmax(ordered, dim=-1)
    before = torch.cumsum(probabilities, dim=-1) - probabilities  # mass of the likelier tokens
    top_p = [sampling.top_p if sampling.top_p < 1 else math.inf for sampling in samplings]  # sums round above 1
    dropped = before >= _column(top_p, logits)
    dropped |= probabilities < probabilities[:, :1] * _column([sampling.min_p for sampling in samplings], logits)
    dropped[:, 0] = False
    kept = probabilities.masked_fill(dropped, 0.0)
    return kept / kept.sum(dim=-1, keepdim=True), tokens


def _invert(logits: Tensor, samplings: Sequence[Sampling], uniform: Tensor) -> Tensor:
    """Returns the token (B,) where the cumulated probability passes `uniform` (B,)."""
    probabilities, tokens = filtered(logits, samplings)
    cumulated = torch.cumsum(probabilities, dim=-1)
    place = torch.searchsorted(cumulated, uniform[:, None] * cumulated[:, -1:], right=True)  # (B, 1)
    last = (probabilities > 0).sum(dim=-1, keepdim=True) - 1
    return tokens.gather(1, torch.minimum(place, last))[:, 0]


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]  # (B, 1)


def masked(logits: Tensor, masks: Sequence[bytes | None]) -> Tensor:
    """Returns `logits` (B, V) with minus infinity where a row's mask has no bit set; bits are lowest first."""
    if not any(mask is not None for mask in masks):
        return logits
    out = logits.clone()
    for row, mask in enumerate(masks):
        if mask is not None:
            packed = torch.frombuffer(bytearray(mask), dtype=torch.uint8)
            bits = (packed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1  # (bytes, 8)
            allowed = bits.flatten()[: logits.shape[1]].bool().to(logits.device)
            out[row].masked_fill_(~allowed, -math.inf)
    return out


def _asked_logprobs(logits: Tensor, tokens: Tensor, samplings: Sequence[Sampling]) -> list[Drawn]:
    out = [Drawn(token) for token in tokens.tolist()]
    asked = [row for row, sampling in enumerate(samplings) if sampling.logprobs]
    if asked:
        rows = torch.tensor(asked, device=logits.device)
        most = max(samplings[row].top_logprobs for row in asked)
        for row, one in zip(asked, with_logprobs(logits[rows], tokens[rows], most), strict=True):
            out[row] = replace(one, ranked=one.ranked[: samplings[row].top_logprobs])
    return out


def with_logprobs(logits: Tensor, tokens: Tensor, ranked: int) -> list[Drawn]:
    """Returns `tokens` (B,) with their natural log-probabilities under `logits` (B, V), and the `ranked` likeliest."""
    every = torch.log_softmax(logits.float(), dim=-1)
    chosen = every.gather(1, tokens[:, None])[:, 0].tolist()
    best, names = every.topk(min(ranked, every.shape[1]), dim=-1)  # (B, ranked)
    pairs = [tuple(zip(*row, strict=True)) for row in zip(names.tolist(), best.tolist(), strict=True)]
    return [Drawn(*one) for one in zip(tokens.tolist(), chosen, pairs, strict=True)]
