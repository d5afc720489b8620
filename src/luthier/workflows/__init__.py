"""Verbs: one file each, with a `Spec`, a `Result` and `run(spec, report)`. Adding a verb is adding a file here.

The first line of a verb's docstring is its summary in `luthier --help`. No verb imports torch before it runs.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from luthier.errors import SpecError
from luthier.registry import nearest


def verbs() -> tuple[str, ...]:
    """Returns the names of the verbs, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def jobs() -> tuple[str, ...]:
    """Returns the names of the verbs that a server runs as jobs: those whose module has a `JOB_OUTPUT`.

    It is what the verb's `output` is called in the folder of the job; empty where it is the folder itself.
    """
    return tuple(name for name in verbs() if hasattr(verb(name), "JOB_OUTPUT"))


def verb(name: str) -> ModuleType:
    """Returns the module of the verb called `name`."""
    if name not in verbs():
        raise SpecError(f"there is no command {name!r}", remedy=nearest(name, list(verbs())))
    return importlib.import_module(f"{__name__}.{name}")
