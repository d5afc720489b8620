"""A planned run, carried out: load, measure the base, train, measure what came of it, save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from luthier.models.attention import use_packed_attention
from luthier.models.compiled import compile_blocks
from luthier.models.load import LoadedModel, load_opened
from luthier.models.parameters import choose_parameters
from luthier.objectives.contract import OBJECTIVES
from luthier.objectives.language import LanguageObjective
from luthier.report import Report
from luthier.training.heldout import HeldOut, RowLosses
from luthier.training.loop import Job, Outcome, train
from luthier.training.prepare import Encoded
from luthier.training.run import RunFolder
from luthier.training.setup import Planned

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

    def train(self) -> Outcome:
        """Trains, or goes on training; the model is left with the best weights."""
        planned, spec = self.planned, self.planned.spec
        if planned.plan.gradient_checkpointing:
            self.loaded.model.gradient_checkpointing_enable({"use_reentrant": False})
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
            evaluate=None if validation is None else lambda: self._losses(validation).figures(),
            describe=planned.rows.train.describe,
            packing=planned.plan.packing,
        )
        with self._packed(), _threads(planned.identity["threads"]):
            outcome = train(job, resume=spec.resume)
        if planned.plan.gradient_checkpointing:
            self.loaded.model.gradient_checkpointing_disable()
        return outcome

    def losses(self, part: Encoded, task: str) -> RowLosses:
        """Returns the held-out losses of the model as it is now."""
        with self._packed():
            return self._losses(part, task)

    def _losses(self, part: Encoded, task: str = "") -> RowLosses:
        def on_row(done: int, count: int) -> None:
            self.report.progress(task, done, count)

        return HeldOut(
            self.objective,
            part.tokens,
            self.planned.plan.max_tokens_per_pass,
            self.loaded.device,
            self.loaded.dtype,
            packing=self.planned.plan.packing,
            on_row=on_row if task else None,
        ).measure(self.loaded.model)

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


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """A resumed run computes with the threads it began with: sums are cut the same way, so bits stay equal."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
