"""Compare a model with a server that is said to have it, before traffic moves there.

Exit code 0 when they are the same within the tolerance, 1 when they are not.
"""

from __future__ import annotations

import gc
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from luthier.config import LocalPath, ModelName, Outside, Positional
from luthier.errors import Interrupted, LuthierError, ModelError, SpecError
from luthier.models.options import LoadOptions
from luthier.records.options import FormatOptions
from luthier.report import Report, Table

if TYPE_CHECKING:
    from luthier.evaluation.agreement import Agreement, Here, There
    from luthier.evaluation.items import Item
    from luthier.generation.chat import TemplateChat
    from luthier.generation.elsewhere import Served
    from luthier.models.opening import Opened
    from luthier.records.messages import Reply

RANKED, REFERENCE_TOKENS = 5, 64
"""Likeliest tokens that are looked at where replies part; tokens of a reference answer that are scored."""


class Spec(FormatOptions, LoadOptions):
    """Which server is compared with which model, on which prompts, and how closely."""

    title = "Verify"
    url: Annotated[str, Outside("url"), Positional()] = Field(
        pattern=r"^https?://", description="the server's API, with its /v1: http://127.0.0.1:8000/v1"
    )
    run: Annotated[ModelName, Positional()] = Field(description="the run folder, model or adapter it should answer as")
    model: str | None = Field(
        default=None, min_length=1, description="what the server calls the model; by default the only one it has"
    )
    key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds the server's key"
    )
    prompts: tuple[LocalPath, ...] = Field(
        default=(), description="files of rows to ask; by default the run's held-out rows, else those it was given"
    )
    count: int = Field(default=50, ge=1, le=10_000, description="prompts to compare, drawn by the seed")
    seed: int = Field(default=0, ge=0, description="seed of the drawn prompts")
    max_tokens: int = Field(default=64, ge=1, le=100_000, description="tokens of each answer at most")
    tolerance: float = Field(
        default=0.05,
        ge=0,
        description="log-probabilities may differ by this on average, and answers may part where the two tokens are "
        "this close (natural logarithms)",
    )
    max_difference: float = Field(
        default=0.5, ge=0, description="the log-probability of any one token may differ by this"
    )


@dataclass(frozen=True)
class Result:
    """What was found."""

    url: str
    model: str
    run: str
    agreement: Agreement

    def to_json(self) -> dict[str, Any]:
        return {"url": self.url, "model": self.model, "run": self.run} | self.agreement.to_json()

    def tables(self) -> Sequence[Table | str]:
        return [*self.agreement.tables(), f"\n{self.model} at {self.url} is {self.agreement.verdict}"]

    def next_commands(self) -> Sequence[str]:
        if self.agreement.faults:
            return []
        return [f"luthier serve --model {shlex.quote(self.model)} --upstream {shlex.quote(self.url)}"]


def exit_code(result: Result) -> int:
    """Returns 0 when the server is the same within the tolerance, 1 when it is not."""
    return 1 if result.agreement.faults else 0


def run(spec: Spec, report: Report) -> Result:
    """Returns how far the server at `spec.url` is from the model `spec.run`. `RemoteError` when it does not answer."""
    from luthier.evaluation.agreement import Agreement, compared, shared_logprobs
    from luthier.generation.elsewhere import Served
    from luthier.generation.remote import Remote, only_model, waited
    from luthier.models.opening import open_model

    remote = Remote(spec.url, spec.model or "", key_variable=spec.key_variable)
    if spec.model is None:
        remote.model = waited(only_model(remote))
    items = _items(spec)
    served = Served(remote, _between(report))
    opened = open_model(spec.run, spec)
    there = _there(served, items, spec, report)  # first, since a server that is away is soon known
    chat = _chat(opened)
    here = _here(chat, items, spec, report)
    asked = [(item, ours, theirs) for item, ours, theirs in zip(items, here, there, strict=True) if ours is not None]
    if not asked:
        raise SpecError(f"none of {len(items)} prompts fits the model", where=spec.run, remedy="give shorter --prompts")
    if len(asked) < len(items):
        report.event("warning", f"{len(items) - len(asked)} prompts do not fit the model here, and are left out")
    differences, by = _scores(served, chat, [item for item, _, _ in asked], report), "the reference answers"
    if differences is None:
        differences, by = [gap for _, ours, theirs in asked for gap in shared_logprobs(ours, theirs)], "the answers"
    del chat
    gc.collect()
    rows = tuple(compared(item.prompt.shown(), ours, theirs, spec.tolerance) for item, ours, theirs in asked)
    agreement = Agreement(rows, tuple(differences), by if differences else "", spec.tolerance, spec.max_difference)
    result = Result(spec.url, remote.model, spec.run, agreement)
    report.event("result", f"{remote.model} at {spec.url} is {agreement.verdict}")
    return result


