"""Measure models on held-out rows, or indexes on questions, side by side, with intervals and paired tests."""

from __future__ import annotations

import gc
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from luthier import config
from luthier.config import LocalPath, ModelName, Positional
from luthier.errors import Interrupted, SpecError
from luthier.evaluation.options import RankingOptions, ScoreOptions
from luthier.generation.options import BatchingOptions, SamplingOptions
from luthier.models.options import LoadOptions
from luthier.records.options import FormatOptions
from luthier.report import Report, Table
from luthier.store.options import StoreOptions

if TYPE_CHECKING:
    from luthier.evaluation.items import Answered, Item, OnReply, Prompt
    from luthier.evaluation.replies import KeptReplies
    from luthier.evaluation.score import Scores
    from luthier.evaluation.stores import StoreResult
    from luthier.models.opening import Opened
    from luthier.records.messages import Sampling

JOB_OUTPUT = ""


class Spec(FormatOptions, LoadOptions, ScoreOptions, SamplingOptions, BatchingOptions, RankingOptions, StoreOptions):
    """Which systems answer which rows, and how the replies are scored."""

    title = "Evaluation"
    systems: Annotated[tuple[ModelName, ...], Positional()] = Field(
        min_length=1,
        max_length=20,
        description="models, adapters or run folders, the first being what the others are compared with; or indexes: "
        "store:NAME",
    )
    data: tuple[LocalPath, ...] = Field(
        min_length=1,
        description="files of held-out rows with a reference answer; for indexes, of questions with its place",
    )
    completion_style: Literal["chat", "plain"] = Field(
        default="chat",
        description="prompt/completion rows are asked as a user's turn (chat), or as text without a template",
    )
    limit: int | None = Field(default=None, ge=1, description="rows to use at most, drawn by the seed")
    seed: int = Field(default=0, ge=0, description="seed of the drawn rows, the sampled replies and the intervals")
    output: LocalPath | None = Field(
        default=None, description="folder for the results; by default evaluations/ and a name made from the work"
    )


@dataclass(frozen=True)
class Result:
    """What was found, and the folder that holds all of it."""

    scores: Scores
    folder: Path
    facts: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {**self.facts, "folder": str(self.folder), **self.scores.to_json()}

    def tables(self) -> Sequence[Table]:
        return self.scores.tables()

    def next_commands(self) -> Sequence[str]:
        return [f"luthier chat {self.scores.best}"]


def run(spec: Spec, report: Report) -> Result | StoreResult:
    """Returns the scores of `spec.systems` on `spec.data`. Replies are kept: the same command goes on where it was."""
    if any(name.startswith("store:") for name in spec.systems):
        return _stores(spec, report)
    _refuse(spec, (RankingOptions, StoreOptions), "has no effect on models")
    from luthier.evaluation.items import items_of
    from luthier.evaluation.replies import KeptReplies
    from luthier.evaluation.score import choose_metrics, score
    from luthier.records.reading import read_rows

    opened = _open(spec)
    rows = read_rows(spec.data, spec)
    plain = spec.completion_style == "plain"
    items, skipped = items_of(rows, limit=spec.limit, seed=spec.seed, plain_completions=plain)
    if not items:
        raise SpecError("no row holds a question with a reference answer", where=", ".join(spec.data))
    metrics = choose_metrics(items, spec.metric)
    facts: dict[str, Any] = {"format": rows.format, "files": list(rows.files), "fingerprint": rows.fingerprint}
    folder = Path(spec.output) if spec.output else Path("evaluations") / _folder_name(spec, rows.fingerprint)
    report.event("plan", f"results go to {folder}", table=_plan(items, skipped, metrics, spec))
    limit = spec.max_tokens or _limit(items, opened[spec.systems[0]].tokenizer)
    answers: dict[str, list[Answered]] = {}
    with KeptReplies(folder / "replies.jsonl") as kept:
        for name in spec.systems:
            answers[name] = _ask(_Local(opened[name], spec), items, spec, limit, kept, report)
    scores = score(items, answers, metrics=metrics, resamples=spec.resamples, seed=spec.seed)
    facts |= {"max_tokens": limit, "rows": len(rows), "skipped": dict(skipped)}
    return _write(Result(scores, folder, facts), spec, report)


def _stores(spec: Spec, report: Report) -> StoreResult:
    """Returns how the stores that `spec.systems` name find the places of answers."""
    from luthier import __version__
    from luthier.encoding.pairs import PairScorer
    from luthier.evaluation.stores import PREFIX, evaluate_stores, write_result
    from luthier.store.opened import Store

    if others := [name for name in spec.systems if not name.startswith(PREFIX)]:
        problem = f"{others[0]!r} is no store, and the others are"
        raise SpecError(problem, where="systems", remedy="measure models and stores apart", param="systems")
    _once(spec)
    _refuse(spec, (FormatOptions, SamplingOptions, BatchingOptions), "has no effect on stores")
    if spec.metric or spec.completion_style != "chat":
        raise SpecError("metric and completion_style have no effect on stores", remedy="leave them out")
    rerank = {name: PairScorer.load(name, spec).scores for name in spec.rerank}
    names = "-".join(name.removeprefix(PREFIX) for name in spec.systems)
    folder = Path(spec.output) if spec.output else Path("evaluations") / f"{names}-{_folder_name(spec, '')}"
    store = Store.open(spec)
    try:
        result = evaluate_stores(spec, spec, store, folder, rerank, report)
    finally:
        store.close()
    made = {"luthier": __version__, "spec": json.loads(spec.model_dump_json())}
    return write_result(result, made, config.dump(spec), report)


