"""A planned run, carried out: load, measure the base, train, measure what came of it, save."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import resource
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

import torch

from luthier.errors import Interrupted
from luthier.evaluation.heldout import heldout_loss
from luthier.evaluation.items import Answered, Item, items_of, reply_limit
from luthier.evaluation.replies import KeptReplies, answer_items, failures
from luthier.generation.chat import TemplateChat
from luthier.models.attention import use_packed_attention
from luthier.models.compiled import compile_blocks
from luthier.models.export import save_model, whole_folder
from luthier.models.load import LoadedModel, load_opened
from luthier.models.parameters import choose_parameters
from luthier.objectives.contract import OBJECTIVES
from luthier.objectives.language import LanguageObjective
from luthier.records.messages import Sampling
from luthier.report import Report
from luthier.training.heldout import HeldOut
from luthier.training.loop import Job, Outcome, train
from luthier.training.profile import Breakdown
from luthier.training.results import Comparison, Measured, compare
from luthier.training.run import RunFolder
from luthier.training.setup import Planned
from luthier.training.summary import model_card, write_report

SAMPLE_ROWS = 2
"""Rows on which the objective checks the model's head."""


class Tuning:
    """One run in progress."""

    def __init__(self, planned: Planned, folder: RunFolder, report: Report) -> None:
        self.planned, self.folder, self.report = planned, folder, report
        self.loaded = self._load()
        self.objective: LanguageObjective
        with self._packed(check=True):
            sample = [
                planned.rows.train.tokens[index] for index in range(min(SAMPLE_ROWS, len(planned.rows.train.tokens)))
            ]
            self.objective = OBJECTIVES.load(planned.spec.method)(self.loaded.model, sample)
        self.items: list[Item] = []
        if planned.rows.heldout is not None and planned.spec.method == "sft":
            spec = planned.spec
            plain = spec.completion_style == "plain"
            rows = planned.rows.heldout.rows
            self.items, _ = items_of(rows, limit=spec.answer_rows, seed=spec.seed, plain_completions=plain)

    def train(self) -> Outcome:
        """Trains, or goes on training; the model is left with the best weights."""
        planned, spec = self.planned, self.planned.spec
        if planned.plan.gradient_checkpointing:
            self.loaded.model.activation_checkpointing_enable()
        validation = planned.rows.validation
        job = Job(
            model=self.loaded.model,
            objective=self.objective,
            items=planned.rows.train.tokens,
            options=spec,
            peak_learning_rate=planned.plan.learning_rate,
            max_tokens_per_pass=planned.plan.max_tokens_per_pass,
            folder=self.folder.path,
            device=self.loaded.device,
            compute_dtype=self.loaded.dtype,
            identity=planned.identity,
            report=self.report,
            evaluate=None if validation is None else lambda: self._held_out.figures(validation.tokens),
            describe=planned.rows.train.describe,
            packing=planned.plan.packing,
            on_profile=self._profiled if spec.profile else None,
            keep_model=self._keep_model if spec.keep_models else None,
        )
        with self._packed(), _threads(planned.identity["threads"]):
            outcome = train(job, resume=spec.resume)
        if planned.plan.gradient_checkpointing:
            self.loaded.model.activation_checkpointing_disable()
        return outcome

    def measure(self, name: str) -> Measured | None:
        """Returns the held-out loss and answers of the model as it is now; None where no row is held out."""
        heldout = self.planned.rows.heldout
        if heldout is None:
            return None
        tokens, task = heldout.tokens, f"held-out loss of {name}"
        with self._packed():
            loss = heldout_loss(
                tokens,
                lambda part: self._held_out.losses(part).tolist(),
                max_tokens_per_pass=self.planned.plan.max_tokens_per_pass,
                resamples=self.planned.spec.resamples,
                seed=self.planned.spec.seed,
                on_pass=lambda done: self.report.progress(task, done, len(tokens)),
            )
        give_back()
        answers = self._answers(name) if self.items else ()
        give_back()
        return Measured(loss, answers)

    def finish(self, outcome: Outcome, base: Measured | None, tuned: Measured | None) -> Comparison | None:
        """Saves the model with its card, the comparison and the report; returns the comparison, where rows were held
        out."""
        planned, folder = self.planned, self.folder
        comparison = None
        if base is not None and tuned is not None:
            split = "test" if planned.rows.test is not None else "validation"
            comparison = compare(split, self.items, base, tuned, planned.spec)
        self.report.progress("saving the model", 0, None)
        run = folder.read() | {"peak_bytes": peak_memory(self.loaded.device)}
        text = model_card(planned, outcome, comparison, run, name=folder.path.name)
        shutil.rmtree(folder.model, ignore_errors=True)  # of an earlier end of this run
        with whole_folder(folder.model) as part:
            save_model(self.loaded, part, card=text)
        write_report(folder.path / "report.html", planned, outcome, comparison, run)
        if comparison is not None and comparison.scores is not None:
            lines = [json.dumps(one.to_json(), ensure_ascii=False) for one in comparison.scores.items]
            (folder.path / "heldout.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        folder.update(
            status="succeeded",
            state=asdict(outcome.state),
            stopped_early=outcome.stopped_early,
            peak_bytes=run["peak_bytes"],
            comparison=None if comparison is None else comparison.to_json(),
        )
        return comparison

    def _keep_model(self, step: int, figures: Mapping[str, float]) -> None:
        """Saves the model as it is after `step`, and removes those that are more than was asked for."""
        target = self.folder.models / f"step-{step:08d}"
        with whole_folder(target, overwrite=True) as part:
            save_model(self.loaded, part)
        data = {"step": step, "path": str(target), "figures": dict(figures)}
        self.report.event("model", f"model of step {step}: {target}", data=data)
        for old in sorted(self.folder.models.glob("step-*"))[: -self.planned.spec.keep_models]:
            shutil.rmtree(old)

    def _profiled(self, found: Breakdown) -> None:
        self.folder.update(profile=found.to_json())
        self.report.event("info", "", table=found.table())

    def _answers(self, name: str) -> list[Answered]:
        sampling = Sampling(max_tokens=self.planned.spec.answer_tokens or self._room())

        def on_reply(done: int, _: Answered) -> None:
            self.report.progress(f"answers of {name}", done, len(self.items))

        with KeptReplies(self.folder.data / "answers.jsonl") as kept:
            answers = answer_items(
                TemplateChat.of(self.loaded),
                self.items,
                sampling,
                kept=kept,
                identity=name,
                on_reply=on_reply,
                between=self._stop_if_asked,
            )
        if failed := failures(self.items, answers):
            self.report.event("warning", f"answers of {name}: {failed}")
        return answers

    def _room(self) -> int:
        references = self.loaded.template.encode([item.reference_text() for item in self.items])
        return reply_limit([len(ids) for ids in references])

    def _stop_if_asked(self) -> None:
        if self.report.cancelled():
            raise Interrupted(
                "stopped while held-out rows were answered; everything so far is saved",
                where=str(self.folder.path),
                remedy="run the same command with --resume to go on",
            )

    @property
    def _held_out(self) -> HeldOut:
        return HeldOut(
            self.loaded.model,
            self.objective,
            self.planned.plan.max_tokens_per_pass,
            self.loaded.device,
            self.loaded.dtype,
            packing=self.planned.plan.packing,
        )

    def _load(self) -> LoadedModel:
        spec = self.planned.spec
        self.report.progress("loading the model", 0, None)
        seed = spec.seed if spec.from_scratch else None
        loaded = load_opened(self.planned.opened, master_weights=self.planned.master_weights, fresh_seed=seed)
        for note in loaded.notes:
            self.report.event("warning", note)
        choose_parameters(loaded, spec, generator_seed=spec.seed)
        if spec.compile:
            compile_blocks(loaded.model)
        return loaded

    @contextmanager
    def _packed(self, *, check: bool = False) -> Iterator[None]:
        if not self.planned.plan.packing:
            yield
            return
        with use_packed_attention(self.loaded.model, check=check):
            yield


def give_back() -> None:
    """Hands freed memory back to the system: glibc keeps it, and the peaks of answering and training would add up."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library has nothing to trim
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def peak_memory(device: torch.device) -> int:
    """Returns the most bytes this process has held on the device: resident memory on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """A resumed run computes with the threads it began with: sums are cut the same way, so bits stay equal."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
