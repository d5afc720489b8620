"""Write questions and answers from documents with a model, and keep those that pass every filter."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import LocalPath, ModelName, Positional
from luthier.errors import Interrupted, SpecError, StateError
from luthier.models.options import LoadOptions
from luthier.report import Report, Table
from luthier.retrieval.options import EmbedderOptions
from luthier.synthesis.options import CostOptions, QuestionOptions

if TYPE_CHECKING:
    from luthier.evaluation.items import System
    from luthier.records.document_files import DocumentFile
    from luthier.retrieval.embedders import TextEmbedder
    from luthier.synthesis.card import Estimate
    from luthier.synthesis.filters import Yields
    from luthier.synthesis.questions import Part, Place, Question

DOCUMENTS, REPLIES, VECTORS = "documents.jsonl", "requests.jsonl", "vectors.db"


class Spec(QuestionOptions, CostOptions, EmbedderOptions, LoadOptions):
    """Which documents questions are made from, by which model."""

    title = "Documents"
    source: Annotated[LocalPath, Positional()] = Field(
        min_length=1, description="a folder that luthier collect made, or its documents.jsonl"
    )
    model: ModelName = Field(
        default="fiddle", min_length=1, description="who writes them: a folder, a hub name, or URL#MODEL of a server"
    )
    model_key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds the key of the model's server"
    )
    max_tokens: int = Field(default=200, ge=8, le=4096, description="tokens of a reply at most")
    temperature: float = Field(default=0.0, ge=0, le=2, description="0 always takes the likeliest token")
    output: LocalPath | None = Field(default=None, description="folder for the questions; default: questions/ in DIR")


@dataclass(frozen=True)
class Result:
    """What was made: counts by part, yields by filter, and the folder with all of it."""

    folder: Path
    estimate: Estimate
    yields: Yields | None
    counts: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"folder": str(self.folder), "estimate": self.estimate.to_json(), "counts": self.counts}
        if self.yields is None:
            return out
        return out | {"asked": self.yields.asked, "failed": self.yields.failed, "passed": self.yields.passed}

    def tables(self) -> Sequence[Table]:
        from luthier.synthesis.card import yield_table

        if self.yields is None:
            return [self.estimate.table()]
        counts = tuple((name, f"{count:,}") for name, count in self.counts.items())
        return [yield_table(self.yields), Table(f"In {self.folder}", ("part", "questions"), counts)]

    def next_commands(self) -> Sequence[str]:
        if not self.counts.get("train"):
            return []
        return [
            f"luthier tune {self.folder / 'train.jsonl'} --model fiddle --group-by group",
            f"luthier evaluate fiddle --data {self.folder / 'test.jsonl'} --group-by group",
            f"luthier evaluate store:NAME --data {self.folder / 'questions.jsonl'}",
        ]


def run(spec: Spec, report: Report) -> Result:
    """Returns what became of the questions. A trial says first what the whole takes; replies are kept, so that the same
    command goes on where it was stopped and pays for nothing twice."""
    from luthier.evaluation.replies import KeptReplies
    from luthier.records.messages import Sampling
    from luthier.retrieval.embedders import open_embedder
    from luthier.synthesis.asking import Asker
    from luthier.synthesis.card import estimate
    from luthier.synthesis.filters import Yields, round_trip, write

    file = _documents(spec.source)
    embedder = open_embedder(EmbedderOptions(**{name: getattr(spec, name) for name in EmbedderOptions.model_fields}))
    places = _places(file, embedder, spec)
    folder = Path(spec.output) if spec.output else file.path.parent / "questions"
    sampling = Sampling(max_tokens=spec.max_tokens, temperature=spec.temperature, seed=spec.seed)
    with KeptReplies(folder / REPLIES) as kept, _system(spec) as (system, identity):
        tried = random.Random(spec.seed).sample(places, min(spec.dry_passages, len(places)))
        trial = Asker(system, identity, kept, sampling, report)
        round_trip(write(tried, spec.kinds, trial, Yields()), trial, Yields())
        whole = estimate(trial.spent, [place.passage.id for place in tried], len(places), spec)
        report.event("plan", f"questions go to {folder}", table=whole.table(), data=whole.to_json())
        if spec.dry_run:
            return Result(folder, whole, None, {})
        if spec.max_cost is not None and not whole.cost.high <= spec.max_cost:
            raise StateError(
                f"the whole costs {whole.cost.shown(',.4f')}, and may cost {spec.max_cost:g}",
                where="max_cost",
                remedy="ask about fewer --passages, or allow more; the trial's replies are kept",
            )
        asker = Asker(system, identity, kept, sampling, report)
        yields = Yields()
        found = round_trip(write(places, spec.kinds, asker, yields), asker, yields)
    parts = _parts(_reached(found, file, embedder, folder, spec, yields, report), embedder, spec, yields)
    return _written(folder, parts, yields, whole, spec, report)


def _documents(source: str) -> DocumentFile:
    from luthier.records.document_files import DocumentFile

    path = Path(source).expanduser()
    file = path / DOCUMENTS if path.is_dir() else path
    if not file.is_file() or file.suffix != ".jsonl":
        raise SpecError(f"holds no {DOCUMENTS}", where=source, remedy=f"make it: luthier collect {source} --output DIR")
    return DocumentFile(file)


def _places(file: DocumentFile, embedder: TextEmbedder | None, spec: Spec) -> list[Place]:
    """Returns the passages to ask about, in order, each on its side: documents are divided before anything is asked."""
    from luthier.retrieval.embedders import word_lengths
    from luthier.sources.chunk import chunk
    from luthier.synthesis.clusters import clusters, held_out
    from luthier.synthesis.questions import Place

    groups = clusters(file)
    held, places = held_out(sorted(set(groups)), spec.test_fraction, spec.seed), list[Place]()
    for document, group in zip(file, groups, strict=True):
        length = embedder.lengths if embedder else word_lengths
        passages = list(chunk(document, length=length, max_tokens=spec.passage_tokens))
        light = replace(document, text="", blocks=())
        for passage, following in zip(passages, [*passages[1:], None], strict=True):
            places.append(Place(light, passage, following, group, group in held))
    if not places:
        raise SpecError("holds no passage", where=str(file.path), remedy="collect documents that have text")
    if spec.passages is not None and spec.passages < len(places):
        chosen = sorted(random.Random(spec.seed).sample(range(len(places)), spec.passages))
        places = [places[number] for number in chosen]
    return places


@contextmanager
def _system(spec: Spec) -> Iterator[tuple[System, str]]:
    """Yields who answers, and what changes when its answers would."""
    from luthier.synthesis.asking import Streamed

    if spec.model.startswith(("http://", "https://")):
        from luthier.generation.remote import Remote, RemoteChat, only_model, waited

        url, _, name = spec.model.partition("#")
        if not name:
            name = waited(only_model(Remote(url, "", key_variable=spec.model_key_variable)))
        yield Streamed(RemoteChat(Remote(url, name, key_variable=spec.model_key_variable)), name), f"{url}#{name}"
        return
    from luthier.generation.chat import TemplateChat
    from luthier.models.load import load_opened
    from luthier.models.opening import fingerprint, open_model

    opened = open_model(spec.model, spec)
    yield TemplateChat.of(load_opened(opened), owned=True), f"{fingerprint(opened)} {opened.dtype}"


def _reached(
    found: Sequence[Question],
    file: DocumentFile,
    embedder: TextEmbedder | None,
    folder: Path,
    spec: Spec,
    yields: Yields,
    report: Report,
) -> list[Question]:
    """Returns the questions that find their passage among all of the documents."""
    from luthier.retrieval.trial import trial
    from luthier.synthesis.filters import in_reach

    if not found:
        return []

    def between(done: int) -> None:
        report.progress("find again", done, len(found))
        if report.cancelled():
            raise Interrupted("the replies are kept", where="synthesize", remedy="give the same command again")

    with trial(file, embedder, folder / VECTORS, report, passage_tokens=spec.passage_tokens) as searcher:
        return in_reach(found, searcher, spec.reach, yields, between)


def _parts(
    found: Sequence[Question], embedder: TextEmbedder | None, spec: Spec, yields: Yields
) -> dict[Part, list[Question]]:
    """Returns the questions by part. Of two that are near, the one to be tested stays."""
    from luthier.synthesis.clusters import share
    from luthier.synthesis.filters import apart

    def part(question: Question) -> Part:
        if question.place.test:
            return "test"
        return "unseen" if share("question", question.of or question.id, spec.seed) < spec.unseen_fraction else "train"

    first: dict[Part, int] = {"test": 0, "unseen": 1, "train": 2}
    kept = apart(sorted(found, key=lambda question: first[part(question)]), embedder, spec.near, yields)
    return {name: [question for question in kept if part(question) == name] for name in first}


def _written(
    folder: Path,
    parts: dict[Part, list[Question]],
    yields: Yields,
    whole: Estimate,
    spec: Spec,
    report: Report,
) -> Result:
    from luthier import __version__
    from luthier.evaluation.outcome import write_whole
    from luthier.synthesis.card import CARD, PAGE, card_page, write_questions

    write_questions(folder, parts, yields, spec.model, spec.context)
    result = Result(folder, whole, yields, {name: len(questions) for name, questions in parts.items()})
    spoken = {"luthier": __version__, "spec": json.loads(spec.model_dump_json())}
    write_whole(folder / CARD, json.dumps(spoken | result.to_json(), ensure_ascii=False, indent=2) + "\n")
    facts = {"model": spec.model, "documents": spec.source, "luthier": __version__}
    write_whole(folder / PAGE, card_page([*result.tables(), whole.table()], facts))
    if not any(result.counts.values()):
        said = f"no question passed every filter; {folder / 'refused.jsonl'} says why each went"
        report.event("warning", said)
    return result
