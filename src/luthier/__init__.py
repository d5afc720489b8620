"""Luthier, the LLM customisation platform you own.

Every verb of the command line is a function here: `luthier.tune(rows="rows.jsonl", model="fiddle")`.
"""

from __future__ import annotations

from typing import Any

from luthier.report import ListReport, Report

__version__ = "0.1.0"

_NAMES = {"inspect": "data"}
"""Functions whose Python name differs from the command's."""


def __getattr__(name: str) -> Any:
    from luthier.workflows import verb, verbs

    command = _NAMES.get(name, name)
    if command not in verbs():
        raise AttributeError(f"module 'luthier' has no attribute {name!r}")

    def call(report: Report | None = None, **options: Any) -> Any:
        from luthier.config import bind

        module = verb(command)
        return module.run(bind(module.Spec, options, where=f"luthier.{name}"), report or ListReport())

    call.__name__, call.__qualname__ = name, f"luthier.{name}"
    call.__doc__ = verb(command).__doc__
    return call


def __dir__() -> list[str]:
    from luthier.workflows import verbs

    return sorted({"__version__", *verbs(), *_NAMES} - {"data"})
