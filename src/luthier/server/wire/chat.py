"""Chat completions on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from luthier.records.messages import Delta, Sampling, ToolCall, Usage
from luthier.server.errors import ApiError
from luthier.server.wire.body import Body, Part, Refused
from luthier.server.wire.lists import AskOldest
from luthier.server.wire.logprobs import TokenBytes, tokens_json
from luthier.server.wire.messages import FunctionIn, MessageIn, ToolIn
from luthier.server.wire.tools import ANY, SIMPLE, Choice
from luthier.server.wire.values import Items, Metadata, Schema, metadata_labels
from luthier.store.resources import Resource

STORED = "chat.completion"
"""The kind of the rows of stored completions."""
CACHING = "nothing is billed by what is cached"
HARMLESS: Mapping[str, str] = {
    "user": "nobody is told of it",
    "safety_identifier": "nobody is told of it",
    "service_tier": "there is one",
    "prompt_cache_key": CACHING,
    "prompt_cache_options": CACHING,
    "prompt_cache_retention": CACHING,
}
"""Keys of every request for text that have no effect on it."""


class StreamOptions(Part):
    """What a stream says beside the reply."""

    include_usage: bool | None = None
    harmless: ClassVar[Mapping[str, str]] = {"include_obfuscation": "the stream does not leave the machine"}


class NamedFunction(Part):
    """A function by its name."""

    name: str


class NamedTool(Part):
    """The tool that must be called."""

    type: Literal["function"]
    function: NamedFunction


class AllowedTools(Part):
    """Some of the tools, and whether one of them must be called."""

    mode: Literal["auto", "required"]
    tools: Items[NamedTool]


class AllowedChoice(Part):
    """A choice among some of the tools."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


class JsonSchema(Part):
    """A named schema. `strict` false asks for the same: the schema is always enforced."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    schema_: Schema | None = Field(default=None, alias="schema")
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(Part):
    """The form of the reply."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    def schema_of(self) -> dict[str, Any] | None:
        """Returns the schema that the reply must follow; None for text."""
        if self.type == "json_schema":
            if self.json_schema is None:
                raise ApiError(
                    "response_format.json_schema is missing.",
                    code="missing_required_parameter",
                    param="response_format.json_schema",
                )
            return self.json_schema.schema_ or {}
        return {"type": "object"} if self.type == "json_object" else None


class SamplingIn(Body):
    """How a reply is drawn, in the words that chat and plain completions share."""

    model: str = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    temperature: float | None = Field(default=1.0, ge=0, le=2)
    top_p: float | None = Field(default=1.0, ge=0, le=1)
    top_k: int | None = Field(default=0, ge=0, le=1_000_000)
    min_p: float | None = Field(default=0.0, ge=0, le=1)
    n: int | None = Field(default=1, ge=1, le=128)
    stop: str | Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=4)] | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    frequency_penalty: float | None = Field(default=0.0, ge=-2, le=2)
    presence_penalty: float | None = Field(default=0.0, ge=-2, le=2)
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    harmless: ClassVar[Mapping[str, str]] = HARMLESS

    def sampling(self, *, max_tokens: int | None, top_logprobs: int | None) -> Sampling:
        """Returns the request's sampling; logprobs where `top_logprobs` is a number, 0 included."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            max_tokens=max_tokens,
            temperature=self.value("temperature"),
            top_p=self.value("top_p"),
            top_k=self.value("top_k"),
            min_p=self.value("min_p"),
            stop=tuple(text for text in stop if text),
            seed=self.seed,
            frequency_penalty=self.value("frequency_penalty"),
            presence_penalty=self.value("presence_penalty"),
            logit_bias=_biases(self.logit_bias or {}),
            logprobs=top_logprobs is not None,
            top_logprobs=top_logprobs or 0,
        )


class CreateChat(SamplingIn):
    """A chat completion as it is asked for."""

    messages: Items[MessageIn] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    tools: list[ToolIn] | None = Field(default=None, max_length=128)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | AllowedChoice | None = None
    functions: list[FunctionIn] | None = Field(default=None, max_length=128)
    function_call: Literal["none", "auto"] | NamedFunction | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    metadata: Metadata | None = None
    harmless: ClassVar[Mapping[str, str]] = {
        **HARMLESS,
        "prediction": "it only speeds up, and changes no reply",
        "moderation": "use /v1/moderations",
    }
    refused: ClassVar[Mapping[str, Refused]] = {
        "modalities": Refused("only text comes out", unless=(["text"],)),
        "audio": Refused("only text comes out"),
        "web_search_options": Refused("nothing is searched on the web"),
        "verbosity": Refused("the model knows no such setting", unless=("medium",)),
        "reasoning_effort": Refused("the model's chat template knows no such setting", unless=("none",)),
    }


class ListStored(AskOldest):
    """A page of stored completions: those of a model, or with some metadata."""

    model: str | None = None
    metadata: Metadata | None = None


def read_sampling(asked: CreateChat) -> Sampling:
    """Returns how the reply is drawn. `ApiError` when top_logprobs is there without logprobs."""
    if asked.top_logprobs is not None and not asked.logprobs:
        raise ApiError("top_logprobs needs logprobs: true.", code="invalid_value", param="top_logprobs")
    limit = asked.max_completion_tokens or asked.max_tokens
    return asked.sampling(max_tokens=limit, top_logprobs=(asked.top_logprobs or 0) if asked.logprobs else None)


def choice_of(asked: CreateChat) -> Choice:
    """Returns which tools may be called, and which has to be."""
    match asked.tool_choice if asked.tool_choice is not None else asked.function_call:
        case NamedTool() as named:
            return Choice(call=named.function.name)
        case NamedFunction() as named:
            return Choice(call=named.name)
        case AllowedChoice(allowed_tools=some):
            names = [tool.function.name for tool in some.tools]
            return Choice(allowed=names, call=ANY if some.mode == "required" else None)
        case str() as word:
            return SIMPLE[word]
    return Choice()


def functions_of(asked: CreateChat) -> list[FunctionIn]:
    """Returns the functions of both forms."""
    return [tool.function for tool in asked.tools or ()] + list(asked.functions or ())


def completion_json(
    id: str, created: int, model: str, choices: Sequence[Mapping[str, Any]], usage: Usage, asked: CreateChat
) -> dict[str, Any]:
    """Returns the whole completion."""
    out = {
        "id": id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": list(choices),
        "usage": usage_json(usage),
        "system_fingerprint": FINGERPRINT,
        "service_tier": "default",
    }
    return out | ({"metadata": asked.metadata} if asked.metadata else {})


FINGERPRINT = "fp_luthier"


def choice_json(
    index: int, deltas: Sequence[Delta], bytes_of: TokenBytes, *, logprobs: bool, old_form: bool
) -> dict[str, Any]:
    """Returns one choice of a completion from the pieces of its reply."""
    text = "".join(delta.text for delta in deltas)
    calls = [call for delta in deltas for call in delta.tool_calls]
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
    if calls and old_form:
        message["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments}
    elif calls:
        message["tool_calls"] = [call.to_json() for call in calls]
    reason = str(deltas[-1].finish_reason)
    return {
        "index": index,
        "message": message | {"annotations": []},
        "logprobs": logprobs_json(deltas, bytes_of) if logprobs else None,
        "finish_reason": "function_call" if calls and old_form else reason,
    }


def chunk_json(id: str, created: int, model: str, choices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns one piece of a streamed completion."""
    return {
        "id": id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": list(choices),
        "system_fingerprint": FINGERPRINT,
        "service_tier": "default",
    }


