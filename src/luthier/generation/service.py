"""Many callers of one engine at once: one thread owns the model, and everyone gets the pieces of their own reply.

When the thread's work breaks, whoever waits is told, and it begins again with empty memory; meanwhile `down` says why.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

from luthier.errors import BusyError, EngineError, LuthierError
from luthier.generation.engine import Engine
from luthier.generation.figures import Figures
from luthier.generation.requests import Encoding, Scoring
from luthier.generation.sample import Drawn
from luthier.generation.session import Asked, Session
from luthier.records.messages import Delta, Sampling

LOG = logging.getLogger("luthier.engine")
Sink = Callable[[Delta | Exception | None], None]
MOST_WAITING = 512
AGAIN_S, AGAIN_AT_MOST_S = 0.5, 30.0
"""How long a broken engine waits before it begins again, the first time and at most."""


class Service:
    """Answers everyone who asks; what nobody waits for any more is given up at its next token.

    `turn` is held while the model computes: engines that share a machine take turns. At most `most_waiting` requests
    are under way.
    """

    def __init__(
        self,
        engine: Engine,
        turn: AbstractContextManager[Any] | None = None,
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.engine, self.figures = engine, Figures()
        self.down: str | None = None
        """Why nothing can be answered now; None while all is well."""
        self._turn, self._most_waiting = turn or nullcontext(), most_waiting
        self._inbox: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._waiters: dict[Asked, Sink] = {}
        self._door, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._work, name=f"engine {engine.name}", daemon=True)
        self._thread.start()

    async def stream(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        scope: Hashable = None,
        adapter: str | None = None,
        stop_ids: frozenset[int] | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yields the reply to `prompt` piece by piece; closing the iterator gives it up.

        `adapter` is the folder of one, loaded when it is first asked for. `BusyError` when too many wait already,
        `EngineError` when the engine broke or is broken. Only prompts of one `scope` begin with each other's state.
        """
        pieces = asyncio.Queue[Delta | Exception | None]()
        sink = partial(_hand_over, asyncio.get_running_loop(), pieces)
        make = partial(
            self.engine.drafts, [prompt], sampling, streaming=True, adapters=[adapter], scope=scope, stop_ids=stop_ids
        )
        draft = (await asyncio.to_thread(make))[0]  # compiles grammars
        self._enter(draft, sink)
        try:
            while True:
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                if piece is not None:
                    yield piece
                    if piece.finish_reason:
                        return
        finally:
            draft.abandoned = True
            self._waiters.pop(draft, None)

    def rank(
        self,
        prompt: Sequence[int],
        continuation: Sequence[int],
        ranked: int = 0,
        *,
        scope: Hashable = None,
        adapter: str | None = None,
    ) -> tuple[Drawn, ...]:
        """Returns the tokens of `continuation` with their log-probabilities, and the `ranked` likeliest beside each.

        Waits for its turn beside the replies that are being written.
        """
        scoring = self.engine.scoring(prompt, continuation, ranked, scope=scope, adapter=adapter)
        if scoring is None:
            return ()
        self._await(scoring)
        return tuple(scoring.found)

    def encode(self, tokens: Sequence[int], *, scope: Hashable = None, adapter: str | None = None) -> tuple[float, ...]:
        """Returns the last hidden state at the end of `tokens`; waits for its turn as `rank` does."""
        encoding = self.engine.encoding(tokens, scope=scope, adapter=adapter)
        self._await(encoding)
        return tuple(encoding.found.tolist())

    @property
    def waiting(self) -> int:
        """How many requests are under way."""
        return len(self._waiters)

    @property
    def is_alive(self) -> bool:
        """Whether the thread that owns the model runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Ends the thread once what is under way has ended; from here on nothing is taken."""
        with self._door:
            self._closed = True
            self._inbox.put(None)

    def _enter(self, request: Asked, sink: Sink) -> None:
        if len(self._waiters) >= self._most_waiting:
            raise BusyError(f"{len(self._waiters)} replies are being waited for", remedy="try again in a moment")
        with self._door:
            if self._closed:
                raise BusyError(f"{self.engine.name} has just been unloaded", remedy="try again")
            if self.down is not None:
                raise EngineError(self.down, where=self.engine.name, remedy="it begins again by itself; try again")
            self._waiters[request] = sink
            self._inbox.put(request)

    def _await(self, request: Scoring | Encoding) -> None:
        told: queue.SimpleQueue[Delta | Exception | None] = queue.SimpleQueue()
        self._enter(request, told.put)
        try:
            if isinstance(found := told.get(), Exception):
                raise found
        finally:
            request.abandoned = True
            self._waiters.pop(request, None)

    def _work(self) -> None:
        pause = AGAIN_S
        while not self._closed:
            began = time.monotonic()
            try:
                with self.engine.session(self.figures) as session:
                    if self.down is not None:
                        self._try(session)
                    self._serve(session)
            except BaseException as error:  # a thread that ends in silence would leave everyone waiting
                pause = AGAIN_S if time.monotonic() - began > AGAIN_AT_MOST_S else min(2 * pause, AGAIN_AT_MOST_S)
                self._break(error)
                time.sleep(pause)

    def _try(self, session: Session) -> None:
        """Reads one token; only an engine that can is well again."""
        session.add(Scoring((0,), (0,), 0))
        while not session.is_idle:
            with self._turn:
                events = session.step()
            for _, what in events:
                if isinstance(what, Exception):
                    raise what
        with self._door:
            self.down = None

    def _serve(self, session: Session) -> None:
        """Runs passes until the service is closed and nothing is under way."""
        while self._take(session):
            with self._turn:
                events = session.step()
            for request, what in events:
                if (sink := self._waiters.get(request)) is not None:
                    sink(what)

    def _take(self, session: Session) -> bool:
        """Takes in what has been asked, waiting for it where nothing else is to be done; False once all has ended."""
        while session.is_idle or not self._inbox.empty():
            request = self._inbox.get()
            if request is not None:
                self._add(session, request)
            elif session.is_idle:
                return False
            else:
                self._inbox.put(None)
                return True
        return True

    def _add(self, session: Session, request: Asked) -> None:
        """Adds a request, with its adapter loaded; what keeps it from being answered is told to it alone."""
        if request.abandoned:
            return
        try:
            if request.adapter is not None:
                self._load(session, request.adapter)
            session.add(request)
        except LuthierError as error:
            if (sink := self._waiters.get(request)) is not None:
                sink(error)

    def _load(self, session: Session, folder: str) -> None:
        """Loads an adapter unless it is loaded. Where there are as many as may be, the one unused the longest goes."""
        adapters = self.engine.adapters
        if folder not in adapters.names and len(adapters.names) >= adapters.most:
            idle = next((name for name in adapters.names if name not in session.adapters), None)
            if idle is None:
                raise BusyError(f"{adapters.most} adapters are in use", remedy="try again in a moment")
            adapters.drop(idle)
        if folder not in adapters.names:
            adapters.add(folder, folder)
        adapters.touch(folder)

    def _break(self, error: BaseException) -> None:
        """Tells everyone who waits that the engine broke, and forgets them."""
        said = f"the engine has stopped: {error}" if isinstance(error, LuthierError) else "the engine has stopped"
        with self._door:
            self.down = said
            waiters, self._waiters = self._waiters, {}
            while not self._inbox.empty():
                if self._inbox.get() is None:
                    self._inbox.put(None)
                    break
        LOG.error("engine %s has stopped", self.engine.name, exc_info=error)
        failure = EngineError(said, where=self.engine.name, remedy="it begins again by itself; try again in a moment")
        failure.__cause__ = error
        for request, sink in waiters.items():
            request.abandoned = True
            sink(failure)


def _hand_over(loop: asyncio.AbstractEventLoop, pieces: asyncio.Queue[Delta | Exception | None], piece: Any) -> None:
    with suppress(RuntimeError):  # the caller's loop has ended, and the caller with it
        loop.call_soon_threadsafe(pieces.put_nowait, piece)
