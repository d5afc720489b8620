from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from luthier import registry
from luthier.errors import LuthierError, SpecError
from luthier.registry import Registry, load_target, nearest

FAMILY = Registry("luthier.errors_for_tests", {"capacity": "luthier.errors:CapacityError", "gone": "luthier.nowhere:x"})


def test_a_member_is_loaded_by_its_name() -> None:
    assert issubclass(FAMILY.load("capacity"), LuthierError)


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    assert FAMILY.names() == ("capacity", "gone")
    assert "luthier.nowhere" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        FAMILY.load("gone")


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(SpecError, match=r"'capacty' is not one of the errors_for_tests; did you mean 'capacity'\?"):
        FAMILY.load("capacty")


def test_third_parties_come_through_the_same_door_and_cannot_displace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("extra", "luthier.errors:ModelError", "luthier.errors_for_tests"),
        EntryPoint("capacity", "luthier.errors:ModelError", "luthier.errors_for_tests"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: [point for point in points if point.group == group])
    assert FAMILY.names() == ("capacity", "gone", "extra")
    assert FAMILY.load("extra").__name__ == "ModelError"
    assert FAMILY.load("capacity").__name__ == "CapacityError"


def test_nearest_names_one_or_lists_all() -> None:
    assert nearest("learning_rat", ["learning_rate", "seed"]) == "did you mean 'learning_rate'?"
    assert nearest("zzz", ["seed", "learning_rate"]) == "known: learning_rate, seed"


def test_a_target_is_a_module_and_a_name_in_it() -> None:
    assert load_target("luthier.errors:SpecError") is SpecError
