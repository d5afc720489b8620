"""A chat that writes questions as it is told to, and counts what it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from luthier.errors import RemoteError
from luthier.records.messages import Delta, Message, Sampling, Usage
from luthier.records.prompts import NO_ANSWER, NO_PASSAGE

_TEXT = re.compile(r"Text: (.*)\nAnswer with JSON only\.", re.DOTALL)
_ASKED = re.compile(r"Question: (.*)$", re.DOTALL)


class Writer:
    """Asks after the second word of a passage's first sentence, and answers so. `spoil` may change any reply."""

    def __init__(self, spoil: Callable[[str, str], str] = lambda asked, reply: reply, fail_after: int | None = None):
        self.heard: list[list[Message]] = []
        self._spoil, self._fail_after = spoil, fail_after

    async def stream(
        self, messages: Sequence[Message], sampling: Sampling, tools: Sequence[Mapping[str, Any]] = ()
    ) -> AsyncIterator[Delta]:
        if self._fail_after is not None and len(self.heard) >= self._fail_after:
            raise RemoteError("is away", where="writer")
        self.heard.append(list(messages))
        asked = messages[-1].content or ""
        reply = self._spoil(asked, self._written(asked))
        yield Delta(text=reply[:3])
        yield Delta(text=reply[3:], finish_reason="stop", usage=Usage(len(asked.split()), len(reply.split())))

    def _written(self, asked: str) -> str:
        if found := _TEXT.search(asked):
            return json.dumps(self._question(asked, found[1]))
        question = _ASKED.search(asked)
        assert question is not None
        if "mayor" in question[1]:
            return NO_PASSAGE if asked.startswith("[1]") else NO_ANSWER
        return question[1].split()[-1].rstrip("?") + (" [1]" if asked.startswith("[1]") else "")

    def _question(self, asked: str, text: str) -> dict[str, str]:
        if asked.startswith("Ask the question"):
            return {"question": "In other words, " + text}
        parts = text.split("\n\n")
        words = [part.split(".")[0].split() for part in parts]
        if "does not answer" in asked:
            return {"question": f"Who is the mayor of {' '.join(words[0])}?"}
        answer = words[-1][1]
        quotes = {name: " ".join(one) for name, one in zip(("quote", "second_quote"), words, strict=False)}
        said = " and ".join(" ".join(one) for one in words)
        return {"question": f"Of what is said in {said} is the second word {answer}?", "answer": answer, **quotes}
