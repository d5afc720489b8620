"""Waiting for several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

FoundT = TypeVar("FoundT")


async def all_or_none(works: Iterable[Coroutine[Any, Any, FoundT]]) -> list[FoundT]:
    """Returns what every one of `works` comes to; when one fails the others are given up, and have ended.

    What is given up holds connections, which cannot be closed once its event loop has ended.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
