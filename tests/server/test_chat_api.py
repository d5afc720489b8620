"""Chat completions, by the real client."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel
from serving import AS_OWNER, TOOL, Running

from luthier.records.prompts import extract

ASKED = [
    {"role": "user", "content": "Passage: Ada Quill keeps the mill at Tarn.\n\nQuestion: Who keeps the mill at Tarn?"}
]


def say(client: OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "fiddle", "messages": ASKED, "temperature": 0, "max_tokens": 12} | options
    )


def text_of(stream: Any, index: int = 0) -> str:
    pieces = [choice for chunk in stream for choice in chunk.choices if choice.index == index]
    return "".join(piece.delta.content or "" for piece in pieces)


def test_a_reply_is_the_same_whole_and_streamed(client: OpenAI) -> None:
    whole = say(client)
    assert whole.choices[0].message.content
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert text_of(say(client, stream=True)) == whole.choices[0].message.content


def test_a_stream_ends_with_its_usage(client: OpenAI) -> None:
    chunks = list(say(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == say(client).usage.completion_tokens
    assert chunks[-2].choices[0].finish_reason in {"stop", "length"}
    assert len({chunk.id for chunk in chunks}) == 1


def test_several_choices_have_seeds_of_their_own(client: OpenAI) -> None:
    told = [
        {"role": "user", "content": "Continue the story.\nThe old woman looked at the sea and"}
    ]  # it may go anywhere
    drawn: dict[str, Any] = {"messages": told, "temperature": 1.5}
    first = say(client, n=3, seed=5, **drawn)
    again = say(client, n=3, seed=5, **drawn)
    texts = [choice.message.content for choice in first.choices]
    assert texts == [choice.message.content for choice in again.choices]
    assert len(set(texts)) > 1
    assert [choice.index for choice in first.choices] == [0, 1, 2]
    streamed = list(say(client, n=3, seed=5, stream=True, **drawn))
    assert [text_of(streamed, index) for index in range(3)] == texts
    assert text_of(say(client, seed=6, stream=True, **drawn)) == texts[1]


def test_a_stop_text_is_not_part_of_the_reply(client: OpenAI) -> None:
    whole = say(client).choices[0].message.content
    stopped = say(client, stop=[whole[3:5]]).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == (whole[: whole.index(whole[3:5])], "stop")
    assert say(client, max_completion_tokens=1).choices[0].finish_reason == "length"


def test_log_probabilities_are_those_of_the_tokens(client: OpenAI) -> None:
    choice = say(client, logprobs=True, top_logprobs=3).choices[0]
    content = choice.logprobs.content
    assert b"".join(bytes(token.bytes) for token in content).decode() == choice.message.content
    for token in content:
        assert len(token.top_logprobs) == 3
        assert token.top_logprobs[0].logprob == pytest.approx(token.logprob)  # greedy
    assert say(client).choices[0].logprobs is None
    streamed = [
        token
        for chunk in say(client, logprobs=True, stream=True)
        for choice in chunk.choices
        if choice.logprobs
        for token in choice.logprobs.content
    ]
    assert [token.token for token in streamed] == [token.token for token in content]


def test_a_top_p_of_nothing_leaves_the_likeliest_token(client: OpenAI) -> None:
    said = [
        client.chat.completions.create(
            model="fiddle", messages=[{"role": "user", "content": "Tell me more."}], max_tokens=8, **options
        )
        for options in ({"top_p": 0, "temperature": 2}, {"temperature": 0})
    ]
    assert said[0].choices[0].message.content == said[1].choices[0].message.content


def test_a_biased_token_never_comes(client: OpenAI) -> None:
    from transformers import AutoTokenizer

    from luthier.models.resolve import resolve_model

    tokenizer = AutoTokenizer.from_pretrained(resolve_model("fiddle").base_folder)
    first = say(client, logprobs=True).choices[0].logprobs.content[0].token
    token = tokenizer.encode(first, add_special_tokens=False)[0]
    other = say(client, logit_bias={str(token): -100}, logprobs=True).choices[0].logprobs.content[0].token
    assert other != first


def test_a_call_of_a_tool_comes_apart_from_the_text(client: OpenAI) -> None:
    asked = [{"role": "user", "content": "What is the weather in Tarn?"}]
    choice = say(client, messages=asked, tools=[TOOL], max_tokens=60).choices[0]
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments).keys()) == ("get_weather", {"town"})
    chunks = [chunk.choices[0] for chunk in say(client, messages=asked, tools=[TOOL], max_tokens=60, stream=True)]
    streamed = [call for chunk in chunks for call in chunk.delta.tool_calls or ()]
    assert streamed[0].function.arguments == call.function.arguments
    answered = [
        *asked,
        choice.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "Rain."},
    ]
    assert say(client, messages=answered, tools=[TOOL]).choices[0].message is not None
    none = say(client, messages=asked, tools=[TOOL], tool_choice="none", max_tokens=60).choices[0]
    assert none.message.tool_calls is None
    old = say(client, messages=asked, functions=[TOOL["function"]], max_tokens=60).choices[0]
    assert (old.finish_reason, old.message.function_call.name) == ("function_call", "get_weather")


OTHER = {"type": "function", "function": {"name": "no_arguments"}}


def test_a_call_that_must_be_made_is_made(client: OpenAI) -> None:
    def called(**options: Any) -> list[tuple[str, Any]]:
        choice = say(client, tools=[TOOL, OTHER], max_tokens=100, **options).choices[0]
        assert choice.finish_reason == "tool_calls"
        return [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]

    one = called(tool_choice={"type": "function", "function": {"name": "get_weather"}}, parallel_tool_calls=False)
    assert [(name, list(given)) for name, given in one] == [("get_weather", ["town"])]
    assert called(tool_choice="required", parallel_tool_calls=False)[0][0] in {"get_weather", "no_arguments"}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "no_arguments"}}]}
    some = called(tool_choice={"type": "allowed_tools", "allowed_tools": allowed}, parallel_tool_calls=False)
    assert some[0][0] == "no_arguments"
    with pytest.raises(openai.BadRequestError, match="not offered"):
        say(client, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "fly"}})
    with pytest.raises(openai.BadRequestError, match="not offered"):
        say(client, tool_choice="required")


class Person(BaseModel):
    name: str
    age: int


def test_a_reply_follows_a_schema(client: OpenAI) -> None:
    asked = extract(Person.model_json_schema(), "Ada Quill is 41 years old.")
    parsed = client.chat.completions.parse(
        model="fiddle", messages=[{"role": "user", "content": asked}], response_format=Person, temperature=0
    )
    found = parsed.choices[0].message.parsed
    assert found is not None
    assert (type(found.name), type(found.age)) == (str, int)
    plain = say(client, response_format={"type": "json_object"}, max_tokens=200).choices[0]
    assert plain.finish_reason == "length" or isinstance(json.loads(plain.message.content), dict)


@pytest.mark.parametrize(
    "form",
    [
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"name": "x", "schema": {"not": {}}}},
        {"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}},
        {"type": "yaml"},
    ],
)
def test_a_form_that_cannot_be_enforced_is_refused(client: OpenAI, form: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="response_format"):
        say(client, response_format=form)


@pytest.mark.both_databases
def test_a_completion_that_is_stored_can_be_read_again(client: OpenAI) -> None:
    kept = [say(client, store=True, metadata={"n": str(n)}) for n in range(3)]
    streamed = next(iter(list(say(client, store=True, stream=True, metadata={"n": "s"})))).id
    ids = [one.id for one in kept]
    assert [one.id for one in client.chat.completions.list(limit=2)][-4:] == [*ids, streamed]
    assert [one.id for one in client.chat.completions.list(metadata={"n": "1"})] == [ids[1]]
    found = client.chat.completions.retrieve(streamed)
    assert found.choices[0].message.content == kept[0].choices[0].message.content
    assert client.chat.completions.update(ids[0], metadata={"n": "new"}).metadata == {"n": "new"}
    assert [one.content for one in client.chat.completions.messages.list(ids[0])] == [ASKED[0]["content"]]
    for id in [*ids, streamed]:
        assert client.chat.completions.delete(id).deleted
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.retrieve(ids[0])


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, None),
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"1": 101}}, "logit_bias"),
        ({"logit_bias": {"999999": 1}}, "logit_bias"),
        ({"frequency_penalty": -3}, "frequency_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"extra_body": {"temprature": 1}}, "temprature"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"seed": 2**64}, "seed"),
        ({"metadata": {"a" * 65: "x"}}, "metadata"),
        ({"metadata": {"a": "x\x00"}}, "metadata"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(client: OpenAI, change: dict[str, Any], param: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        say(client, **change)
    if param is not None:
        assert caught.value.param == param
    assert say(client, max_tokens=1).choices


def test_harmless_keys_are_named_in_a_header(server: Running) -> None:
    body = {"model": "fiddle", "messages": ASKED, "max_tokens": 1, "user": "me", "service_tier": "auto", "audio": None}
    answer = httpx.post(f"{server.url}/chat/completions", json=body, headers=AS_OWNER, timeout=60)
    assert (answer.status_code, answer.headers["x-luthier-ignored"]) == (200, "user, service_tier")


def test_a_model_that_is_not_there_is_a_404(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        say(client, model="gpt-nothing")
    assert caught.value.code == "model_not_found"


def test_a_prompt_that_does_not_fit_says_so(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        say(client, messages=[{"role": "user", "content": "word " * 5000}])
    assert caught.value.code == "context_length_exceeded"
