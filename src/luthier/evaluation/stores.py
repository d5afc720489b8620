"""Stores measured by questions whose answers have a known place: every way of searching, on the same questions."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from luthier.errors import Interrupted, SpecError
from luthier.evaluation.options import RankingOptions
from luthier.evaluation.outcome import write_whole
from luthier.evaluation.rankings import ALL, DECIDING_K, MAP, MRR, NDCG, Asked, Gain, Ranked, gains, read_asked
from luthier.evaluation.statistics import Interval, finite, verdict
from luthier.report import Report, Table
from luthier.reports.charts import Bar, Bars, LineChart, Series
from luthier.reports.page import Page, Raw, render
from luthier.retrieval.embedders import TextEmbedder, open_embedder, word_lengths
from luthier.retrieval.index import Vector
from luthier.retrieval.options import EmbedderOptions, SearchOptions
from luthier.retrieval.search import Rerank, Searcher
from luthier.retrieval.stores import Configuration, NamedStore
from luthier.retrieval.trial import trial
from luthier.store.opened import Store

PREFIX = "store:"


class Wanted(Protocol):
    """What is wanted: the spec of `luthier evaluate`."""

    systems: tuple[str, ...]
    data: tuple[str, ...]
    limit: int | None
    seed: int
    resamples: int


@dataclass(frozen=True)
class StoreResult:
    """What was found, and the folder that holds all of it."""

    folder: Path
    questions: Sequence[Asked]
    skipped: Mapping[str, int]
    ranked: Sequence[Ranked]
    intervals: Mapping[tuple[str, str], Interval]
    gains: Sequence[Gain]

    def to_json(self) -> dict[str, Any]:
        ways = [self._way(one) for one in self.ranked]
        slices = Counter(one.slice for one in self.questions if one.slice)
        sizes = {"questions": len(self.questions), "skipped": dict(self.skipped), "slices": dict(slices)}
        return {"folder": str(self.folder), **sizes, "ways": ways, "gains": [_gain_json(one) for one in self.gains]}

    def _way(self, one: Ranked) -> dict[str, Any]:
        values = {
            name: {"mean": finite(one.mean(name)), **self.intervals[one.way, name].to_json()} for name in one.values
        }
        words = {str(cut): sum(counts) / len(counts) for cut, counts in one.words.items()}
        facts = {"way": one.way, "index": one.variant, "leg": one.leg, "milliseconds": _median(one.milliseconds)}
        return {**facts, "values": values, "words": words}

    def tables(self) -> Sequence[Table]:
        cuts = [name for name in self.ranked[0].values if name.startswith("recall")]
        quality, cost = list[tuple[str, ...]](), list[tuple[str, ...]]()
        for one in self.ranked:
            interval, place = self.intervals[one.way, NDCG], (one.variant, _bare(one.way, one.variant))
            best = f"{one.mean(NDCG):.3f} [{interval.low:.3f}, {interval.high:.3f}]"
            quality.append((*place, best, *(f"{one.mean(name):.3f}" for name in (*cuts, MRR, MAP))))
            words = (f"{sum(one.words[cut]) / len(one.words[cut]):,.0f}" for cut in self._k())
            cost.append((*place, f"{_median(one.milliseconds):.1f}", *words))
        columns = ("index", "way", f"{NDCG} [95 % interval]", *cuts, MRR, MAP)
        note = f"{len(self.questions):,} questions; intervals draw whole documents (or groups)."
        prices = ("index", "way", "ms a question (median)", *(f"words in {cut}" for cut in self._k()))
        found = [
            Table("Quality", columns, tuple(quality), note),
            Table("Cost", prices, tuple(cost), "Times are without the question's vector."),
        ]
        return [*found, _gain_table(self.gains)] if self.gains else found

    def charts(self) -> list[LineChart | Bars]:
        """Returns quality against the passages and the words that are read, and the deciding metric with intervals."""
        cuts = self._k()
        by_k = [Series(one.way, cuts, [one.mean(f"recall@{cut}") for cut in cuts]) for one in self.ranked]
        words = {one.way: [sum(one.words[cut]) / len(one.words[cut]) for cut in cuts] for one in self.ranked}
        by_words = [Series(one.name, words[one.name], one.y) for one in by_k]
        bars = [
            Bar(one.way, one.mean(NDCG), finite(interval.low), finite(interval.high))
            for one in self.ranked
            for interval in (self.intervals[one.way, NDCG],)
        ]
        return [
            LineChart("Recall by passages read", by_k, x_label="passages (k)", y_label="recall"),
            LineChart("Recall by cost", by_words, x_label="words that a model reads", y_label="recall"),
            Bars(NDCG, bars, share=True),
        ]

    def next_commands(self) -> Sequence[str]:
        return []

    def _k(self) -> list[int]:
        return sorted(self.ranked[0].words)


def evaluate_stores(
    spec: Wanted, options: RankingOptions, store: Store, folder: Path, rerank: Mapping[str, Rerank], report: Report
) -> StoreResult:
    """Returns how every way of searching the stores that `spec.systems` name does on the questions of `spec.data`."""
    ranked, found_gains = list[Ranked](), list[Gain]()
    questions, skipped = list[Asked](), Counter[str]()
    k = sorted(set(options.k))
    for system in spec.systems:
        named = NamedStore.find(store, system.removeprefix(PREFIX))
        questions, skipped = _questions(named, spec)
        mine = list[Ranked]()
        for variant, searcher in _variants(system, named, options, report):
            mine += _searched(variant, searcher, questions, k, options, rerank, report)
        ranked += mine
        found_gains += gains(mine, questions, resamples=spec.resamples, seed=spec.seed)
    groups = [one.group for one in questions]
    intervals = {
        (one.way, name): one.interval(name, groups, spec.resamples, spec.seed) for one in ranked for name in one.values
    }
    return StoreResult(folder, questions, skipped, ranked, intervals, found_gains)


def write_result(result: StoreResult, made: Mapping[str, Any], dump: str, report: Report) -> StoreResult:
    """Writes evaluation.json, items.jsonl and report.html, and says what joining both legs gained or lost."""
    text = json.dumps({**made, **result.to_json()}, ensure_ascii=False, indent=2)
    write_whole(result.folder / "evaluation.json", text)
    items = (
        {"question": one.text, "group": one.group, "slice": one.slice}
        | {"values": {way.way: {name: finite(kept[at]) for name, kept in way.values.items()} for way in result.ranked}}
        for at, one in enumerate(result.questions)
    )
    write_whole(result.folder / "items.jsonl", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in items))
    facts = [("questions", f"{len(result.questions):,}"), ("ways", f"{len(result.ranked)}")]
    sections = [*result.charts(), *result.tables(), Raw("Spec", dump)]
    write_whole(result.folder / "report.html", render(Page("Retrieval", facts, sections)))
    for one in result.gains:
        where = "" if one.slice == ALL else f" on {one.slice!r}"
        report.event("result", f"{one.joined} less {one.leg}{where}: {NDCG} {_span(one)}, {_verdict(one)}")
    report.event("info", f"report: {result.folder / 'report.html'}")
    return result


def _questions(named: NamedStore, spec: Wanted) -> tuple[list[Asked], Counter[str]]:
    rows = named.documents.rows()
    known = _tails({str(row.body["source"]): id for id, row in rows.items()}) | {id: id for id in rows}

    def span(document: str, passage: str) -> tuple[int, int] | None:
        passages = named.documents.passages([document]).get(document, [])
        return next(((one.start, one.end) for one in passages if one.id == passage), None)

    questions, skipped = read_asked(spec.data, known, span)
    if not questions:
        raise SpecError("no row holds a question with the place of its answer", where=", ".join(spec.data))
    if spec.limit is not None and spec.limit < len(questions):
        chosen = sorted(random.Random(spec.seed).sample(range(len(questions)), spec.limit))
        questions = [questions[at] for at in chosen]
    return questions, skipped


def _tails(documents: Mapping[str, str]) -> dict[str, str]:
    """Returns ids of documents by source, and by every end of a path that only one source has."""
    ends = [
        (source.split("/", at)[-1], id) for source, id in documents.items() for at in range(1, source.count("/") + 1)
    ]
    counts = Counter(end for end, _ in ends)
    return {end: id for end, id in ends if counts[end] == 1} | dict(documents)


def _variants(
    system: str, named: NamedStore, options: RankingOptions, report: Report
) -> Iterator[tuple[str, Searcher]]:
    """Yields the store's own index, and one for the occasion for each other embedder and length of passages."""
    own = Searcher(named, lambda made: _remembering(open_embedder(made.options())))
    yield system, own
    before = named.active
    assert before is not None, "it has been searched"
    lengths = [None, *options.passage_tokens]
    for name in (None, *options.embedder):
        embedder = open_embedder(before.options() if name is None else EmbedderOptions(embedder=name))
        for tokens in lengths:
            if name is None and tokens is None:
                continue
            cut = tokens or int((named.row.body.get("cutting") or {}).get("passage_tokens") or 220)
            said = [*([name] if name else []), *([f"passages of {tokens}"] if tokens else [])]
            with _other(named, before, embedder, cut, report) as searcher:
                yield f"{system}, {', '.join(said)}", searcher


