"""Responses and conversations, by the real client."""

from __future__ import annotations

import json
from typing import Any, Literal

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from luthier.records.prompts import extract

PASSAGE = "Text: Ada Quill keeps the mill at Tarn.\nQuestion: Who keeps the mill at Tarn?"
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a town",
    "parameters": {"type": "object", "properties": {"town": {"type": "string", "maxLength": 8}}, "required": ["town"]},
    "strict": True,
}


class Verdict(BaseModel):
    kind: Literal["fruit", "tool"]
    sure: bool


def respond(client: OpenAI, **options: Any) -> Any:
    return client.responses.create(
        **{"model": "fiddle", "input": PASSAGE, "temperature": 0, "max_output_tokens": 16} | options
    )


def chat(client: OpenAI, messages: list[dict[str, Any]], **options: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "fiddle", "messages": messages, "temperature": 0, "max_tokens": 16} | options
    )


def test_a_response_says_what_a_chat_says(client: OpenAI) -> None:
    given = respond(client, instructions="Be brief.", metadata={"a": "b"})
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PASSAGE}]
    said = chat(client, messages)
    assert given.output_text == said.choices[0].message.content
    assert given.usage.input_tokens == said.usage.prompt_tokens
    assert (given.status, given.error, given.metadata) == ("completed", None, {"a": "b"})
    assert client.responses.retrieve(given.id).model_dump() == given.model_dump()


@pytest.mark.both_databases
def test_a_response_goes_on_from_an_earlier_one(client: OpenAI) -> None:
    first = respond(client, instructions="Not carried over.")
    second = respond(client, input="And who owns it?", previous_response_id=first.id)
    whole = [
        {"role": "user", "content": PASSAGE},
        {"role": "assistant", "content": first.output_text},
        {"role": "user", "content": "And who owns it?"},
    ]
    assert second.output_text == chat(client, whole).choices[0].message.content
    assert second.previous_response_id == first.id
    items = list(client.responses.input_items.list(second.id, limit=1, order="asc"))
    assert [item.content[0].text for item in items] == [one["content"] for one in whole]
    newest = client.responses.input_items.list(second.id, limit=2)
    assert (newest.has_more, newest.data[0].id) == (True, items[-1].id)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError, match="There is no response"):
        respond(client, previous_response_id=first.id)
    third = respond(client, input="Why?", previous_response_id=second.id)
    assert len(list(client.responses.input_items.list(third.id))) == 5


@pytest.mark.both_databases
def test_what_is_not_to_be_stored_is_not(client: OpenAI) -> None:
    given = respond(client, store=False)
    assert given.output_text
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(given.id)


def test_a_stream_tells_of_everything_in_order(client: OpenAI) -> None:
    events = list(respond(client, stream=True))
    whole = respond(client)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events if event.type != "response.output_text.delta"]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == whole.output_text == events[-1].response.output_text
    assert client.responses.retrieve(events[0].response.id).output_text == said
    with client.responses.stream(model="fiddle", input=PASSAGE, temperature=0, max_output_tokens=16) as stream:
        assert stream.get_final_response().output_text == said


def test_a_reply_that_is_cut_off_is_incomplete(client: OpenAI) -> None:
    given = respond(client, input="Write a long list of words.", temperature=0, max_output_tokens=16)
    assert given.status == "incomplete"
    assert given.incomplete_details.reason == "max_output_tokens"
    assert given.output[0].status == "incomplete"


def test_text_follows_a_schema(client: OpenAI) -> None:
    asked = extract("The bench is green and 40 wide.", {"colour": "string", "width": "integer"})
    parsed = client.responses.parse(
        model="fiddle", input=asked, text_format=Verdict, max_output_tokens=200, temperature=0
    )
    assert isinstance(parsed.output_parsed, Verdict)
    assert parsed.text.format.type == "json_schema"
    free = respond(client, input=asked, text={"format": {"type": "json_object"}}, max_output_tokens=200)
    assert free.status == "incomplete" or isinstance(json.loads(free.output_text), dict)
    schema = {"type": "object", "dependentSchemas": {"a": {}}}
    with pytest.raises(openai.BadRequestError) as caught:
        respond(client, text={"format": {"type": "json_schema", "name": "x", "schema": schema}})
    assert caught.value.param == "text.format.schema"


