"""Where the time of a run's steps goes, part by part, beside the most that the machine could do."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from luthier.models.operations import ceiling
from luthier.report import Table

WARM_UP, COUNT = 2, 5
"""Steps that are passed over, in which libraries set themselves up, and steps that are measured."""

LAYERS, ATTENTION, HEAD, OPTIMIZER = "matrix products of the layers", "attention", "head and loss", "optimizer"
COPIES, OTHER, UNACCOUNTED = "copies and number formats", "norms, activations and other", "Python and waiting"
_WITHIN = (
    (ATTENTION, ("_Causal", "scaled_dot_product", "flex_attention", "flash_attention", "varlen_attn")),
    (HEAD, ("_HeadCrossEntropy", "cross_entropy", "CrossEntropyLoss")),
    (OPTIMIZER, ("Optimizer.", "clip_grad_norm", "_fused_adamw", "_foreach_")),
)
_PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::linear", "aten::matmul", "aten::addmm_")
_COPIES = ("aten::copy_", "aten::_to_copy", "aten::to", "aten::cat", "aten::index_select", "aten::clone")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the steps: its seconds, and the operations of its matrix products."""

    name: str
    seconds: float
    operations: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The measured steps; `seconds` are of the clock, `ceiling` is in operations per second."""

    steps: int
    tokens: int
    seconds: float
    ceiling: float
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as JSON values."""
        parts = [{"part": part.name, "seconds": part.seconds, "operations": part.operations} for part in self.parts]
        return {
            "steps": self.steps,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "ceiling": self.ceiling,
            "parts": parts,
        }

    def table(self) -> Table:
        """Returns the parts, the largest first, and the whole."""
        done = sum(part.operations for part in self.parts)
        ordered = sorted(self.parts, key=lambda part: -part.seconds)
        lines = [self._line(part.name, part.seconds, part.operations) for part in ordered if part.seconds]
        whole = self._line("all", self.seconds, done)
        return Table(
            f"Where the time of {self.steps} steps goes",
            ("part", "seconds", "share", "GFLOP/s", "of the ceiling"),
            (*lines, whole),
            note=f"{self.tokens:,} tokens, {self.tokens / self.seconds:,.0f} a second; the ceiling is what products of "
            f"large squares reach here, {self.ceiling / 1e9:,.0f} GFLOP/s",
        )

    def _line(self, name: str, seconds: float, done: float) -> tuple[str, ...]:
        rate = done / seconds if done else 0.0
        speed = (f"{rate / 1e9:,.0f}", f"{rate / self.ceiling:.0%}") if rate else ("", "")
        return (name, f"{seconds:.2f}", f"{seconds / self.seconds:.0%}", *speed)


class Profiler:
    """Measures a few of a run's `steps` (the first and the last, from 1) and hands what it found to `on_done`."""

    def __init__(
        self, device: torch.device, dtype: torch.dtype, on_done: Callable[[Breakdown], None], *, steps: tuple[int, int]
    ) -> None:
        self.device, self.dtype, self.on_done = device, dtype, on_done
        first, last = steps
        self.first = min(first + WARM_UP, last)
        self.count = min(COUNT, last - self.first + 1)
        self._tokens = 0
        self._seconds = 0.0
        self._parts: list[Part] = []

    @contextmanager
    def step(self, number: int, tokens: int) -> Iterator[None]:
        """Surrounds optimizer step `number` (from 1), over `tokens`."""
        if not self.first <= number < self.first + self.count:
            yield
            return
        os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # it says on standard error when it starts and stops
        cuda = [ProfilerActivity.CUDA] if self.device.type == "cuda" else []
        with profile(activities=[ProfilerActivity.CPU, *cuda], with_flops=True) as found:
            began = time.perf_counter()
            yield
            if cuda:
                torch.cuda.synchronize(self.device)
            seconds = time.perf_counter() - began
        self._seconds += seconds
        self._tokens += tokens
        parts = _parts(found.events(), cuda=bool(cuda))
        self._parts += [*parts, Part(UNACCOUNTED, max(0.0, seconds - sum(part.seconds for part in parts)), 0.0)]
        if number == self.first + self.count - 1:
            self._finish()

    def _finish(self) -> None:
        most = ceiling(self.dtype, self.device)
        self.on_done(Breakdown(self.count, self._tokens, self._seconds, most, _together(self._parts)))


def _parts(events: Iterable[Any], *, cuda: bool) -> tuple[Part, ...]:
    """Returns the seconds of each part, and the operations of its matrix products, from a profiler's events."""
    found = []
    for event in events:
        spent = event.self_device_time_total if cuda else event.self_cpu_time_total
        done = event.flops or 0 if event.name in _PRODUCTS else 0
        if spent or done:
            found.append(Part(_part(event), spent / 1e6, done))  # the profiler counts microseconds
    return _together(found)


def _together(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Returns one part of each name, with their sums."""
    seconds: dict[str, float] = defaultdict(float)
    done: dict[str, float] = defaultdict(float)
    for part in parts:
        seconds[part.name] += part.seconds
        done[part.name] += part.operations
    return tuple(Part(name, seconds[name], done[name]) for name in seconds)


def _part(event: Any) -> str:
    """Returns the part that an event belongs to: the one it is within, else by what it does."""
    around = event
    while around is not None:
        for part, names in _WITHIN:
            if any(name in around.name for name in names):
                return part
        around = around.cpu_parent
    if event.name in _PRODUCTS:
        return LAYERS
    return COPIES if event.name in _COPIES else OTHER
