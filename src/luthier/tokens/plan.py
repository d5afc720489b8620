"""Which sequences make up each optimizer step, and each forward pass of a step; deterministic from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Order = Literal["random", "group_by_length", "sequential"]
_POOL = 50
"""Steps whose sequences are sorted together by length in `group_by_length`."""


def plan_steps(
    lengths: Sequence[int] | npt.NDArray[np.int64], *, batch_size: int, order: Order, seed: int, epoch: int
) -> list[npt.NDArray[np.int64]]:
    """Returns the sequence indices of each optimizer step of one epoch: each sequence once, the last step may be short.

    `random` shuffles; `group_by_length` makes random steps of similar lengths; `sequential` keeps the order. The same
    (seed, epoch) gives the same plan, so a resumed run finds its place by counting steps.
    """
    generator = np.random.default_rng([seed, epoch])
    count = len(lengths)
    if order == "sequential":
        return _chunks(np.arange(count), batch_size)
    shuffled = generator.permutation(count)
    if order == "random":
        return _chunks(shuffled, batch_size)
    steps: list[npt.NDArray[np.int64]] = []
    sizes = np.asarray(lengths)
    for pool in _chunks(shuffled, _POOL * batch_size):
        steps += _chunks(pool[np.argsort(-sizes[pool], kind="stable")], batch_size)
    return [steps[place] for place in generator.permutation(len(steps))]


def plan_passes(lengths: Sequence[int], max_tokens_per_pass: int, *, packing: bool = True) -> list[list[int]]:
    """Returns the places of one step's sequences for each forward pass: together at most `max_tokens_per_pass` tokens.

    A sequence longer than that has a pass of its own. First fit, longest first, so sequences of equal length stand
    next to each other. Without `packing` each pass holds one sequence.
    """
    longest_first = sorted(range(len(lengths)), key=lambda place: (-lengths[place], place))
    if not packing:
        return [[place] for place in longest_first]
    passes: list[list[int]] = []
    room: list[int] = []
    for place in longest_first:
        fitting = next((number for number, left in enumerate(room) if lengths[place] <= left), None)
        if fitting is None:
            passes.append([])
            room.append(max_tokens_per_pass)
            fitting = len(passes) - 1
        passes[fitting].append(place)
        room[fitting] -= lengths[place]
    return passes


def pass_lengths(
    lengths: Sequence[int] | npt.NDArray[np.int64],
    max_tokens_per_pass: int,
    *,
    batch_size: int,
    order: Order,
    seed: int,
    steps: int,
    most: int,
    packing: bool = True,
) -> list[int]:
    """Returns the tokens of each forward pass of a run of `steps` steps, as they will be made.

    Of a long run, up to `most` steps are looked at, from the first to the last: with rows in a given order (a
    curriculum) the last passes may be unlike the first.
    """
    sizes, found = np.asarray(lengths), []
    per_epoch = -(-len(sizes) // batch_size)
    places = np.unique(np.linspace(0, steps - 1, min(steps, most)).astype(np.int64))
    for epoch in np.unique(places // per_epoch).tolist():
        plan = plan_steps(sizes, batch_size=batch_size, order=order, seed=seed, epoch=epoch)
        for place in places[places // per_epoch == epoch] % per_epoch:
            step = sizes[plan[place]].tolist()
            passes = plan_passes(step, max_tokens_per_pass, packing=packing)
            found += [sum(step[row] for row in members) for members in passes]
    return found


def _chunks(indices: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
