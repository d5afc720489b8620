"""The engine: prompts of token ids in, replies out, many at a time, over a local model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, Self

import torch

from luthier.errors import CapacityError, ContextError, ModelError, SpecError
from luthier.generation.adapters import Adapters
from luthier.generation.decode import Alone
from luthier.generation.draft import Draft
from luthier.generation.figures import Figures
from luthier.generation.grammar import Grammars, Matcher
from luthier.generation.memory import SHORTEST, StateMemory
from luthier.generation.options import BATCH_TOKENS
from luthier.generation.passes import Passes
from luthier.generation.requests import Encoding, Scoring
from luthier.generation.sample import Drawn, check_sampling
from luthier.generation.session import Asked, Session
from luthier.models.memory import free_memory
from luthier.models.packed import pack
from luthier.records.messages import Delta, Reply, Sampling

_GPU_SHARE = 0.85
"""The part of a GPU's free memory that is for keys and values; the rest is for the states of a pass."""

OnToken = Callable[[int, Delta], None]


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

    Texts under way share passes; keys and values are held within `kv_memory_bytes`; texts that begin alike are read
    once (`reuse`). A reply never depends on its neighbours, up to the rounding of sums. A model that is `owned` by the
    engine is laid out for answering, and cannot be trained any more.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        stop_ids: frozenset[int],
        context_length: int,
        name: str = "model",
        kv_memory_bytes: int | None = None,
        reuse: bool = True,
        pass_tokens: int | None = None,
        owned: bool = False,
    ) -> None:
        if owned:
            pack(model)
        self.name, self.model, self.tokenizer = name, model, tokenizer
        self.stop_ids, self._reuse, self._pass_tokens = stop_ids, reuse, pass_tokens
        self._runner = _runner(model)
        self.token_bytes = self._runner.shape.token_bytes
        self.kv_memory_bytes = kv_memory_bytes or _usual_memory(self.token_bytes, context_length, self._runner.device)
        self.context_length = self._memory(context_length).longest
        self._vocabulary = int(model.get_input_embeddings().weight.shape[0])
        self._grammars: dict[frozenset[int], Grammars] = {}

    @classmethod
    def of(cls, loaded: Loaded, *, kv_memory_bytes: int | None = None, reuse: bool = True, owned: bool = False) -> Self:
        """Returns the engine of a loaded model; replies end at its template's stop tokens."""
        return cls(
            loaded.model,
            loaded.tokenizer,
            stop_ids=loaded.template.stop_ids,
            context_length=loaded.context_length,
            name=loaded.name,
            kv_memory_bytes=kv_memory_bytes,
            reuse=reuse,
            owned=owned,
        )

    @property
    def adapters(self) -> Adapters:
        """The adapters that replies may go through; change them between sessions, or between their passes."""
        return self._runner.adapters

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling | Sequence[Sampling],
        on_token: OnToken | None = None,
        *,
        adapters: Sequence[str | None] | None = None,
    ) -> list[Reply]:
        """Returns the reply to each of `prompts`, in their order; `adapters` names what each goes through.

        `on_token(index, delta)` hears every token as it comes; what it raises ends the work. `ModelError` before
        anything runs when a prompt is empty, too long, or holds a token the model does not have.
        """
        drafts = self.drafts(prompts, sampling, streaming=on_token is not None, adapters=adapters)
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
        scoring = self.scoring(prompt, continuation, ranked)
        if scoring is None:
            return ()
        self._answer([scoring])
        return tuple(scoring.found)

    def encode_tokens(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Returns the last hidden state at the end of each of `rows`, (n, d) in fp32."""
        encodings = [self.encoding(row) for row in rows]
        self._answer(encodings)
        return torch.stack([one.found for one in encodings])

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

    async def encode(self, text: Sequence[int] | str) -> tuple[float, ...]:
        """Returns the last hidden state at the end of `text`: a vector of as many numbers as the model is wide."""
        found = await asyncio.to_thread(self.encode_tokens, [self._encode(text)])
        return tuple(found[0].tolist())

    def _encode(self, text: Sequence[int] | str, *, start: bool = True) -> Sequence[int]:
        if not isinstance(text, str):
            return text
        tokens: list[int] = self.tokenizer.encode(text, add_special_tokens=start)
        return tokens

    def drafts(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling | Sequence[Sampling],
        *,
        streaming: bool,
        adapters: Sequence[str | None] | None = None,
        scope: Hashable = None,
        stop_ids: frozenset[int] | None = None,
    ) -> list[Draft]:
        """Returns the replies to `prompts` that are still to be written; `ModelError` when one cannot be."""
        samplings = [sampling] * len(prompts) if isinstance(sampling, Sampling) else list(sampling)
        for one in dict.fromkeys(samplings):
            check_sampling(one)
            if beyond := [token for token, _ in one.logit_bias if not 0 <= token < self._vocabulary]:
                raise SpecError(
                    f"there is no token {beyond[0]}",
                    where="logit_bias",
                    remedy=f"{self.name} has tokens 0 to {self._vocabulary - 1}",
                    param="logit_bias",
                )
        stop_ids, drafts = self.stop_ids if stop_ids is None else stop_ids, []
        for index, (prompt, one) in enumerate(zip(prompts, samplings, strict=True)):
            self.check(prompt, f"prompt {index}")
            space = self.context_length - len(prompt)
            drafts.append(
                Draft(
                    index,
                    prompt,
                    one,
                    tokenizer=self.tokenizer,
                    stop_ids=stop_ids,
                    room=min(space, one.max_tokens or space),
                    streaming=streaming,
                    matcher=self._matcher(one, stop_ids),
                    scope=scope,
                    adapter=adapters[index] if adapters else None,
                )
            )
        return drafts

    def scoring(
        self,
        prompt: Sequence[int],
        continuation: Sequence[int],
        ranked: int = 0,
        *,
        scope: Hashable = None,
        adapter: str | None = None,
    ) -> Scoring | None:
        """Returns the request for the scores of `continuation`; None where it is empty. `ModelError` as in `check`."""
        self.check(prompt, "prompt", room=len(continuation))
        if not continuation:
            return None
        self.check(continuation, "continuation", room=0)
        return Scoring(prompt, continuation, ranked, scope=scope, adapter=adapter)

    def encoding(self, tokens: Sequence[int], *, scope: Hashable = None, adapter: str | None = None) -> Encoding:
        """Returns the request for the state at the end of `tokens`."""
        self.check(tokens, "text", room=0)
        if self.model.get_output_embeddings() is None:
            raise ModelError("does not tell its last hidden state", where=self.name, remedy="use an embedding model")
        return Encoding(tokens, scope=scope, adapter=adapter)

    def check(self, tokens: Sequence[int], where: str = "prompt", *, room: int = 1) -> None:
        """Raises `ModelError` when `tokens` cannot be followed by `room` more: none, too many, or unknown ones."""
        if not tokens:
            raise ModelError("holds no token", where=where, remedy="give at least one token to start from")
        if len(tokens) + room > self.context_length:
            raise ContextError(  # in words by which clients of the hosted API know it
                f"this model's maximum context length is {self.context_length} tokens, and {len(tokens)} tokens leave "
                f"no room for {room} more in {self.name}",
                where=where,
                remedy="shorten it, or use a model with a longer context",
            )
        if min(tokens) < 0 or max(tokens) >= self._vocabulary:
            raise ModelError(
                f"holds token {max(tokens)}, and {self.name} has tokens 0 to {self._vocabulary - 1}",
                where=where,
                remedy="use the tokenizer of this model",
            )

    @contextmanager
    def session(self, figures: Figures | None = None) -> Iterator[Session]:
        """Gives a session; while it lasts the model is in its evaluation mode and must not change."""
        training = bool(self.model.training)
        self.model.eval()
        session = Session(
            self._runner,
            self._memory(self.context_length),
            vocabulary=self._vocabulary,
            reuse=self._reuse,
            pass_tokens=self._pass_tokens,
            figures=figures,
        )
        try:
            with self._runner.attending():
                yield session
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise CapacityError(
                f"not enough memory beside the {self.kv_memory_bytes:,} bytes for keys and values",
                where=self.name,
                remedy="lower kv_memory",
            ) from error
        finally:
            session.close()
            if training:
                self.model.train()

    def _run(self, drafts: Sequence[Draft]) -> Iterator[tuple[int, Delta]]:
        with self.session() as session:
            for draft in drafts:
                session.add(draft)
            while not session.is_idle:
                for request, what in session.step():
                    if isinstance(what, Exception):
                        raise what
                    if isinstance(request, Draft) and what is not None:
                        yield request.index, what

    def _answer(self, requests: Sequence[Asked]) -> None:
        with self.session() as session:
            for request in requests:
                session.add(request)
            while not session.is_idle:
                for _, what in session.step():
                    if isinstance(what, Exception):
                        raise what

    def _memory(self, longest: int) -> StateMemory:
        return StateMemory(self._runner.shape, self.kv_memory_bytes, longest)

    def _matcher(self, sampling: Sampling, stop_ids: frozenset[int]) -> Matcher | None:
        if sampling.grammar is None:
            return None
        if stop_ids not in self._grammars:
            self._grammars[stop_ids] = Grammars(self.tokenizer, stop_ids, self._vocabulary)
        return self._grammars[stop_ids].matcher(sampling.grammar)


def _runner(model: Any) -> Passes | Alone:
    """Returns what runs the passes of a model: all texts together, or one by one where the model's parts ask for it."""
    try:
        return Passes(model)
    except ModelError:
        return Alone(model)


def _usual_memory(token_bytes: int, context_length: int, device: torch.device) -> int:
    """Returns the bytes for keys and values where none are given: on a GPU most of what the model leaves free,
    elsewhere 16,384 tokens or one whole context, and no more than half of what is free."""
    free = free_memory(device.type)
    if device.type == "cuda":
        wanted = int(_GPU_SHARE * free)
    else:
        wanted = min(max(BATCH_TOKENS, context_length) * token_bytes, free // 2)
    return max(wanted, min(SHORTEST, context_length) * token_bytes)
