"""A question said in other words, or answered by guess, before it is searched for; by any `Chat`."""

from __future__ import annotations

import re
from contextlib import aclosing

from luthier.records.messages import Chat, Message, Sampling

_NUMBERED = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):])\s*")
LONGEST = 300


async def hypothetical(chat: Chat, question: str, sampling: Sampling | None = None) -> str:
    """Returns a passage that might answer `question` (HyDE, Gao et al. 2023); it may be wrong: it is searched by."""
    asked = f"Write a short passage that answers the question as a reference book would.\n\nQuestion: {question}"
    return (await _said(chat, asked, sampling or Sampling(max_tokens=160))).strip()


async def other_words(chat: Chat, question: str, count: int, sampling: Sampling | None = None) -> tuple[str, ...]:
    """Returns at most `count` questions that ask the same in other words."""
    asked = f"Ask the same in other words, {count} times, one question a line, and write nothing else.\n\n{question}"
    said = await _said(chat, asked, sampling or Sampling(max_tokens=64 * count))
    lines = [_NUMBERED.sub("", line).strip()[:LONGEST] for line in said.splitlines()]
    return tuple(dict.fromkeys(line for line in lines if line and line != question))[:count]


async def _said(chat: Chat, text: str, sampling: Sampling) -> str:
    pieces = list[str]()
    async with aclosing(chat.stream([Message("user", text)], sampling)) as deltas:  # type: ignore[type-var]
        async for delta in deltas:
            pieces.append(delta.text)
    return "".join(pieces)
