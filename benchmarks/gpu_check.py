"""Whether the kernels compute what their definition says, and graphs what passes without them do."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from luthier.generation.memory import LayerShape, Row, StateMemory, StateShape
from luthier.generation.passes import Part
from luthier.generation.row_attention import RowAttention, plain
from luthier.generation.steps import rows_of, tile_of, way_of

MIXED = ((0, 1), (5, 1), (130, 1), (700, 1), (0, 5), (60, 37), (0, 150))
"""Where texts' new tokens start, and how many they are; those of one come first."""
SINGLES = ((0, 1), (5, 1), (63, 1), (130, 1), (600, 1))
CASES: tuple[dict[str, Any], ...] = (
    {"dtype": torch.float32, "heads": 4, "shared": 2, "width": 64},
    {"dtype": torch.float32, "heads": 6, "shared": 2, "width": 24, "window": 33, "softcap": 30.0, "sunk": True},
    {"dtype": torch.bfloat16, "heads": 32, "shared": 8, "width": 64},
    {"dtype": torch.bfloat16, "heads": 32, "shared": 8, "width": 128},
    {"dtype": torch.float16, "heads": 8, "shared": 4, "width": 256, "window": 64, "softcap": 50.0, "sunk": True},
)
TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 2e-2, torch.float16: 4e-3}
"""The largest difference by the largest number: rounding of results in half precision."""


def check(device: str) -> str:
    """Returns what was found equal; `RuntimeError` at what is not."""
    way = way_of(torch.device(device))
    worst = 0.0
    cases = CASES if way is not None else ()
    for case in cases:
        for texts, repeats in ((MIXED, 1), (SINGLES, 1), (SINGLES, 20)):  # split among programs, and not
            assert way is not None
            error = difference(way.attend, device, texts * repeats, **case)
            worst = max(worst, error / TOLERANCE[case["dtype"]])
            if not error <= TOLERANCE[case["dtype"]]:
                raise RuntimeError(f"the kernel differs by {error:.2e}: {case}, {len(texts) * repeats} texts")
    return f"kernels: {len(cases)} cases, at most {worst:.2f} of what is allowed; " + replies(device)


def difference(
    attend: RowAttention,
    device: str,
    texts: Sequence[tuple[int, int]],
    *,
    dtype: torch.dtype,
    heads: int,
    shared: int,
    width: int,
    window: int | None = None,
    softcap: float | None = None,
    sunk: bool = False,
) -> float:
    """Returns the largest difference of `attend` on a device from its definition, by the largest number; states too."""
    random = torch.Generator().manual_seed(0)
    count = sum(number for _, number in texts)

    def drawn(*size: int) -> Tensor:
        return torch.randn(*size, generator=random).to(dtype).float()

    query = drawn(count, heads, width).transpose(0, 1)  # (H, T, D)
    key, value = drawn(shared, count, width), drawn(count, shared, width).transpose(0, 1)  # (K, T, D)
    sinks = drawn(heads)
    found, held = [], []
    for function, kind, where in ((plain, torch.float32, "cpu"), (attend, dtype, device)):
        rows = _filled(StateShape((LayerShape(shared, width, width),) * 2, kind, where), texts, dtype)
        told = rows_of(_parts(rows, texts), torch.zeros(16, dtype=kind, device=where), tile_of(heads, shared))
        q, k, v, sunk_in = (one.to(where, kind) for one in (query, key, value, sinks))
        own: Any = {"scaling": width**-0.5, "softcap": softcap, "window": window, "sinks": sunk_in if sunk else None}
        found.append(function(q, k, v, told, 1, **own).cpu().float())
        held.append([row.slab.stores[0][:, row.index].cpu().float() for row in rows])
    if not all(map(torch.equal, *held)):
        return float("inf")
    return float((found[0] - found[1]).abs().max() / found[0].abs().max())


def _filled(shape: StateShape, texts: Sequence[tuple[int, int]], rounded: torch.dtype) -> list[Row]:
    """Returns rows for texts, whose numbers are the same on every device."""
    random = torch.Generator().manual_seed(1)
    memory = StateMemory(shape, shape.token_bytes * 2048 * (len(texts) + 8), 2048)
    found: list[Row] = []
    for start, count in texts:
        row = memory.take(start + count)
        assert row is not None
        store = row.slab.stores[0][:, row.index]
        store.copy_(torch.randn(store.shape, generator=random).to(rounded))
        found.append(row)
    return found


def _parts(rows: Sequence[Row], texts: Sequence[tuple[int, int]]) -> list[Part]:
    return [Part(row, range(count), start) for row, (start, count) in zip(rows, texts, strict=True)]


def replies(device: str) -> str:
    """Returns how many replies of a small model in fp32 are the same with graphs and without; raises where not all."""
    from benchmarks.gpu import made, opened
    from luthier.records.messages import Sampling

    model = made("tiny", device, torch.float32)
    random = torch.Generator().manual_seed(2)
    lengths = [1 + (17 * number) % 120 for number in range(40)]
    prompts = [torch.randint(4, 512, (length,), generator=random).tolist() for length in lengths]
    samplings = [Sampling(max_tokens=3 + (29 * number) % 90) for number in range(40)]
    engine = opened(model)
    if engine._runner.eager_because is not None or not engine._runner._steps.captured:
        raise RuntimeError(f"nothing was captured: {engine._runner.eager_because}")
    stepped = [one.token_ids for one in engine.generate(prompts, samplings)]
    again = [one.token_ids for one in engine.generate(prompts, samplings)]
    with mock.patch("luthier.generation.passes.way_of", return_value=None):
        eager = [one.token_ids for one in opened(model).generate(prompts, samplings)]
    alike = sum(one == other == third for one, other, third in zip(stepped, eager, again, strict=True))
    if alike < len(prompts):
        raise RuntimeError(f"{alike} of {len(prompts)} replies are the same with graphs and without")
    sizes = sorted(engine._runner._steps.captured)
    tokens = sum(map(len, itertools.chain(stepped)))
    return f"graphs: {alike} replies of {tokens} tokens are the same, captured for {sizes} texts"