def piece_json(
    index: int, delta: Delta, bytes_of: TokenBytes, *, first: bool, logprobs: bool, old_form: bool
) -> dict[str, Any]:
    """Returns what one piece of a reply adds to its choice."""
    said: dict[str, Any] = {"role": "assistant"} if first else {}
    if delta.text or first:
        said["content"] = delta.text
    if delta.tool_calls and old_form:
        said["function_call"] = {"name": delta.tool_calls[0].name, "arguments": delta.tool_calls[0].arguments}
    elif delta.tool_calls:
        said["tool_calls"] = [_streamed(place, call) for place, call in enumerate(delta.tool_calls)]
    reason = "function_call" if delta.tool_calls and old_form else delta.finish_reason
    return {
        "index": index,
        "delta": said,
        "logprobs": logprobs_json([delta], bytes_of) if logprobs else None,
        "finish_reason": reason,
    }


def usage_json(usage: Usage) -> dict[str, Any]:
    """Returns the usage object."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def total_usage(usages: Sequence[Usage]) -> Usage:
    """Returns the usage of a request: its prompt counts once, its replies each."""
    return Usage(usages[0].prompt_tokens, sum(one.completion_tokens for one in usages), usages[0].cached_tokens)


def logprobs_json(deltas: Sequence[Delta], bytes_of: TokenBytes) -> dict[str, Any]:
    """Returns the log-probabilities of pieces, a token each."""
    return {"content": tokens_json(deltas, bytes_of), "refusal": None}


def _streamed(place: int, call: ToolCall) -> dict[str, Any]:
    return {"index": place} | call.to_json()


def _biases(given: Mapping[str, float]) -> tuple[tuple[int, float], ...]:
    if len(given) > 1024:
        raise ApiError("logit_bias holds more than 1,024 tokens.", code="invalid_value", param="logit_bias")
    for token in given:
        if not token.isdecimal() or len(token) > 9:
            raise ApiError(f"logit_bias: {token!r} is no token id.", code="invalid_value", param="logit_bias")
    return tuple((int(token), bias) for token, bias in given.items())


def stored_row(
    completion: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], metadata: Mapping[str, str] | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the body and the labels of the row that keeps a completion with the messages that it answers."""
    body = {"completion": dict(completion), "messages": [dict(one) for one in messages], "metadata": metadata}
    return body, {"model": str(completion["model"])} | metadata_labels(metadata)


def stored_json(row: Resource) -> dict[str, Any]:
    """Returns a stored completion with its metadata of today."""
    return {**row.body["completion"], "metadata": row.body["metadata"]}