@contextmanager
def _other(
    named: NamedStore, before: Configuration, embedder: TextEmbedder | None, tokens: int, report: Report
) -> Iterator[Searcher]:
    if embedder is not None and tokens > embedder.room:
        problem = f"is {tokens}, and {embedder.name} reads {embedder.room} tokens"
        raise SpecError(problem, where="passage_tokens", remedy="give less", param="passage_tokens")
    documents = (named.documents.document(row) for row in named.documents.rows().values())
    vectors = named.store.folder / "cache" / "vectors.db"
    with trial(
        documents,
        _remembering(embedder),
        vectors,
        report,
        passage_tokens=tokens,
        similarity=before.shape.similarity,
        language=before.shape.language,
    ) as searcher:
        yield searcher


class _Remembered:
    """A source of vectors that has those of single texts ready when they are asked for again."""

    def __init__(self, source: Any) -> None:
        self._source, self._vectors = source, dict[str, Vector]()
        self.dimensions, self.max_tokens, self.around = source.dimensions, source.max_tokens, source.around

    def embed(self, texts: Sequence[str]) -> Vector:
        if len(texts) != 1:
            return np.asarray(self._source.embed(texts), np.float32)
        if texts[0] not in self._vectors:
            self._vectors[texts[0]] = self._source.embed(texts)
        return self._vectors[texts[0]].copy()

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return list(self._source.lengths(texts))