def _items(spec: Spec) -> list[Item]:
    from luthier.evaluation.items import items_of
    from luthier.evaluation.run_rows import items_of_run
    from luthier.records.reading import read_rows

    if not spec.prompts:
        found = items_of_run(Path(spec.run).expanduser(), limit=spec.count, seed=spec.seed)
    else:
        found = items_of(read_rows(spec.prompts, spec), limit=spec.count, seed=spec.seed)[0]
    if not found:
        raise SpecError("no row holds a question with an answer", where=", ".join(spec.prompts) or spec.run)
    return found


def _between(report: Report) -> Callable[[], None]:
    def between() -> None:
        if report.cancelled():
            raise Interrupted("the comparison was stopped")

    return between


def _there(served: Served, items: Sequence[Item], spec: Spec, report: Report) -> list[There]:
    """Returns what the server answers to each prompt."""
    from luthier.evaluation.agreement import There
    from luthier.generation.remote import waited

    prompts = [item.prompt for item in items]

    async def work() -> list[Any]:
        try:
            return list(await served.replies(prompts, spec.max_tokens, _progress("answers there", len(items), report)))
        finally:
            await served.remote.close()

    def said(reply: Reply | LuthierError) -> There:
        if isinstance(reply, LuthierError):
            return There(error=str(reply))
        pieces = tuple(served.chat.token_bytes(token) for token in reply.token_ids)
        return There(reply.text, reply.tool_calls, pieces, reply.logprobs, reply.usage.prompt_tokens or None)

    return [said(reply) for reply in waited(work())]


def _chat(opened: Opened) -> TemplateChat:
    from luthier.generation.chat import TemplateChat
    from luthier.models.load import load_opened

    return TemplateChat.of(load_opened(opened))


def _here(chat: TemplateChat, items: Sequence[Item], spec: Spec, report: Report) -> list[Here | None]:
    """Returns what the model answers to each prompt; None where that does not fit it."""
    from luthier.evaluation.agreement import Here
    from luthier.generation.text import TokenBytes
    from luthier.records.messages import Sampling

    bytes_of, stops = TokenBytes(chat.engine.tokenizer), chat.template.stop_ids
    found: list[Here | None] = [None] * len(items)
    told = _progress("answers here", len(items), report)
    done = 0

    def piece(token: int) -> bytes | None:
        return None if token in stops else b"" if token in bytes_of.special else bytes_of(token)

    def on_reply(place: int, reply: Reply | LuthierError) -> None:
        nonlocal done
        done += 1
        told(done)
        if isinstance(reply, LuthierError):
            return
        ranked = tuple(tuple((piece(token), value) for token, value in some) for some in reply.top_logprobs)
        pieces = tuple(piece(token) for token in reply.token_ids)
        found[place] = Here(reply.text, reply.tool_calls, pieces, reply.logprobs, ranked, reply.usage.prompt_tokens)

    sampling = Sampling(max_tokens=spec.max_tokens, logprobs=True, top_logprobs=RANKED)
    chat.answer([item.prompt for item in items], sampling, on_reply, _between(report))
    return found


def _scores(served: Served, chat: TemplateChat, items: Sequence[Item], report: Report) -> list[float] | None:
    """Returns how far the log-probabilities of the reference answers' tokens are apart; None when the server does not
    score them."""
    from luthier.generation.remote import waited

    pairs = []
    for item in items:
        prompt = chat.template.prompt(item.prompt.messages, item.prompt.tools)
        reference = chat.engine.tokenizer.encode(item.reference.content or "", add_special_tokens=False)
        pair = prompt, reference[:REFERENCE_TOKENS]
        if reference and _fits(chat, *pair):
            pairs.append(pair)

    async def work() -> list[tuple[float, ...]] | None:
        try:
            return await served.scores(pairs, _progress("scores there", len(pairs), report))
        finally:
            await served.remote.close()

    theirs = waited(work())
    if theirs is None:
        return None
    told, between, out = _progress("scores here", len(pairs), report), _between(report), list[float]()
    for done, ((prompt, reference), values) in enumerate(zip(pairs, theirs, strict=True), 1):
        between()
        ours = chat.engine.score_tokens(prompt, reference)
        out += [abs(a - b) for a, b in zip(ours, values, strict=True)]
        told(done)
    return out


def _fits(chat: TemplateChat, prompt: Sequence[int], reference: Sequence[int]) -> bool:
    try:
        chat.engine.check(prompt, room=len(reference) + 1)
    except ModelError:
        return False
    return True


def _progress(task: str, total: int, report: Report) -> Callable[[int], None]:
    report.progress(task, 0, total)
    return lambda done: report.progress(task, done, total)
