"""Rows of keys and values: never more bytes than the budget, and no row given out twice."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from luthier.errors import CapacityError
from luthier.generation.memory import LayerShape, StateMemory, StateShape, _slab_size

SHAPE = StateShape((LayerShape(2, 4, 3), LayerShape(1, 4, 4)))


def memory_of(tokens, longest=512):
    return StateMemory(SHAPE, tokens * SHAPE.token_bytes, longest)


def test_a_token_takes_its_keys_and_values_in_every_layer():
    assert SHAPE.token_bytes == (2 * 7 + 1 * 8) * 4


@pytest.mark.parametrize(
    ("tokens", "capacity"), [(1, 64), (64, 64), (65, 96), (97, 128), (129, 192), (193, 256), (385, 512), (512, 512)]
)
def test_rows_have_a_few_lengths(tokens, capacity):
    assert memory_of(4096).capacity(tokens) == capacity


def test_the_longest_row_is_what_the_budget_holds():
    memory = memory_of(200)
    assert memory.longest == memory.capacity(200) == 200
    with pytest.raises(ValueError, match="longest is 200"):
        memory.capacity(201)


def test_a_budget_below_the_shortest_row_is_refused():
    with pytest.raises(CapacityError, match=r"63 tokens.*give at least"):
        memory_of(63)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=60), st.integers(64, 3000))
def test_rows_never_overlap_nor_pass_the_budget(wishes, budget):
    memory = memory_of(budget, longest=300)
    held = []
    for give, number in wishes:
        if give and held:
            memory.give_back(held.pop(number % len(held)))
        elif number <= memory.longest and (row := memory.take(number)) is not None:
            assert row.capacity >= number
            held.append(row)
        places = [row.place for row in held]
        assert len(set(places)) == len(places)
        real = sum(part.nbytes for slab in {row.slab for row in held} for pair in slab.layers for part in pair)
        assert real <= memory.used_bytes <= memory.budget_bytes
    assert memory.filled_rows == len(held)
    for row in held:
        memory.give_back(row)
    assert memory.take(memory.longest) is not None, "what is free serves any length"


def test_a_copy_is_of_the_first_tokens_alone():
    memory = memory_of(4096)
    source, target = memory.take(64), memory.take(100)
    for pair in source.slab.layers:
        for part in pair:
            part[source.index] = torch.randn(part[source.index].shape)
    memory.copy(source, target, 10)
    for old, new in zip(source.slab.layers, target.slab.layers, strict=True):
        for there, here in zip(old, new, strict=True):
            assert torch.equal(here[target.index, :, :10], there[source.index, :, :10])
            assert not here[target.index, :, 10:].any()


def test_rows_in_use_stand_side_by_side():
    memory = memory_of(4096)
    rows = [memory.take(64) for _ in range(6)]
    memory.give_back(rows[4])
    memory.give_back(rows[1])
    assert [memory.take(64).index for _ in range(2)] == [1, 4]


def test_slabs_of_a_gpu_are_large_within_their_part_of_the_budget():
    on_gpu = StateShape(SHAPE.layers, device="cuda")
    assert _slab_size(SHAPE, 10**9) == (4096, 16)
    assert _slab_size(on_gpu, 10**9) == (16_384, 256)
    assert _slab_size(on_gpu, 16 * 8000 * on_gpu.token_bytes) == (8000, 256)
    assert _slab_size(on_gpu, 4096 * on_gpu.token_bytes) == (4096, 256)
