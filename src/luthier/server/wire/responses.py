"""Responses on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from luthier.records.messages import Delta, Sampling, Usage
from luthier.server.errors import ApiError
from luthier.server.wire.body import Body, Part, Refused
from luthier.server.wire.chat import HARMLESS
from luthier.server.wire.items import ItemIn
from luthier.server.wire.messages import FunctionIn
from luthier.server.wire.tools import ANY, SIMPLE, Choice
from luthier.server.wire.values import Items, Metadata, Schema

LOGPROBS = "message.output_text.logprobs"
Include = Literal[
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
]
"""What a response may be asked to hold; of these it has log-probabilities."""
NO_REASONING = Refused(
    "the model's chat template knows no such setting",
    unless=({}, *({"effort": effort} for effort in (None, "none")), {"effort": None, "summary": None}),
)


class FunctionTool(Part):
    """A function that the model may call."""

    type: Literal["function"]
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None

    def function(self) -> FunctionIn:
        """Returns the function in the form of chat completions."""
        return FunctionIn(**{name: getattr(self, name) for name in FunctionIn.model_fields})


class ForcedFunction(Part):
    """The function that has to be called."""

    type: Literal["function"]
    name: str


class AllowedFunctions(Part):
    """Some of the functions, and whether one of them has to be called."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Items[ForcedFunction]


class Format(Part):
    """The form of the text. `strict` false asks for the same: the schema is always enforced."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = Field(default=None, pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    schema_: Schema | None = Field(default=None, alias="schema")
    description: str | None = None
    strict: bool | None = None


class TextIn(Part):
    """How the text is to be."""

    format: Format | None = None
    refused: ClassVar[Mapping[str, Refused]] = {
        "verbosity": Refused("the model knows no such setting", unless=("medium",))
    }


class ConversationIn(Part):
    """The conversation that a response goes on with."""

    id: str


class Read(Body):
    """What a model is to read."""

    model: str = Field(min_length=1)
    input: str | Items[ItemIn] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationIn | None = None
    tools: list[FunctionTool] | None = Field(default=None, max_length=128)
    tool_choice: Literal["none", "auto", "required"] | ForcedFunction | AllowedFunctions | None = None
    parallel_tool_calls: bool | None = None
    text: TextIn | None = None
    harmless: ClassVar[Mapping[str, str]] = {"truncation": "tokens are counted before anything is cut"}
    refused: ClassVar[Mapping[str, Refused]] = {"reasoning": NO_REASONING}

    @property
    def conversation_id(self) -> str | None:
        """The id of the conversation, in whichever form it was given."""
        return self.conversation.id if isinstance(self.conversation, ConversationIn) else self.conversation

    def choice(self) -> Choice:
        """Returns which tools may be called, and which has to be."""
        match self.tool_choice:
            case ForcedFunction() as named:
                return Choice(call=named.name)
            case AllowedFunctions() as some:
                return Choice([tool.name for tool in some.tools], ANY if some.mode == "required" else None)
            case str() as word:
                return SIMPLE[word]
        return Choice()

    def schema_of(self) -> Mapping[str, Any] | None:
        """Returns the schema that the text must follow; None for plain text."""
        form = self.text.format if self.text is not None else None
        if form is None or form.type == "text":
            return None
        if form.type == "json_object":
            return {"type": "object"}
        for key, value in (("name", form.name), ("schema", form.schema_)):
            if value is None:
                param = f"text.format.{key}"
                raise ApiError(f"{param} is missing.", code="missing_required_parameter", param=param)
        return form.schema_


class CreateResponse(Read):
    """A response as it is asked for."""

    truncation: Literal["auto", "disabled"] | None = None
    include: Items[Include] | None = None
    max_output_tokens: int | None = Field(default=None, ge=16, le=1_000_000)
    temperature: float | None = Field(default=1.0, ge=0, le=2)
    top_p: float | None = Field(default=1.0, ge=0, le=1)
    top_logprobs: int | None = Field(default=0, ge=0, le=20)
    presence_penalty: float | None = Field(default=0.0, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=0.0, ge=-2, le=2)
    store: bool | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
    harmless: ClassVar[Mapping[str, str]] = {
        **HARMLESS,
        "stream_options": "the stream does not leave the machine",
        "max_tool_calls": "it counts calls of tools that the server runs, and there are none",
        "moderation": "use /v1/moderations",
    }
    refused: ClassVar[Mapping[str, Refused]] = {
        "reasoning": NO_REASONING,
        "background": Refused("answers come at once; many at a time are a batch", unless=(False,)),
        "prompt": Refused("no prompts are kept here"),
        "context_management": Refused("truncation: auto drops the oldest turns"),
    }

    @property
    def logprobs(self) -> bool:
        """Whether log-probabilities come with the text."""
        return LOGPROBS in (self.include or ()) or bool(self.top_logprobs)

    def sampling(self) -> Sampling:
        """Returns how the reply is drawn."""
        return Sampling(
            max_tokens=self.max_output_tokens,
            temperature=self.value("temperature"),
            top_p=self.value("top_p"),
            presence_penalty=self.value("presence_penalty"),
            frequency_penalty=self.value("frequency_penalty"),
            logprobs=self.logprobs,
            top_logprobs=self.value("top_logprobs"),
        )


def response_json(asked: CreateResponse, id: str, created: int, more: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a response; `more` is what is known of it so far (status, output, usage ...)."""
    form = asked.text.format if asked.text is not None else None
    said = {"type": "text"} if form is None else form.model_dump(by_alias=True, exclude_none=True)
    choice = asked.tool_choice
    return {
        "id": id,
        "object": "response",
        "created_at": created,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": asked.instructions,
        "model": asked.model,
        "output": [],
        "previous_response_id": asked.previous_response_id,
        "conversation": None if asked.conversation_id is None else {"id": asked.conversation_id},
        "tools": [_tool_json(tool) for tool in asked.tools or ()],
        "tool_choice": choice.model_dump() if isinstance(choice, Part) else choice or "auto",
        "parallel_tool_calls": asked.parallel_tool_calls is not False,
        "max_output_tokens": asked.max_output_tokens,
        "max_tool_calls": None,
        "temperature": asked.value("temperature"),
        "top_p": asked.value("top_p"),
        "top_logprobs": asked.value("top_logprobs"),
        "presence_penalty": asked.value("presence_penalty"),
        "frequency_penalty": asked.value("frequency_penalty"),
        "text": {"format": said, "verbosity": "medium"},
        "reasoning": {"effort": None, "summary": None},
        "truncation": asked.truncation or "disabled",
        "store": asked.store is not False,
        "background": False,
        "service_tier": "default",
        "metadata": asked.metadata or {},
        "usage": None,
        **more,
    }


def _tool_json(tool: FunctionTool) -> dict[str, Any]:
    return {name: getattr(tool, name) for name in FunctionTool.model_fields}


def usage_json(usage: Usage) -> dict[str, Any]:
    """Returns the usage object of a response."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def ending(deltas: Sequence[Delta]) -> tuple[str, dict[str, Any] | None]:
    """Returns the status of a response whose reply has ended, and why it is incomplete when it is."""
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(str(deltas[-1].finish_reason))
    return ("completed", None) if reason is None else ("incomplete", {"reason": reason})