def _refuse(spec: Spec, rooms: Sequence[type[config.Options]], why: str) -> None:
    """Refuses options of `rooms` that were given, for they would do nothing."""
    for name in (name for room in rooms for name in room.model_fields):
        if getattr(spec, name) != type(spec).model_fields[name].default:
            raise SpecError(f"is {getattr(spec, name)!r}, which {why}", where=name, remedy="leave it out", param=name)


class _Local:
    """A local model as a system: its weights are loaded when it is asked, and given back after."""

    def __init__(self, opened: Opened, spec: Spec) -> None:
        self.name, self._opened, self._kv_memory_bytes = opened.name, opened, spec.kv_memory_bytes
        self.identity = _digest([_files(opened), str(opened.dtype), opened.device.type])

    def answer(
        self, prompts: Sequence[Prompt], sampling: Sampling, on_reply: OnReply, between: Callable[[], None]
    ) -> None:
        import torch

        from luthier.generation.chat import TemplateChat
        from luthier.models.load import load_opened

        chat = TemplateChat.of(load_opened(self._opened), kv_memory_bytes=self._kv_memory_bytes, owned=True)
        try:
            chat.answer(prompts, sampling, on_reply, between)
        finally:
            del chat
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def _open(spec: Spec) -> dict[str, Opened]:
    """Returns each system without its weights; raises before any work when one cannot be used or is named twice."""
    from luthier.models.opening import open_model

    _once(spec)
    return {name: open_model(name, spec) for name in spec.systems}


def _once(spec: Spec) -> None:
    twice = sorted({name for name in spec.systems if spec.systems.count(name) > 1})
    if twice:
        raise SpecError(f"names {twice[0]!r} twice", where="systems", remedy="name each system once", param="systems")


def _ask(
    system: _Local, items: Sequence[Item], spec: Spec, limit: int, kept: KeptReplies, report: Report
) -> list[Answered]:
    """Returns the replies of one system; those that are kept are not asked for again."""
    from luthier.evaluation.replies import answer_items, failures

    def between() -> None:
        if report.cancelled():
            raise Interrupted("the replies so far are kept", where=system.name, remedy="give the same command to go on")

    report.progress(f"answer: {system.name}", 0, len(items))
    replies = answer_items(
        system,
        items,
        spec.sampling(seed=spec.seed, max_tokens=limit),
        kept=kept,
        identity=system.identity,
        on_reply=_progress(system.name, len(items), report),
        between=between,
    )
    report.progress(f"answer: {system.name}", len(items), len(items))
    if failed := failures(items, replies):
        report.event("warning", f"{system.name}: {failed}")
    return replies


def _progress(name: str, total: int, report: Report) -> Callable[[int, Answered], None]:
    started, tokens = time.monotonic(), 0

    def hear(done: int, reply: Answered) -> None:
        nonlocal tokens
        tokens += reply.tokens
        report.progress(f"answer: {name}", done, total, {"tokens/s": tokens / max(time.monotonic() - started, 1e-9)})

    return hear


def _limit(items: Sequence[Item], tokenizer: Any) -> int:
    from luthier.evaluation.items import reply_limit

    texts = [item.reference_text() for item in items]
    return reply_limit([len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]])


def _files(opened: Opened) -> list[tuple[str, int, int]]:
    """Returns what changes when the system does: its files, with their sizes and times."""
    folders = [folder for folder in (opened.found.base_folder, opened.found.adapter) if folder is not None]
    files = [file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def _folder_name(spec: Spec, fingerprint: str) -> str:
    left_out = {"data", "output", "metric", "resamples", "kv_memory"}
    return f"{Path(spec.data[0]).stem}-{_digest([fingerprint, spec.model_dump(mode='json', exclude=left_out)])[:8]}"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def _plan(items: Sequence[Item], skipped: Mapping[str, int], metrics: Sequence[str], spec: Spec) -> Table:
    from luthier.evaluation.statistics import sensitivity

    rows = [
        ("systems", ", ".join(spec.systems)),
        ("rows", f"{len(items):,}" + "".join(f"; {count:,} left out: {why}" for why, count in skipped.items())),
        ("metric", ", ".join(metrics) + ("" if spec.metric else " (chosen by the references)")),
        ("replies", "greedy" if spec.temperature == 0 else f"temperature {spec.temperature:g}, seed {spec.seed}"),
    ]
    if len(spec.systems) > 1:
        rows.append(("what they can show", sensitivity(len(items))))
    return Table("Evaluation", ("what", "value"), tuple(rows))


def _write(result: Result, spec: Spec, report: Report) -> Result:
    """Writes evaluation.json, items.jsonl and report.html, and says where."""
    from luthier import __version__
    from luthier.evaluation.outcome import conclusion, sections, write_items, write_whole
    from luthier.reports.page import Page, Raw, render

    made = {"luthier": __version__, "spec": json.loads(spec.model_dump_json())}
    write_items(result.folder / "items.jsonl", result.scores)
    write_whole(result.folder / "evaluation.json", json.dumps(made | result.to_json(), ensure_ascii=False, indent=2))
    facts = [("rows", f"{len(result.scores.items):,}"), ("data", ", ".join(result.facts["files"]))]
    page = Page(
        title="Evaluation",
        subtitle=", ".join(spec.systems),
        facts=[*facts, ("replies of at most", f"{result.facts['max_tokens']:,} tokens")],
        sections=[*sections(result.scores), Raw("Spec", config.dump(spec))],
    )
    write_whole(result.folder / "report.html", render(page))
    for line in conclusion(result.scores).splitlines():
        report.event("result", line)
    report.event("info", f"report: {result.folder / 'report.html'}")
    return result
