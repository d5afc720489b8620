"""Rows taken apart and put together are what they were, gradients too; plain products are attention."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from luthier.models.causal import causal_attention
from luthier.models.segments import lay_out

rows_of = st.lists(st.integers(1, 70), min_size=1, max_size=12)


@given(lengths=rows_of, multiple=st.sampled_from([1, 8, 32]))
def test_apart_and_together_is_the_same(lengths: list[int], multiple: int) -> None:
    segments = list(itertools.accumulate(lengths, initial=0))
    layout = lay_out(segments, multiple, "cpu")
    states = torch.randn(1, 2, segments[-1], 3, requires_grad=True)
    parts = layout.apart(states)
    assert sum(count for count, _ in layout.groups) == len(lengths)
    assert [tuple(part.shape) for part in parts] == [(count, 2, length, 3) for count, length in layout.groups]
    assert all(length % multiple == 0 for _, length in layout.groups)
    whole = layout.together(parts)
    assert torch.equal(whole, states.transpose(1, 2))
    weights = torch.randn_like(whole)
    (whole * weights).sum().backward()
    assert torch.equal(states.grad, weights.transpose(1, 2))


@given(rows=st.integers(1, 70), length=st.integers(1, 40))
def test_calls_of_few_sizes_hold_every_row(rows: int, length: int) -> None:
    segments = list(range(0, rows * length + 1, length))
    layout = lay_out(segments, 32, "cpu", (16, 4, 1))
    counts = [count for count, _ in layout.groups]
    assert sum(counts) == rows
    assert set(counts) <= {16, 4, 1}
    assert len(counts) <= rows // 16 + 3 + 3
    states = torch.randn(1, 2, segments[-1], 3)
    assert torch.equal(layout.together(layout.apart(states)), states.transpose(1, 2))


@given(lengths=rows_of)
def test_rows_stand_alone_at_the_start_of_their_places(lengths: list[int]) -> None:
    segments = list(itertools.accumulate(lengths, initial=0))
    layout = lay_out(segments, 16, "cpu")
    numbers = torch.arange(segments[-1], dtype=torch.float32)[None, None, :, None]
    found = [row[0, :, 0] for part in layout.apart(numbers) for row in part]
    for row, start, length in zip(found, segments, lengths, strict=False):
        assert row[:length].tolist() == list(range(start, start + length))


def test_what_filling_is_given_as_a_gradient_is_lost() -> None:
    layout = lay_out([0, 5, 8], 8, "cpu")
    parts = [part.detach().requires_grad_() for part in layout.apart(torch.randn(1, 1, 8, 2))]
    layout.together(parts).sum().backward()
    assert [part.grad.sum(-1).flatten().tolist() for part in parts] == [[2.0] * 5 + [0.0] * 3 + [2.0] * 3 + [0.0] * 5]


@pytest.mark.parametrize("length", [1, 7, 128, 129, 300])
def test_plain_products_are_causal_attention(length: int) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(3, 2, length, 8, dtype=torch.float64, requires_grad=True) for _ in range(3))
    weights = torch.randn(3, 2, length, 8, dtype=torch.float64)

    def gradients(out: torch.Tensor) -> list[torch.Tensor]:
        return [out, *torch.autograd.grad((out * weights).sum(), (query, key, value))]

    ours = gradients(causal_attention(query, key, value, 0.3))
    theirs = gradients(torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.3))
    for found, expected in zip(ours, theirs, strict=True):
        assert torch.allclose(found, expected, atol=1e-6)
