"""A loaded model, or an adapter over one, behind a service: what a server answers chats with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, Self

from luthier.errors import ContextError, Unshared
from luthier.generation.adapters import MOST
from luthier.generation.chat import HeldCalls, Loaded, Template, Tools, may_call
from luthier.generation.engine import Engine
from luthier.generation.sample import Drawn
from luthier.generation.service import MOST_WAITING, Service
from luthier.generation.text import TokenBytes, decode
from luthier.models.opening import PROBES, open_model
from luthier.models.options import LoadOptions
from luthier.records.messages import Delta, Message, Sampling

CHARACTERS_A_TOKEN, MOST_CHARACTERS = 32, 1_000_000


class ServedChat:
    """A model that many ask at once. Implements `records.messages.Chat`.

    With `adapter` its replies go through that adapter of the service's model; the template is its own.
    """

    def __init__(self, service: Service, name: str, template: Template, adapter: str | None = None) -> None:
        self.service, self.name, self.template, self.adapter = service, name, template, adapter
        self.tokenizer, self.context_length = service.engine.tokenizer, service.engine.context_length
        self.token_bytes = TokenBytes(self.tokenizer)

    @classmethod
    def of(
        cls,
        loaded: Loaded,
        turn: AbstractContextManager[Any] | None = None,
        *,
        kv_memory_bytes: int | None = None,
        most_adapters: int = MOST,
        most_waiting: int = MOST_WAITING,
    ) -> Self:
        """Returns the chat with a loaded model, which is the service's own from here on."""
        engine = Engine.of(loaded, kv_memory_bytes=kv_memory_bytes, owned=True)
        engine.adapters.most = most_adapters
        return cls(Service(engine, turn, most_waiting=most_waiting), loaded.name, loaded.template)

    async def stream(
        self, messages: Sequence[Message], sampling: Sampling, tools: Sequence[Mapping[str, Any]] = ()
    ) -> AsyncIterator[Delta]:
        """Yields the reply piece by piece; where tools are in play the text comes at its end."""
        prompt = await asyncio.to_thread(self.prompt, messages, tools)
        async for delta in self.reply(prompt, sampling, calls=may_call(messages, tools)):
            yield delta

    async def reply(
        self, prompt: Sequence[int], sampling: Sampling, *, calls: bool = False, scope: Hashable = None
    ) -> AsyncGenerator[Delta, None]:
        """Yields the reply to a prompt that `prompt` made; with `calls` the text comes at the end, apart from calls."""
        held = HeldCalls(self.template) if calls else None
        pieces = self.service.stream(
            prompt, sampling, scope=scope, adapter=self.adapter, stop_ids=self.template.stop_ids
        )
        async with aclosing(pieces):
            async for delta in pieces:
                yield delta if held is None else held.push(delta)

    def rank(self, tokens: Sequence[int], ranked: int, *, scope: Hashable = None) -> tuple[Drawn, ...]:
        """Returns every token but the first with its log-probability, and the `ranked` likeliest beside each."""
        return self.service.rank(tokens[:1], tokens[1:], ranked, scope=scope, adapter=self.adapter)

    @property
    def _most(self) -> int:
        """Characters that are tokenised: what fits has fewer by far, and each that does not takes memory and time."""
        return max(MOST_CHARACTERS, CHARACTERS_A_TOKEN * self.context_length)

    def prompt(self, messages: Sequence[Message], tools: Tools = ()) -> list[int]:
        """Returns the tokens that ask for a reply to `messages`; `ModelError` where they do not fit."""
        tokens = self.asked(messages, tools)
        self.service.engine.check(tokens, "messages")
        return tokens

    def asked(self, messages: Sequence[Message], tools: Tools = ()) -> list[int]:
        """Returns the tokens that ask for a reply, whether they fit or not; `ContextError` beyond all measure."""
        return self.template.prompt(messages, tools, most=self._most)

    def plain(self, prompt: str | Sequence[int]) -> list[int]:
        """Returns the tokens of text outside any chat, or the tokens as they are. `ContextError` beyond all measure."""
        if isinstance(prompt, str) and len(prompt) > self._most:
            raise ContextError(
                f"{len(prompt):,} characters are more than {self._most:,}",
                where="prompt",
                remedy="shorten it",
                param="prompt",
            )
        return self.template.encode_plain([prompt])[0] if isinstance(prompt, str) else list(prompt)

    def text(self, tokens: Sequence[int]) -> str:
        """Returns the text of tokens, special ones left out."""
        return decode(self.tokenizer, tokens)

    def close(self) -> None:
        """Lets the model go once nothing is under way; an adapter is let go when its place is needed."""
        if self.adapter is None:
            self.service.close()


def over_base(base: ServedChat, name: str, folder: str, options: LoadOptions) -> ServedChat:
    """Returns the chat called `name` with the model of `base` and the adapter in `folder`, under its own template.

    `Unshared` when the adapter changes what it would share: the tokenizer, the head, the way its layers scale.
    """
    opened = open_model(folder, options)
    there, here = opened.tokenizer, base.tokenizer
    if there.get_vocab() != here.get_vocab() or any(there.encode(text) != here.encode(text) for text in PROBES):
        raise Unshared("has a tokenizer of its own", where=name, remedy="serve it as a model of its own")
    base.service.engine.adapters.check(folder)
    return ServedChat(base.service, name, opened.template, folder)
