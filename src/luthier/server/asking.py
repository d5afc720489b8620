"""One question to a model, whichever route it came by and wherever the model is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from luthier.access.gate import Meter
from luthier.errors import ContextError, SpecError
from luthier.records.messages import Delta, Message, Sampling, Usage
from luthier.server.call import Call
from luthier.server.errors import ApiError
from luthier.server.wire.logprobs import TokenBytes

if TYPE_CHECKING:
    from luthier.generation.remote import RemoteChat
    from luthier.generation.served import ServedChat

Tool = Mapping[str, Any]
ReplyT = TypeVar("ReplyT")


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked. `forced` are the functions one of which has to be called; None leaves it to the model.

    `several` allows more than one call. The reply is JSON of `schema` where there is one. `schema_key` and
    `prompt_key` are what errors call the schema and the messages.
    """

    model: str
    messages: Sequence[Message]
    sampling: Sampling
    tools: Sequence[Tool] = ()
    forced: Sequence[Tool] | None = None
    several: bool = True
    schema: Mapping[str, Any] | None = None
    choices: int = 1
    schema_key: str = "response_format.json_schema.schema"
    prompt_key: str = "messages"


@dataclass(frozen=True, slots=True)
class Replies:
    """A question that a model has taken: its replies, each written when it is asked for, and counted by `meter`.

    `prompt_tokens` is how many the model reads, as far as that is known before it has answered.
    """

    question: Question
    token_bytes: TokenBytes
    write: Callable[[Sampling], AsyncGenerator[Delta, None] | AsyncIterator[Delta]]
    meter: Meter
    prompt_tokens: int = 0

    async def deltas(self, index: int = 0) -> AsyncGenerator[Delta, None]:
        """Yields the pieces of one reply; each has a seed of its own where there is a seed.

        `ApiError` when a reply that should be JSON of a schema ends and is not.
        """
        sampling, text, called = self.question.sampling, "", False
        if sampling.seed is not None:
            sampling = replace(sampling, seed=sampling.seed + index)
        async with aclosing(self._counted(self.write(sampling), first=index == 0)) as pieces:
            async for delta in pieces:
                if self.question.schema is not None and not sampling.stop:  # what a stop text cut off is not whole
                    text += delta.text
                    if delta.finish_reason == "stop":
                        await asyncio.to_thread(_check, text, self.question.schema)
                called = called or bool(delta.tool_calls)
                if delta.finish_reason == "stop" and self.question.forced is not None and not called:
                    raise _unfollowed("The model did not call a tool, as it had to", "tool_not_called")
                yield delta if self.question.several else replace(delta, tool_calls=delta.tool_calls[:1])

    async def _counted(self, pieces: AsyncIterator[Delta], *, first: bool) -> AsyncGenerator[Delta, None]:
        """Yields `pieces`, and counts what they took however they end; the prompt counts with the first reply."""
        usage, written = None, 0
        try:
            async with aclosing(pieces) as coming:  # type: ignore[type-var]
                async for delta in coming:
                    usage, written = delta.usage or usage, written + len(delta.token_ids)
                    yield delta
        finally:
            if usage is None and written:  # it was given up
                usage = Usage(self.prompt_tokens, written)
            if usage is not None:
                read, known = (usage.prompt_tokens, usage.cached_tokens) if first else (0, 0)
                self.meter.add(self.question.model, read, usage.completion_tokens, known)


def _check(text: str, schema: Mapping[str, Any]) -> None:
    from luthier.generation.schemas import problem_of

    if said := problem_of(text, schema):
        raise _unfollowed(f"The model's reply is not what the schema asks for: {said}", "schema_not_followed")


def _unfollowed(said: str, code: str) -> ApiError:
    return ApiError(
        f"{said}. Nothing of it is to be relied on.", status=502, code=code, kind="server_error", retry=True
    )


def ask(call: Call, question: Question) -> Replies:
    """Returns the replies to `question`, none of them begun. `ApiError` for what the model cannot be asked."""
    chat = call.server.answering.chat(question.model, call.project)
    from luthier.generation.remote import RemoteChat

    return _elsewhere(chat, question, call.meter) if isinstance(chat, RemoteChat) else _here(chat, question, call.meter)


