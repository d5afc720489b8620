"""Compiles a model's decoder blocks, around attention, which stays as it is."""

from __future__ import annotations

from typing import Any

from luthier.models.parameters import decoder_layers


def compile_blocks(model: Any) -> None:
    """Makes each decoder layer compile on first use, for passes of any length; answers stay the same up to rounding."""
    for layer in decoder_layers(model)[1]:
        layer.compile(dynamic=True)
