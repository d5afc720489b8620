"""Many LoRA adapters over one loaded model, several of them in one pass: each token goes through its own.

The tokens of a pass are gathered by adapter and multiplied with stacked A and B, two batched products a layer for all
adapters together (Chen et al. 2023, Punica; Sheng et al. 2023, S-LoRA), and added to what the layer itself gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from luthier.errors import CapacityError, ModelError, Unshared
from luthier.models.adapters import layer_shape, read_adapter_config, read_parts
from luthier.models.lora import linear_layers
from luthier.models.packed import PackedLinear

MOST = 64
"""Adapters loaded at once, unless said otherwise."""
_WASTE = 2
"""Tokens are filled up to a rectangle, one row an adapter, while that is at most so many times their number."""


@dataclass(slots=True)
class _Route:
    """Where the tokens of a pass go: `active` adapters, each with the tokens that `members` names.

    `grid` (n, m) names a token for every place of the rectangle; `real` the places that are no filling, in the order of
    `tokens` (R,). Both are None where a rectangle would be mostly filling.
    """

    active: tuple[str, ...]
    members: tuple[Tensor, ...]
    grid: Tensor | None
    real: Tensor | None
    tokens: Tensor
    last: tuple[Tensor, Tensor] | None = None

    def gathered(self, states: Tensor, given: Tensor) -> Tensor:
        """Returns states (T, in) as (n, m, in); layers that read the same tensor `given` share the work."""
        assert self.grid is not None
        if self.last is None or self.last[0] is not given:
            self.last = given, states.index_select(0, self.grid.flatten()).view(*self.grid.shape, -1)
        return self.last[1]


class _Layer:
    """The adapters of one linear layer: A (in, r) and B (r, out), scaled, by adapter."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.parts: dict[str, tuple[Tensor, Tensor]] = {}
        self.handle: Any = None
        self._stacked: tuple[tuple[str, ...], Tensor, Tensor] | None = None

    def stacks(self, active: tuple[str, ...]) -> tuple[Tensor, Tensor]:
        """Returns A (n, in, r) and B (n, r, out) of the `active` adapters; zeros for those without a part here."""
        if self._stacked is None or self._stacked[0] != active:
            rank = max((a.shape[1] for a, _ in self.parts.values()), default=1)
            first_a, first_b = next(iter(self.parts.values()))
            a = first_a.new_zeros(len(active), first_a.shape[0], rank)
            b = first_b.new_zeros(len(active), rank, first_b.shape[1])
            for place, name in enumerate(active):
                if name in self.parts:
                    own_a, own_b = self.parts[name]
                    a[place, :, : own_a.shape[1]], b[place, : own_b.shape[0]] = own_a, own_b
            self._stacked = active, a, b
        return self._stacked[1], self._stacked[2]

    def put(self, name: str, parts: tuple[Tensor, Tensor] | None) -> None:
        """Sets, or with None removes, an adapter's part."""
        self._stacked = None
        if parts is None:
            self.parts.pop(name, None)
        else:
            self.parts[name] = parts


