"""A model's own chat template: from messages to token ids, the same for training and for serving."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

import jinja2

from luthier.errors import ContextError, ModelError
from luthier.records.messages import Message, ToolCall
from luthier.tokens import tool_calls
from luthier.tokens.dialect import (
    PROBE_ARGUMENTS,
    PROBE_NAME,
    Dialect,
    TemplateRefusal,
    Turns,
    find_dialect,
    probe_chat,
    probe_question,
)
from luthier.tokens.endings import Ending, find_endings


def default_template() -> str:
    """Returns the text of our chat template, for base models that come without one."""
    return files("luthier.tokens").joinpath("default.jinja").read_text(encoding="utf-8")


class Template:
    """The chat template of one tokenizer. What it can express and how its turns end is found once, by rendering."""

    def __init__(self, tokenizer: Any, stops: Collection[int]) -> None:
        self.tokenizer = tokenizer
        self._stops = frozenset(stops) | ({tokenizer.eos_token_id} - {None})
        self.dialect: Dialect = find_dialect(self.render, self.source)

    @classmethod
    def of(cls, tokenizer: Any, *, stop_ids: Collection[int] = ()) -> Template:
        """Returns the template of `tokenizer`; one without gets ours, which its `save_pretrained` then saves.

        `stop_ids` are the ids the model's generation settings stop at, where there are any. `ModelError` when the
        template does not render a plain question and answer.
        """
        if not tokenizer.chat_template:
            tokenizer.chat_template = default_template()
        return cls(tokenizer, stop_ids)

    @property
    def source(self) -> str:
        """The template's text; of several named ones, the one used when no tools are offered."""
        try:
            return str(self.tokenizer.get_chat_template(None, None))
        except ValueError as error:
            raise ModelError(str(error), where="chat_template", remedy="name one of them default") from None

    @property
    def is_default(self) -> bool:
        """Whether this is our template, and not one that came with the model."""
        return self.source == default_template()

    @cached_property
    def markers(self) -> dict[str, int]:
        """The tokenizer's added tokens: text to id."""
        return {token.content: number for number, token in self.tokenizer.added_tokens_decoder.items()}

    @cached_property
    def endings(self) -> tuple[Ending, ...]:
        """How a spoken reply and a tool call end; empty when replies do not end with a token that stops generation."""
        added = self.tokenizer.added_tokens_decoder
        special = frozenset(number for number, token in added.items() if token.special)
        return find_endings(self.render, self.dialect, self.markers, special, self._stops)

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """The ids that end a reply: the tokenizer's end of text, the model settings', and those the template writes."""
        return self._stops | {ending.token for ending in self.endings}

    def prompt(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, most: int | None = None
    ) -> list[int]:
        """Returns the ids of the chat up to where the assistant's reply starts.

        `ModelError` where it is refused, `ContextError` where it has more than `most` characters.
        """
        try:
            text = self.prompt_text(messages, tools)
        except TemplateRefusal as refusal:
            raise ModelError(
                f"the model's chat template refuses these messages: {refusal}",
                where="messages",
                remedy="change the messages as the template says",
                param="messages",
            ) from None
        if most is not None and len(text) > most:
            raise ContextError(
                f"{len(text):,} characters are more than {most:,}",
                where="messages",
                remedy="shorten them",
                param="messages",
            )
        return self.encode([text])[0]

    def prompt_text(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> str:
        """Returns the rendered chat with the header of the assistant's turn; raises `TemplateRefusal`."""
        return self.render(self.dialect.fit(messages)[0], tools, True)

    def text(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> str:
        """Returns the rendered chat; raises `TemplateRefusal`."""
        return self.render(self.dialect.fit(messages)[0], tools, False)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of each rendered text; nothing is added, for the template has written its own markers."""
        if not texts:
            return []
        out = self.tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)
        ids: list[list[int]] = out["input_ids"]
        return ids

    def encode_plain(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of texts outside any chat: the begin-of-text token first where the tokenizer writes one.

        A text that opens with that token already, as clients write that decode their own tokens, gets no second one.
        """
        bos = self.tokenizer.bos_token_id
        begins = bos is not None and self.tokenizer("", verbose=False)["input_ids"][:1] == [bos]
        return [[bos, *ids] if begins and ids[:1] != [bos] else ids for ids in self.encode(texts)]

    def reply_text(self, token_ids: Sequence[int]) -> str:
        """Returns the text of a reply up to its stop token, with the markers that tool calls are written in."""
        end = next((place for place, token in enumerate(token_ids) if token in self.stop_ids), len(token_ids))
        return str(self.tokenizer.decode(list(token_ids[:end]), skip_special_tokens=False))

    def parse_reply(self, text: str) -> tuple[str, tuple[ToolCall, ...]]:
        """Returns the text outside tool calls and the calls, read in the syntax in which the template writes them."""
        return tool_calls.read_calls(self._syntax, text)

    @cached_property
    def call_frame(self) -> tool_calls.Frame | None:
        """How a reply that is a call is written, around its name and arguments; None where that is not known."""
        reply = self._probe_call
        return tool_calls.find_frame(reply, PROBE_NAME, PROBE_ARGUMENTS) if reply and self._syntax else None

    @cached_property
    def _syntax(self) -> tool_calls.Syntax | None:
        reply = self._probe_call
        return tool_calls.find_syntax(reply, PROBE_NAME, PROBE_ARGUMENTS) if reply else None

    @cached_property
    def _probe_call(self) -> str:
        """A reply that is one known call, as the template writes it; empty where it writes none."""
        if not self.dialect.calls:
            return ""
        chat = probe_chat(self.dialect, call=True, goes_on=False)
        try:
            prompt = self.render(probe_question(self.dialect), (), True)
            whole = self.render(chat, (), False)
        except TemplateRefusal:
            return ""
        reply = whole[len(prompt) :] if whole.startswith(prompt) else whole
        for ending in reversed(self.endings):
            reply = reply.removesuffix(ending.closing) if ending.closing else reply
        return reply

    def render(self, turns: Turns, tools: Sequence[Mapping[str, Any]], header: bool) -> str:
        """Returns the text of turns that already fit the template; `TemplateRefusal` carries its own message."""
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    list(turns),
                    tools=[tool_calls.fit_tool(tool) for tool in tools] or None,
                    add_generation_prompt=header,
                    tokenize=False,
                )
            )
        except jinja2.TemplateSyntaxError as error:
            raise ModelError(f"the chat template is not valid Jinja: line {error.lineno}: {error.message}") from None
        except Exception as error:  # a template is a program of its own: whatever it raises is its refusal
            raise TemplateRefusal(" ".join(str(error).split()) or type(error).__name__) from None
