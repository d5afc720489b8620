"""What a model is shown of documents: numbered passages within its tokens, apart from what it is told to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from luthier.errors import ContextError, SpecError
from luthier.records.documents import Document, Passage
from luthier.records.messages import Message
from luthier.records.prompts import CITED_SYSTEM, NO_ANSWER, NO_PASSAGE, cited
from luthier.retrieval.search import Found

NOT_ENOUGH = "There is not enough evidence in the documents to answer that."
"""What is answered without asking a model: no passage is near enough to the question."""
AROUND_TOKENS, LEAST_TOKENS = 8, 24
"""Tokens around each passage (its number, its line), and the fewest that one is cut to."""
Length = Callable[[Sequence[str]], Sequence[int]]
"""Returns how many tokens of the model each text has."""


@dataclass(frozen=True)
class Context:
    """The passages that are shown for a question, numbered from 1, and how many more were found."""

    question: str
    shown: tuple[Found, ...]
    left_out: int = 0
    tokens: int = 0

    def messages(self, messages: Sequence[Message]) -> list[Message]:
        """Returns `messages`, the last question of which is asked with the passages.

        Passages are text of others: they stand inside of one user turn, each on lines that only its number begins, and
        nothing in them is read as a turn, a number or an instruction of ours.
        """
        at = last_question(messages)
        asked = replace(messages[at], content=cited([flat(one.passage.text) for one in self.shown], self.question))
        before = list(messages[:at])
        first = before[0] if before and before[0].role in ("system", "developer") else None
        said = CITED_SYSTEM if first is None else f"{first.content}\n\n{CITED_SYSTEM}"
        system = Message(first.role if first else "system", said)
        return [system, *before[1 if first else 0 :], asked, *messages[at + 1 :]]


def last_question(messages: Sequence[Message]) -> int:
    """Returns the place of the last user turn. `SpecError` when there is none."""
    found = [place for place, one in enumerate(messages) if one.role == "user" and (one.content or "").strip()]
    if not found:
        raise SpecError("hold no question of a user", where="messages", remedy="ask one", param="messages")
    return found[-1]


def flat(text: str) -> str:
    """Returns a passage as one line, so that no line of it can pass for the next passage or for the question."""
    return " ".join(text.split())


def says_nothing(answer: str) -> bool:
    """Returns whether a model's answer is that the passages hold none."""
    said = answer.strip().strip('"“”').rstrip(".").casefold()
    return any(said.startswith(one.rstrip(".").casefold()) for one in (NO_PASSAGE, NO_ANSWER, NOT_ENOUGH))


def fitted(question: str, found: Sequence[Found], length: Length, budget_tokens: int) -> Context:
    """Returns the best of `found` that fit into `budget_tokens`; the first one is cut at a word where it does not.

    `ContextError` when there is no room for any.
    """
    if not found:
        return Context(question, ())
    costs = [cost + AROUND_TOKENS for cost in length([flat(one.passage.text) for one in found])]
    total, count = 0, 0
    while count < len(found) and total + costs[count] <= budget_tokens:
        total, count = total + costs[count], count + 1
    if count:
        return Context(question, tuple(found[:count]), len(found) - count, total)
    room = budget_tokens - AROUND_TOKENS
    if room < LEAST_TOKENS:
        raise ContextError(
            f"{max(0, budget_tokens)} tokens are left for passages",
            where="context",
            remedy="ask for a shorter reply, ask something shorter, or use a model with a larger context",
        )
    cut = replace(found[0], passage=_cut(found[0].passage, length, room))
    return Context(question, (cut,), len(found) - 1, budget_tokens)


def _cut(passage: Passage, length: Length, room: int) -> Passage:
    """Returns the beginning of a passage that has at most `room` tokens."""
    ends = [at for at, letter in enumerate(passage.text) if letter.isspace()] or list(range(1, len(passage.text)))
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if length([flat(passage.text[: ends[middle]])])[0] <= room:
            low = middle + 1
        else:
            high = middle
    size = ends[low - 1] if low else ends[0]
    return replace(passage, text=passage.text[:size], end=passage.start + size)


@dataclass(frozen=True)
class Price:
    """What reading costs: `per_million` tokens, and the most that one question may."""

    per_million: float = 0.0
    most: float | None = None


def whole(documents: Sequence[Document], cut: Callable[[Document], Sequence[Passage]]) -> list[Found]:
    """Returns every passage of documents in their order, to be shown instead of what a search finds."""
    return [
        Found(passage, 1.0, 1.0, document.source, document.title, document.attributes, document.id)
        for document in documents
        for passage in cut(document)
    ]


def complete(question: str, found: Sequence[Found], length: Length, budget_tokens: int, price: Price) -> Context:
    """Returns all of `found`. `ContextError` when they do not fit, `SpecError` when reading them costs too much."""
    total = sum(cost + AROUND_TOKENS for cost in length([flat(one.passage.text) for one in found]))
    if total > budget_tokens:
        raise ContextError(
            f"the documents have {total:,} tokens, and {max(0, budget_tokens):,} are left for them",
            where="whole",
            remedy="index them and ask the index: luthier index FILE... --name NAME, luthier ask NAME QUESTION",
        )
    cost = total * price.per_million / 1e6
    if price.most is not None and cost > price.most:
        raise SpecError(
            f"reading {total:,} tokens costs {cost:.4f}, more than {price.most:.4f}",
            where="max_cost",
            remedy="allow more, or index the documents and ask the index",
            param="max_cost",
        )
    return Context(question, tuple(found), 0, total)
