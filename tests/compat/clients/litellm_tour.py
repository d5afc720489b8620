"""LiteLLM as a client: `python litellm_tour.py URL MODEL EMBEDDINGS`. Prints a line for each stop."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Literal

import litellm
from pydantic import BaseModel

ASKED = [{"role": "user", "content": "Text: Ada Quill keeps the mill.\nQuestion: Who keeps the mill?"}]
GREEDY = {"temperature": 0, "max_tokens": 10}
TOWNS = {"type": "object", "properties": {"town": {"enum": ["Tarn", "Mill"]}}, "required": ["town"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": TOWNS}}


class Verdict(BaseModel):
    kind: Literal["fruit", "tool"]
    sure: bool


class Server:
    """Where the API is, in the words of LiteLLM's functions."""

    def __init__(self, url: str, model: str, embeddings: str) -> None:
        self.place = {"api_base": url, "api_key": "anything"}
        self.account = {**self.place, "custom_llm_provider": "openai"}
        self.chat, self.embeddings, self.text = (
            f"openai/{model}",
            f"openai/{embeddings}",
            f"text-completion-openai/{model}",
        )
        self.plain = model


def completion(server: Server) -> None:
    whole = litellm.completion(model=server.chat, messages=ASKED, **GREEDY, **server.place)
    assert whole.choices[0].message.content
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
    chunks = list(
        litellm.completion(
            model=server.chat,
            messages=ASKED,
            stream=True,
            stream_options={"include_usage": True},
            **GREEDY,
            **server.place,
        )
    )
    streamed = litellm.stream_chunk_builder(chunks, messages=ASKED)
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    assert streamed.usage.completion_tokens == whole.usage.completion_tokens
    later = asyncio.run(litellm.acompletion(model=server.chat, messages=ASKED, **GREEDY, **server.place))
    assert later.choices[0].message.content == whole.choices[0].message.content


def other_ways(server: Server) -> None:
    text = litellm.text_completion(model=server.text, prompt="Once", max_tokens=4, **server.place)
    assert text.choices[0].finish_reason == "length"
    response = litellm.responses(model=server.chat, input=ASKED[0]["content"], temperature=0, **server.place)
    assert response.status == "completed"
    assert litellm.moderation(input="a mill", **server.place).results[0].flagged is False
    assert server.plain in litellm.get_valid_models(check_provider_endpoint=True, **server.account)


def embedding(server: Server) -> None:
    found = litellm.embedding(model=server.embeddings, input=["a mill", "a lighthouse"], **server.place)
    assert [len(one["embedding"]) for one in found.data] == [384, 384]


def tools(server: Server) -> None:
    asked: dict[str, Any] = {"model": server.chat, "messages": ASKED, "tools": [TOOL], **GREEDY, "max_tokens": 80}
    reply = litellm.completion(**asked, tool_choice="required", **server.place)
    assert reply.choices[0].finish_reason == "tool_calls"
    message = reply.choices[0].message
    assert json.loads(message.tool_calls[0].function.arguments)["town"] in ("Tarn", "Mill")
    chunks = list(litellm.completion(**asked, tool_choice="required", stream=True, **server.place))
    (streamed,) = litellm.stream_chunk_builder(chunks, messages=ASKED).choices[0].message.tool_calls
    assert streamed.function.arguments == message.tool_calls[0].function.arguments
    answer = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
    after = litellm.completion(**asked | {"messages": [*ASKED, message, answer]}, **server.place)
    assert after.choices[0].finish_reason in ("stop", "length", "tool_calls")


def schema(server: Server) -> None:
    reply = litellm.completion(
        model=server.chat, messages=ASKED, response_format=Verdict, temperature=0, **server.place
    )
    Verdict.model_validate_json(reply.choices[0].message.content)


def batches(server: Server) -> None:
    body = {"model": server.plain, "messages": ASKED, "max_tokens": 4}
    lines = [
        {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body} for number in (0, 1)
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = litellm.create_file(file=("batch.jsonl", content), purpose="batch", **server.account)
    assert litellm.file_retrieve(file_id=file.id, **server.account).bytes == len(content)
    assert file.id in [one.id for one in litellm.file_list(**server.account)]
    batch = litellm.create_batch(
        completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id, **server.account
    )
    for _ in range(600):
        batch = litellm.retrieve_batch(batch_id=batch.id, **server.account)
        if batch.status in ("completed", "failed"):
            break
        time.sleep(0.1)
    assert (batch.status, batch.request_counts.completed) == ("completed", 2), batch
    answers = litellm.file_content(file_id=batch.output_file_id, **server.account).content
    assert {json.loads(line)["custom_id"] for line in answers.splitlines()} == {"r0", "r1"}
    assert batch.id in [one.id for one in litellm.list_batches(limit=2, **server.account)]
    assert litellm.file_delete(file_id=file.id, **server.account).deleted


def errors(server: Server) -> None:
    asked: dict[str, Any] = {"model": server.chat, "messages": ASKED, "max_tokens": 1, **server.place}
    too_long = [{"role": "user", "content": "mill " * 9000}]
    for wanted, changed in (
        (litellm.NotFoundError, {"model": "openai/nothing"}),
        (litellm.BadRequestError, {"temperature": 9}),
        (litellm.AuthenticationError, {"api_key": "wrong"}),
        (litellm.ContextWindowExceededError, {"messages": too_long}),
    ):
        raised: Exception | None = None
        try:
            litellm.completion(**asked | changed)
        except Exception as error:
            raised = error
        assert type(raised) is wanted, f"{wanted.__name__} was not raised, but {raised!r}"


def main(url: str, model: str, embeddings: str) -> None:
    litellm.suppress_debug_info = True
    server = Server(url, model, embeddings)
    for stop in (completion, other_ways, embedding, tools, schema, batches, errors):
        stop(server)
        print(stop.__name__)
    print("litellm: done")


if __name__ == "__main__":
    main(*sys.argv[1:])
