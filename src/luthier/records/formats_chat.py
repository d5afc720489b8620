"""Formats of chats: OpenAI, ShareGPT, LLaMA-Factory's typed turns, Alpaca, question and answer, prompt + completion
as turns. All are read into `Conversation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from luthier.records.examples import Conversation
from luthier.records.fields import Fields, described, unquoted
from luthier.records.formats import Format
from luthier.records.messages import Message
from luthier.records.turns import are_turns, is_turn, read_tools, read_turns

MEDIA = ("images", "image", "videos", "audios")
CHAT_EXTRAS = ("system", "tools", "functions", "parallel_tool_calls", *MEDIA)
QUESTIONS = ("question", "query", "prompt", "instruction", "input", "user")
ANSWERS = ("answer", "response", "output", "assistant")


def refuse_media(fields: Fields) -> None:
    """Notes a problem when a row has images, videos or sounds beside its text."""
    name, value = fields.find(*MEDIA)
    if value:
        fields.problem(name, f"holds {described(value)}", "remove the row: only text is tuned")


def read_system(fields: Fields, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Returns the turns after the row's `system` column, when it has one."""
    system = fields.text("system", optional=True)
    return (Message("system", system), *messages) if system else messages


def read_turn_list(fields: Fields, *names: str) -> tuple[Message, ...]:
    """Returns the turns of the first of the columns `names` that is there, which must be."""
    name, values = fields.items(*names)
    if values is None:
        if fields.values.get(name) is None:
            fields.missing(*names)
        return ()
    return read_turns(fields, name, values)


def read_chat(fields: Fields) -> Conversation:
    """Returns the chat of a row whose turns are in `messages` or `conversations`."""
    messages = read_system(fields, read_turn_list(fields, "messages", "conversations", "conversation"))
    refuse_media(fields)
    parallel = fields.find("parallel_tool_calls")[1]
    return Conversation(
        messages=messages,
        tools=read_tools(fields),
        parallel_tool_calls=None if parallel is None else fields.truth("parallel_tool_calls"),
    )


def read_prompt_messages(fields: Fields) -> Conversation:
    """Returns the chat of a row whose prompt and completion are turns; only the completion is trained."""
    prompt = tuple(
        replace(message, weight=0) if message.role == "assistant" else message
        for message in read_turn_list(fields, "prompt")
    )
    completion = read_turn_list(fields, "completion")
    return Conversation(messages=read_system(fields, (*prompt, *completion)), tools=read_tools(fields))


def read_instruction(fields: Fields, question: tuple[str, ...], context: tuple[str, ...]) -> tuple[Message, ...]:
    """Returns the turns that ask: the system prompt, the earlier rounds, the question with its context below it."""
    asked = fields.text(*question)
    added = fields.text(*context, optional=True)
    user = Message("user", f"{asked}\n{added}" if added and asked else asked or added)
    return read_system(fields, (*_history(fields), user))


def _history(fields: Fields) -> tuple[Message, ...]:
    turns: list[Message] = []
    name, rounds = fields.items("history")
    for index, one in enumerate(rounds or ()):
        if isinstance(one, list | tuple) and len(one) == 2 and all(isinstance(text, str) for text in one):
            turns += [Message("user", one[0]), Message("assistant", one[1])]
        else:
            fields.problem(f"{name}[{index}]", f"is {described(one)}", "write each round as [question, answer]")
    return tuple(turns)


def read_alpaca(fields: Fields) -> Conversation:
    """Returns an instruction (its input on the next line) and its output as a chat."""
    asked = read_instruction(fields, ("instruction",), ("input",))
    refuse_media(fields)
    return Conversation((*asked, Message("assistant", fields.text("output"))), tools=read_tools(fields))


def read_question_answer(fields: Fields) -> Conversation:
    """Returns a question (its context on the next line) and its answer as a chat."""
    question = next((name for name in QUESTIONS if fields.values.get(name) is not None), QUESTIONS[0])
    context = ("context",) if question == "input" else ("context", "input")
    asked = read_instruction(fields, (question,), context)
    refuse_media(fields)
    return Conversation((*asked, Message("assistant", fields.text(*ANSWERS))), tools=read_tools(fields))


def _are_texts(*names: str) -> Any:
    """Returns a test that the first of `names` there is a text."""
    return lambda values: isinstance(next((values[name] for name in names if values.get(name) is not None), ""), str)


def _has_typed_parts(values: Mapping[str, Any]) -> bool:
    turns = unquoted(values.get("messages"))
    if not are_turns(turns):
        return False
    parts = [part for turn in turns if isinstance(turn.get("content"), list | tuple) for part in turn["content"]]
    return any(isinstance(part, Mapping) and "value" in part for part in parts)


def _starts_with_share_turn(values: Mapping[str, Any]) -> bool:
    turns = unquoted(values.get("conversations", values.get("conversation")))
    return isinstance(turns, list | tuple) and (not turns or is_turn(turns[0]))


OPENAI_CHAT = Format("openai-chat", "conversation", (("messages",),), CHAT_EXTRAS, read_chat)
LLAMA_FACTORY = Format("llama-factory", "conversation", (("messages",),), CHAT_EXTRAS, read_chat, fits=_has_typed_parts)
SHAREGPT = Format(
    "sharegpt",
    "conversation",
    (("conversations", "conversation"),),
    CHAT_EXTRAS,
    read_chat,
    fits=_starts_with_share_turn,
)
ALPACA = Format(
    "alpaca",
    "conversation",
    (("instruction",), ("output",)),
    ("input", "history", "system", "tools", *MEDIA),
    read_alpaca,
    fits=_are_texts("output"),
)
QUESTION_ANSWER = Format(
    "question-answer",
    "conversation",
    (QUESTIONS, ANSWERS),
    ("context", "history", "system", "tools", *MEDIA),
    read_question_answer,
    fits=lambda values: _are_texts(*QUESTIONS)(values) and _are_texts(*ANSWERS)(values),
)
PROMPT_MESSAGES = Format(
    "prompt-messages",
    "conversation",
    (("prompt",), ("completion",)),
    ("system", "tools", "functions"),
    read_prompt_messages,
    fits=lambda values: are_turns(values["prompt"]) and are_turns(values["completion"]),
)
