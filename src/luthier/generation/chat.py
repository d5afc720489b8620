"""A chat with a local model: its own template over the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self

from luthier.errors import LuthierError
from luthier.generation.engine import Engine
from luthier.records.messages import Delta, Message, Reply, Sampling, ToolCall
from luthier.tokens.dialect import Dialect
from luthier.tokens.tool_calls import Frame

Tools = Sequence[Mapping[str, Any]]
Stream = Generator[Delta, None, None]


class Template(Protocol):
    """What a chat needs of a chat template."""

    @property
    def stop_ids(self) -> frozenset[int]: ...
    @property
    def dialect(self) -> Dialect: ...
    @property
    def markers(self) -> Mapping[str, int]: ...
    @property
    def call_frame(self) -> Frame | None: ...
    def prompt(self, messages: Sequence[Message], tools: Tools = (), *, most: int | None = None) -> list[int]: ...
    def encode_plain(self, texts: Sequence[str]) -> list[list[int]]: ...
    def reply_text(self, token_ids: Sequence[int]) -> str: ...
    def parse_reply(self, text: str) -> tuple[str, tuple[ToolCall, ...]]: ...


class Loaded(Protocol):
    """What a chat needs of a loaded model."""

    name: str
    model: Any
    tokenizer: Any
    context_length: int

    @property
    def template(self) -> Template: ...


class Prompt(Protocol):
    """One question of many: messages with tools, or `text` to go on from as it stands."""

    @property
    def messages(self) -> Sequence[Message]: ...
    @property
    def tools(self) -> Tools: ...
    @property
    def text(self) -> str | None: ...


class TemplateChat:
    """A model that answers messages. Implements `records.messages.Chat`.

    `deltas` and `reply` are ordinary calls, good in a notebook whose event loop runs; `stream` is for servers;
    `answer` is for many prompts at once.
    """

    def __init__(self, engine: Engine, template: Template, name: str) -> None:
        self.engine, self.template, self.name = engine, template, name

    @classmethod
    def of(cls, loaded: Loaded, *, kv_memory_bytes: int | None = None, owned: bool = False) -> Self:
        """Returns the chat with a loaded model, which is not to be trained any more where it is `owned`."""
        engine = Engine.of(loaded, kv_memory_bytes=kv_memory_bytes, owned=owned)
        return cls(engine, loaded.template, loaded.name)

    def deltas(self, messages: Sequence[Message], sampling: Sampling, tools: Tools = ()) -> Stream:
        """Yields the reply piece by piece; closing the iterator ends the work.

        Where tools are in play the text comes at the end, when it is known what of it is a call.
        """
        prompt = self.template.prompt(messages, tools)
        self.engine.check(prompt, "messages")
        pieces = (delta for _, delta in self.engine.stream([prompt], sampling))
        if may_call(messages, tools):
            held = HeldCalls(self.template)
            return (held.push(delta) for delta in pieces)
        return pieces

    def reply(self, messages: Sequence[Message], sampling: Sampling, tools: Tools = ()) -> Reply:
        """Returns the whole reply."""
        prompt = self.template.prompt(messages, tools)
        self.engine.check(prompt, "messages")
        return with_calls(self.template, self.engine.generate([prompt], sampling)[0])

    async def stream(self, messages: Sequence[Message], sampling: Sampling, tools: Tools = ()) -> AsyncIterator[Delta]:
        """Yields the reply piece by piece; the model works in a thread, and stops when the caller does."""
        pieces = await asyncio.to_thread(self.deltas, messages, sampling, tools)
        step: asyncio.Future[Delta | None] | None = None
        try:
            while True:
                step = asyncio.ensure_future(asyncio.to_thread(next, pieces, None))
                delta = await asyncio.shield(step)
                if delta is None:
                    return
                yield delta
        finally:
            if step is not None and not step.done():
                await asyncio.wait([step])  # an iterator cannot be closed while it runs
            pieces.close()

    def answer(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_reply: Callable[[int, Reply | LuthierError], None],
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Calls `on_reply(number of the prompt, reply or error)` once for each of `prompts`, as they end.

        A prompt that does not fit the model or its template is answered with its error. `between` is called at every
        token; what it raises ends the work.
        """
        numbers, ready = [], []
        for number, prompt in enumerate(prompts):
            try:
                tokens = self._tokens(prompt)
                self.engine.check(tokens)
            except LuthierError as error:
                on_reply(number, error)
            else:
                numbers.append(number)
                ready.append(tokens)
        for place, reply in self.engine.replies(ready, sampling, between=between):
            on_reply(numbers[place], with_calls(self.template, reply))

    def _tokens(self, prompt: Prompt) -> list[int]:
        if prompt.text is not None:
            return self.template.encode_plain([prompt.text])[0]
        return self.template.prompt(prompt.messages, prompt.tools)


def may_call(messages: Sequence[Message], tools: Tools) -> bool:
    """Returns whether the reply may be a call of a tool."""
    return bool(tools) or any(message.tool_calls for message in messages)


def with_calls(template: Template, reply: Reply) -> Reply:
    """Returns `reply` with the tool calls that its text holds apart from it."""
    text, calls = template.parse_reply(template.reply_text(reply.token_ids))
    return replace(reply, text=text, tool_calls=calls, finish_reason="tool_calls") if calls else reply


class HeldCalls:
    """Holds a reply's text back until its end, when it is known what of it is a call of a tool."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._texts: list[str] = []
        self._tokens: list[int] = []

    def push(self, delta: Delta) -> Delta:
        """Returns `delta` without its text; the last one with all of it, and the calls."""
        self._texts.append(delta.text)
        self._tokens.extend(delta.token_ids)
        if delta.finish_reason is None:
            return replace(delta, text="")
        reply = Reply("".join(self._texts), token_ids=tuple(self._tokens), finish_reason=delta.finish_reason)
        whole = with_calls(self._template, reply)
        return replace(delta, text=whole.text, tool_calls=whole.tool_calls, finish_reason=whole.finish_reason)
