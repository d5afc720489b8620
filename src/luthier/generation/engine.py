"""The engine: prompts of token ids in, replies out, many at a time, over a local model."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from luthier.errors import CapacityError, ContextError, ModelError
from luthier.generation.decode import Batch, Forward, prefill, score, without
from luthier.generation.draft import Draft
from luthier.generation.grammar import Grammars
from luthier.generation.options import BATCH_TOKENS
from luthier.generation.sample import Drawn, check_sampling, draw
from luthier.records.messages import Delta, Reply, Sampling

OnToken = Callable[[int, Delta], None]
_LOGITS_AT_ONCE = 2**25
"""Rows times vocabulary: 128 MiB of fp32 logits, of which drawing needs a few copies."""


class Template(Protocol):
    """What the engine needs of a chat template."""

    @property
    def stop_ids(self) -> frozenset[int]: ...


class Loaded(Protocol):
    """What the engine needs of a loaded model."""

    name: str
    model: Any
    tokenizer: Any
    context_length: int

    @property
    def template(self) -> Template: ...


class Engine:
    """Writes replies with one model. Implements `records.messages.Model`.

    Rows are decoded together; a finished row makes room for the next one, within `max_batch_tokens` (prompt and reply
    tokens held at once). A reply never depends on its neighbours, up to the rounding of sums.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        stop_ids: frozenset[int],
        context_length: int,
        name: str = "model",
        max_batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        self.name, self.model, self.tokenizer = name, model, tokenizer
        self.stop_ids, self.context_length, self.max_batch_tokens = stop_ids, context_length, max_batch_tokens
        self._forward = Forward(model)
        self._vocabulary = int(model.get_input_embeddings().weight.shape[0])

    @cached_property
    def _grammars(self) -> Grammars:
        return Grammars(self.tokenizer, self.stop_ids, self._vocabulary)

    @classmethod
    def of(cls, loaded: Loaded, *, max_batch_tokens: int = BATCH_TOKENS) -> Self:
        """Returns the engine of a loaded model; replies end at its template's stop tokens."""
        return cls(
            loaded.model,
            loaded.tokenizer,
            stop_ids=loaded.template.stop_ids,
            context_length=loaded.context_length,
            name=loaded.name,
            max_batch_tokens=max_batch_tokens,
        )

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling | Sequence[Sampling],
        on_token: OnToken | None = None,
    ) -> list[Reply]:
        """Returns the reply to each of `prompts`, in their order.

        `on_token(index, delta)` hears every token as it comes; what it raises ends the work. `ModelError` before
        anything runs when a prompt is empty, too long, or holds a token the model does not have.
        """
        drafts = self.drafts(prompts, sampling, streaming=on_token is not None)
        for index, delta in self._run(drafts):
            if on_token is not None:
                on_token(index, delta)
        return [draft.reply() for draft in drafts]

    def replies(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling | Sequence[Sampling],
        *,
        between: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Reply]]:
        """Yields (number of the prompt, its reply) as each ends. `between` is called at every token."""
        drafts = self.drafts(prompts, sampling, streaming=False)
        for index, delta in self._run(drafts):
            between()
            if delta.finish_reason:
                yield index, drafts[index].reply()

    def stream(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling | Sequence[Sampling]
    ) -> Iterator[tuple[int, Delta]]:
        """Yields (number of the prompt, next piece of its reply). Closing the iterator ends the work."""
        return self._run(self.drafts(prompts, sampling, streaming=True))

    def score_tokens(self, prompt: Sequence[int], continuation: Sequence[int]) -> tuple[float, ...]:
        """Returns the natural log-probability of each token of `continuation` after `prompt`."""
        return tuple(one.logprob or 0.0 for one in self.rank_tokens(prompt, continuation))

    def rank_tokens(self, prompt: Sequence[int], continuation: Sequence[int], ranked: int = 0) -> tuple[Drawn, ...]:
        """Returns the tokens of `continuation` with their log-probabilities, and the `ranked` likeliest beside each."""
        self.check(prompt, "prompt", room=len(continuation))
        if not continuation:
            return ()
        self.check(continuation, "continuation", room=0)
        with self._answering():
            return tuple(score(self._forward, prompt, continuation, ranked))

    async def complete(self, prompt: Sequence[int] | str, sampling: Sampling) -> Reply:
        """Returns the continuation of `prompt`; cancelling ends the work at the next token."""
        cancelled = threading.Event()
        drafts = self.drafts([self._encode(prompt)], sampling, streaming=False)

        def work() -> None:
            for _ in self._run(drafts):
                if cancelled.is_set():
                    break

        try:
            await asyncio.to_thread(work)
        finally:
            cancelled.set()
        return drafts[0].reply()

    async def score(self, prompt: Sequence[int] | str, continuation: Sequence[int] | str) -> tuple[float, ...]:
        """Returns the natural log-probability of each token of `continuation` after `prompt`.

        Texts are made into tokens apart, so that the border between them is where it was given.
        """
        after = self._encode(continuation, start=False)
        return await asyncio.to_thread(self.score_tokens, self._encode(prompt), after)

    def _encode(self, text: Sequence[int] | str, *, start: bool = True) -> Sequence[int]:
        if not isinstance(text, str):
            return text
        tokens: list[int] = self.tokenizer.encode(text, add_special_tokens=start)
        return tokens

    def drafts(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling | Sequence[Sampling], *, streaming: bool
    ) -> list[Draft]:
        """Returns the replies to `prompts` that are still to be written; `ModelError` when one cannot be."""
        samplings = [sampling] * len(prompts) if isinstance(sampling, Sampling) else list(sampling)
        for one in dict.fromkeys(samplings):
            check_sampling(one)
        drafts = []
        for index, (prompt, one) in enumerate(zip(prompts, samplings, strict=True)):
            self.check(prompt, f"prompt {index}")
            space = self.context_length - len(prompt)
            room = min(space, one.max_tokens or space)
            drafts.append(
                Draft(
                    index,
                    prompt,
                    one,
                    tokenizer=self.tokenizer,
                    stop_ids=self.stop_ids,
                    room=room,
                    streaming=streaming,
                    matcher=None if one.grammar is None else self._grammars.matcher(one.grammar),
                )
            )
        return drafts

    def check(self, tokens: Sequence[int], where: str = "prompt", *, room: int = 1) -> None:
        """Raises `ModelError` when `tokens` cannot be followed by `room` more: none, too many, or unknown ones."""
        if not tokens:
            raise ModelError("holds no token", where=where, remedy="give at least one token to start from")
        if len(tokens) + room > self.context_length:
            raise ContextError(
                f"{len(tokens)} tokens leave no room for {room} more in the {self.context_length} tokens of "
                f"{self.name}",
                where=where,
                remedy="shorten it, or use a model with a longer context",
            )
        if min(tokens) < 0 or max(tokens) >= self._vocabulary:
            raise ModelError(
                f"holds token {max(tokens)}, and {self.name} has tokens 0 to {self._vocabulary - 1}",
                where=where,
                remedy="use the tokenizer of this model",
            )

    def _run(self, drafts: Sequence[Draft]) -> Iterator[tuple[int, Delta]]:
        # the longest prompts first: they set the width, and the shorter ones that join later need no wider cache
        for draft, delta in self.work(deque(sorted(drafts, key=lambda draft: -len(draft.prompt)))):
            yield draft.index, delta

    def work(self, waiting: deque[Draft], between: Callable[[], None] = lambda: None) -> Iterator[tuple[Draft, Delta]]:
        """Yields (draft, next piece of its reply) until none of `waiting` is left.

        `between` is called before every token; it may add to `waiting`. A draft that is `abandoned` is let go.
        """
        active: list[Draft] = []
        batch: Batch | None = None
        logits = torch.empty(0)
        with self._answering():
            while True:
                between()
                for draft in [draft for draft in waiting if draft.abandoned]:
                    waiting.remove(draft)
                if not (waiting or active):
                    return
                joining = self._joining(waiting, active, batch)
                if joining:
                    batch, logits = self._join(batch, logits, joining)
                    active = active + joining
                drawn = draw(
                    logits,
                    [draft.sampling for draft in active],
                    [draft.generator for draft in active],
                    [draft.tokens for draft in active],
                    [None if draft.matcher is None else draft.matcher.mask() for draft in active],
                )
                for draft, one in zip(active, drawn, strict=True):
                    yield draft, draft.push(one)
                finished = [row for row, draft in enumerate(active) if draft.finish_reason or draft.abandoned]
                order = without(finished, len(active))
                active, tokens = [active[row] for row in order], [drawn[row].token for row in order]
                if not active:
                    batch = None
                elif batch is not None:
                    if finished:
                        batch.keep(order)
                    logits = batch.step(tokens)

    def _join(self, batch: Batch | None, logits: Tensor, joining: Sequence[Draft]) -> tuple[Batch, Tensor]:
        new, first = prefill(self._forward, [draft.prompt for draft in joining])
        if batch is None:
            return new, first
        batch.admit(new)
        return batch, torch.cat([logits, first])  # (B, V)

    def _joining(self, waiting: deque[Draft], active: Sequence[Draft], batch: Batch | None) -> list[Draft]:
        """Takes from `waiting` the drafts that start now, as many as fit."""
        if not waiting or (batch is not None and not (batch.grows and self._forward.pads)):
            return []
        width = max(batch.width if batch is not None else 0, len(waiting[0].prompt))
        most = max(1, _LOGITS_AT_ONCE // self._vocabulary) - len(active)
        longest = max((draft.remaining for draft in active), default=0)
        taken: list[Draft] = []
        for draft in waiting:
            longest = max(longest, draft.remaining)
            fits = (len(active) + len(taken) + 1) * (width + longest) <= self.max_batch_tokens
            alike = self._forward.pads or len(draft.prompt) == width
            if len(taken) >= most or not alike or not (fits or not (active or taken)):
                break
            taken.append(draft)
        if active and len(taken) * 4 < min(len(waiting) * 4, len(active)):
            return []  # a pass for a few prompts costs nearly as much as one for many: wait for more room
        for _ in taken:
            waiting.popleft()
        return taken

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Switches dropout off and back, and says memory errors in our words."""
        training = bool(self.model.training)
        self.model.eval()
        try:
            yield
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise CapacityError(
                f"not enough memory to hold {self.max_batch_tokens} tokens at once",
                where=self.name,
                remedy="lower max_batch_tokens",
            ) from error
        finally:
            if training:
                self.model.train()
