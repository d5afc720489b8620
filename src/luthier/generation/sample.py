"""From logits to the next token of each row, by that row's own sampling and its own random numbers.

A row's draw depends on its logits, its `Sampling` and its generator alone, never on which rows share its batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from luthier.errors import ModelError, SpecError
from luthier.records.messages import Sampling


def check_sampling(sampling: Sampling) -> None:
    """Raises `SpecError` when a field of `sampling` cannot be honoured."""
    for name, value, low, high in (
        ("temperature", sampling.temperature, 0.0, 10.0),
        ("top_p", sampling.top_p, 0.0, 1.0),
        ("top_k", sampling.top_k, 0, math.inf),
        ("min_p", sampling.min_p, 0.0, 1.0),
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


def draw(
    logits: Tensor, samplings: Sequence[Sampling], generators: Sequence[torch.Generator | None]
) -> tuple[list[int], list[float | None]]:
    """Returns the next token of each row of `logits` (B, V), and its natural log-probability where it is asked for.

    Log-probabilities are those of the model, before temperature or any filter. `ModelError` when a row's logits are
    not numbers.
    """
    top, tokens = logits.max(dim=-1)  # (B,)
    if not bool(torch.isfinite(top).all()):
        raise ModelError(
            "its outputs are not numbers (NaN or infinite)",
            where="generation",
            remedy="try precision fp32; if they stay so, the weights are damaged",
        )
    drawn = [row for row, generator in enumerate(generators) if generator is not None]
    if drawn:
        rows = torch.tensor(drawn, device=logits.device)
        uniforms = [torch.rand((), generator=generators[row], dtype=torch.float64) for row in drawn]
        uniform = torch.stack(uniforms).to(logits.device, torch.float32)
        tokens[rows] = _invert(logits[rows], [samplings[row] for row in drawn], uniform)
    return tokens.tolist(), _logprobs(logits, tokens, samplings)


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


def _logprobs(logits: Tensor, tokens: Tensor, samplings: Sequence[Sampling]) -> list[float | None]:
    out: list[float | None] = [None] * len(samplings)
    asked = [row for row, sampling in enumerate(samplings) if sampling.logprobs]
    if asked:
        rows = torch.tensor(asked, device=logits.device)
        chosen = torch.log_softmax(logits[rows].float(), dim=-1).gather(1, tokens[rows][:, None])[:, 0]
        for row, value in zip(asked, chosen.tolist(), strict=True):
            out[row] = value
    return out