class Adapters:
    """The adapters loaded over a model, at most `most`. They may come and go between passes.

    Models that are not `shared` by many texts in a pass take none.
    """

    def __init__(self, model: Any, *, shared: bool = True) -> None:
        self.model, self.shared, self.most = model, shared, MOST
        self._layers: dict[str, _Layer] = {}
        self._loaded: dict[str, int] = {}
        self._loads = 0
        self._route: _Route | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._loaded)

    def version(self, name: str | None) -> int:
        """Returns a number that no other load of an adapter has; 0 is the model itself. `ModelError` when unknown."""
        if name is None:
            return 0
        if name not in self._loaded:
            raise ModelError(f"adapter {name!r} is not loaded", remedy=f"loaded are: {', '.join(self.names) or 'none'}")
        return self._loaded[name]

    def add(self, name: str, folder: str | Path) -> None:
        """Loads the adapter in `folder`, in PEFT's file format, under `name`.

        `CapacityError` when there are as many as there may be; `Unshared` for DoRA or a changed head, `ModelError` for
        what is not a LoRA adapter of this model.
        """
        if name in self._loaded:
            raise ModelError(f"adapter {name!r} is loaded already", remedy="drop it first")
        if len(self._loaded) >= self.most:
            raise CapacityError(f"{self.most} adapters are loaded", where=name, remedy="drop one first")
        found = self._read(Path(folder))
        for layer_name, parts in found.items():
            if layer_name not in self._layers:
                self._layers[layer_name] = self._hooked(self._linear_layers()[layer_name])
            self._layers[layer_name].put(name, parts)
        self._loads += 1
        self._loaded[name] = self._loads

    def check(self, folder: str | Path) -> None:
        """Raises what keeps the adapter in `folder` from sharing the model."""
        self._read(Path(folder))

    def touch(self, name: str) -> None:
        """Makes an adapter the last of `names`."""
        self._loaded[name] = self._loaded.pop(name)

    def drop(self, name: str) -> None:
        """Forgets an adapter that no request uses any more."""
        self.version(name)
        del self._loaded[name]
        for layer_name, layer in list(self._layers.items()):
            layer.put(name, None)
            if not layer.parts:
                layer.handle.remove()
                del self._layers[layer_name]

    @contextmanager
    def routed(self, parts: Sequence[tuple[str | None, int]]) -> Iterator[None]:
        """Sends the tokens of one pass, (adapter, count) after (adapter, count), through their adapters."""
        if not any(name is not None for name, _ in parts):
            yield
            return
        self._route = _route(parts, next(self.model.parameters()).device)
        try:
            yield
        finally:
            self._route = None

    def _read(self, folder: Path) -> Mapping[str, tuple[Tensor, Tensor]]:
        if not self.shared:
            raise Unshared(f"{self.model.config.model_type} runs one text at a time", where=str(folder), remedy=_APART)
        config, layers = read_adapter_config(folder), self._linear_layers()
        if config.use_dora:
            raise Unshared("is a DoRA adapter, which scales its layers", where=str(folder), remedy=_APART)
        head = self.model.get_output_embeddings()
        out: dict[str, tuple[Tensor, Tensor]] = {}
        for name, tensors in read_parts(folder).items():
            layer = layers.get(name)
            if layer is None or layer is head:
                raise Unshared(f"changes {name!r}, no hidden linear layer", where=str(folder), remedy=_APART)
            a, b = tensors["lora_A"], tensors["lora_B"]
            ins, outs = _widths(layer)
            if (a.shape[1], b.shape[0]) != (ins, outs) or a.shape[0] != b.shape[1]:
                raise ModelError(
                    f"{name}: A {tuple(a.shape)} and B {tuple(b.shape)} do not fit a layer from {ins} to {outs}",
                    where=str(folder),
                    remedy="check that the model is the one the adapter was trained on",
                )
            scale = layer_shape(config, name, a.shape[0]).scale
            like = self.model.get_input_embeddings().weight
            out[name] = (a.t().contiguous().to(like), (b.t().float() * scale).contiguous().to(like))
        return out

    def _linear_layers(self) -> dict[str, nn.Module]:
        packed = {name: one for name, one in self.model.named_modules() if isinstance(one, PackedLinear)}
        return {**linear_layers(self.model), **packed}

    def _hooked(self, module: nn.Module) -> _Layer:
        layer = _Layer(module)

        def add(_: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
            if self._route is not None:
                _through(self._route, layer, inputs[0], out)

        layer.handle = module.register_forward_hook(add)
        return layer


def _widths(layer: nn.Module) -> tuple[int, int]:
    """Returns how many numbers a linear layer takes in, and gives."""
    if isinstance(layer, Conv1D):
        return int(layer.nx), int(layer.nf)
    return int(layer.in_features), int(layer.out_features)  # type: ignore[arg-type]


_APART = "serve it as a model of its own"


def _through(route: _Route, layer: _Layer, given: Tensor, out: Tensor) -> None:
    """Adds each token's own low-rank product to `out` (..., T, out), in place."""
    states, sums = given.flatten(0, -2), out.view(-1, out.shape[-1])  # (T, in), (T, out)
    a, b = layer.stacks(route.active)
    if route.grid is None:
        for place, tokens in enumerate(route.members):
            sums.index_add_(0, tokens, states.index_select(0, tokens) @ a[place] @ b[place])
        return
    products = torch.bmm(torch.bmm(route.gathered(states, given), a), b).flatten(0, 1)  # (n * m, out)
    if route.real is not None:
        products = products.index_select(0, route.real)
    sums.index_add_(0, route.tokens, products)


def _route(parts: Sequence[tuple[str | None, int]], device: torch.device) -> _Route:
    members: dict[str, list[int]] = {}
    start = 0
    for name, count in parts:
        if name is not None:
            members.setdefault(name, []).extend(range(start, start + count))
        start += count
    active = tuple(sorted(members))
    lists = [members[name] for name in active]
    longest, total = max(map(len, lists)), sum(map(len, lists))
    tensors = tuple(torch.tensor(one, device=device) for one in lists)
    tokens = torch.cat(tensors)
    if len(active) * longest > _WASTE * total:
        return _Route(active, tensors, None, None, tokens)
    grid = torch.tensor([one + [one[0]] * (longest - len(one)) for one in lists], device=device)
    if len(active) * longest == total:
        return _Route(active, tensors, grid, None, tokens)
    real = [row * longest + place for row, one in enumerate(lists) for place in range(len(one))]
    return _Route(active, tensors, grid, torch.tensor(real, device=device), tokens)
