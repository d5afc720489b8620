"""Questions whose answers have a known place, and how well rankings of passages find it.

A place is a document, a page of one, or a span of its text. A passage is relevant when it shows a place that none
before it shows: whoever cuts documents otherwise is measured by the same questions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from luthier.errors import RowProblem, RowsError, SpecError
from luthier.evaluation.metrics.ranking import average_precision, ndcg, recall, reciprocal_rank
from luthier.evaluation.statistics import Interval, Paired, bootstrap_mean, paired
from luthier.records.documents import Passage

DECIDING_K, ALL = 10, "all"
NDCG, MRR, MAP = f"nDCG@{DECIDING_K}", "MRR", "MAP"


@dataclass(frozen=True, slots=True)
class Gold:
    """Where an answer stands: a document, in it a page or the characters from `start` to `end` where they are known."""

    document: str
    page: str = ""
    start: int | None = None
    end: int | None = None

    def shown_by(self, passage: Passage) -> bool:
        """Returns whether a passage shows it, or a part of it."""
        if passage.document != self.document:
            return False
        if self.start is not None and self.end is not None:
            return passage.start < max(self.end, self.start + 1) and self.start < passage.end
        return not self.page or _on_page(self.page, passage)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the places of its answer. Questions of one `group` are resampled together."""

    text: str
    golds: tuple[Gold, ...]
    group: str
    slice: str = ""


@dataclass
class Ranked:
    """How one way of searching did: values by metric, milliseconds, and words read at each of the `k`, per question."""

    way: str
    variant: str
    leg: str
    values: dict[str, list[float]] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)
    words: dict[int, list[int]] = field(default_factory=dict)

    def add(self, asked: Asked, found: Sequence[Passage], k: Sequence[int], lengths: Sequence[int], ms: float) -> None:
        """Adds what was `found` for a question, best first, each passage of so many words."""
        relevant, total = relevance(found, asked.golds)
        scored = {f"recall@{cut}": recall(relevant, total, cut) for cut in k}
        scored[NDCG] = ndcg(list(map(float, relevant)), [1.0] * total, DECIDING_K)
        scored |= {MRR: reciprocal_rank(relevant), MAP: average_precision(relevant, total)}
        for name, value in scored.items():
            self.values.setdefault(name, []).append(value)
        for cut in k:
            self.words.setdefault(cut, []).append(sum(lengths[:cut]))
        self.milliseconds.append(ms)

    def mean(self, metric: str) -> float:
        return sum(self.values[metric]) / len(self.values[metric])

    def interval(self, metric: str, groups: Sequence[str], resamples: int, seed: int) -> Interval:
        """Returns the interval of the mean; documents (groups) are drawn whole."""
        return bootstrap_mean(self.values[metric], groups=groups, resamples=resamples, seed=seed)


@dataclass(frozen=True, slots=True)
class Gain:
    """What joining both legs gains over the better one of them, on one slice of the questions, by nDCG@10."""

    variant: str
    slice: str
    questions: int
    joined: str
    leg: str
    paired: Paired


def relevance(found: Sequence[Passage], golds: Sequence[Gold]) -> tuple[list[bool], int]:
    """Returns which of `found` are relevant, and how many relevant ones there are: those found, and one for each place
    that none shows."""
    missing, relevant = list(golds), list[bool]()
    for passage in found:
        left = [gold for gold in missing if not gold.shown_by(passage)]
        relevant.append(len(left) < len(missing))
        missing = left
    return relevant, sum(relevant) + len(missing)


def gains(ranked: Sequence[Ranked], questions: Sequence[Asked], *, resamples: int, seed: int) -> Iterator[Gain]:
    """Yields for every index, joined leg and slice what it gains over the better single leg there. The better one is
    chosen on the same questions, which is in its favour."""
    slices = [ALL, *sorted({one.slice for one in questions if one.slice})]
    for joined in (one for one in ranked if one.leg not in ("vector", "text")):
        legs = [one for one in ranked if one.variant == joined.variant and one.leg in ("vector", "text")]
        for slice in slices if len(legs) == 2 else ():
            rows = [at for at, one in enumerate(questions) if slice in (ALL, one.slice)]
            values = {one.way: [one.values[NDCG][at] for at in rows] for one in (*legs, joined)}
            better = max(legs, key=lambda one: sum(values[one.way])).way
            groups = [questions[at].group for at in rows]
            test = paired(values[better], values[joined.way], groups=groups, resamples=resamples, seed=seed)
            yield Gain(joined.variant, slice, len(rows), joined.way, better, test)


def read_asked(
    files: Sequence[str], known: Mapping[str, str], span: Callable[[str, str], tuple[int, int] | None]
) -> tuple[list[Asked], Counter[str]]:
    """Returns the questions in JSON lines, and how many rows hold none with a place, by reason. `known` are the ids of
    documents by source and by id; `span` is where a passage (document, id) stands. `RowsError` lists the bad rows."""
    questions, skipped, problems = list[Asked](), Counter[str](), list[RowProblem]()
    for file in files:
        try:
            lines = Path(file).expanduser().read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(str(error), where=file, remedy="give JSON lines of questions") from None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = _Row(json.loads(line), known, span)
                golds = row.golds()
                if golds:
                    group = str(row.value.get("group") or golds[0].document)
                    questions.append(Asked(row.question(), golds, group, str(row.value.get("slice") or "")))
                else:
                    skipped["no relevant place (unanswerable)"] += 1
            except (ValueError, TypeError, AttributeError) as error:
                remedy = 'write {"question": ..., "relevant": [{"source": ..., "page" or "start" and "end": ...}]}'
                problems.append(RowProblem(file, number, "", str(error), remedy))
    if problems:
        raise RowsError(tuple(problems))
    return questions, skipped


@dataclass(frozen=True)
class _Row:
    """One row, whose places are in `relevant`, or are the row itself."""

    value: dict[str, Any]
    known: Mapping[str, str]
    span: Callable[[str, str], tuple[int, int] | None]

    def question(self) -> str:
        text = self.value.get("question") or self.value.get("query")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"question is {text!r}")
        return text

    def golds(self) -> tuple[Gold, ...]:
        own = "document" in self.value or "source" in self.value
        given = self.value.get("relevant", [self.value] if own else None)
        if not isinstance(given, list):
            raise ValueError("has no relevant places")
        return tuple(dict.fromkeys(self._gold(one) for one in given))

    def _gold(self, one: Mapping[str, Any]) -> Gold:
        name = one.get("document") or one.get("source")
        document = self.known.get(str(name)) or self.known.get(str(one.get("source")))
        if document is None:
            raise ValueError(f"the store has no document {name!r}")
        start, end = one.get("start"), one.get("end")
        if start is None and one.get("passage"):
            start, end = self.span(document, str(one["passage"])) or (None, None)
            if start is None:
                raise ValueError(f"the store has no passage {one['passage']!r}; give start and end")
        if (start is None) != (end is None) or not all(isinstance(at, int | None) for at in (start, end)):
            raise ValueError(f"start and end are {start!r} and {end!r}")
        return Gold(document, str(one.get("page") or ""), start, end)


def _on_page(page: str, passage: Passage) -> bool:
    ends = (passage.first_page, passage.last_page)
    if all(name.isdecimal() for name in (page, *ends)):
        return int(ends[0]) <= int(page) <= int(ends[1])
    return page in ends