def _remembering(embedder: TextEmbedder | None) -> TextEmbedder | None:
    return None if embedder is None else replace(embedder, source=_Remembered(embedder.source))


def _searched(
    variant: str,
    searcher: Searcher,
    questions: Sequence[Asked],
    k: Sequence[int],
    options: RankingOptions,
    rerank: Mapping[str, Rerank],
    report: Report,
) -> list[Ranked]:
    """Returns how each way does on an index; each question is asked in all ways before the next."""
    depth = max(DECIDING_K, *k)
    searcher.search(questions[0].text, SearchOptions(mode="text"))  # what is opened is opened before the clock runs
    assert searcher.store.active is not None
    vectors = searcher.store.active.shape.dimensions > 0
    ways = [
        (Ranked(f"{variant}: {name}", variant, leg), search, scorer)
        for name, leg, search, scorer in _ways(options, depth, rerank, vectors)
    ]
    for number, asked in enumerate(questions, 1):
        if vectors:  # its vector is the same in all ways, and is made once
            searcher.search(asked.text, SearchOptions(k=1, mode="vector"))
        for ranked, search, scorer in ways:
            began = time.perf_counter()
            found = [one.passage for one in searcher.search(asked.text, search, rerank=scorer)]
            taken = (time.perf_counter() - began) * 1e3
            ranked.add(asked, found, k, word_lengths([passage.text for passage in found]), taken)
        report.progress(variant, number, len(questions))
        if report.cancelled():
            raise Interrupted("nothing is kept", where=variant, remedy="give the same command again")
    return [ranked for ranked, _, _ in ways]


def _ways(
    options: RankingOptions, depth: int, rerank: Mapping[str, Rerank], vectors: bool
) -> Iterator[tuple[str, str, SearchOptions, Rerank | None]]:
    """Yields the name, the leg and the options of each way; an index without vectors is searched by words alone."""
    for leg in options.legs if vectors else ("text",):
        if leg == "rrf":
            yield leg, leg, SearchOptions(k=depth, mode="hybrid", fusion="rrf"), None
        else:
            yield leg, leg, SearchOptions(k=depth, mode=leg), None
    if not vectors:
        return
    for weight in options.weight:
        yield f"hybrid, weight {weight:g}", "hybrid", SearchOptions(k=depth, mode="hybrid", weight=weight), None
    for name, scorer in rerank.items():
        yield f"hybrid, reranked by {name}", "hybrid", SearchOptions(k=depth, mode="hybrid"), scorer


def _gain_table(found: Sequence[Gain]) -> Table:
    rows = tuple(
        (
            one.variant,
            one.slice,
            f"{one.questions:,}",
            _bare(one.joined, one.variant),
            _bare(one.leg, one.variant),
            _span(one),
            f"{one.paired.p_value:.2g}",
            _verdict(one),
        )
        for one in found
    )
    columns = ("index", "slice", "questions", "joined", "leg", f"{NDCG}, difference [95 %]", "p", "joined is")
    return Table("Both joined, against the better single leg", columns, rows)


def _bare(way: str, variant: str) -> str:
    return way.removeprefix(f"{variant}: ")


def _span(gain: Gain) -> str:
    interval = gain.paired.interval
    return f"{gain.paired.difference:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"


def _verdict(gain: Gain) -> str:
    return verdict(gain.paired.interval, gain.paired.p_value)


def _gain_json(gain: Gain) -> dict[str, Any]:
    tested = {"difference": finite(gain.paired.difference), **gain.paired.interval.to_json()}
    tested |= {"p_value": finite(gain.paired.p_value)}
    facts = {"index": gain.variant, "slice": gain.slice, "questions": gain.questions}
    return {**facts, "joined": gain.joined, "leg": gain.leg, **tested, "verdict": _verdict(gain)}


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
