"""Search an index: passages with their score, source, page and headings, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import ModelName, Positional
from luthier.errors import SpecError
from luthier.models.options import LoadOptions
from luthier.report import Report, Table
from luthier.retrieval.options import SearchOptions
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.retrieval.search import Found, Question, Rerank

SNIPPET = 160


class Spec(SearchOptions, LoadOptions, StoreOptions):
    """Which index is searched, for what."""

    title = "Question"
    name: Annotated[str, Positional()] = Field(min_length=1, description="the name of the index, or its id")
    query: Annotated[str, Positional()] = Field(min_length=1, description="what is searched for")
    filter: tuple[str, ...] = Field(
        default=(),
        description="only documents with these attributes: key=value (!= > >= < <= too), or a filter of the OpenAI API "
        "as JSON; source, title, language, media_type, author, licence and modified_at are there by themselves",
    )
    document: tuple[str, ...] = Field(default=(), description="only documents with these ids (doc_...)")
    hyde: bool = Field(default=False, description="search also by a passage that the writer makes up as an answer")
    multi_query: int = Field(default=0, ge=0, le=10, description="search also by so many other questions of the writer")
    writer: ModelName | None = Field(
        default=None, min_length=1, description="the model of hyde and multi_query: a folder, a hub name, or URL#MODEL"
    )


@dataclass(frozen=True)
class Result:
    """What was found, best first."""

    name: str
    question: Question
    found: Sequence[Found]

    def to_json(self) -> dict[str, Any]:
        asked = {"query": self.question.text, "also": list(self.question.also)}
        return {"name": self.name, **asked, "hypothetical": list(self.question.hypothetical), "data": self.listed()}

    def listed(self) -> list[dict[str, Any]]:
        """Returns the passages as JSON values."""
        return [{"rank": rank, **one.to_json()} for rank, one in enumerate(self.found, 1)]

    def tables(self) -> Sequence[Table | str]:
        if not self.found:
            return ["Nothing was found."]
        rows = tuple(_row(rank, one) for rank, one in enumerate(self.found, 1))
        return [
            Table(f"{self.name}: {self.question.text}", ("rank", "score", "source", "page", "under", "passage"), rows)
        ]

    def next_commands(self) -> Sequence[str]:
        return []


def run(spec: Spec, report: Report) -> Result:
    """Returns the passages that `spec.query` finds. `NotFoundError` when there is no such index."""
    from luthier.retrieval.filters import read_filter
    from luthier.retrieval.search import Searcher
    from luthier.retrieval.stores import NamedStore
    from luthier.store.opened import Store

    filters = [read_filter(text) for text in spec.filter]
    if spec.document:
        filters.append({"type": "in", "key": "document", "value": list(spec.document)})
    filter = _joined(filters)
    store = Store.open(spec)
    try:
        named = NamedStore.find(store, spec.name)

        def healed(said: str) -> None:
            again = f"luthier index --name {spec.name}"
            report.event("warning", f"the index was damaged and lost passages: {again} brings them back ({said})")

        searcher = Searcher(named, healed=healed)
        question = _question(spec)
        for text in (*question.also, *question.hypothetical):
            report.event("info", f"the writer: {text}")
        found = searcher.search(question, spec, filter, _reranker(spec, report))
    finally:
        store.close()
    return Result(spec.name, question, found)


def _joined(filters: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if len(filters) < 2:
        return filters[0] if filters else None
    return {"type": "and", "filters": list(filters)}


def _question(spec: Spec) -> Question:
    from luthier.retrieval.search import Question

    if not spec.hyde and not spec.multi_query:
        return Question(spec.query)
    if spec.writer is None:
        raise SpecError("is needed by hyde and multi_query", where="writer", remedy="name a model", param="writer")
    from luthier.generation.remote import waited
    from luthier.retrieval.expand import hypothetical, other_words

    chat = _chat(spec.writer, spec)

    async def write() -> Question:
        made = (await hypothetical(chat, spec.query),) if spec.hyde else ()
        also = await other_words(chat, spec.query, spec.multi_query) if spec.multi_query else ()
        return Question(spec.query, also, tuple(filter(None, made)))

    return waited(write())


def _chat(name: str, options: LoadOptions) -> Any:
    if name.startswith(("http://", "https://")):
        from luthier.generation.remote import Remote, RemoteChat

        url, _, model = name.partition("#")
        return RemoteChat(Remote(url, model))
    from luthier.generation.chat import TemplateChat
    from luthier.models.load import load_model

    return TemplateChat.of(load_model(name, options), owned=True)


def _reranker(spec: Spec, report: Report) -> Rerank | None:
    if spec.rerank is None:
        return None
    from luthier.encoding.pairs import PairScorer

    scorer = PairScorer.load(spec.rerank, spec)
    return lambda pairs: scorer.scores(pairs, lambda done: report.progress("rerank", done, len(pairs)))


def _row(rank: int, found: Found) -> tuple[str, ...]:
    words = " ".join(found.passage.text.split())
    snippet = words if len(words) <= SNIPPET else words[:SNIPPET].rsplit(" ", 1)[0] + " ..."
    under = " > ".join(found.passage.headings)
    return (str(rank), f"{found.score:.3f}", found.title or found.source, found.passage.pages, under, snippet)
