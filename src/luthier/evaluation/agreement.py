"""Whether two servings of one model say the same: replies token by token, where they part, and log-probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from luthier.records.messages import ToolCall
from luthier.report import Table

Piece = bytes | None
"""The bytes of a token; None for one that ends the reply."""
Kind = Literal["equal", "near tie", "different", "failed"]
SHOWN, WIDTH = 5, 160
"""Rows whose replies are shown, and how much of each."""


@dataclass(frozen=True, slots=True)
class Here:
    """A reply of the model itself: its tokens with their log-probabilities, and the likeliest in the place of each."""

    text: str
    calls: tuple[ToolCall, ...]
    pieces: tuple[Piece, ...]
    logprobs: tuple[float, ...]
    ranked: tuple[tuple[tuple[Piece, float], ...], ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class There:
    """A reply of the server: tokens with log-probabilities where it says them. `error` is why it said nothing."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    pieces: tuple[bytes, ...] = ()
    logprobs: tuple[float, ...] = ()
    prompt_tokens: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one prompt. `place` is the token at which the replies part, `gap` how much less likely than the
    best one the server's token was there."""

    prompt: str
    here: str
    there: str
    kind: Kind
    place: int | None = None
    gap: float | None = None
    prompt_tokens: tuple[int, int] | None = None

    @property
    def read_apart(self) -> bool:
        """Whether the server read another number of tokens: another template or tokenizer."""
        return self.prompt_tokens is not None and self.prompt_tokens[0] != self.prompt_tokens[1]

    def to_json(self) -> dict[str, Any]:
        return {
            "prompt": self.prompt,
            "here": self.here,
            "there": self.there,
            "kind": self.kind,
            "token": self.place,
            "gap": self.gap,
            "prompt_tokens": self.prompt_tokens,
        }


def compared(prompt: str, here: Here, there: There, tolerance: float) -> Row:
    """Returns what became of a prompt; the replies part after a near tie where the server took a token whose
    log-probability here is within `tolerance` of the best one's."""
    read = (here.prompt_tokens, there.prompt_tokens) if there.prompt_tokens else None
    if there.error:
        return Row(prompt, _said(here.text, here.calls), there.error, "failed")
    texts = _said(here.text, here.calls), _said(there.text, there.calls)
    if here.text == there.text and _calls(here.calls) == _calls(there.calls):
        return Row(prompt, *texts, "equal", prompt_tokens=read)
    if here.calls or there.calls:  # what they were written in is not known of the server
        return Row(prompt, *texts, "different", prompt_tokens=read)
    place, rest = _parting(_shown(here), there.text.encode())
    gap = _gap(here, place, rest)
    kind: Kind = "near tie" if gap is not None and gap <= tolerance else "different"
    return Row(prompt, *texts, kind, place, gap, read)


def shared_logprobs(here: Here, there: There) -> list[float]:
    """Returns how far the log-probabilities of a reply's tokens are apart, up to where the replies part."""
    out = []
    for ours, theirs, first, second in zip(here.pieces, there.pieces, here.logprobs, there.logprobs, strict=False):
        if ours != theirs:
            break
        out.append(abs(first - second))
    return out


