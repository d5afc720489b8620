"""The Python door."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import luthier
from luthier import workflows
from luthier.config import Options
from luthier.errors import SpecError
from luthier.report import ListReport, Report


class Spec(Options):
    """What the verb of these tests needs."""

    loudness: int = 1


def run(spec: Spec, report: Report) -> str:
    report.event("info", "sung")
    return "la " * spec.loudness


@pytest.fixture
def sing(monkeypatch: pytest.MonkeyPatch) -> None:
    verb = ModuleType("luthier.workflows.sing", "Sings.")
    verb.Spec, verb.run = Spec, run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, verb.__name__, verb)
    monkeypatch.setattr(workflows, "verbs", lambda: ("sing",))


@pytest.mark.usefixtures("sing")
def test_a_verb_is_a_function() -> None:
    report = ListReport()
    assert luthier.sing(loudness=2, report=report) == "la la "
    assert report.events == [("info", "sung")]
    assert (luthier.sing.__name__, luthier.sing.__doc__) == ("sing", "Sings.")
    assert "sing" in dir(luthier)


@pytest.mark.usefixtures("sing")
def test_its_options_are_checked_like_the_commands() -> None:
    with pytest.raises(SpecError, match=r"^luthier\.sing: unknown key 'loudnes'; did you mean 'loudness'\?$"):
        luthier.sing(loudnes=2)


def test_what_is_no_verb_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'juggle'"):
        _ = luthier.juggle
    with pytest.raises(ImportError):
        from luthier import juggle  # noqa: F401


def test_the_version_is_that_of_the_package(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert luthier.__version__ == project["version"]
