"""Trained turns of a chat: the prompt as serving renders it, and the reply that the template renders after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from luthier.records.messages import Message
from luthier.tokens.dialect import NO_REASONING, NO_TOOLS, TemplateRefusal
from luthier.tokens.endings import shared_start
from luthier.tokens.template import Template

OPENS_CHAT = "an assistant turn that opens the chat is not trained (nothing prompts it)"
CLOSED_THOUGHT = "the reply begins inside the thinking block that the template's prompt opens; it is closed there"

LEFT_OUT = "the template leaves out or rewrites some of the row's text"

_THINKING = re.compile(r"<(\w*(?:think|thought|reason)\w*)>\s*\Z", re.IGNORECASE)


class TurnProblem(Exception):
    """Why a row cannot be trained with this template, and what to do about it."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.field, self.problem, self.remedy = field, problem, remedy


@dataclass(frozen=True, slots=True)
class Turn:
    """One trained turn as text. `reply` runs through the text of the token `stop`, which ends it."""

    prompt: str
    reply: str
    stop: int
    stop_text: str

    @property
    def text(self) -> str:
        return self.prompt + self.reply


def trained_turns(messages: Sequence[Message], train_on: Literal["all", "last"]) -> list[int]:
    """Returns the indices of the assistant turns that carry loss."""
    indices = [i for i, message in enumerate(messages) if message.role == "assistant" and message.weight != 0]
    return indices[-1:] if train_on == "last" else indices


def cut_turns(
    template: Template,
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]],
    train_on: Literal["all", "last"],
) -> tuple[list[Turn], tuple[str, ...]]:
    """Returns the trained turns in order, and notes on what the template could not say.

    `TurnProblem` when the template refuses the chat, when even a single turn's prompt is not how its reply's rendering
    begins, when the reply does not end as the template ends its turns, or when no turn is trained.
    """
    notes = dict.fromkeys(template.dialect.fit(messages)[1])
    if tools and not template.dialect.tools:
        notes[NO_TOOLS] = None
    turns = []
    for index in trained_turns(messages, train_on):
        if index == 0:
            notes[OPENS_CHAT] = None
        else:
            _check_tools(template, messages, index)
            turns.append(_cut_turn(template, messages[: index + 1], tools, notes))
    if not turns:
        raise TurnProblem("messages", "no assistant turn is trained", "add an assistant turn after a user turn")
    return turns, tuple(notes)


def _cut_turn(
    template: Template, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], notes: dict[str, None]
) -> Turn:
    """Returns the last of `messages` as a trained turn."""
    place = f"messages[{len(messages) - 1}]"
    try:
        prompt = template.prompt_text(messages[:-1], tools)
        whole = template.text(messages, tools)
    except TemplateRefusal as refusal:
        raise TurnProblem(
            "messages", f"the model's chat template refuses them: {refusal}", "change the row as the template says"
        ) from None
    if whole.startswith(prompt):
        rendered = whole[len(prompt) :]
    else:
        rendered = _inside_thought(place, prompt, whole, messages[-1])
        notes[CLOSED_THOUGHT] = None
        notes.pop(NO_REASONING, None)
    if not _holds_all(prompt + rendered, messages):
        notes[LEFT_OUT] = None
    endings = template.endings[::-1] if messages[-1].tool_calls else template.endings
    for ending in endings:
        reply = ending.cut(rendered)
        if reply is not None:
            return Turn(prompt, reply, ending.token, ending.text)
    raise TurnProblem(
        place,
        f"the rendered reply ends with {rendered[-40:]!r} and not as the template's turns do",
        "leave the row out, or set this message's weight to 0",
    )


def _check_tools(template: Template, messages: Sequence[Message], index: int) -> None:
    """A call that is not rendered would teach the model to say nothing at all."""
    for place, message in enumerate(messages[: index + 1]):
        if message.tool_calls and not template.dialect.calls:
            field, what = f"messages[{place}].tool_calls", "tool calls"
        elif message.role == "tool" and not template.dialect.results:
            field, what = f"messages[{place}].role", "turns of tools"
        else:
            continue
        raise TurnProblem(field, f"the model's chat template does not render {what}", "leave the row out or rewrite it")


def _inside_thought(place: str, prompt: str, whole: str, message: Message) -> str:
    """Returns the reply after a prompt that opens a thinking block which the rendered reply does not have.

    Some templates append `<think>` to the prompt but leave reasoning out of the replies they render. What follows such
    a prompt can only begin inside the block, so reasoning (or nothing) and the closing tag come before the answer.
    """
    opened = _THINKING.search(prompt)
    if not opened or not whole.startswith(prompt[: opened.start()]):
        shared = len(shared_start(prompt, whole))
        raise TurnProblem(
            place,
            f"the template's prompt goes on {prompt[shared : shared + 40]!r} where its rendering of the reply goes on "
            f"{whole[shared : shared + 40]!r}: served prompts could never lead to this reply",
            "remove reasoning_content, or set this message's weight to 0",
        )
    rest = whole[opened.start() :]
    if rest.startswith(f"<{opened[1]}>"):
        return rest.removeprefix(f"<{opened[1]}>").lstrip("\n")
    inline = (message.content or "").rpartition(f"</{opened[1]}>")[0].removeprefix(f"<{opened[1]}>")
    thought = (message.reasoning_content or inline).strip("\n")
    return f"{thought}\n</{opened[1]}>\n\n{rest}"


def _holds_all(text: str, messages: Sequence[Message]) -> bool:
    """Whether every text of the chat appears in its rendering, but for reasoning and the results of tools."""
    said = (message.content or "" for message in messages if message.role != "tool")
    return all(content.rpartition("</think>")[2].strip() in text for content in said)
