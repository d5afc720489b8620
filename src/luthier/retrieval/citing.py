"""Citations in a reply: [n] where passage n was shown, taken out where it was not, added where a small model forgot."""

from __future__ import annotations

import re
from collections.abc import Sequence

from luthier.records.documents import Citation
from luthier.retrieval.search import Found

LONGEST_MARK, LONGEST_QUOTE = 40, 400
_MARK = re.compile(r"\[\s*\d+(?:\s*[,;]\s*\d+)*\s*\]")
_BEGUN = re.compile(r"\s*\[[\s\d,;]*$|\s+$")
"""What may become a mark, and the space before it, which goes where the mark does."""
_SENTENCE = re.compile(r"[^.!?…。！？]+(?:[.!?…。！？]+(?=[\s\"'”’»)\]]|$)[\"'”’»)\]]*|$|[.!?…。！？])")
_WORD = re.compile(r"\w+")


class Citing:
    """Reads a reply as it is written, beside the passages that its model was shown, numbered from 1.

    `text` is what has been let through, `citations` those in it, `dropped` the numbers that stood for nothing shown.
    """

    def __init__(self, shown: Sequence[Found]) -> None:
        self._shown, self._held = shown, ""
        self.text = ""
        self.citations: list[Citation] = []
        self.dropped: list[int] = []

    def push(self, text: str) -> str:
        """Returns what of the reply can be shown now; what may become a citation is held back."""
        self._held += text
        held = _BEGUN.search(self._held)
        start = held.start() if held and len(self._held) - held.start() <= LONGEST_MARK else len(self._held)
        ready, self._held = self._held[:start], self._held[start:]
        return self._read(ready)

    def close(self) -> str:
        """Returns what was held back."""
        ready, self._held = self._held, ""
        return self._read(ready)

    def add(self, text: str) -> str:
        """Returns `text`, which is no word of the model's, with its citations read."""
        return self.close() + self._read(text)

    def _read(self, text: str) -> str:
        out, at = "", 0
        for mark in _MARK.finditer(text):
            numbers = [int(digits) for digits in re.findall(r"\d+", mark[0])]
            known = [number for number in numbers if 0 < number <= len(self._shown)]
            self.dropped += [number for number in numbers if number not in known]
            before = text[at : mark.start()]
            out += before if known else before.rstrip()
            for number in known:
                self.citations.append(self._citation(number, len(self.text) + len(out)))
                out += f"[{number}]"
            at = mark.end()
        out += text[at:]
        self.text += out
        return out

    def _citation(self, number: int, at: int) -> Citation:
        found = self._shown[number - 1]
        return Citation(number, found.passage, found.source, found.title, found.relevance, at)


def support(answer: str, question: str, shown: Sequence[Found]) -> str:
    """Returns what to add to an answer that cites nothing: the number of the best passage that has its words, or a
    quote of the best passage where none has."""
    wanted = _plain(answer)
    if wanted:
        for number, found in enumerate(shown, 1):
            if f" {wanted} " in f" {_plain(found.passage.text)} ":
                return f" [{number}]"
    return f"\n\n{quoted(answer, question, shown)}".removeprefix("" if wanted else "\n\n")


def quoted(answer: str, question: str, shown: Sequence[Found]) -> str:
    """Returns the sentence of the best passage that has most of the words of question and answer, with its number."""
    words = set(_WORD.findall(f"{question} {answer}".casefold()))
    sentences = [one[0].strip() for one in _SENTENCE.finditer(shown[0].passage.text) if one[0].strip()]
    best = max(sentences, key=lambda one: len(words & set(_WORD.findall(one.casefold()))), default="")
    said = " ".join((best or shown[0].passage.text).split())
    said = said if len(said) <= LONGEST_QUOTE else said[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
    return f"“{_MARK.sub('', said)}” [1]"


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
