"""Many callers of one engine at once: one thread decodes, and everyone gets the pieces of their own reply."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext, suppress
from functools import partial
from typing import Any

from luthier.errors import BusyError, LuthierError
from luthier.generation.chat import HeldCalls, Loaded, Tools, may_call
from luthier.generation.draft import Draft
from luthier.generation.engine import Engine
from luthier.generation.options import BATCH_TOKENS
from luthier.generation.sample import Drawn
from luthier.generation.text import TokenBytes, decode
from luthier.records.messages import Delta, Message, Sampling

Sink = Callable[[Delta | Exception], None]
MOST_WAITING = 512


class Service:
    """Decodes for everyone who asks; a reply that nobody waits for any more is given up at its next token.

    `turn` is held while the model computes: engines that share a machine take turns.
    """

    def __init__(self, engine: Engine, turn: AbstractContextManager[Any] | None = None) -> None:
        self.engine = engine
        self._turn = turn or nullcontext()
        self._inbox: queue.SimpleQueue[Draft | None] = queue.SimpleQueue()
        self._sinks: dict[Draft, Sink] = {}
        self._door, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._work, name=f"engine {engine.name}", daemon=True)
        self._thread.start()

    async def stream(self, prompt: Sequence[int], sampling: Sampling) -> AsyncGenerator[Delta, None]:
        """Yields the reply to `prompt` piece by piece; closing the iterator gives it up.

        `BusyError` when too many wait already.
        """
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[Delta | Exception]()
        drafts = await asyncio.to_thread(self.engine.drafts, [prompt], sampling, streaming=True)  # compiles grammars
        draft = drafts[0]
        self._enter(draft, partial(_hand_over, loop, pieces))
        try:
            while True:
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if piece.finish_reason:
                    return
        finally:
            draft.abandoned = True
            self._sinks.pop(draft, None)

    def _enter(self, draft: Draft, sink: Sink) -> None:
        if len(self._sinks) >= MOST_WAITING:
            raise BusyError(f"{len(self._sinks)} replies are being waited for", remedy="try again in a moment")
        with self._door:
            if self._closed:
                raise BusyError(f"{self.engine.name} has just been unloaded", remedy="try again")
            self._sinks[draft] = sink
            self._inbox.put(draft)

    def rank(self, tokens: Sequence[int], ranked: int) -> tuple[Drawn, ...]:
        """Returns every token but the first with its log-probability, and the `ranked` likeliest beside each."""
        with self._turn:
            return self.engine.rank_tokens(tokens[:1], tokens[1:], ranked)

    def close(self) -> None:
        """Ends the thread once what is under way has ended; from here on nothing is taken."""
        with self._door:
            self._closed = True
            self._inbox.put(None)

    def _work(self) -> None:
        while (first := self._inbox.get()) is not None:
            waiting = deque([first])
            pieces = self.engine.work(waiting, partial(self._take, waiting))
            try:
                while True:
                    with self._turn:
                        found = next(pieces, None)
                    if found is None:
                        break
                    draft, delta = found
                    if (sink := self._sinks.get(draft)) is not None:
                        sink(delta)
            except Exception as error:
                said = error if isinstance(error, LuthierError) else _broken(error)
                for draft, sink in list(self._sinks.items()):
                    draft.abandoned = True
                    sink(said)

    def _take(self, waiting: deque[Draft]) -> None:
        while not self._inbox.empty():
            draft = self._inbox.get()
            if draft is None:
                self._inbox.put(None)
                return
            waiting.append(draft)


def _hand_over(loop: asyncio.AbstractEventLoop, pieces: asyncio.Queue[Delta | Exception], piece: Any) -> None:
    with suppress(RuntimeError):  # the caller's loop has ended, and the caller with it
        loop.call_soon_threadsafe(pieces.put_nowait, piece)


def _broken(error: Exception) -> Exception:
    error.add_note("while replies were written; every reply that was under way has ended")
    return error


class ServedChat:
    """A loaded model behind a service. Implements `records.messages.Chat`."""

    def __init__(self, loaded: Loaded, turn: AbstractContextManager[Any] | None = None) -> None:
        self.name, self.template, self.context_length = loaded.name, loaded.template, loaded.context_length
        self.tokenizer = loaded.tokenizer
        self.service = Service(Engine.of(loaded, max_batch_tokens=BATCH_TOKENS), turn)
        self.token_bytes = TokenBytes(loaded.tokenizer)

    async def stream(
        self, messages: Sequence[Message], sampling: Sampling, tools: Sequence[Mapping[str, Any]] = ()
    ) -> AsyncIterator[Delta]:
        """Yields the reply piece by piece; where tools are in play the text comes at its end."""
        prompt = await asyncio.to_thread(self.prompt, messages, tools)
        async for delta in self.reply(prompt, sampling, calls=may_call(messages, tools)):
            yield delta

    async def reply(self, prompt: Sequence[int], sampling: Sampling, *, calls: bool) -> AsyncGenerator[Delta, None]:
        """Yields the reply to a prompt that `prompt` made; with `calls` the text comes at the end, apart from calls."""
        held = HeldCalls(self.template) if calls else None
        async with aclosing(self.service.stream(prompt, sampling)) as pieces:
            async for delta in pieces:
                yield delta if held is None else held.push(delta)

    def prompt(self, messages: Sequence[Message], tools: Tools = ()) -> list[int]:
        """Returns the tokens that ask for a reply to `messages`; `ModelError` where they do not fit."""
        tokens = self.template.prompt(messages, tools)
        self.service.engine.check(tokens, "messages")
        return tokens

    def plain(self, prompt: str | Sequence[int]) -> list[int]:
        """Returns the tokens of text outside any chat, or the tokens as they are."""
        return self.template.encode_plain([prompt])[0] if isinstance(prompt, str) else list(prompt)

    def text(self, tokens: Sequence[int]) -> str:
        """Returns the text of tokens, special ones left out."""
        return decode(self.tokenizer, tokens)

    def close(self) -> None:
        """Lets the model go once nothing is under way."""
        self.service.close()
