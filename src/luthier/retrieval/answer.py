"""Answers from documents: a chat that is shown passages, cites them by number, and says when they do not suffice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from luthier.records.documents import Citation
from luthier.records.messages import Chat, Delta, Message, Sampling, Usage
from luthier.retrieval.citing import Citing, support
from luthier.retrieval.context import (
    NOT_ENOUGH,
    Context,
    Length,
    Price,
    complete,
    fitted,
    last_question,
    says_nothing,
)
from luthier.retrieval.search import Found

Search = Callable[[str], Sequence[Found]]
"""Returns passages for a question, best first; none where none is near enough."""
NOTHING = Usage(0, 0)


@dataclass(frozen=True)
class Answered:
    """What came of a question: `citations` of passages that were `shown`, in the order of the text.

    `enough` is whether there was evidence at all; `added` whether the model cited nothing and we did; `dropped` are
    numbers that it cited and that were not shown; `left_out` counts passages that were found and did not fit.
    """

    text: str
    citations: tuple[Citation, ...]
    shown: tuple[Found, ...]
    enough: bool = True
    added: bool = False
    dropped: tuple[int, ...] = ()
    left_out: int = 0
    context_tokens: int = 0
    usage: Usage = field(default=NOTHING)


class Retrieving:
    """A chat over documents. Implements `records.messages.Chat`; `answer` tells of the citations as well."""

    def __init__(self, chat: Chat, context: Callable[[str], Context]) -> None:
        self._chat, self._context = chat, context

    async def stream(
        self, messages: Sequence[Message], sampling: Sampling, tools: Sequence[Mapping[str, Any]] = ()
    ) -> AsyncIterator[Delta]:
        """Yields the reply piece by piece, with citations as [n]."""
        async with aclosing(self.answer(messages, sampling, tools)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Delta):
                    yield piece

    async def answer(
        self, messages: Sequence[Message], sampling: Sampling, tools: Sequence[Mapping[str, Any]] = ()
    ) -> AsyncGenerator[Delta | Answered, None]:
        """Yields the reply piece by piece, and last what came of the question."""
        question = messages[last_question(messages)].content or ""
        context = await asyncio.to_thread(self._context, question)
        pieces = not_enough() if not context.shown else self._chat.stream(context.messages(messages), sampling, tools)
        async with aclosing(answered(context, pieces)) as told:
            async for piece in told:
                yield piece


def retrieving(
    chat: Chat,
    search: Search,
    *,
    length: Length,
    budget_tokens: int,
    all_of_it: bool = False,
    price: Price | None = None,
) -> Retrieving:
    """Returns `chat` over what `search` finds, as much of it as fits into `budget_tokens` by `length`; with `all_of_it`
    (whole documents) it is everything or an error, which also says when it would cost more than `price` allows."""

    def context(question: str) -> Context:
        found = search(question)
        if all_of_it:
            return complete(question, found, length, budget_tokens, price or Price())
        return fitted(question, found, length, budget_tokens)

    return Retrieving(chat, context)


async def not_enough() -> AsyncGenerator[Delta, None]:
    """Yields the reply where there is nothing to show a model."""
    yield Delta(NOT_ENOUGH)
    yield Delta(finish_reason="stop", usage=NOTHING)


async def answered(context: Context, pieces: AsyncIterator[Delta]) -> AsyncGenerator[Delta | Answered, None]:
    """Yields a model's reply with its citations checked, and last what came of it.

    A reply that ends without a citation gets one: that of the passage which has its words, or a quote of the best one.
    """
    citing, usage, calls, added = Citing(context.shown), NOTHING, False, False
    last = Delta()
    async with aclosing(pieces) as coming:  # type: ignore[type-var]
        async for delta in coming:
            usage, calls = delta.usage or usage, calls or bool(delta.tool_calls)
            text = citing.push(delta.text)
            if delta.finish_reason is None:
                yield replace(delta, text=text)
                continue
            last = replace(delta, text=text + citing.close())
    nothing = not context.shown or says_nothing(citing.text)
    if last.finish_reason == "stop" and not (nothing or calls or citing.citations):
        added = True
        last = replace(last, text=last.text + citing.add(support(citing.text, context.question, context.shown)))
    if last.finish_reason is not None:
        yield last
    told = () if nothing else tuple(citing.citations)
    yield Answered(
        text=citing.text,
        citations=told,
        shown=context.shown,
        enough=not nothing,
        added=added,
        dropped=tuple(dict.fromkeys(citing.dropped)),
        left_out=context.left_out,
        context_tokens=context.tokens,
        usage=usage,
    )
