"""An attention function of ours in the place of a model's own, through transformers' `AttentionInterface`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedConfig

_numbers = itertools.count()


class AttentionHook:
    """Makes a model attend with `attend`, its masks made by `mask`, from `install` to `restore`."""

    def __init__(self, model: Any, name: str, attend: Callable[..., Any], mask: Callable[..., Any]) -> None:
        self.name, self._attend, self._mask = f"{name}_{next(_numbers)}", attend, mask
        owned = (getattr(module, "config", None) for module in model.modules())
        self._configs = list({id(config): config for config in owned if isinstance(config, PreTrainedConfig)}.values())
        self._before: list[tuple[Any, Any]] = []

    @property
    def installed(self) -> bool:
        return bool(self._before)

    def install(self, *, used: bool = True) -> None:
        """Registers the functions, and where `used` makes the model call them."""
        AttentionInterface.register(self.name, self._attend)
        AttentionMaskInterface.register(self.name, self._mask)
        self._before = [(config, config._attn_implementation) for config in self._configs]
        for config in self._configs if used else ():
            config._attn_implementation_internal = self.name

    def restore(self) -> None:
        """Gives the model back the attention it had."""
        for config, implementation in self._before:
            config._attn_implementation_internal = implementation
        self._before = []
        for interface in (AttentionInterface, AttentionMaskInterface):
            interface._global_mapping.pop(self.name, None)
