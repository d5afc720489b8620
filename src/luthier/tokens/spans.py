"""Tokens and labels of trained turns: where a reply begins and ends in token ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from luthier.tokens.template import Template
from luthier.tokens.turns import Turn, TurnProblem


@dataclass(frozen=True, slots=True)
class Piece:
    """One sequence: `tokens` (n,) int32 and `labels` (n,) bool, which is True where a token carries loss."""

    tokens: npt.NDArray[np.int32]
    labels: npt.NDArray[np.bool_]


def joined(turns: Sequence[Turn]) -> bool:
    """Whether the last turn's text begins with every earlier turn's, so that one sequence can hold all."""
    return all(turns[-1].text.startswith(turn.text) for turn in turns)


def texts_to_encode(turns: Sequence[Turn]) -> list[str]:
    """Returns the texts whose ids `place_spans` needs, so that many rows are encoded in one call."""
    wholes = turns[-1:] if joined(turns) else turns
    return [turn.text for turn in wholes] + [turn.prompt for turn in turns]


def place_spans(template: Template, turns: Sequence[Turn], ids: Mapping[str, list[int]]) -> list[Piece]:
    """Returns one sequence with a labelled span per turn, or one sequence per turn where one cannot hold them all.

    It cannot when the template renders earlier turns differently once the chat goes on, or when the tokens of a prompt
    merge with those of its reply: serving encodes the prompt alone. Each sequence ends with its last labelled token.
    """
    if joined(turns):
        whole = ids[turns[-1].text]
        spans = [_find_span(turn, ids[turn.prompt], whole) for turn in turns]
        found = [span for span in spans if span is not None]
        if len(found) == len(spans):
            return [_label(whole[: found[-1][1]], found)]
        if len(turns) == 1:
            return [_after_prompt(template, turns[0], ids[turns[0].prompt], whole)]
    return [_single(template, turn, ids) for turn in turns]


def prompt_then_reply(
    template: Template, prompt_ids: Sequence[int], reply: str, whole_ids: Sequence[int], marker: str
) -> list[int]:
    """Returns the reply's ids where it does not continue the prompt's own tokens in the encoding of the whole text.

    A tokenizer may put a space of its own before a text that stands alone; encoding after `marker` avoids that for
    some. The first way whose decoded text is that of the whole is taken.
    """
    wanted = template.tokenizer.decode(list(whole_ids))
    alone = template.encode([reply])[0]
    ways = [alone]
    if marker:
        lead, both = template.encode([marker, marker + reply])
        if both[: len(lead)] == lead:
            ways.append(both[len(lead) :])
    return next((way for way in ways if template.tokenizer.decode([*prompt_ids, *way]) == wanted), alone)


def _single(template: Template, turn: Turn, ids: Mapping[str, list[int]]) -> Piece:
    prompt = ids[turn.prompt]
    whole = ids[turn.text] if turn.text in ids else template.encode([turn.text])[0]
    span = _find_span(turn, prompt, whole)
    return _label(whole[: span[1]], [span]) if span else _after_prompt(template, turn, prompt, whole)


def _after_prompt(template: Template, turn: Turn, prompt: Sequence[int], whole: Sequence[int]) -> Piece:
    reply = prompt_then_reply(template, prompt, turn.reply, whole, turn.stop_text)
    if reply[-1] != turn.stop:
        raise _unlabelled_end(turn)
    return _label([*prompt, *reply], [(len(prompt), len(prompt) + len(reply))])


def _find_span(turn: Turn, prompt: list[int], whole: list[int]) -> tuple[int, int] | None:
    """Returns where the turn's reply begins and ends in `whole`; None when the prompt's tokens do not begin it."""
    start = len(prompt)
    if whole[:start] != prompt:
        return None
    end = start
    # The stop token is a marker of its own, so each of its texts in the reply is one token.
    for _ in range(turn.reply.count(turn.stop_text)):
        try:
            end = whole.index(turn.stop, end) + 1
        except ValueError:
            raise _unlabelled_end(turn) from None
    return start, end


def _unlabelled_end(turn: Turn) -> TurnProblem:
    return TurnProblem(
        "messages",
        f"the end of the turn, {turn.stop_text!r}, is not one token in {turn.reply[-30:]!r}, so it would not be learnt",
        "check that the tokenizer and the chat template belong together",
    )


def _label(tokens: Sequence[int], spans: Sequence[tuple[int, int]]) -> Piece:
    labels = np.zeros(len(tokens), dtype=np.bool_)
    for start, end in spans:
        labels[start:end] = True
    labels[0] = False  # nothing comes before the first token, so nothing can predict it
    return Piece(np.asarray(tokens, dtype=np.int32), labels)
