from __future__ import annotations

from typing import Any

import pytest

from luthier.config import bind, dump, fields
from luthier.errors import SpecError
from luthier.models.options import ModelOptions, ParameterOptions, ScratchOptions


class Both(ModelOptions, ParameterOptions, ScratchOptions):
    pass


def test_rooms_combine_into_one_flat_spec() -> None:
    names = [field.name for field in fields(Both)]
    assert len(names) == len(set(names))
    assert {field.name: field.outside for field in fields(Both) if field.outside} == {
        "model": "model",
        "trust_remote_code": "trust",
    }
    assert all(field.description for field in fields(Both))
    assert {field.group for field in fields(Both)} == {"Model", "Parameters", "New model"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train": "full", "lora_r": 8}, "lora_r = 8 has no effect with train = full"),
        ({"num_layers_to_train": 2}, "has no effect with train = lora; remove it, or set train to last_layers"),
        ({"train": "named"}, "needs trainable_modules"),
        ({"lora_r": 0}, "lora_r"),
        ({"lora_dropout": 1.0}, "lora_dropout"),
        ({"target_modules": ()}, "target_modules"),
        ({"train": "lorra"}, "did you mean 'lora'"),
        ({"lora_rank": 8}, "write lora_r"),
    ],
)
def test_options_that_do_nothing_or_are_wrong_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        bind(ParameterOptions, values, where="test")


def test_a_dumped_spec_binds_again() -> None:
    import yaml

    for values in (
        {"train": "last_layers", "num_layers_to_train": 2},
        {"train": "dora", "target_modules": ("q_proj",)},
    ):
        spec = bind(Both, values, where="test")
        assert bind(Both, yaml.safe_load(dump(spec)), where="test") == spec
