"""Passes in which every text has one new token, in shapes that do not change, so that a GPU replays them as a graph.

Texts are filled up to one of a few numbers of them. What a pass needs to know is copied to where the last one had it,
in one go; all else (which rows, how long the texts are) is read from there by the kernels.
"""

from __future__ import annotations

import bisect
import importlib.util
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from luthier.generation.memory import LayerShape
from luthier.generation.row_attention import FILLING, Part, RowAttention, Rows, numbers_of, plain, tiles_of
from luthier.models.lora import lora_layers

BUCKETS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Texts of a pass, filled up: beyond the last, launching is no longer what takes the time."""
TILE_ROWS = 64
"""Rows of a matrix product of a tile: its tokens times the query heads that share a key head."""
_WARM_UPS = 2

Replay = Callable[[], Tensor]
Capture = Callable[[Callable[[], Tensor]], Replay]
"""Makes of a computation one that does the same again on what its inputs then hold; it returns the same tensor."""

LOG = logging.getLogger("luthier.engine")


@dataclass(frozen=True, slots=True)
class Way:
    """How a device attends to rows told by numbers, and how it repeats a computation. `capture()` begins anew: nothing
    is shared with what was captured before."""

    attend: RowAttention
    capture: Callable[[], Capture]


def way_of(device: torch.device) -> Way | None:
    """Returns the way of a device; None where it has none: all but CUDA with Triton."""
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        return None
    if device.index not in (None, torch.cuda.current_device()):  # kernels are launched on the current one
        return None
    from luthier.generation.row_kernel import attend_rows

    return Way(attend_rows, _graphs)


STAND_IN = Way(plain, lambda: lambda compute: compute)
"""The same on a CPU, where nothing is captured: for tests, and for trying out what runs on a GPU."""


def bucket(count: int) -> int | None:
    """Returns how many texts `count` of them are filled up to; None where that is too many."""
    place = bisect.bisect_left(BUCKETS, count)
    return BUCKETS[place] if place < len(BUCKETS) else None


def refusal(model: Any, layers: Sequence[LayerShape]) -> str | None:
    """Returns why a model's rows cannot be told by numbers, or its passes repeated; None where a trial may say."""
    if any(one != layers[0] or one.key_width != one.value_width for one in layers):
        return "its layers keep keys and values of several shapes"
    if any(layer.magnitude is not None for layer in lora_layers(model).values()):
        return "its DoRA layers keep norms between passes"
    return None


class Steps:
    """Runs `forward`, which makes logits (B, V) of the numbers (NUMBERS, B) of as many texts, one new token each."""

    def __init__(self, model: Any, forward: Callable[[Tensor], Tensor], device: torch.device) -> None:
        self.model, self._forward, self._device = model, forward, device
        self.captured: dict[int, tuple[Tensor, Replay]] = {}
        self._weights: Sequence[Any] = ()
        self._capture: Capture | None = None

    def refresh(self) -> None:
        """Forgets what was captured where the model is not what it was then: what is replayed has its addresses."""
        weights = _weights(self.model)
        if weights != self._weights:
            self.captured.clear()
            self._capture, self._weights = None, weights

    def __call__(self, numbers: Tensor, way: Way) -> Tensor:
        """Returns the logits (n, V) after n texts' new tokens, told by `numbers` (NUMBERS, n) on the host.

        They hold until the next call.
        """
        count = numbers.shape[1]
        size = bucket(count)
        assert size is not None, "the caller asks for no more"
        if size not in self.captured:
            self.captured[size] = self._made(size, way)
        static, replay = self.captured[size]
        filled = torch.cat([numbers, _filling(size - count)], 1)  # (NUMBERS, size)
        static.copy_(_sent(filled, self._device), non_blocking=True)
        return replay()[:count]

    def _made(self, size: int, way: Way) -> tuple[Tensor, Replay]:
        """Returns the inputs of passes of `size` texts, and what computes with them; only filling is run here."""
        static = _filling(size).to(self._device)
        if self._capture is None:
            self._capture = way.capture()
        return static, self._capture(lambda: self._forward(static))


def _filling(count: int) -> Tensor:
    """Returns the numbers of `count` texts that are none, (NUMBERS, count)."""
    return torch.tensor(FILLING)[:, None].repeat(1, count)


def _sent(numbers: Tensor, device: torch.device) -> Tensor:
    """Returns numbers where a device can copy them from without the host waiting: they are kept until it has."""
    return numbers.pin_memory() if device.type == "cuda" else numbers


def _weights(model: Any) -> list[Any]:
    """Returns where a model's numbers are, and which of its adapters are on: what a graph took in when captured."""
    tensors = (*model.parameters(), *model.buffers())
    switches = [(layer.enabled, layer.merged is None) for layer in lora_layers(model).values()]
    return [*((one.data_ptr(), one.dtype) for one in tensors), *map(id, model.modules()), *switches]


def _graphs() -> Capture:
    """Returns what captures CUDA graphs, which share their memory: they never run at once."""
    pool = torch.cuda.graph_pool_handle()

    def capture(compute: Callable[[], Tensor]) -> Replay:
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):  # kernels are compiled and libraries set up: no graph can hold that
                compute()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        # other threads may use the device meanwhile
        with torch.cuda.graph(graph, pool=pool, stream=aside, capture_error_mode="thread_local"):
            out = compute()

        def replay() -> Tensor:
            graph.replay()
            return out

        return replay

    return capture


def tile_of(heads: int, key_heads: int) -> int:
    """Returns how many tokens a tile has at most."""
    return max(1, TILE_ROWS >> (-(-heads // key_heads) - 1).bit_length())


def given_up(kind: str, why: str | Exception) -> str:
    """Returns, and logs, why passes of a model are not repeated on a device that could."""
    first = why.__context__ or why if isinstance(why, Exception) else why  # capturing fails once more when it ends
    reason = f"{kind} is decoded without CUDA graphs: {(str(first) or repr(first)).splitlines()[0]}"
    LOG.warning(reason)
    return reason


def rows_of(parts: Sequence[Part], anchor: Tensor, tile: int) -> Rows:
    """Returns the rows of a pass of any kind, whose texts of one new token come first."""
    singles = sum(len(part.tokens) == 1 for part in parts)
    told = _sent(numbers_of(parts, anchor), anchor.device).to(anchor.device, non_blocking=True)
    if singles == len(parts):
        return Rows(anchor, told, singles)
    tiles = torch.tensor(tiles_of([len(part.tokens) for part in parts[singles:]], singles, tile))
    return Rows(anchor, told, singles, _sent(tiles, anchor.device).to(anchor.device, non_blocking=True), tile)
