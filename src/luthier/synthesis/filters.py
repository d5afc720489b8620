"""What is kept of the questions that a model wrote: filters in a fixed order, each counted by kind.

schema (the reply is the object that was asked for), quote (it stands in the passage), round trip (asked with the
passage in hand, the model gives the same answer), reach (the question finds its passage in our own index), near (it is
not nearly a question that is kept).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from luthier.evaluation.items import Answered
from luthier.evaluation.metrics.text import normalised
from luthier.records.prompts import NO_ANSWER
from luthier.records.similarity import NEAR, jaccard, triples
from luthier.retrieval.embedders import TextEmbedder
from luthier.retrieval.options import SearchOptions
from luthier.retrieval.search import Searcher
from luthier.synthesis.asking import Asker
from luthier.synthesis.options import KINDS, Kind
from luthier.synthesis.questions import Place, Question, passages_for, prompt_hash, request, span, written

FILTERS = ("schema", "quote", "round trip", "reach", "near")
_NUMBER_AT_END = " []0123456789"


@dataclass
class Yields:
    """How many questions of each kind were asked for, passed each filter, and why others did not."""

    asked: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    failed: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    passed: dict[str, dict[Kind, int]] = field(
        default_factory=lambda: {name: dict.fromkeys(KINDS, 0) for name in FILTERS}
    )
    refused: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, filter: str, kind: Kind, passage: str, said: str) -> None:
        """Notes what was refused by which filter, for people to look at."""
        self.refused.append({"filter": filter, "kind": kind, "passage": passage, "said": said})

    def keep(self, filter: str, kept: Sequence[Question]) -> list[Question]:
        """Counts what passed a filter, and returns it."""
        for question in kept:
            self.passed[filter][question.kind] += 1
        return list(kept)


def write(places: Sequence[Place], kinds: Sequence[Kind], asker: Asker, yields: Yields) -> list[Question]:
    """Returns the questions that a model writes about `places` and that pass the first two filters. Paraphrases are of
    facts that pass them."""
    out = list[Question]()
    for kind in (kind for kind in KINDS if kind in kinds and kind != "paraphrase"):
        able = [(place, found) for place in places if (found := passages_for(kind, place))]
        texts = ["\n\n".join(passage.text for passage in passages) for _, passages in able]
        blanks = [
            Question(kind, "", NO_ANSWER if kind == "unanswerable" else "", (), place, passages, "")
            for place, passages in able
        ]
        out += _written(blanks, texts, asker, yields)
    if "paraphrase" in kinds:
        facts = [question for question in out if question.kind == "fact"]
        blanks = [replace(question, kind="paraphrase", text="", of=question.id) for question in facts]
        out += _written(blanks, [question.text for question in facts], asker, yields)
    return out


def _written(blanks: Sequence[Question], texts: Sequence[str], asker: Asker, yields: Yields) -> list[Question]:
    """Returns `blanks` with the questions that are written about `texts`, as far as they pass schema and quote."""
    if not blanks:
        return []
    kind = blanks[0].kind
    prompts = [request(kind, text) for text in texts]
    replies = asker.ask(f"write: {kind}", prompts, [blank.place.passage.id for blank in blanks])
    out = list[Question]()
    for blank, messages, reply in zip(blanks, prompts, replies, strict=True):
        yields.asked[kind] += 1
        yields.failed[kind] += bool(reply.error)
        values = None if reply.error else written(reply.text, kind)
        if values is None:
            yields.refuse("schema", kind, blank.place.passage.id, reply.error or reply.text)
            continue
        question = replace(blank, text=values["question"], prompt=prompt_hash(messages))
        yields.keep("schema", [question])
        found = _quoted(question, values)
        if found is None:
            yields.refuse("quote", kind, blank.place.passage.id, reply.text)
        else:
            out += yields.keep("quote", [found])
    return out


def _quoted(question: Question, values: dict[str, str]) -> Question | None:
    """Returns the question with its answer, quotes and their places; None where a quote is not in its passage."""
    if "quote" not in values:
        return question
    quotes = [values["quote"], *([values["second_quote"]] if "second_quote" in values else [])]
    spans = [span(quote, passage) for quote, passage in zip(quotes, question.passages, strict=True)]
    if None in spans:
        return None
    places = cast("list[tuple[int, int]]", spans)
    return replace(question, answer=values["answer"], quotes=tuple(quotes), spans=tuple(places))


def round_trip(questions: Sequence[Question], asker: Asker, yields: Yields) -> list[Question]:
    """Returns the questions to which the model, asked with the passages in hand, gives the same answer again."""
    if not questions:
        return []
    owners = [question.place.passage.id for question in questions]
    replies = asker.ask("answer again", [question.messages() for question in questions], owners)
    kept = list[Question]()
    for question, reply in zip(questions, replies, strict=True):
        if _agrees(question, reply):
            kept.append(question)
        else:
            said = f"{question.text} | {question.answer} | {reply.error or reply.text}"
            yields.refuse("round trip", question.kind, question.place.passage.id, said)
    return yields.keep("round trip", kept)


def _agrees(question: Question, reply: Answered) -> bool:
    text = reply.text.strip()
    if len(question.passages) > 1 and text.endswith("]"):
        text = text.rstrip(_NUMBER_AT_END) or text
    return not reply.error and normalised(text) == normalised(question.answer)


def in_reach(
    questions: Sequence[Question], searcher: Searcher, reach: int, yields: Yields, between: Callable[[int], None]
) -> list[Question]:
    """Returns the questions all of whose passages are among the first `reach` that they find."""
    kept, options = list[Question](), SearchOptions(k=reach, candidates=max(50, reach))
    for number, question in enumerate(questions, 1):
        found = {one.passage.id for one in searcher.search(question.text, options)}
        if found.issuperset(passage.id for passage in question.passages):
            kept.append(question)
        else:
            yields.refuse("reach", question.kind, question.place.passage.id, question.text)
        between(number)
    return yields.keep("reach", kept)


def apart(questions: Sequence[Question], embedder: TextEmbedder | None, near: float, yields: Yields) -> list[Question]:
    """Returns the questions that are not nearly one before them: by their vectors, or without an embedder by the word
    triples they share. A paraphrase may be near the question that it puts in other words."""
    alike = _likeness([question.text for question in questions], embedder)
    least = near if embedder else NEAR
    kept = list[int]()
    for place, question in enumerate(questions):
        close = (at for at, value in zip(kept, alike(place, kept), strict=True) if value >= least)
        twin = next((at for at in close if not _said_again(question, questions[at])), None)
        if twin is None:
            kept.append(place)
        else:
            said = f"{question.text} | {questions[twin].text}"
            yields.refuse("near", question.kind, question.place.passage.id, said)
    return yields.keep("near", [questions[place] for place in kept])


def _said_again(question: Question, other: Question) -> bool:
    same = normalised(question.text) == normalised(other.text)
    return not same and question.id != other.id and (question.of or question.id) == (other.of or other.id)


def _likeness(texts: Sequence[str], embedder: TextEmbedder | None) -> Callable[[int, Sequence[int]], Sequence[float]]:
    """Returns what says how like one text is to each of some others."""
    if embedder is None:
        sets = [triples(text) for text in texts]
        return lambda one, others: [jaccard(sets[one], sets[other]) for other in others]
    vectors = embedder.queries(texts)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)  # (N, D)
    return lambda one, others: (units[list(others)] @ units[one]).tolist()
