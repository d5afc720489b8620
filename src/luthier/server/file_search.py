"""The search in files that comes before an answer, and what the answer says of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from luthier.records.messages import Delta
from luthier.server.asking import Question
from luthier.server.call import Call
from luthier.server.routes.vector_stores import living, searched
from luthier.server.wire.items import Item
from luthier.server.wire.responses import RESULTS, CreateResponse, FileSearchTool, Read
from luthier.store.ids import new_id

if TYPE_CHECKING:
    from luthier.records.documents import Citation
    from luthier.retrieval.context import Context
    from luthier.server.searching import Hit

REPLY_TOKENS, ELSEWHERE_TOKENS, AROUND_TOKENS, TOKENS_A_WORD = 256, 6000, 96, 2
"""Tokens kept for a reply of no stated length, for passages where the model is elsewhere, and for what is around."""


@dataclass(frozen=True)
class Searched:
    """A search that has been made: what was found, and what of it the model is shown."""

    query: str
    hits: Sequence[Hit]
    context: Context
    cites: bool
    id: str = field(default_factory=lambda: new_id("fs_"))

    def question(self, question: Question) -> Question:
        """Returns what the model is asked, with the passages."""
        if not self.context.shown:
            return question
        return replace(question, messages=self.context.messages(question.messages))

    def item(self, status: str, *, results: bool) -> Item:
        """Returns the item that tells of the search."""
        found = [_result_json(hit) for hit in self.hits] if results else None
        return {"type": "file_search_call", "id": self.id, "status": status, "queries": [self.query], "results": found}

    async def told(
        self, pieces: AsyncIterator[Delta], cited: list[Mapping[str, Any]], *, alone: bool
    ) -> AsyncGenerator[Delta, None]:
        """Yields a reply with its citations checked, and puts the annotations of these into `cited`. Where nothing was
        found and the search stands `alone`, that is the reply, and no model is asked."""
        from luthier.retrieval.answer import answered, not_enough

        if not self.cites or not (self.context.shown or alone):
            async with aclosing(pieces) as coming:  # type: ignore[type-var]
                async for delta in coming:
                    yield delta
            return
        async with aclosing(answered(self.context, pieces if self.context.shown else not_enough())) as told:
            async for piece in told:
                if isinstance(piece, Delta):
                    yield piece
                else:
                    cited += [self._annotation(one) for one in piece.citations]

    def _annotation(self, citation: Citation) -> dict[str, Any]:
        hit = self.hits[citation.number - 1]
        return {"type": "file_citation", "file_id": hit.file, "filename": hit.filename, "index": citation.at}


def look_up(call: Call, body: Read, question: Question) -> Searched | None:
    """Returns what is found for the last turn of the user's; None where no files are to be searched."""
    tool = body.file_search
    if tool is None:
        return None
    from luthier.retrieval.context import fitted, last_question

    query = question.messages[last_question(question.messages)].content or ""
    hits = _hits(call, tool, query)
    length, budget = _room(call, body, question)
    context = fitted(query, [hit.found for hit in hits], length, budget)
    return Searched(query, hits, context, cites=question.schema is None)


def _hits(call: Call, tool: FileSearchTool, query: str) -> list[Hit]:
    names = [f"tools.vector_store_ids[{number}]" for number in range(len(tool.vector_store_ids))]
    stores = [living(call, id, name) for id, name in zip(tool.vector_store_ids, names, strict=True)]
    ranking = tool.ranking_options
    return searched(
        call,
        list({row.id: row for row in stores}.values()),
        [query],
        most=tool.value("max_num_results"),
        threshold=ranking.value("score_threshold") if ranking else 0.0,
        filter=tool.filters,
        weight=ranking.weight if ranking else None,
    )


def _room(call: Call, body: Read, question: Question) -> tuple[Any, int]:
    """Returns what counts the model's tokens, and how many of them there are for passages."""
    from luthier.retrieval.embedders import word_lengths

    if call.server.answering.remote(body.model) is not None:
        return lambda texts: [TOKENS_A_WORD * count for count in word_lengths(texts)], ELSEWHERE_TOKENS
    chat = call.server.answering.here(body.model, call.project)
    asked = len(chat.asked(question.messages, question.tools))
    reply = body.max_output_tokens if isinstance(body, CreateResponse) and body.max_output_tokens else REPLY_TOKENS
    budget = chat.context_length - asked - min(reply, chat.context_length // 2) - AROUND_TOKENS
    return lambda texts: [len(row) for row in chat.template.encode_plain(list(texts))], budget


def results_wanted(body: CreateResponse) -> bool:
    """Returns whether the passages that were found are to be in the response."""
    return RESULTS in (body.include or ())


def _result_json(hit: Hit) -> dict[str, Any]:
    return {
        "file_id": hit.file,
        "filename": hit.filename,
        "score": hit.score,
        "text": hit.found.passage.text,
        "attributes": dict(hit.found.attributes),
    }
