"""Rows to token sequences with labels: chats by the model's template, completions, and plain text in windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from luthier.errors import ModelError, RowProblem, RowsError, SpecError
from luthier.records.examples import Conversation, Origin, Record, Text
from luthier.records.messages import Message
from luthier.tokens.lengths import LengthPolicy, longest_allowed, windows
from luthier.tokens.options import TokenOptions
from luthier.tokens.spans import Piece, place_spans, prompt_then_reply, texts_to_encode
from luthier.tokens.template import Template
from luthier.tokens.token_rows import TokenCounts, TokenRows, TokenWriter
from luthier.tokens.turns import Turn, TurnProblem, cut_turns

CHUNK = 256
"""Rows encoded in one call of the tokenizer."""
MOST_PROBLEMS = 1000
"""Bad rows after which reading stops: more would fill memory and help nobody."""
NO_EOS = "no end-of-text token is trained (the tokenizer has none)"


class Completion(Protocol):
    """A row of a prompt and the text that completes it."""

    prompt: str
    completion: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Bad:
    problem: TurnProblem
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Chat:
    turns: list[Turn]
    notes: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        return texts_to_encode(self.turns)


@dataclass(frozen=True, slots=True)
class _Plain:
    """Text without a template: `prompt` is not trained, `text` is the whole."""

    prompt: str
    text: str

    @property
    def texts(self) -> list[str]:
        return [self.prompt, self.text] if self.prompt else [self.text]


def encode_rows(
    rows: Sequence[Record],
    template: Template,
    options: TokenOptions,
    *,
    context_length: int,
    folder: Path | None = None,
) -> tuple[TokenRows, TokenCounts]:
    """Returns the rows as sequences of at most `max_length` tokens with labels, and what became of the rows.

    With `folder` the arrays are files there and memory does not grow with the rows. `RowsError` lists every row that
    cannot be trained; `ModelError` says that the template's turns do not end; `SpecError` that too much would be lost.
    """
    limit = longest_allowed(options, context_length)
    problems: list[RowProblem] = []
    with TokenWriter(folder) as writer:
        first = template.tokenizer.bos_token_id
        policy = LengthPolicy(options, limit, writer, keep_first=first, context_length=context_length)
        numbered = enumerate(iter(rows))
        while chunk := list(islice(numbered, CHUNK)):
            for index, outcome in _encode_chunk(chunk, template, options, limit):
                if isinstance(outcome, _Bad):
                    problems.append(_row_problem(outcome))
                else:
                    policy.add_row(index, *outcome)
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise RowsError(tuple(problems), remedy="nothing was trained; mend or remove these rows")
        counts = policy.finish()
        return writer.finish(), counts


def _encode_chunk(
    chunk: list[tuple[int, Record]], template: Template, options: TokenOptions, limit: int
) -> Iterator[tuple[int, tuple[list[Piece], tuple[str, ...]] | _Bad]]:
    plans = [(index, record.origin, _plan(record, template, options)) for index, record in chunk]
    chats = dict.fromkeys(text for _, _, plan in plans if isinstance(plan, _Chat) for text in plan.texts)
    plains = dict.fromkeys(text for _, _, plan in plans if isinstance(plan, _Plain) for text in plan.texts)
    chat_ids = dict(zip(chats, template.encode(list(chats)), strict=True))
    plain_ids = dict(zip(plains, template.encode_plain(list(plains)), strict=True))
    for index, origin, plan in plans:
        try:
            if isinstance(plan, TurnProblem):
                yield index, _Bad(plan, origin)
            elif isinstance(plan, _Chat):
                yield index, (place_spans(template, plan.turns, chat_ids), plan.notes)
            else:
                yield index, _plain_pieces(template, plan, plain_ids, limit)
        except TurnProblem as problem:
            yield index, _Bad(problem, origin)


def _plan(record: Record, template: Template, options: TokenOptions) -> _Chat | _Plain | TurnProblem:
    if isinstance(record, Text):
        return _Plain("", record.text)
    if isinstance(record, Conversation):
        messages, tools = record.messages, record.tools
    elif record.kind == "completion":
        row = cast("Completion", record)
        if options.completion_style == "plain":
            return _Plain(row.prompt, row.prompt + row.completion)
        messages, tools = (Message("user", row.prompt), Message("assistant", row.completion)), ()
    else:
        raise SpecError(
            f"rows of kind {record.kind!r} are not text to learn from",
            where=str(record.origin),
            remedy="use conversations, prompts with completions, or plain text",
        )
    if not template.endings:
        raise _endless(template)
    try:
        return _Chat(*cut_turns(template, messages, tools, options.train_on))
    except TurnProblem as problem:
        return problem


def _plain_pieces(
    template: Template, plan: _Plain, ids: dict[str, list[int]], limit: int
) -> tuple[list[Piece], tuple[str, ...]]:
    """Returns begin of text (where the tokenizer writes one), the tokens, end of text: trained after the prompt."""
    tokens, eos = ids[plan.text], template.tokenizer.eos_token_id
    start = 1
    if plan.prompt:
        prompt = ids[plan.prompt]
        start = len(prompt)
        if tokens[:start] != prompt:
            reply = plan.text.removeprefix(plan.prompt)
            tokens = prompt + prompt_then_reply(template, prompt, reply, tokens, "")
    tokens = tokens if eos is None else [*tokens, eos]
    labels = np.zeros(len(tokens), dtype=np.bool_)
    labels[max(start, 1) :] = True
    piece = Piece(np.asarray(tokens, dtype=np.int32), labels)
    if not labels.any():
        raise TurnProblem("text", f"holds too little to learn from: {plan.text!r}", "remove the row")
    notes = () if eos is not None else (NO_EOS,)
    return ([piece] if plan.prompt else list(windows(piece, limit))), notes


def _row_problem(bad: _Bad) -> RowProblem:
    problem = bad.problem
    return RowProblem(bad.origin.file, bad.origin.line, problem.field, problem.problem, problem.remedy)


def _endless(template: Template) -> ModelError:
    eos = template.tokenizer.eos_token
    return ModelError(
        "the chat template does not end the assistant's turns with a token that stops generation, so the model would "
        "never learn to stop",
        where="chat_template",
        remedy=f"use a template that writes {eos!r} after each reply, or a tokenizer in which the end of a turn is one "
        "added token"
        if eos
        else "the tokenizer has no end-of-text token; set eos_token in its tokenizer_config.json",
    )
