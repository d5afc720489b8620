"""The template of a tokenizer: prompts, stop ids, our own template, replies read back."""

from __future__ import annotations

from pathlib import Path

import chat_templates as ct
import pytest
from transformers import AutoTokenizer

from luthier.errors import ModelError
from luthier.records.messages import Message, ToolCall
from luthier.tokens.template import Template, default_template


def render(template: Template, messages: tuple[Message, ...], tools: tuple[dict[str, object], ...] = ()) -> str:
    return template.tokenizer.decode(template.prompt(messages, tools))


def test_our_template_is_given_to_a_tokenizer_without_one_and_saved_with_it(tmp_path: Path) -> None:
    tokenizer = ct.tokenizer_for(None)
    template = Template.of(tokenizer)
    assert template.is_default
    tokenizer.save_pretrained(tmp_path)
    again = Template.of(AutoTokenizer.from_pretrained(tmp_path))
    assert again.is_default
    chat = ct.say("Hi", "Hello", "Bye")
    assert again.prompt(chat) == template.prompt(chat)
    assert not ct.template_for(ct.CHATML).is_default


def test_our_template_writes_turns_without_anything_between() -> None:
    template = ct.template_for(None)
    assert render(template, ct.say("Hi", "Hello", "Bye", system="Be terse.")) == (
        "<s><|system|>\nBe terse.</s><|user|>\nHi</s><|assistant|>\nHello</s><|user|>\nBye</s><|assistant|>\n"
    )


def test_our_template_lists_tools_and_writes_calls_and_results() -> None:
    template = ct.template_for(None)
    text = render(template, ct.weather_chat()[:3], (ct.WEATHER_TOOL,))
    assert text.startswith(
        '<s><|system|>\nTools, one per line:\n{"type": "function", "function": {"name": "get_weather"'
    )
    assert text.endswith(
        "<|user|>\nWeather in Oslo?</s><|assistant|>\n"
        '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call></s>'
        "<|tool|>\n3 degrees</s><|assistant|>\n"
    )
    with_system = render(template, ct.say("Hi", system="Be terse."), (ct.WEATHER_TOOL,))
    assert with_system.startswith("<s><|system|>\nBe terse.\n\nTools, one per line:\n{")
    assert with_system.count("<|system|>") == 1


def test_our_template_works_where_its_markers_are_plain_text() -> None:
    template = ct.template_for(None, markers=False)
    assert [ending.text for ending in template.endings] == ["</s>", "</s>"]
    assert len(template.encode(["<|user|>"])[0]) > 1


def test_our_template_refuses_unknown_roles() -> None:
    with pytest.raises(ModelError, match="unknown role judge"):
        ct.template_for(None).prompt([Message("judge", "Guilty")])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "stops"),
    [
        (ct.CHATML, {"<|im_end|>", "</s>"}),
        (ct.HEADERS, {"<|eot|>", "</s>"}),
        (ct.CLOSES_TEXT, {"<|end|>", "</s>"}),
        (ct.TWO_ENDS, {"<|return|>", "<|call|>", "</s>"}),
        (ct.ENDLESS, {"</s>"}),
        (None, {"</s>"}),
    ],
)
def test_stop_ids_are_the_tokens_that_end_a_turn(source: str | None, stops: set[str]) -> None:
    template = ct.template_for(source)
    assert set(template.tokenizer.convert_ids_to_tokens(sorted(template.stop_ids))) == stops


def test_stops_of_the_models_settings_are_kept() -> None:
    assert 17 in Template.of(ct.tokenizer_for(ct.CHATML), stop_ids=[17]).stop_ids


def test_a_prompt_that_the_template_refuses_says_why() -> None:
    with pytest.raises(ModelError, match="roles must take turns"):
        ct.template_for(ct.NO_SYSTEM).prompt([Message("assistant", "Hi"), Message("assistant", "Ho")])


@pytest.mark.parametrize("source", ["{{ raise_exception('never') }}", "nothing", "{% for %}"])
def test_a_template_that_cannot_render_a_chat_is_refused_at_once(source: str) -> None:
    with pytest.raises(ModelError, match="chat template"):
        ct.template_for(source)


@pytest.mark.parametrize("source", [None, ct.HERMES, ct.BRACKETS, ct.BARE_JSON])
def test_a_rendered_call_is_read_back(source: str | None) -> None:
    template = ct.template_for(source)
    arguments = '{"city": "Oslo", "days": [1, 2], "deep": {"a": "}</x>"}}'
    calls = (ToolCall("abcdefghi", "get_weather", arguments),)
    messages = (Message("user", "?"), Message("assistant", None, calls))
    prompt = template.prompt(messages[:1])
    whole = template.encode([template.text(messages)])[0]
    assert whole[: len(prompt)] == prompt
    text, read = template.parse_reply(template.reply_text(whole[len(prompt) :]))
    assert text == ""
    assert [(call.name, call.arguments) for call in read] == [("get_weather", arguments)]


def test_a_reply_without_a_call_stays_as_it_is() -> None:
    assert ct.template_for(ct.HERMES).parse_reply(" {not a call} ") == (" {not a call} ", ())
    assert ct.template_for(ct.CHATML).parse_reply("<tool_call>{}</tool_call>") == ("<tool_call>{}</tool_call>", ())


def test_reply_text_ends_at_the_first_stop() -> None:
    template = ct.template_for(ct.CHATML)
    assert template.reply_text(template.encode(["Yes.<|im_end|>\nmore<|im_end|>"])[0]) == "Yes."


def test_the_named_template_for_tools_is_used_when_tools_are_offered() -> None:
    template = Template.of(ct.tokenizer_for({"default": ct.CHATML, "tool_use": ct.HERMES}))
    assert "get_weather" in render(template, ct.say("Hi"), (ct.WEATHER_TOOL,))
    assert render(template, ct.say("Hi")) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_named_templates_without_a_default_are_refused() -> None:
    with pytest.raises(ModelError, match="no default"):
        ct.template_for({"rag": ct.CHATML})


def test_our_template_is_packaged() -> None:
    assert "add_generation_prompt" in default_template()