@dataclass(frozen=True, slots=True)
class Agreement:
    """All rows, and the differences of log-probabilities of all scored tokens, found by `scored_by`."""

    rows: tuple[Row, ...]
    differences: tuple[float, ...]
    scored_by: str
    tolerance: float
    max_difference: float

    def count(self, kind: Kind) -> int:
        return sum(row.kind == kind for row in self.rows)

    @property
    def mean(self) -> float | None:
        return fmean(self.differences) if self.differences else None

    @property
    def largest(self) -> float | None:
        return max(self.differences, default=None)

    @property
    def faults(self) -> list[str]:
        """What speaks against the server being the same, in words."""
        wrong, apart = self.count("different") + self.count("failed"), sum(row.read_apart for row in self.rows)
        out = [f"{wrong} of {len(self.rows)} answers differ"] if wrong else []
        if apart:
            out.append(f"{apart} prompts were read as another number of tokens (another chat template or tokenizer)")
        if self.mean is not None and not self.mean <= self.tolerance:
            out.append(f"log-probabilities differ by {self.mean:.3g} on average, more than {self.tolerance:g}")
        if self.largest is not None and not self.largest <= self.max_difference:
            out.append(f"one log-probability differs by {self.largest:.3g}, more than {self.max_difference:g}")
        return out

    @property
    def verdict(self) -> str:
        if self.faults:
            return f"different: {'; '.join(self.faults)}"
        by_scores = "" if self.differences else " (by the answers alone: the server says no log-probabilities)"
        return f"the same, within the tolerance{by_scores}"

    def tables(self) -> list[Table]:
        """Returns the figures, and the first replies that part."""
        parted = [row for row in self.rows if row.kind != "equal"]
        parted.sort(key=lambda row: row.kind == "near tie")
        figures = Table("Here and there", ("what", "value"), tuple(self._figures()))
        if not parted:
            return [figures]
        columns = ("prompt", "what", "here", "there")
        rows = [(_short(row.prompt), _what(row), *_from_parting(row.here, row.there)) for row in parted[:SHOWN]]
        title = "Answers that part" + (f", {SHOWN} of {len(parted)}" if len(parted) > SHOWN else "")
        return [figures, Table(title, columns, tuple(rows), note="... stands for what is the same before.")]

    def _figures(self) -> list[tuple[str, str]]:
        total = len(self.rows)
        read = [row for row in self.rows if row.prompt_tokens is not None]
        apart = f"{sum(row.read_apart for row in read)} of {len(read)}" if read else "the server does not count them"
        rows = [
            ("equal answers", f"{self.count('equal')} of {total}"),
            ("part after a near tie", f"{self.count('near tie')} (the two tokens within {self.tolerance:g})"),
            ("different answers", f"{self.count('different')}"),
            ("no answer there", f"{self.count('failed')}"),
            ("prompts of other lengths", apart),
        ]
        if self.mean is None or self.largest is None:
            return [*rows, ("log-probabilities", "the server says none")]
        over = f"{len(self.differences):,} tokens of {self.scored_by}"
        return [
            *rows,
            ("log-probabilities over", over),
            ("mean difference", f"{self.mean:.2e} (limit {self.tolerance:g})"),
            ("largest difference", f"{self.largest:.2e} (limit {self.max_difference:g})"),
        ]

    def to_json(self) -> dict[str, Any]:
        kinds: tuple[Kind, ...] = ("equal", "near tie", "different", "failed")
        return {
            "equal": not self.faults,
            "verdict": self.verdict,
            "answers": {kind.replace(" ", "_"): self.count(kind) for kind in kinds},
            "prompts_of_other_lengths": sum(row.read_apart for row in self.rows),
            "scored_by": self.scored_by,
            "scored_tokens": len(self.differences),
            "mean_difference": self.mean,
            "largest_difference": self.largest,
            "rows": [row.to_json() for row in self.rows],
        }


def _shown(here: Here) -> list[Piece]:
    """Returns the pieces as they are in the text: some tokenizers leave out the space before the first word."""
    pieces = list(here.pieces)
    if pieces and pieces[0] and pieces[0].startswith(b" ") and not here.text.startswith(" "):
        pieces[0] = pieces[0][1:]
    return pieces


def _parting(pieces: Sequence[Piece], said: bytes) -> tuple[int, bytes]:
    """Returns at which token `said` goes another way, and what it says from there on."""
    done = 0
    for place, piece in enumerate(pieces):
        if piece is None or not said.startswith(piece, done):
            return place, said[done:]
        done += len(piece)
    return len(pieces), said[done:]


def _gap(here: Here, place: int, rest: bytes) -> float | None:
    """Returns how much less likely the server's token was here than the one that was taken; None when it was not
    among the likeliest. Of several that may be it, the likeliest counts."""
    if place >= len(here.pieces) or place >= len(here.ranked):
        return None
    for piece, value in here.ranked[place]:
        if place == 0 and piece and not rest.startswith(b" "):
            piece = piece.removeprefix(b" ")
        if not rest if piece is None else bool(piece) and rest.startswith(piece):
            return here.logprobs[place] - value
    return None


def _calls(calls: Sequence[ToolCall]) -> list[tuple[str, Any]]:
    return [(call.name, _value(call.arguments)) for call in calls]


def _value(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _said(text: str, calls: Sequence[ToolCall]) -> str:
    return "\n".join([*([text] if text else []), *(f"{call.name}({call.arguments})" for call in calls)])


_WHAT: Mapping[Kind, str] = {"different": "differs", "near tie": "near tie", "failed": "failed there", "equal": "equal"}


def _what(row: Row) -> str:
    where = "" if row.place is None else f" at token {row.place + 1}"
    gap = "" if row.gap is None else f", {row.gap:.2g} less likely"
    return f"{_WHAT[row.kind]}{where}{gap}"


def _from_parting(here: str, there: str) -> tuple[str, str]:
    same = next(
        (place for place, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there))
    )
    start = max(0, same - 20)
    lead = "... " if start else ""
    return _short(lead + here[start:]) or "(nothing)", _short(lead + there[start:]) or "(nothing)"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