def _here(chat: ServedChat, question: Question, meter: Meter) -> Replies:
    sampling, tools = question.sampling, question.tools
    if tools and not chat.template.dialect.tools:
        raise ApiError(
            f"tools: the chat template of {question.model} has no place for them; the model would not see any.",
            code="unsupported_parameter",
            param="tools",
        )
    if question.schema is not None:
        sampling = replace(sampling, grammar=_grammar(question, question.schema))
    if question.forced is not None:
        sampling = replace(sampling, grammar=_call_grammar(question, chat, question.forced))
    prompt = prompt_of(chat, question)
    calls = bool(tools) or any(message.tool_calls for message in question.messages)
    stop_ids = chat.template.stop_ids

    async def write(drawn: Sampling) -> AsyncIterator[Delta]:
        try:
            async with aclosing(chat.reply(prompt, drawn, calls=calls, scope=meter.key.project)) as pieces:
                async for delta in pieces:
                    yield without_stop(delta, stop_ids)
        except SpecError as error:
            if error.param != "schema":
                raise
            raise _of_key(question.schema_key if question.forced is None else "tools", error) from None

    return Replies(replace(question, sampling=sampling), chat.token_bytes, write, meter, len(prompt))


def length_of(chat: ServedChat, question: Question) -> int:
    """Returns how many tokens a model of this machine would read. `ApiError` when they do not fit by far."""
    try:
        return len(chat.asked(question.messages, question.tools))
    except ContextError as error:
        raise _too_long(question, error) from None


def fits(chat: ServedChat, question: Question) -> bool:
    """Returns whether a model of this machine can read a question."""
    try:
        chat.prompt(question.messages, question.tools)
    except ContextError:
        return False
    return True


def prompt_of(chat: ServedChat, question: Question) -> list[int]:
    """Returns the tokens that a model of this machine reads. `ApiError` when they do not fit."""
    try:
        return chat.prompt(question.messages, question.tools)
    except ContextError as error:
        raise _too_long(question, error) from None


def _too_long(question: Question, error: Exception) -> ApiError:
    return ApiError(str(error), code="context_length_exceeded", param=question.prompt_key)


def _elsewhere(chat: RemoteChat, question: Question, meter: Meter) -> Replies:
    tools = list(question.tools)
    extra: dict[str, Any] = {}
    if question.schema is not None:
        _check_size(question, question.schema)
        named = {"name": "reply", "schema": dict(question.schema), "strict": True}
        extra["response_format"] = (
            {"type": "json_object"}
            if question.schema == {"type": "object"}
            else {"type": "json_schema", "json_schema": named}
        )
    if question.forced is not None:
        names = {function["name"] for function in question.forced}
        tools = [tool for tool in tools if tool["function"]["name"] in names]
        extra["tool_choice"] = "required"
    if tools and not question.several:
        extra["parallel_tool_calls"] = False

    def write(drawn: Sampling) -> AsyncIterator[Delta]:
        return chat.stream(question.messages, drawn, tools, extra=extra)

    return Replies(question, chat.token_bytes, write, meter)


def _check_size(question: Question, schema: Mapping[str, Any]) -> None:
    from luthier.generation.grammar import check_size

    _of_schema(question, lambda: check_size(schema))


def _of_schema(question: Question, work: Callable[[], ReplyT]) -> ReplyT:
    """Returns what `work` on the schema comes to; its error names the key that the schema came under."""
    try:
        return work()
    except SpecError as error:
        raise _of_key(question.schema_key, error) from None


def _of_key(key: str, error: SpecError) -> ApiError:
    return ApiError(f"{key.partition('.')[0]}: {error}", code="invalid_value", param=key)


def _grammar(question: Question, schema: Mapping[str, Any]) -> str:
    from luthier.generation.grammar import json_grammar

    return _of_schema(question, lambda: json_grammar(schema))


def _call_grammar(question: Question, chat: ServedChat, functions: Sequence[Tool]) -> str:
    from luthier.generation.grammar import call_grammar

    frame = chat.template.call_frame
    if frame is None:
        raise ApiError(
            f"tool_choice: the chat template of {question.model} does not write calls in a form that can be enforced; "
            "leave the choice to the model.",
            code="unsupported_parameter",
            param="tool_choice",
        )
    try:
        return call_grammar(frame, functions, chat.template.markers, several=question.several)
    except SpecError as error:
        raise _of_key("tools", error) from None


def without_stop(delta: Delta, stop_ids: frozenset[int]) -> Delta:
    """Returns `delta` without the token that ended the reply: it is no part of what is shown."""
    if delta.finish_reason and delta.token_ids and delta.token_ids[-1] in stop_ids:
        return replace(
            delta,
            token_ids=delta.token_ids[:-1],
            logprobs=delta.logprobs[:-1],
            top_logprobs=delta.top_logprobs[:-1],
        )
    return delta
