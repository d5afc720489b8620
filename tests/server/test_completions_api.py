"""Completions of plain text, by the real client, and as likelihood tasks use them."""

from __future__ import annotations

from typing import Any

import openai
import pytest
import torch
from openai import OpenAI

from luthier.models.load import load_model
from luthier.models.options import LoadOptions
from luthier.records.messages import Message

TEXT = "Question: Who keeps the mill at Tarn?"


@pytest.fixture(scope="module")
def fiddle() -> Any:
    return load_model("fiddle", LoadOptions(precision="fp32", device="cpu"))


def complete(client: OpenAI, **options: Any) -> Any:
    return client.completions.create(**{"model": "fiddle", "prompt": TEXT, "temperature": 0, "max_tokens": 5} | options)


def test_text_goes_on(client: OpenAI) -> None:
    whole = complete(client)
    text = whole.choices[0].text
    assert whole.usage.completion_tokens <= 5
    assert "".join(chunk.choices[0].text for chunk in complete(client, stream=True)) == text
    assert complete(client, echo=True).choices[0].text == TEXT + text
    streamed = [chunk.choices[0].text for chunk in complete(client, stream=True, echo=True)]
    assert "".join(streamed) == TEXT + text
    assert complete(client, max_tokens=0, echo=True).choices[0].text == TEXT


def test_the_log_probabilities_of_a_prompt_are_those_of_the_model(client: OpenAI, fiddle: Any) -> None:
    tokens = fiddle.template.encode_plain([TEXT])[0]
    found = complete(client, prompt=tokens, echo=True, logprobs=3, max_tokens=1).choices[0].logprobs
    with torch.no_grad():
        expected = torch.log_softmax(fiddle.model(torch.tensor([tokens])).logits[0], -1)
    assert found.token_logprobs[0] is None
    assert found.top_logprobs[0] is None
    values = [expected[place, token].item() for place, token in enumerate(tokens[1:])]
    assert found.token_logprobs[1 : len(tokens)] == pytest.approx(values, abs=1e-4)
    for place, top in enumerate(found.top_logprobs[1 : len(tokens)]):
        best = expected[place].topk(3).values.tolist()
        assert sorted(top.values(), reverse=True) == pytest.approx(best, abs=1e-4)
    places = list(zip(found.text_offset, found.tokens, strict=True))[1 : len(tokens)]  # the first begins the text
    assert [TEXT[start : start + len(text)] for start, text in places] == [text for _, text in places]
    assert (found.tokens[0], found.text_offset[:2]) == (fiddle.tokenizer.bos_token, [0, 0])


def test_the_token_that_ends_a_reply_has_its_log_probability(client: OpenAI, fiddle: Any) -> None:
    """Likelihood tasks ask for one token after the prompt and leave out the last: it must be there."""
    prompt = fiddle.template.prompt([Message("user", "Nadia Orlov keeps bees in Brae.\nWho keeps bees in Brae?")])
    whole = complete(client, prompt=prompt, logprobs=1, max_tokens=50)
    (choice,) = whole.choices
    assert choice.finish_reason == "stop"
    end = fiddle.tokenizer.eos_token
    assert choice.logprobs.tokens[-1] == end
    assert end not in choice.text
    reply = fiddle.template.encode([choice.text + end])[0]
    assert whole.usage.completion_tokens == len(choice.logprobs.token_logprobs) == len(reply)
    scored = complete(client, prompt=prompt + reply[:-1], echo=True, logprobs=1, max_tokens=1).choices[0].logprobs
    assert len(scored.token_logprobs) == len(prompt) + len(reply)
    assert scored.token_logprobs[-1] == pytest.approx(choice.logprobs.token_logprobs[-1], abs=1e-4)


def test_a_text_that_opens_with_the_begin_of_text_token_gets_no_second_one(client: OpenAI, fiddle: Any) -> None:
    plain, opened = (
        complete(client, prompt=text, echo=True, logprobs=0, max_tokens=1).choices[0].logprobs.token_logprobs
        for text in (TEXT, fiddle.tokenizer.bos_token + TEXT)
    )
    assert plain == opened


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"max_tokens": 0},
        {"max_tokens": 40, "n": 3, "temperature": 1.8, "seed": 3},
        {"max_tokens": 40, "prompt": ["One", "Two"], "n": 2, "temperature": 1.8, "seed": 3, "stop": ["e", "the", "\n"]},
    ],
)
def test_usage_counts_each_prompt_once_and_every_token_that_was_written(
    client: OpenAI, fiddle: Any, change: dict[str, Any]
) -> None:
    whole = complete(client, logprobs=0, **change)
    prompts = change.get("prompt", [TEXT])
    assert whole.usage.prompt_tokens == sum(map(len, fiddle.template.encode_plain(prompts)))
    assert whole.usage.completion_tokens == sum(len(choice.logprobs.tokens) for choice in whole.choices)
    streamed = list(complete(client, stream=True, stream_options={"include_usage": True}, **change))
    assert streamed[-1].usage == whole.usage


def test_several_prompts_have_their_choices_in_order(client: OpenAI) -> None:
    prompts = ["One", "Two", "Three"]
    whole = complete(client, prompt=prompts, n=2, temperature=1.2, seed=1)
    assert [choice.index for choice in whole.choices] == list(range(6))
    alone = [complete(client, prompt=prompt, n=2, temperature=1.2, seed=1) for prompt in prompts]
    assert [choice.text for choice in whole.choices] == [choice.text for one in alone for choice in one.choices]


def test_the_best_of_several_is_the_likeliest(client: OpenAI) -> None:
    every = complete(client, n=6, temperature=1.5, seed=1, logprobs=0).choices
    best = complete(client, best_of=6, temperature=1.5, seed=1, logprobs=0).choices
    means = [sum(one.logprobs.token_logprobs) / len(one.logprobs.token_logprobs) for one in every]
    assert [one.text for one in best] == [every[means.index(max(means))].text]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": [[]]}, "prompt"),
        ({"prompt": [10**6]}, None),
        ({"prompt": [-1]}, None),
        ({"prompt": [1, "a"]}, None),
        ({"suffix": "x"}, "suffix"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"logprobs": 21}, "logprobs"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"prompt": ["x"] * 3000}, "prompt"),
    ],
)
def test_what_cannot_be_is_refused(client: OpenAI, change: dict[str, Any], param: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        complete(client, **change)
    assert param is None or caught.value.param == param
