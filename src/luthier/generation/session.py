"""The engine at work: requests in, pieces of replies out, pass after pass. One thread at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from luthier.errors import LuthierError, ModelError
from luthier.generation.decode import Alone
from luthier.generation.draft import Draft
from luthier.generation.figures import Figures
from luthier.generation.grammar import Matcher
from luthier.generation.memory import StateMemory
from luthier.generation.passes import Part, Passes
from luthier.generation.requests import Encoding, Scoring
from luthier.generation.sample import Drawn, draw, likeliest, with_logprobs
from luthier.generation.schedule import PASS_TOKENS, Scheduler, Seat, Share
from luthier.records.messages import Delta

Asked = Draft | Scoring | Encoding
Event = tuple[Asked, Delta | Exception | None]
"""A request and what has become of it: a piece of its reply, its failure, or None where it has been answered whole."""

_LOGITS_AT_ONCE = {"cpu": 2**25, "cuda": 2**27}
"""By device: rows times vocabulary, 128 or 512 MiB of fp32 logits, of which drawing needs a few copies."""
_GRAMMARS = ThreadPoolExecutor(1, thread_name_prefix="grammar")
"""Where grammars say which tokens may come next while the model computes."""


@dataclass(slots=True)
class _Want:
    """The logits of one request in a pass: rows `first` to `end` of them."""

    seat: Seat
    first: int
    end: int


class Session:
    """Requests under way over one model whose weights do not change meanwhile."""

    def __init__(
        self,
        runner: Passes | Alone,
        memory: StateMemory,
        *,
        vocabulary: int,
        reuse: bool,
        pass_tokens: int | None = None,
        figures: Figures | None = None,
    ) -> None:
        self.runner, self.memory, self.figures = runner, memory, figures or Figures()
        kind = runner.device.type
        most = max(1, _LOGITS_AT_ONCE.get(kind, _LOGITS_AT_ONCE["cpu"]) // vocabulary)
        self.scheduler = Scheduler(
            memory,
            reuse=reuse and runner.chunks,
            chunks=runner.chunks,
            most_logits=most,
            pass_tokens=pass_tokens or PASS_TOKENS.get(kind, PASS_TOKENS["cpu"]),
            freed=runner.forget,
        )
        self._seats: dict[Asked, Seat] = {}

    def add(self, request: Asked) -> None:
        """Takes a request in; it waits for its turn."""
        tokens = list(request.prompt) if isinstance(request, Draft) else list(request.tokens)
        scope = (request.scope, self.runner.adapters.version(request.adapter))
        seat = Seat(scope=scope, tokens=tokens, request=request, asked_at=self.figures.clock())
        self._seats[request] = seat
        self.scheduler.add(seat)

    @property
    def adapters(self) -> frozenset[str]:
        """The adapters that requests under way go through."""
        return frozenset(request.adapter for request in self._seats if request.adapter is not None)

    @property
    def is_idle(self) -> bool:
        return not self._seats

    def step(self) -> list[Event]:
        """Runs one pass and returns what came of it.

        A request that fails does so alone; what is raised concerns all of them.
        """
        for request in [request for request in self._seats if request.abandoned]:
            self._end(request, "left", keep=False)
        shares = self.scheduler.plan()
        self._begin(shares)
        if not shares:
            self._count()
            return []
        parts, wants = _parts(shares)
        grammars = [(want.seat.request, matcher) for want in wants if (matcher := _matcher(want.seat)) is not None]
        masks = _GRAMMARS.submit(_masks, grammars) if grammars else None
        with self._states(wants) as states:
            logits = self.runner(parts)  # (K, V)
        for share in shares:
            share.seat.filled += share.count
        events = self._settled(wants, logits, states, {} if masks is None else masks.result())
        self._count()
        return events

    def close(self) -> None:
        """Drops every request and what is in memory."""
        for request in list(self._seats):
            self._end(request, "left", keep=False)
        self._count()

    def _settled(
        self, wants: Sequence[_Want], logits: Tensor, states: list[Tensor], masks: dict[Any, bytes | LuthierError]
    ) -> list[Event]:
        tokens: list[int] | None = None
        if all(isinstance(want.seat.request, Draft) and want.seat.request.plain for want in wants) and len(logits):
            sound, tokens = likeliest(logits)
        else:
            sound = torch.isfinite(logits.amax(dim=-1)).tolist() if len(logits) else []
        events: list[Event] = []
        drawing: list[tuple[_Want, bytes | None]] = []
        for want in wants:
            request = want.seat.request
            if not all(sound[want.first : want.end]):
                events.append(self._failed(request, _not_numbers()))
            elif isinstance(request, Draft):
                mask = masks.get(request)
                if isinstance(mask, LuthierError):
                    events.append(self._failed(request, mask))
                else:
                    drawing.append((want, mask))
            elif isinstance(request, Scoring):
                events += self._scored(request, logits[want.first : want.end])
            elif isinstance(request, Encoding):
                request.found = states[0][want.first]
                events.append(self._answered(request))
        if tokens is not None:
            return events + self._pushed(drawing, [Drawn(tokens[want.first]) for want, _ in drawing])
        return events + (self._pushed(drawing, _drawn(drawing, logits)) if drawing else [])

    def _pushed(self, drawing: Sequence[tuple[_Want, bytes | None]], drawn: Sequence[Drawn]) -> list[Event]:
        drafts: list[Draft] = [want.seat.request for want, _ in drawing]  # type: ignore[misc]
        events: list[Event] = []
        for draft, (want, _), one in zip(drafts, drawing, drawn, strict=True):
            try:
                delta = draft.push(one)
            except LuthierError as error:
                events.append(self._failed(draft, error))
                continue
            want.seat.tokens.append(one.token)
            self.figures.token(want.seat)
            events.append((draft, delta))
            if delta.finish_reason:
                self._end(draft, delta.finish_reason)
        return events

    def _scored(self, request: Scoring, logits: Tensor) -> list[Event]:
        targets = torch.tensor(request.due[: len(logits)], device=logits.device)
        request.found += with_logprobs(logits, targets, request.ranked)
        return [self._answered(request)] if request.is_done else []

    def _answered(self, request: Asked) -> Event:
        self._end(request, "answered")
        return request, None

    def _failed(self, request: Any, error: Exception) -> Event:
        seat = self._seats[request]
        if seat.row is not None:
            self.memory.clear([seat.row])
        self._end(request, "failed", keep=False)
        return request, error

    def _end(self, request: Asked, how: str, *, keep: bool = True) -> None:
        self.scheduler.finish(self._seats.pop(request), keep=keep)
        self.figures.ended[how] += 1

    def _begin(self, shares: Sequence[Share]) -> None:
        """Counts a pass, and the prompts whose reading begins with it."""
        for seat in (share.seat for share in shares if not share.seat.begun):
            seat.begun = True
            if isinstance(seat.request, Draft):
                seat.request.cached = seat.reused
            self.figures.began(seat)
        self.figures.passes += bool(shares)

    def _count(self) -> None:
        """Says how things stand."""
        figures, scheduler = self.figures, self.scheduler
        figures.waiting, figures.running = len(scheduler.waiting), len(scheduler.running)
        figures.used_bytes, figures.budget_bytes = self.memory.used_bytes, self.memory.budget_bytes
        figures.kept_texts, figures.preemptions = len(scheduler.prefixes), scheduler.preemptions

    @contextmanager
    def _states(self, wants: Sequence[_Want]) -> Iterator[list[Tensor]]:
        """Gives the hidden states (K, d) at the kept places, where a request asks for its own."""
        found: list[Tensor] = []
        if not any(isinstance(want.seat.request, Encoding) for want in wants):
            yield found
            return
        head = self.runner.model.get_output_embeddings()

        def look(module: Any, inputs: tuple[Tensor, ...]) -> None:
            found.append(inputs[0].detach().flatten(0, -2).float())

        handle = head.register_forward_pre_hook(look)
        try:
            yield found
        finally:
            handle.remove()


def _parts(shares: Sequence[Share]) -> tuple[list[Part], list[_Want]]:
    parts, wants, first = [], [], 0
    for share in shares:
        seat, start = share.seat, share.seat.filled
        end = start + share.count
        places = seat.request.kept(start, end)
        assert seat.row is not None
        parts.append(
            Part(seat.row, seat.tokens[start:end], start, [place - start for place in places], seat.request.adapter)
        )
        if places:
            wants.append(_Want(seat, first, first + len(places)))
        first += len(places)
    return parts, wants


def _drawn(drawing: Sequence[tuple[_Want, bytes | None]], logits: Tensor) -> list[Drawn]:
    """Returns the next token of each draft, by its own sampling and the mask of its grammar."""
    drafts: list[Draft] = [want.seat.request for want, _ in drawing]  # type: ignore[misc]
    rows = [want.first for want, _ in drawing]
    return draw(
        logits if rows == list(range(len(logits))) else logits[rows],
        [draft.sampling for draft in drafts],
        [draft.generator for draft in drafts],
        [draft.tokens for draft in drafts],
        [mask for _, mask in drawing],
    )


def _masks(grammars: Sequence[tuple[Any, Matcher]]) -> dict[Any, bytes | LuthierError]:
    """Returns the tokens that may come next for each request, or why that cannot be said."""
    found: dict[Any, bytes | LuthierError] = {}
    for request, matcher in grammars:
        try:
            found[request] = matcher.mask()
        except LuthierError as error:
            found[request] = error
    return found


def _matcher(seat: Seat) -> Matcher | None:
    return seat.request.matcher if isinstance(seat.request, Draft) else None


def _not_numbers() -> ModelError:
    return ModelError(
        "its outputs are not numbers (NaN or infinite)",
        where="generation",
        remedy="try precision fp32; if they stay so, the weights are damaged",
    )
