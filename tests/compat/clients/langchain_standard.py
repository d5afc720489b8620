"""LangChain's own standard tests of a chat model and of embeddings, and what they leave out; run in its environment.

URL says where the server is, MODEL and EMBEDDINGS what is asked there.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests
from pydantic import BaseModel

URL, MODEL = os.environ["URL"], os.environ["MODEL"]
GREEDY = {"model": MODEL, "base_url": URL, "temperature": 0, "max_retries": 0}
UNWISE = pytest.mark.xfail(
    reason="asks for a right answer, which the embedded model of 7.4M parameters does not have", strict=True
)


class TestChat(ChatModelIntegrationTests):
    """Those of pictures, sound, PDF and Anthropic's blocks are skipped by themselves: text alone goes in and comes out.

    So is the one of recorded traffic: nothing is recorded here.
    """

    @property
    def chat_model_class(self) -> type[ChatOpenAI]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The penalty keeps the small model from saying one word to the end of its context."""
        return {**GREEDY, "frequency_penalty": 1.0, "max_tokens": 300, "stream_usage": True}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "fiddle"

    @UNWISE
    def test_tool_calling(self, model: BaseChatModel) -> None:
        """The call is made, with a number that is not the one of the question."""
        super().test_tool_calling(model)

    @UNWISE
    async def test_tool_calling_async(self, model: BaseChatModel) -> None:
        """As above."""
        await super().test_tool_calling_async(model)

    @UNWISE
    def test_json_mode(self, model: BaseChatModel) -> None:
        """The reply is JSON, with keys of its own: json_object names none."""
        super().test_json_mode(model)

    @UNWISE
    def test_agent_loop(self, model: BaseChatModel) -> None:
        """A call is not forced, and not made."""
        super().test_agent_loop(model)

    @UNWISE
    def test_unicode_tool_call_integration(self, model: BaseChatModel, **options: Any) -> None:
        """The call is made, with another name than that of the question."""
        super().test_unicode_tool_call_integration(model, **options)


class TestEmbeddings(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[OpenAIEmbeddings]:
        return OpenAIEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        """Texts are sent as texts: otherwise LangChain sends token ids of the hosted models' vocabulary."""
        return {"model": os.environ["EMBEDDINGS"], "base_url": URL, "check_embedding_ctx_length": False}


class Verdict(BaseModel):
    """What is said of a thing."""

    kind: Literal["fruit", "tool"]
    sure: bool


def get_weather(town: Literal["Tarn", "Mill"]) -> str:
    """Tells the weather of a town."""
    return town


@pytest.mark.parametrize("way", ["json_schema", "function_calling"])
def test_structured_output_streams(way: Any) -> None:
    asking = ChatOpenAI(**GREEDY).with_structured_output(Verdict, method=way, include_raw=True)
    found = asking.invoke("The plum is ripe.")
    assert found["parsing_error"] is None
    assert isinstance(found["parsed"], Verdict)
    assert found["raw"].usage_metadata["output_tokens"] > 0
    *_, last = ChatOpenAI(**GREEDY).with_structured_output(Verdict, method=way).stream("The plum is ripe.")
    assert last == found["parsed"]


def test_several_tools_and_their_results() -> None:
    asking = ChatOpenAI(**GREEDY, max_tokens=60)
    question = HumanMessage("What is the weather in Tarn?")
    reply = asking.bind_tools([get_weather, Verdict], tool_choice="get_weather").invoke([question])
    assert isinstance(reply, AIMessage)
    (call,) = reply.tool_calls
    assert call["name"] == "get_weather"
    assert call["args"]["town"] in ("Tarn", "Mill")
    assert reply.response_metadata["finish_reason"] in ("stop", "tool_calls")
    answer = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    assert isinstance(asking.bind_tools([get_weather]).invoke([question, reply, answer]), AIMessage)


def test_responses_say_the_same() -> None:
    """The Responses API is the other way LangChain asks for a chat."""
    asking = [ChatOpenAI(**GREEDY, max_tokens=16, use_responses_api=way) for way in (False, True)]
    first, second = (one.invoke("The plum is ripe.").text for one in asking)
    assert first == second
    assert "".join(chunk.text for chunk in asking[1].stream("The plum is ripe.")) == first


def test_logprobs_and_several_replies() -> None:
    asking = ChatOpenAI(**GREEDY, max_tokens=4, n=2, logprobs=True, top_logprobs=2)
    (replies,) = asking.generate([[HumanMessage("The plum is ripe.")]]).generations
    assert len(replies) == 2
    for reply in replies:
        assert len(reply.generation_info["logprobs"]["content"][0]["top_logprobs"]) == 2


def test_errors_are_of_their_class() -> None:
    with pytest.raises(openai.NotFoundError):
        ChatOpenAI(**GREEDY | {"model": "nothing"}).invoke("x")
    with pytest.raises(openai.BadRequestError, match="temperature"):
        ChatOpenAI(**GREEDY | {"temperature": 9}).invoke("x")
    with pytest.raises(openai.AuthenticationError):
        ChatOpenAI(**GREEDY, api_key="wrong").invoke("x")
