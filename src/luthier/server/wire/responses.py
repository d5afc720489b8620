"""Responses on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from luthier.records.messages import Delta, Sampling, Usage
from luthier.server.errors import ApiError
from luthier.server.wire.body import Body, Part, Refused
from luthier.server.wire.chat import HARMLESS
from luthier.server.wire.items import ItemIn
from luthier.server.wire.messages import FunctionIn
from luthier.server.wire.tools import ANY, SIMPLE, Choice
from luthier.server.wire.values import Items, Metadata, Schema
from luthier.server.wire.vector_stores import Filters

LOGPROBS, RESULTS = "message.output_text.logprobs", "file_search_call.results"
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
"""What a response may be asked to hold; of these it has log-probabilities and what a search in files found."""
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


class HybridSearch(Part):
    """How much vectors and words count, beside each other."""

    embedding_weight: float = Field(ge=0, le=1)
    text_weight: float = Field(ge=0, le=1)


class FileRanking(Part):
    """Which passages are good enough, and what counts. All rankers are the same one here."""

    ranker: Literal["auto", "default-2024-11-15"] | None = None
    score_threshold: float | None = Field(default=0.0, ge=0, le=1)
    hybrid_search: HybridSearch | None = None

    @property
    def weight(self) -> float | None:
        """The share of vectors; None where nothing is said. `ApiError` where neither counts."""
        if self.hybrid_search is None:
            return None
        total = self.hybrid_search.embedding_weight + self.hybrid_search.text_weight
        if total == 0:
            param = "tools.ranking_options.hybrid_search"
            raise ApiError(f"{param}: one of the weights is above 0.", code="invalid_value", param=param)
        return self.hybrid_search.embedding_weight / total


class FileSearchTool(Part):
    """Vector stores that are searched before the model answers."""

    type: Literal["file_search"]
    vector_store_ids: list[str] = Field(min_length=1, max_length=10)
    max_num_results: int | None = Field(default=10, ge=1, le=50)
    ranking_options: FileRanking | None = None
    filters: Filters | None = None


class ForcedSearch(Part):
    """The files have to be searched."""

    type: Literal["file_search"]


class ForcedFunction(Part):
    """The function that has to be called."""

    type: Literal["function"]
    name: str


def _kind(tool: Any) -> str:
    """Returns the mark of a tool's shape, which no path shows: it begins with a capital."""
    kind = tool.get("type") if isinstance(tool, Mapping) else getattr(tool, "type", None)
    return {"function": "Function", "file_search": "FileSearch"}.get(str(kind), "Other")


class OtherTool(Part):
    """A tool of the vendor's own, which is not here."""

    type: Literal["function", "file_search"]


Tool = Annotated[
    Annotated[FunctionTool, Tag("Function")]
    | Annotated[FileSearchTool, Tag("FileSearch")]
    | Annotated[OtherTool, Tag("Other")],
    Discriminator(_kind),
]


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
    tools: list[Tool] | None = Field(default=None, max_length=128)
    tool_choice: Literal["none", "auto", "required"] | ForcedFunction | ForcedSearch | AllowedFunctions | None = None
    parallel_tool_calls: bool | None = None
    text: TextIn | None = None
    harmless: ClassVar[Mapping[str, str]] = {"truncation": "tokens are counted before anything is cut"}
    refused: ClassVar[Mapping[str, Refused]] = {"reasoning": NO_REASONING}

    @property
    def conversation_id(self) -> str | None:
        """The id of the conversation, in whichever form it was given."""
        return self.conversation.id if isinstance(self.conversation, ConversationIn) else self.conversation

    @property
    def functions(self) -> list[FunctionTool]:
        """The functions among the tools."""
        return [tool for tool in self.tools or () if isinstance(tool, FunctionTool)]

    @property
    def file_search(self) -> FileSearchTool | None:
        """The search in files that comes before the answer; None where there is none, or it is ruled out.

        `ApiError` where there are two, or it has to be and is not there.
        """
        found = [tool for tool in self.tools or () if isinstance(tool, FileSearchTool)]
        if len(found) > 1:
            raise ApiError("tools: there is one file_search at most.", code="invalid_value", param="tools")
        if isinstance(self.tool_choice, ForcedSearch) and not found:
            raise ApiError(
                "tool_choice asks for a tool that is not offered.", code="invalid_value", param="tool_choice"
            )
        return None if not found or self.tool_choice == "none" else found[0]

    def choice(self) -> Choice:
        """Returns which functions may be called, and which has to be; where files are searched, that is a tool too."""
        match self.tool_choice:
            case ForcedSearch():
                return Choice()
            case "required" if self.file_search is not None:
                return Choice()
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


def _tool_json(tool: Part) -> dict[str, Any]:
    given = {name: getattr(tool, name) for name in type(tool).model_fields}
    if isinstance(tool, FileSearchTool):
        given |= {"max_num_results": tool.value("max_num_results")}
        given |= {"ranking_options": None if tool.ranking_options is None else tool.ranking_options.model_dump()}
    return given


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
