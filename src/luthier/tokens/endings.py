"""How a template ends an assistant turn, found by rendering a known reply with and without a turn after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from luthier.tokens.dialect import PROBE_REPLY, Dialect, Render, TemplateRefusal, probe_chat


@dataclass(frozen=True, slots=True)
class Ending:
    """How a reply ends: `token` stops generation, `text` is its text, `closing` is all the template writes from it on.

    `opens` says that the template writes no end of its own and the token is the one that opens the next turn (GLM).
    """

    token: int
    text: str
    closing: str
    opens: bool = False

    def cut(self, reply: str) -> str | None:
        """Returns the rendered reply through the token that ends it; None where it does not end this way."""
        if self.opens:
            return reply + self.text
        return reply.removesuffix(self.closing) + self.text if reply.endswith(self.closing) else None


def find_endings(
    render: Render, dialect: Dialect, markers: Mapping[str, int], special: frozenset[int], stops: frozenset[int]
) -> tuple[Ending, ...]:
    """Returns how a spoken reply and a tool call end, in this order, as far as they end with a marker.

    `markers` are the tokenizer's added tokens by text, `special` the ids of those that are control tokens, and `stops`
    the ids known to stop generation.
    """
    spoken = _find_spoken(render, dialect, markers, stops)
    if spoken is None or not dialect.calls:
        return (spoken,) if spoken else ()
    controls = {text: token for text, token in markers.items() if token in special | stops | {spoken.token}}
    called = _find_called(render, dialect, controls, stops | {spoken.token})
    return (spoken, called) if called else (spoken,)


def shared_start(one: str, other: str) -> str:
    """Returns the longest text that both begin with."""
    differs = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return one[: next(differs, min(len(one), len(other)))]


def _find_spoken(render: Render, dialect: Dialect, markers: Mapping[str, int], stops: frozenset[int]) -> Ending | None:
    last, between = _after_reply(render, dialect, call=False)
    # What the template writes whether or not the chat goes on is the reply's own end; an end-of-text token that only
    # closes the whole text (Phi-3) is not. Where the two share nothing (gpt-oss) the last turn's end is trained.
    # Of several markers the first known to stop generation counts (Command R writes one that only closes the answer).
    for suffix in (shared_start(last, between), last):
        found = _markers_in(suffix, markers)
        for start, text in [place for place in found if markers[place[1]] in stops] or found:
            return Ending(markers[text], text, last[start:])
    return _find_opener(last, between, markers, stops)


def _find_called(render: Render, dialect: Dialect, markers: Mapping[str, int], stops: frozenset[int]) -> Ending | None:
    last, between = _after_reply(render, dialect, call=True)
    found = _markers_in(last, markers)
    # Markers after a call may close the call itself, so the first that is known to stop generation counts.
    for start, text in found:
        if markers[text] in stops:
            return Ending(markers[text], text, last[start:])
    opener = _find_opener(last, between, markers, stops)
    if opener or not found:
        return opener
    start, text = found[-1]
    return Ending(markers[text], text, last[start:])


def _find_opener(last: str, between: str, markers: Mapping[str, int], stops: frozenset[int]) -> Ending | None:
    if not between.startswith(last):
        return None
    rest = between[len(last) :]
    for start, text in _markers_in(rest, markers)[:1]:
        if markers[text] in stops and not rest[:start].strip():
            return Ending(markers[text], rest[:start] + text, "", opens=True)
    return None


def _after_reply(render: Render, dialect: Dialect, *, call: bool) -> tuple[str, str]:
    """Returns what follows the reply when it is the last turn, and when another turn follows; empty where refused."""
    mark = "Reykjavik" if call else PROBE_REPLY
    out = []
    for goes_on in (False, True):
        try:
            text = render(probe_chat(dialect, call=call, goes_on=goes_on), (), False)
        except TemplateRefusal:
            text = ""
        out.append(text[text.rfind(mark) + len(mark) :] if mark in text else "")
    return out[0], out[1]


def _markers_in(suffix: str, markers: Mapping[str, int]) -> list[tuple[int, str]]:
    texts = sorted((text for text in markers if text.strip()), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, texts)) or r"(?!)")
    return [(match.start(), match[0]) for match in pattern.finditer(suffix)]
