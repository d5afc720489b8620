"""Ask an index, or whole documents: an answer with its sources, by page and place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import LocalPath, ModelName, Positional
from luthier.errors import Interrupted, SpecError
from luthier.generation.options import SamplingOptions
from luthier.models.options import LoadOptions
from luthier.report import Report, Table
from luthier.retrieval.options import SearchOptions
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.records.documents import Document
    from luthier.records.messages import Chat, Delta
    from luthier.retrieval.answer import Answered
    from luthier.retrieval.context import Length
    from luthier.retrieval.search import Found

REPLY_TOKENS, ELSEWHERE_TOKENS, AROUND_TOKENS = 256, 6000, 96
"""Tokens kept for a reply where none are named, for passages where the model is elsewhere, for the prompt itself."""
WHOLE_TOKENS = 200
"""Tokens of a passage of a document that is shown whole: what a citation points at."""
TOKENS_A_WORD, SNIPPET, DOCUMENTS = 2, 120, "documents.jsonl"
Write = Callable[[str], None]


class Spec(SearchOptions, SamplingOptions, LoadOptions, StoreOptions):
    """Which index is asked, what, and who answers."""

    title = "Question"
    name: Annotated[str, Positional()] = Field(
        min_length=1, description="the name of the index, or its id; with whole, the question stands here"
    )
    question: Annotated[str | None, Positional()] = Field(default=None, min_length=1, description="what is asked")
    model: ModelName = Field(
        default="fiddle", min_length=1, description="who answers: fiddle (embedded), a folder, a hub name, or URL#MODEL"
    )
    key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds the key of the model's server"
    )
    k: int = Field(default=5, ge=1, le=1000, description="passages to show the model at most")
    threshold: float | None = Field(
        default=0.2, ge=0, le=1, description="passages of less relevance are not shown; none left: not enough evidence"
    )
    filter: tuple[str, ...] = Field(
        default=(), description="only documents with these attributes: key=value, or a filter of the API as JSON"
    )
    whole: tuple[LocalPath, ...] = Field(
        default=(),
        description="show these documents whole, instead of passages of an index: files, or folders that luthier "
        "collect made",
    )
    context_tokens: int | None = Field(
        default=None,
        ge=32,
        le=10_000_000,
        description="tokens of passages at most; default: what the model has room for",
    )
    input_price: float = Field(default=0.0, ge=0, description="what a million tokens cost that the model reads")
    max_cost: float | None = Field(default=None, ge=0, description="refuse whole documents that cost more to read")
    show_context: bool = Field(default=False, description="show the passages that the model was shown")


@dataclass(frozen=True)
class Result:
    """An answer, and where it comes from. `streamed` when its text has been shown already."""

    question: str
    model: str
    answered: Answered
    cost: float
    show_context: bool = False
    streamed: bool = False

    def to_json(self) -> dict[str, Any]:
        told = self.answered
        out: dict[str, Any] = {"question": self.question, "model": self.model, "answer": told.text}
        out |= {"enough_evidence": told.enough, "citations": [one.to_json() for one in told.citations]}
        out |= {"citation_added": told.added, "citations_dropped": list(told.dropped), "left_out": told.left_out}
        out |= {"prompt_tokens": told.usage.prompt_tokens, "completion_tokens": told.usage.completion_tokens}
        out |= {"cost": self.cost}
        if self.show_context:
            out["context"] = [{"number": number, **one.to_json()} for number, one in enumerate(told.shown, 1)]
        return out

    def tables(self) -> Sequence[Table | str]:
        told = self.answered
        out: list[Table | str] = [] if self.streamed else [told.text]
        if told.citations:
            first = {one.number: one for one in reversed(told.citations)}
            rows = tuple(
                (
                    f"[{number}]",
                    one.source,
                    one.passage.pages,
                    f"{one.passage.start}-{one.passage.end}",
                    _short(one.passage.text),
                )
                for number, one in sorted(first.items())
            )
            out.append(Table("Sources", ("", "source", "page", "characters", "passage"), rows))
        if told.dropped:
            out.append(f"Left out of the answer, as no such passage was shown: {', '.join(map(str, told.dropped))}.")
        if told.added:
            out.append("The model cited nothing: the passage was found by its words.")
        if self.show_context:
            seen = tuple(
                (f"[{number}]", f"{one.relevance:.3f}", one.source, one.passage.pages, one.passage.text)
                for number, one in enumerate(told.shown, 1)
            )
            note = f"{told.left_out} more were found and did not fit" if told.left_out else ""
            out.append(Table("Shown to the model", ("", "relevance", "source", "page", "passage"), seen, note))
        return out

    def next_commands(self) -> Sequence[str]:
        return []


def run(spec: Spec, report: Report, write: Write | None = None) -> Result:
    """Returns the answer to `spec.question`; `write` gets its text as it comes. `NotFoundError` when there is no such
    index, `ContextError` or `SpecError` when whole documents do not fit or cost too much."""
    from luthier.generation.remote import waited
    from luthier.records.messages import Message
    from luthier.retrieval.answer import retrieving
    from luthier.retrieval.context import Price

    if spec.whole and spec.question is not None:
        raise SpecError("stands beside whole", where="name", remedy="give the question alone", param="name")
    question = spec.name if spec.whole else spec.question
    if question is None:
        raise SpecError("is missing", where="question", remedy=f'luthier ask {spec.name} "..."', param="question")
    with ExitStack() as open_things:
        search = _whole(spec, report) if spec.whole else _search(spec, report, open_things)
        chat, length, room = _chat(spec)
        budget = spec.context_tokens or room - length([question])[0] - AROUND_TOKENS
        price = Price(spec.input_price, spec.max_cost)
        asked = retrieving(chat, search, length=length, budget_tokens=budget, all_of_it=bool(spec.whole), price=price)
        pieces = asked.answer([Message("user", question)], spec.sampling(max_tokens=REPLY_TOKENS))
        told = waited(_told(pieces, report, write))
    cost = told.usage.prompt_tokens * spec.input_price / 1e6
    return Result(question, spec.model, told, cost, spec.show_context, write is not None)


async def _told(pieces: AsyncIterator[Delta | Answered], report: Report, write: Write | None) -> Answered:
    """Returns what came of a question, after its text has been written piece by piece."""
    from luthier.records.messages import Delta

    async with aclosing(pieces) as coming:  # type: ignore[type-var]
        async for piece in coming:
            if report.cancelled():
                raise Interrupted("the answer was stopped", where="ask")
            if not isinstance(piece, Delta):
                return piece
            if write is not None and piece.text:
                write(piece.text)
    raise AssertionError("an answer ends with what came of it")


def _search(spec: Spec, report: Report, open_things: ExitStack) -> Callable[[str], Sequence[Found]]:
    from luthier.retrieval.filters import read_filter
    from luthier.retrieval.search import Searcher
    from luthier.retrieval.stores import NamedStore
    from luthier.store.opened import Store

    filters = [read_filter(text) for text in spec.filter]
    filter: Mapping[str, Any] | None = {"type": "and", "filters": filters} if filters else None
    store = Store.open(spec)
    open_things.callback(store.close)

    def healed(said: str) -> None:
        report.event("warning", f"the index lost passages: luthier index --name {spec.name} brings them back ({said})")

    searcher = Searcher(NamedStore.find(store, spec.name), healed=healed)
    rerank = None
    if spec.rerank is not None:
        from luthier.encoding.pairs import PairScorer

        rerank = PairScorer.load(spec.rerank, spec).scores
    return lambda question: searcher.search(question, spec, filter, rerank)


def _whole(spec: Spec, report: Report) -> Callable[[str], Sequence[Found]]:
    from luthier.retrieval.context import whole
    from luthier.retrieval.embedders import word_lengths
    from luthier.sources.chunk import chunk

    documents = list(_documents(spec, report))
    found = whole(documents, lambda one: list(chunk(one, length=word_lengths, max_tokens=WHOLE_TOKENS)))
    return lambda question: found


def _documents(spec: Spec, report: Report) -> Sequence[Document]:
    """Returns the documents of `spec.whole`; what is not collected yet is, into a folder that goes afterwards."""
    import tempfile

    from luthier.config import bind
    from luthier.records.document_files import DocumentFile
    from luthier.workflows import collect

    raw, files = list[str](), list[Path]()
    for place in spec.whole:
        path = Path(place).expanduser()
        file = path / DOCUMENTS if path.is_dir() else path
        if file.name == DOCUMENTS and file.is_file():
            files.append(file)
        else:
            raw.append(place)
    with tempfile.TemporaryDirectory() as folder:
        if raw:
            found = collect.run(bind(collect.Spec, {"sources": raw, "output": folder}, where="luthier ask"), report)
            for problem in found.to_json()["problems"]:
                report.event("warning", f"{problem['source']}: {problem['status']}: {problem['reason']}")
            files.append(Path(folder) / DOCUMENTS)
        return [document for file in files for document in DocumentFile(file)]


def _chat(spec: Spec) -> tuple[Chat, Length, int]:
    """Returns who answers, what counts its tokens, and how many of them there are for prompts."""
    from luthier.retrieval.embedders import word_lengths

    reply = spec.max_tokens or REPLY_TOKENS
    if spec.model.startswith(("http://", "https://")):
        from luthier.generation.remote import Remote, RemoteChat

        url, _, model = spec.model.partition("#")
        remote = RemoteChat(Remote(url, model, key_variable=spec.key_variable))
        return remote, lambda texts: [TOKENS_A_WORD * count for count in word_lengths(texts)], ELSEWHERE_TOKENS
    from luthier.generation.chat import TemplateChat
    from luthier.models.load import load_model

    loaded = load_model(spec.model, spec)
    chat = TemplateChat.of(loaded, owned=True)
    return (
        chat,
        lambda texts: [len(row) for row in chat.template.encode_plain(list(texts))],
        loaded.context_length - reply,
    )


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SNIPPET else words[:SNIPPET].rsplit(" ", 1)[0] + " ..."
