from __future__ import annotations

import asyncio
import time

import pytest

from luthier.errors import ModelError, SpecError
from luthier.generation.chat import TemplateChat
from luthier.generation.engine import Engine
from luthier.records.messages import Delta, Message, Reply, Sampling, ToolCall, Usage
from luthier.tokens.template import Template, default_template

ASK = [Message("system", "be brief"), Message("user", "the bow?")]
TOOLS = [{"type": "function", "function": {"name": "tune", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture(scope="module")
def chat(tiny, tokenizer):
    template = Template.of(tokenizer)
    engine = Engine(tiny("llama"), tokenizer, stop_ids=template.stop_ids, context_length=128)
    return TemplateChat(engine, template, "tiny")


class Scripted:
    """An engine that says one thing, token by token."""

    def __init__(self, tokenizer, text):
        self.tokenizer, self.text, self.closed, self.pause_s = tokenizer, text, False, 0.0

    def check(self, tokens, where="prompt", *, room=1):
        pass

    def stream(self, prompts, sampling):
        tokens = self.tokenizer.encode(self.text, add_special_tokens=False)
        try:
            for place, token in enumerate(tokens):
                time.sleep(self.pause_s)
                last = place == len(tokens) - 1
                yield (
                    0,
                    Delta(
                        text=self.tokenizer.decode([token]),
                        token_ids=(token,),
                        finish_reason="stop" if last else None,
                        usage=Usage(3, len(tokens)) if last else None,
                    ),
                )
        finally:
            self.closed = True

    def generate(self, prompts, sampling):
        tokens = tuple(self.tokenizer.encode(self.text, add_special_tokens=False))
        return [Reply(self.text, token_ids=tokens)]


@pytest.fixture
def calling(tokenizer):
    """Makes a chat whose model says one text, with the template that comes with models without one."""

    def make(text):
        own = type(tokenizer)(tokenizer_object=tokenizer._tokenizer, eos_token="<|end|>")
        own.chat_template = default_template()
        return TemplateChat(Scripted(own, text), Template.of(own), "scripted")

    return make


def test_the_three_ways_to_a_reply_agree(chat):
    sampling = Sampling(max_tokens=12, temperature=0.8, seed=4)
    reply = chat.reply(ASK, sampling)
    deltas = list(chat.deltas(ASK, sampling))

    async def streamed():
        return [delta async for delta in chat.stream(ASK, sampling)]

    assert "".join(delta.text for delta in deltas) == reply.text
    assert asyncio.run(streamed()) == deltas
    assert deltas[-1].usage == reply.usage
    assert reply.usage.prompt_tokens == len(chat.template.prompt(ASK))


def test_plain_calls_work_while_an_event_loop_runs(chat):
    async def notebook():
        return "".join(delta.text for delta in chat.deltas(ASK, Sampling(max_tokens=3)))

    assert asyncio.run(notebook()) == chat.reply(ASK, Sampling(max_tokens=3)).text


def test_a_caller_that_leaves_stops_the_model(calling):
    chat = calling("one two three four five six seven")

    async def leave():
        stream = chat.stream(ASK, Sampling())
        await anext(stream)
        await stream.aclose()

    asyncio.run(leave())
    assert chat.engine.closed

    chat.engine.pause_s = 0.05  # the task is cancelled while the model works

    async def cancelled():
        async for _ in chat.stream(ASK, Sampling()):
            asyncio.current_task().cancel()

    chat.engine.closed = False
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert chat.engine.closed


def test_a_tool_call_is_read_and_its_text_is_not_shown(calling):
    said = 'Well.\n<tool_call>{"name": "tune", "arguments": {"string": "A"}}</tool_call>'
    chat = calling(said)
    call = chat.reply(ASK, Sampling(), TOOLS).tool_calls[0]
    assert (call.name, call.arguments) == ("tune", '{"string": "A"}')
    deltas = list(chat.deltas(ASK, Sampling(), TOOLS))
    assert [delta.text for delta in deltas if delta.text] == ["Well."]
    assert deltas[-1].tool_calls[0].name == "tune"
    assert deltas[-1].finish_reason == "tool_calls"
    assert deltas[-1].usage == Usage(3, len(deltas))
    again = [
        *ASK,
        Message("assistant", None, (ToolCall("1", "tune", "{}"),)),
        Message("tool", "done", tool_call_id="1"),
    ]
    assert list(chat.deltas(again, Sampling()))[-1].finish_reason == "tool_calls"


def test_without_tools_the_text_streams_as_it_is(calling):
    deltas = list(calling("plain text").deltas(ASK, Sampling()))
    assert len([delta for delta in deltas if delta.text]) > 1
    assert deltas[-1].finish_reason == "stop"
    assert list(calling("plain text").deltas(ASK, Sampling(), TOOLS))[-1].text == "plain text"


class Asked:
    def __init__(self, messages=(), text=None):
        self.messages, self.tools, self.text = messages, (), text


def test_many_prompts_are_answered_as_each_alone_and_bad_ones_with_their_error(chat):
    prompts = [
        Asked(ASK),
        Asked([Message("user", "x" * 500)]),
        Asked(text="the neck and"),
        Asked([Message("user", "the scroll")]),
    ]
    heard = {}
    chat.answer(prompts, Sampling(max_tokens=5), heard.__setitem__)
    assert sorted(heard) == [0, 1, 2, 3]
    assert isinstance(heard[1], ModelError)
    assert "leave no room" in str(heard[1])
    assert heard[0] == chat.reply(ASK, Sampling(max_tokens=5))
    assert heard[3] == chat.reply(prompts[3].messages, Sampling(max_tokens=5))
    plain = chat.template.encode_plain(["the neck and"])
    assert heard[2] == chat.engine.generate(plain, Sampling(max_tokens=5))[0]


def test_what_between_raises_ends_the_work(chat):
    heard = []

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        chat.answer([Asked(ASK)], Sampling(max_tokens=5), lambda *reply: heard.append(reply), stop)
    assert not heard


def test_a_bad_request_is_refused_at_the_call_and_not_later(chat):
    with pytest.raises(ModelError, match="messages: this model's maximum context length"):
        chat.deltas([Message("user", "x" * 500)], Sampling())
    with pytest.raises(SpecError, match="top_p"):
        chat.deltas(ASK, Sampling(top_p=2.0))