def test_a_call_and_what_it_gave(client: OpenAI) -> None:
    called = respond(client, input="Weather in Tarn?", tools=[TOOL], tool_choice="required", max_output_tokens=60)
    call = called.output[-1]
    assert (call.type, call.name) == ("function_call", "get_weather")
    town = json.loads(call.arguments)["town"]
    answered = respond(
        client,
        previous_response_id=called.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "rain"}],
        tools=[TOOL],
    )
    messages = [
        {"role": "user", "content": "Weather in Tarn?"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.call_id,
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": call.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.call_id, "content": "rain"},
    ]
    tools = [{"type": "function", "function": {key: value for key, value in TOOL.items() if key != "type"}}]
    assert answered.usage.input_tokens == chat(client, messages, tools=tools).usage.prompt_tokens
    assert town == json.loads(call.arguments)["town"]
    events = list(
        respond(
            client,
            input="Weather in Tarn?",
            tools=[TOOL],
            tool_choice={"type": "function", "name": "get_weather"},
            max_output_tokens=60,
            stream=True,
        )
    )
    kinds = [event.type for event in events]
    assert kinds[2:6] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    assert events[4].arguments == call.arguments


def test_log_probabilities_are_those_of_a_chat(client: OpenAI) -> None:
    given = respond(client, top_logprobs=2, include=["message.output_text.logprobs"]).output[0].content[0].logprobs
    messages = [{"role": "user", "content": PASSAGE}]
    said = chat(client, messages, logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert [(one.token, one.logprob) for one in given] == [(one.token, one.logprob) for one in said]
    assert [len(one.top_logprobs) for one in given] == [2] * len(said)


@pytest.mark.both_databases
def test_items_of_earlier_responses_can_be_referred_to(client: OpenAI) -> None:
    first = respond(client)
    items = [
        {"role": "user", "content": PASSAGE},
        {"type": "item_reference", "id": first.output[0].id},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "user", "content": [{"type": "input_text", "text": "Why?"}]},
    ]
    plain = [items[0], {"role": "assistant", "content": first.output_text}, {"role": "user", "content": "Why?"}]
    assert respond(client, input=items).output_text == respond(client, input=plain).output_text
    talk = client.conversations.create(items=items[:1])
    respond(client, conversation=talk.id, input=[items[1], items[3]])
    kept = list(client.conversations.items.list(talk.id, order="asc"))
    respond(client, conversation=talk.id, input=[{"type": "item_reference", "id": kept[0].id}])
    ids = [item.id for item in client.conversations.items.list(talk.id, order="asc", limit=1)]
    assert len(ids) == len(set(ids)) == 6
    with pytest.raises(openai.NotFoundError, match=r"input\[0\]"):
        respond(client, input=[{"type": "item_reference", "id": "msg_none"}])


def test_tokens_are_counted_without_an_answer(client: OpenAI) -> None:
    counted = client.responses.input_tokens.count(model="fiddle", input=PASSAGE, instructions="Be brief.")
    assert counted.input_tokens == respond(client, instructions="Be brief.").usage.input_tokens
    assert client.responses.input_tokens.count(model="fiddle", input="word " * 5000).input_tokens > 5000


def test_the_oldest_turns_may_be_dropped(client: OpenAI) -> None:
    words = "word " * 900
    items = [{"role": "user", "content": words}, {"role": "assistant", "content": words}] * 3
    items.append({"role": "user", "content": PASSAGE})
    with pytest.raises(openai.BadRequestError) as caught:
        respond(client, input=items)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")
    given = respond(client, input=items, truncation="auto", instructions="Be brief.")
    fitting = respond(client, input=items[-1:], instructions="Be brief.")
    assert given.output_text == fitting.output_text
    assert given.usage.input_tokens == fitting.usage.input_tokens


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"input": []}, "input"),
        ({"background": True}, "background"),
        ({"reasoning": {"effort": "high"}}, "reasoning"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "image_url"),
        ({"max_output_tokens": 3}, "max_output_tokens"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, "conversation"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"include": ["everything"]}, "include"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
    ],
)
def test_what_cannot_be_done_is_refused(client: OpenAI, options: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        respond(client, **options)
    assert param in str(caught.value.param)


@pytest.mark.both_databases
def test_a_conversation_grows_with_its_responses(client: OpenAI) -> None:
    begun = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "Hello"}], metadata={"topic": "mills"}
    )
    first = respond(client, conversation=begun.id)
    second = respond(client, conversation={"id": begun.id}, input="Why?")
    assert first.conversation.id == begun.id
    items = list(client.conversations.items.list(begun.id, order="asc", limit=2))
    texts = [item.content[0].text for item in items]
    assert texts == ["Hello", PASSAGE, first.output_text, "Why?", second.output_text]
    assert items[-1].id == second.output[0].id
    plain = [{"role": "assistant" if place == 2 else "user", "content": text} for place, text in enumerate(texts[:4])]
    assert second.output_text == respond(client, input=plain).output_text
    removed = client.conversations.items.delete(items[0].id, conversation_id=begun.id)
    assert removed.id == begun.id
    assert len(list(client.conversations.items.list(begun.id))) == 4
    added = client.conversations.items.create(begun.id, items=[{"role": "user", "content": "More"}])
    kept = client.conversations.items.retrieve(added.data[0].id, conversation_id=begun.id)
    assert kept.content[0].text == "More"
    assert client.conversations.update(begun.id, metadata={"topic": "x"}).metadata == {"topic": "x"}
    assert client.conversations.delete(begun.id).deleted
    for find in (client.conversations.retrieve, client.conversations.items.list):
        with pytest.raises(openai.NotFoundError):
            find(begun.id)
    with pytest.raises(openai.NotFoundError):
        respond(client, conversation=begun.id)
