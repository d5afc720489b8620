"""Formats of answers people compared or voted on: OpenAI, chosen and rejected in its many shapes, votes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from luthier.records.comparisons import Preference, Vote
from luthier.records.fields import Fields, as_truth, described, unquoted
from luthier.records.formats import Format
from luthier.records.formats_chat import MEDIA, read_instruction, read_system, read_turn_list, refuse_media
from luthier.records.messages import Message
from luthier.records.turns import are_turns, is_turn, read_tools, read_turns

PROMPTS = ("prompt", "messages", "conversations", "question", "query", "instruction")
CHOSEN, REJECTED = ("chosen", "chosen_messages"), ("rejected", "rejected_messages")
_EXTRAS = (*PROMPTS, "input", "history", "system", "tools", "functions", *MEDIA)
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def read_openai_preference(fields: Fields) -> Preference:
    """Returns OpenAI's preference row: an `input` with messages, and two outputs."""
    asked = unquoted(fields.find("input")[1])
    inner = Fields(asked if isinstance(asked, Mapping) else {}, {})
    if not isinstance(asked, Mapping):
        fields.problem("input", f"is {described(asked)}, not an object", 'write {"messages": [...]}')
    messages = read_turn_list(inner, "messages") if isinstance(asked, Mapping) else ()
    tools = read_tools(inner)
    for problem in inner.problems:
        fields.problem(f"input.{problem.field}", problem.problem, problem.remedy)
    fields.ignored |= {f"input.{name}" for name in inner.values if name not in (*inner.used, "parallel_tool_calls")}
    chosen = read_turn_list(fields, "preferred_output", "preferred_completion")
    rejected = read_turn_list(fields, "non_preferred_output", "non_preferred_completion")
    return Preference(messages, chosen, rejected, tools=tools)


def read_preference(fields: Fields) -> Preference:
    """Returns a prompt with a chosen and a rejected answer.

    Answers may be text or turns. When they are whole chats, the turns that both share are the prompt.
    """
    chosen, rejected = _answer(fields, CHOSEN), _answer(fields, REJECTED)
    refuse_media(fields)
    tools = read_tools(fields)
    if _starts_with_reply(chosen) and _starts_with_reply(rejected):
        return Preference(_prompt(fields), chosen, rejected, tools=tools)
    shared = shared_turns(chosen, rejected)
    _compare_prompt(fields, chosen[:shared])
    messages = read_system(fields, chosen[:shared])
    return Preference(messages, chosen[shared:], rejected[shared:], tools=tools)


def read_transcripts(fields: Fields) -> Preference:
    r"""Returns the two answers of transcripts written as "\n\nHuman: ...\n\nAssistant: ..."."""
    chosen, rejected = (transcript_turns(fields.text(name)) for name in ("chosen", "rejected"))
    shared = shared_turns(chosen, rejected)
    return Preference(read_system(fields, chosen[:shared]), chosen[shared:], rejected[shared:])


def read_vote(fields: Fields) -> Vote:
    """Returns a prompt, one answer, and whether it was found good."""
    completion = _answer(fields, ("completion", "response", "answer"))
    return Vote(_prompt(fields), completion, fields.truth("label", "kto_tag"), tools=read_tools(fields))


def read_chat_vote(fields: Fields) -> Vote:
    """Returns a chat whose last turn was voted on."""
    messages = read_turn_list(fields, "messages", "conversations")
    refuse_media(fields)
    label = fields.truth("label", "kto_tag")
    return Vote(read_system(fields, messages[:-1]), messages[-1:], label, tools=read_tools(fields))


def shared_turns(chosen: tuple[Message, ...], rejected: tuple[Message, ...]) -> int:
    """Returns how many turns two chats share from the start, leaving each at least its last turn."""
    most = min(len(chosen), len(rejected)) - 1
    return next((index for index in range(most) if chosen[index] != rejected[index]), max(most, 0))


def transcript_turns(text: str) -> tuple[Message, ...]:
    """Returns the turns of a transcript; what each says is kept as it is, after the one space that follows its name."""
    pieces = _SPEAKER.split(text)[1:]
    return tuple(
        Message("user" if speaker == "Human" else "assistant", said.removeprefix(" "))
        for speaker, said in zip(pieces[::2], pieces[1::2], strict=True)
    )


def _prompt(fields: Fields) -> tuple[Message, ...]:
    """Returns the turns before the answer; none when the row has no prompt."""
    name = next((name for name in PROMPTS if fields.values.get(name) is not None), None)
    if name is None:
        return read_system(fields, ())
    if are_turns(fields.values[name]) or name in ("messages", "conversations"):
        return read_system(fields, read_turn_list(fields, name))
    return read_instruction(fields, (name,), ("input",))


def _answer(fields: Fields, names: tuple[str, ...]) -> tuple[Message, ...]:
    name, value = fields.find(*names)
    if value is None:
        fields.missing(*names)
        return ()
    if is_turn(turn := unquoted(value)):
        return read_turns(fields, name, [turn])
    if isinstance(value, list | tuple) or are_turns(value):
        return read_turn_list(fields, name)
    return (Message("assistant", fields.text(name)),)


def _starts_with_reply(answer: tuple[Message, ...]) -> bool:
    return not answer or answer[0].role == "assistant"


def _compare_prompt(fields: Fields, shared: tuple[Message, ...]) -> None:
    """Notes a problem when a row has a prompt that is not in the turns its answers begin with."""
    name, value = fields.find(*PROMPTS)
    if value is None:
        return
    if are_turns(value) or not isinstance(value, str):
        prompt = read_turn_list(fields, name)
        fine = all(turn in shared for turn in prompt)
    else:
        fine = any(turn.content is not None and turn.content.strip() == value.strip() for turn in shared)
    if not fine:
        problem = "is not among the turns that chosen and rejected begin with"
        fields.problem(name, problem, "give answers without the prompt, or leave this column out")


def _are_transcripts(values: Mapping[str, Any]) -> bool:
    return all(isinstance(values[name], str) and "Human:" in values[name][:9] for name in ("chosen", "rejected"))


def _has_vote(values: Mapping[str, Any]) -> bool:
    return (
        as_truth(next((values[name] for name in ("label", "kto_tag") if values.get(name) is not None), None))
        is not None
    )


OPENAI_PREFERENCE = Format(
    "openai-preference",
    "preference",
    (("input",), ("preferred_output", "preferred_completion"), ("non_preferred_output", "non_preferred_completion")),
    (),
    read_openai_preference,
)
PREFERENCE = Format("preference", "preference", (CHOSEN[:1], REJECTED[:1]), _EXTRAS, read_preference)
LLAMA_FACTORY_PREFERENCE = Format(
    "llama-factory-preference", "preference", (CHOSEN[1:], REJECTED[1:]), _EXTRAS, read_preference
)
TRANSCRIPT_PREFERENCE = Format(
    "transcript-preference",
    "preference",
    (("chosen",), ("rejected",)),
    ("system",),
    read_transcripts,
    fits=_are_transcripts,
)
VOTE = Format(
    "vote",
    "vote",
    (PROMPTS, ("completion", "response", "answer"), ("label", "kto_tag")),
    ("system", "tools", "input", "history"),
    read_vote,
    fits=_has_vote,
)
CHAT_VOTE = Format(
    "chat-vote",
    "vote",
    (("messages", "conversations"), ("label", "kto_tag")),
    ("system", "tools", *MEDIA),
    read_chat_vote,
    fits=_has_vote,
)
