"""Steps and passes: every sequence once, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luthier.tokens.plan import pass_lengths, plan_passes, plan_steps

lengths_of = st.lists(st.integers(1, 300), min_size=1, max_size=60)
ORDERS = ["random", "group_by_length", "sequential"]


@pytest.mark.parametrize("order", ORDERS)
@given(lengths=lengths_of, batch_size=st.integers(1, 9), seed=st.integers(0, 9), epoch=st.integers(0, 3))
def test_each_sequence_is_in_exactly_one_step(
    order: str, lengths: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    steps = plan_steps(lengths, batch_size=batch_size, order=order, seed=seed, epoch=epoch)
    assert sorted(np.concatenate(steps).tolist()) == list(range(len(lengths)))
    sizes = [len(step) for step in steps]
    assert max(sizes) <= batch_size
    assert len(steps) == -(-len(lengths) // batch_size)
    again = plan_steps(lengths, batch_size=batch_size, order=order, seed=seed, epoch=epoch)
    assert all(np.array_equal(a, b) for a, b in zip(steps, again, strict=True))


@pytest.mark.parametrize("order", ["random", "group_by_length"])
def test_seeds_and_epochs_differ(order: str) -> None:
    lengths = list(range(1, 400))
    plans = {
        tuple(np.concatenate(plan_steps(lengths, batch_size=8, order=order, seed=seed, epoch=epoch)).tolist())
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len(plans) == 4


def test_sequential_keeps_the_order() -> None:
    steps = plan_steps([5, 1, 9], batch_size=2, order="sequential", seed=3, epoch=1)
    assert [step.tolist() for step in steps] == [[0, 1], [2]]


def test_groups_are_of_similar_length_and_in_random_order() -> None:
    lengths = np.random.default_rng(0).integers(1, 1000, 2000)
    spread = {}
    for order in ("random", "group_by_length"):
        steps = plan_steps(lengths, batch_size=8, order=order, seed=0, epoch=0)
        spread[order] = np.mean([np.ptp(lengths[step]) for step in steps])
        means = [lengths[step].mean() for step in steps]
        assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.3
    assert spread["group_by_length"] < spread["random"] / 10


@given(lengths=lengths_of, budget=st.integers(1, 400))
def test_passes_hold_every_sequence_within_the_budget(lengths: list[int], budget: int) -> None:
    passes = plan_passes(lengths, budget)
    assert sorted(place for places in passes for place in places) == list(range(len(lengths)))
    for places in passes:
        assert len(places) == 1 or sum(lengths[place] for place in places) <= budget
        assert [lengths[place] for place in places] == sorted((lengths[place] for place in places), reverse=True)
    # First fit: any two passes together exceed the budget, so at most twice as many as any plan needs.
    totals = [sum(lengths[place] for place in places) for places in passes]
    assert all(a + b > budget for i, a in enumerate(totals) for b in totals[:i])


def test_without_packing_each_sequence_has_its_own_pass() -> None:
    assert plan_passes([3, 9, 3], 100, packing=False) == [[1], [0], [2]]


@given(lengths=lengths_of, batch_size=st.integers(1, 9), steps=st.integers(1, 30), packing=st.booleans())
def test_pass_lengths_are_those_of_the_run(lengths: list[int], batch_size: int, steps: int, packing: bool) -> None:
    found = pass_lengths(
        lengths, 300, batch_size=batch_size, order="random", seed=3, steps=steps, most=99, packing=packing
    )
    expected: list[int] = []
    for step in range(steps):
        epoch, index = divmod(step, -(-len(lengths) // batch_size))
        chosen = plan_steps(lengths, batch_size=batch_size, order="random", seed=3, epoch=epoch)[index]
        sizes = [lengths[row] for row in chosen]
        expected += [sum(sizes[place] for place in part) for part in plan_passes(sizes, 300, packing=packing)]
    assert found == expected
    assert max(found) <= 300


def test_pass_lengths_of_a_long_run_reach_its_end() -> None:
    """A curriculum: the rows grow, and so do the passes."""
    lengths = list(range(10, 1010))
    options = {"batch_size": 2, "order": "sequential", "seed": 0, "steps": 500}
    every = pass_lengths(lengths, 4096, most=500, **options)
    some = pass_lengths(lengths, 4096, most=20, **options)
    assert len(some) == 20
    assert (some[0], some[-1]) == (every[0], every[-1]) == (21, 2017)
    assert set(some) < set(every)
