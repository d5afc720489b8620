"""From logits to the next token of each row, by that row's own sampling and its own random numbers.

A row's draw depends on its logits, its `Sampling` and its generator alone, never on which rows share its batch.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from luthier.errors import ModelError, SpecError
from luthier.records.messages import Ranked, Sampling

MOST_RANKED = 100
_CANDIDATES = 1024
"""Tokens that are ordered when a row is filtered; all are where more than these could pass."""


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
    if any(not text for text in sampling.stop):
        raise SpecError("holds an empty text, which would end every reply at once", where="stop", param="stop")


def is_plain(sampling: Sampling) -> bool:
    """Returns whether the next token is the likeliest one, whatever came before, and nothing else is asked for."""
    changed = sampling.logit_bias or sampling.frequency_penalty or sampling.presence_penalty
    return sampling.temperature == 0 and not sampling.logprobs and not changed


def likeliest(logits: Tensor) -> tuple[list[bool], list[int]]:
    """Returns which rows of `logits` (B, V) are numbers, and the likeliest token of each, having waited once."""
    highest, tokens = logits.max(dim=-1)  # (B,)
    sound, found = torch.stack([torch.isfinite(highest).long(), tokens]).tolist()
    return list(map(bool, sound)), found


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
    shifted = biased(logits, samplings, replies or [()] * len(samplings))
    if shifted is logits and any(sampling.logprobs for sampling in samplings):
        shifted = logits.clone()
    shifted = masked(shifted, masks or ())
    tokens = shifted.argmax(dim=-1)  # (B,)
    drawn = [row for row, generator in enumerate(generators) if generator is not None]
    if drawn:
        rows = torch.tensor(drawn, device=logits.device)
        uniforms = [torch.rand((), generator=generators[row], dtype=torch.float64) for row in drawn]
        uniform = torch.stack(uniforms).to(logits.device, torch.float32)
        tokens[rows] = _chosen(shifted[rows], [samplings[row] for row in drawn], uniform)
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
    (Nguyen et al. 2024). What is filtered out has probability 0; equal logits are ordered by token id. Only the
    likeliest places are given where the others are filtered out in every row.
    """
    scaled = logits / _column([sampling.temperature for sampling in samplings], logits)
    if logits.shape[-1] > _CANDIDATES:
        ordered, tokens = _likeliest(scaled, _CANDIDATES)
        kept, complete = _kept(ordered, torch.logsumexp(scaled, dim=-1, keepdim=True), samplings)
        if complete:
            return kept, tokens
    ordered, tokens = torch.sort(scaled, dim=-1, descending=True, stable=True)  # (B, V)
    return _kept(ordered, torch.logsumexp(ordered, dim=-1, keepdim=True), samplings)[0], tokens


def _likeliest(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns the `count` highest of `logits` (B, V) and their tokens, highest first, equal ones by token."""
    tokens = logits.topk(count, dim=-1, sorted=False).indices.sort(dim=-1).values  # (B, count)
    ordered, places = torch.sort(logits.gather(1, tokens), dim=-1, descending=True, stable=True)
    return ordered, tokens.gather(1, places)


def _kept(ordered: Tensor, every: Tensor, samplings: Sequence[Sampling]) -> tuple[Tensor, bool]:
    """Returns the probabilities (B, C) of the likeliest logits `ordered` (B, C) after each row's filters, and whether
    nothing past them could have passed. `every` (B, 1) is the logarithm of the sum of all exponentials."""
    places = torch.arange(ordered.shape[-1], device=ordered.device)  # (C,)
    limits = [sampling.top_k if sampling.top_k else math.inf for sampling in samplings]
    top_k = _column(limits, ordered)
    left = torch.where(places < top_k, ordered, -math.inf)
    whole = torch.where(top_k < math.inf, torch.logsumexp(left, dim=-1, keepdim=True), every)
    probabilities = torch.exp(left - whole)
    cumulated = torch.cumsum(probabilities, dim=-1)
    top_p = _column([sampling.top_p if sampling.top_p < 1 else math.inf for sampling in samplings], ordered)
    least = probabilities[:, :1] * _column([sampling.min_p for sampling in samplings], ordered)
    dropped = cumulated - probabilities >= top_p  # mass of the likelier tokens; sums round above 1
    dropped |= probabilities < least
    passed = (cumulated[:, -1:] >= top_p) | (probabilities[:, -1:] < least)
    ends = torch.where(top_k < math.inf, top_k <= ordered.shape[-1], passed)
    dropped[:, 0] = False
    kept = probabilities.masked_fill(dropped, 0.0)
    lowest = ordered.masked_fill(kept == 0, math.inf).amin(dim=-1)
    ends &= (lowest > ordered[:, -1])[:, None]  # else tokens that are left out could be equal to one that is kept
    return kept / kept.sum(dim=-1, keepdim=True), bool(ends.all())


def _chosen(logits: Tensor, samplings: Sequence[Sampling], uniform: Tensor) -> Tensor:
    """Returns the token (B,) of each row of `logits` (B, V) that its number of `uniform` (B,) falls on."""
    out = torch.empty(len(samplings), dtype=torch.long, device=logits.device)
    plain = [row for row, one in enumerate(samplings) if not one.top_k and one.top_p == 1 and not one.min_p]
    rest = [row for row in range(len(samplings)) if row not in set(plain)]
    if plain:  # nothing is filtered, so the order of the tokens does not matter
        temperature = _column([samplings[row].temperature for row in plain], logits)
        out[plain] = _inverted(torch.softmax(logits[plain] / temperature, dim=-1), uniform[plain])
    if rest:
        probabilities, tokens = filtered(logits[rest], [samplings[row] for row in rest])
        out[rest] = tokens.gather(1, _inverted(probabilities, uniform[rest])[:, None])[:, 0]
    return out


def _inverted(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Returns the place (B,) where the cumulated probability (B, V) passes `uniform` (B,)."""
    cumulated = torch.cumsum(probabilities, dim=-1)
    place = torch.searchsorted(cumulated, uniform[:, None] * cumulated[:, -1:], right=True)[:, 0]  # (B,)
    places = torch.arange(probabilities.shape[1], device=probabilities.device)
    last = torch.where(probabilities > 0, places, 0).amax(dim=-1)  # rounding may pass the last that has any
    return torch.minimum(place, last)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]  # (B, 1)


def masked(logits: Tensor, masks: Sequence[bytes | None]) -> Tensor:
    """Returns `logits` (B, V), changed in place, with minus infinity where a row's mask has no bit set.

    Bits are lowest first.
    """
    rows = [row for row, mask in enumerate(masks) if mask is not None]
    if not rows:
        return logits
    packed = torch.frombuffer(bytearray(b"".join(mask for mask in masks if mask is not None)), dtype=torch.uint8)
    bias = _bias_of_bytes().index_select(0, packed.int()).view(len(rows), -1)[:, : logits.shape[1]]  # (R, V)
    bias = bias.to(logits.device)
    if len(rows) == len(logits):
        return logits.add_(bias)
    return logits.index_add_(0, torch.tensor(rows, device=logits.device), bias)


@functools.cache
def _bias_of_bytes() -> Tensor:
    """Returns 0 for every bit that is set in a byte and minus infinity for every other, lowest first, (256, 8)."""
    bits = (torch.arange(256)[:, None] >> torch.arange(8)) & 1
    return torch.zeros(256, 8).masked_fill_(bits == 0, -math.inf)


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
