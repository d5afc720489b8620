"""Functions that tests run in a child process: they behave, and misbehave."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from luthier.errors import SpecError

HELD: list[bytes] = []


def echo(**values: Any) -> Any:
    print("a library that talks")
    return values


def process_id() -> int:
    return os.getpid()


def hang() -> None:
    while True:
        time.sleep(60)


def spin() -> None:
    while True:
        pass


def eat() -> int:
    return len([bytes(50 * 2**20) for _ in range(10**6)])


def hold(megabytes: int) -> int:
    HELD.append(b"x" * (megabytes * 2**20))
    return os.getpid()


def crash() -> None:
    os.abort()


def leave() -> None:
    os._exit(7)


def refuse() -> None:
    raise SpecError("is not readable", where="here", remedy="try another")


def fail() -> None:
    raise ValueError("two\nlines")


def flood(size_bytes: int) -> str:
    return "x" * size_bytes


def environment() -> dict[str, str]:
    return dict(os.environ)


def dig() -> int:
    sys.setrecursionlimit(500)

    def deeper() -> int:
        return deeper() + 1

    return deeper()
